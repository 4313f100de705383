"""What options are drawn from: ranges and values by dotted key, from a TOML file."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ladtl_np.corpus.limits import bounded
from ladtl_np.corpus.typed import typed
from ladtl_np.errors import UsageError
from ladtl_np.experiment.names import require_distinct
from ladtl_np.options.config import Config, parse_config, read_config, set_option
from ladtl_np.options.effects import Idle, idle_options, moved_options
from ladtl_np.options.method_checks import chosen_method
from ladtl_np.options.seeds import stream

__all__ = ["Range", "Space", "config_at", "default_space", "draw", "read_space"]

# they say what the task is, or how a search is done, and not how well a method does
_FIXED = ("method", "seed", "threads", "data.", "vocabulary.key", "training.select_by")
# but for how sources are used
_FREE = ("data.source_fraction", "data.shares", "data.concatenate")
_DIGITS = 3  # of a drawn number, so that it can be read and typed
_LOOKS = 64  # draws among which an option has to change something once


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers from `low` to `high`, evenly, or evenly in the logarithm; whole if both are."""

    low: int | float
    high: int | float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be above 0 with log, got {self.low}")

    def at(self, share: float) -> int | float:
        """The number at a share of the way, in [0, 1)."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            low, high = (math.log(x) if self.log else x for x in (self.low, self.high + 1))
            place = low + share * (high - low)
            return min(math.floor(math.exp(place) if self.log else place), self.high)
        low, high = (math.log(x) if self.log else float(x) for x in (self.low, self.high))
        place = low + share * (high - low)
        value = math.exp(place) if self.log else place
        return min(max(float(f"{value:.{_DIGITS}g}"), float(self.low)), float(self.high))


Space = dict[str, Range | list[Any]]
"""What each option is drawn from, by dotted key, in order."""


def read_space(path: str | Path, config: Config, chosen: Collection[str]) -> Space:
    """Read a space from a file.

    Parameters
    ----------
    path
        A TOML file.
    config
        The options without a search.
    chosen
        Dotted keys of options that the user has set.

    Raises
    ------
    UsageError
        For anything wrong in it, an option that is set as well, or one that changes nothing.
    """
    space = dict(_entries(read_config(path), str(path)))
    if not space:
        raise UsageError(f"{path}: no option in it; see docs/tuning.md")
    for key in space:
        if key in chosen:
            raise UsageError(f"{path}: {key} is set as well; leave it out in one of both")
        if key not in _FREE and any(key == each or key.startswith(each) for each in _FIXED):
            raise UsageError(f"{path}: {key} says what the task is, and cannot be searched for")
    _require_in_range(space, config, str(path))
    _require_effects(space, config, str(path))
    return space


def default_space(config: Config, chosen: Collection[str]) -> Space:
    """Options that matter, as far as they change anything and the user has not set them."""
    path = Path(str(resources.files("ladtl_np.tuning"))) / "space.toml"
    space = dict(_entries(read_config(path), path.name))
    space = {
        key: values
        for key, values in space.items()
        if key not in chosen and not _refusal(key, values, config)
    }
    idle = _idle(space, config)
    return {key: values for key, values in space.items() if key not in idle}


def _refusal(key: str, values: Range | list[Any], config: Config) -> str:
    """Why an option cannot be searched with the method, "" if it can."""
    try:
        for value in _ends(values):
            chosen_method(config_at(config, {key: value}))
    except UsageError as error:
        return str(error)
    return ""


def _ends(values: Range | list[Any]) -> list[Any]:
    return [values.low, values.high] if isinstance(values, Range) else values


def _entries(
    table: Mapping[str, Any], place: str, lead: str = ""
) -> Iterator[tuple[str, Range | list[Any]]]:
    """What stands in the file; a table that is no range is a section."""
    for name, value in table.items():
        key = f"{lead}{name}"
        if isinstance(value, list):
            require_distinct(value, f"{place}: {bounded(key, 200)}")
            if len(value) < 2:
                raise UsageError(f"{place}: {bounded(key, 200)}: one value; set it with --set")
            yield key, value
        elif isinstance(value, Mapping) and value.keys() & {"low", "high"}:
            try:
                yield key, typed(value, Range)
            except ValueError as error:
                raise UsageError(f"{place}: {bounded(key, 200)}: {bounded(str(error))}") from None
        elif isinstance(value, Mapping):
            yield from _entries(value, place, f"{key}.")
        else:
            raise UsageError(
                f"{place}: {bounded(key, 200)} wants a list of values, or a range such as "
                "{ low = 0.01, high = 0.1, log = true }"
            )


def _require_in_range(space: Space, config: Config, place: str) -> None:
    """Refuse a value that its option cannot have, whatever the others are."""
    for key, values in space.items():
        for value in _ends(values):
            config_at(config, {key: value}, f"{place}: {key}")


def _require_effects(space: Space, config: Config, place: str) -> None:
    """Refuse an option that changes nothing at any point, or that some point may not have."""
    for key, values in space.items():
        if told := _refusal(key, values, config):
            raise UsageError(f"{place}: {told}")
    try:
        for number in range(1, _LOOKS):
            chosen_method(config_at(config, draw(space, config.seed, number)))
    except UsageError as error:
        raise UsageError(f"{place}: at some points {error}") from None
    for idle in _idle(space, config).values():
        raise UsageError(f"{place}: {idle.told()}")


def _idle(space: Space, config: Config) -> dict[str, Idle]:
    """Options that change nothing at any of a number of points, with the reason."""
    found: dict[str, Idle] = {}
    used: set[str] = set()
    for number in range(1, _LOOKS):
        point = config_at(config, draw(space, config.seed, number))
        told = {idle.key: idle for idle in idle_options(point, space)}
        found |= told
        used |= set(moved_options(point, space)) - told.keys()
    return {key: idle for key, idle in found.items() if key not in used}


def draw(space: Space, seed: int, number: int) -> dict[str, Any]:
    """Values of a point: point 0 sets nothing, and each other one is a draw of its own.

    Which one a point gets depends on no other point, so that a larger budget has the same first
    ones.
    """
    if number == 0:
        return {}
    shares = stream(seed, "search").random((number, len(space)))[-1]
    return {k: _at(values, s) for (k, values), s in zip(space.items(), shares, strict=True)}


def _at(values: Range | Sequence[Any], share: np.float64) -> Any:
    if isinstance(values, Range):
        return values.at(float(share))
    return values[int(share * len(values))]


def config_at(config: Config, values: Mapping[str, Any], place: str = "a point") -> Config:
    """The options with some of them at other values.

    Raises
    ------
    UsageError
        If an option cannot have its value.
    """
    table = msgspec.to_builtins(config)
    for key, value in values.items():
        set_option(table, key, value)
    return parse_config(table, place)
