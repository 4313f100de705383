"""An estimator's parameters as the options of a run, and a model's options as parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import msgspec
import numpy as np

from ladtl_np.corpus.dotted import flattened
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.errors import UsageError
from ladtl_np.model.file import Model
from ladtl_np.options.config import DEFAULTS, Config, parse_config, set_option
from ladtl_np.options.methods import method_named
from ladtl_np.printable import shown

__all__ = [
    "checked_label_maps",
    "checked_path",
    "checked_threads",
    "config_of",
    "label_maps_of",
    "options_of",
    "require_option",
    "require_source",
]

# what is told in another way, and how
_ELSEWHERE = {
    "method": "the parameter method",
    "seed": "the parameter seed",
    "threads": "the parameter threads",
    "data.source": "source= of fit",
    "data.more_sources": "source= of fit, a dictionary of several",
    "data.target": "X and y of fit",
    "data.dev": "dev= of fit",
    "data.test": "scores(X, y)",
    "data.label_map": "the parameter label_map",
    "data.source_format": "ReadOptions of read_conll, whose corpus is source= of fit",
    "data.target_format": "ReadOptions of read_conll, whose corpus is X of fit",
}
_DEFAULTS = flattened(msgspec.to_builtins(DEFAULTS))


def require_option(key: str) -> None:
    """Refuse a key of `options` that is no option, or one that is given in another way.

    Raises
    ------
    UsageError
        Saying which.
    """
    for name, way in _ELSEWHERE.items():
        if key == name or key.startswith(f"{name}."):
            raise UsageError(f"options: {key} has no effect here; give it as {way}")
    if key not in _DEFAULTS:
        raise UsageError(f"options: {shown(key, 100)} is no option; docs/config.md lists them")


def config_of(method: Any, seed: Any, threads: Any, options: Mapping[str, Any] | None) -> Config:
    """Every option of a run.

    Numbers of NumPy, as grids and distributions give them, count as Python's.

    Raises
    ------
    UsageError
        If there is no such option, or a value is not what it may be.
    """
    if options is not None and not isinstance(options, Mapping):
        raise UsageError(
            "options must be a dictionary, as {'training.steps': 500}; "
            f"it is of type {shown(type(options).__name__)}"
        )
    table: dict[str, Any] = {}
    if not _named(options or {}):
        raise UsageError("options: every key must be a str, as in {'training.steps': 500}")
    for key, value in flattened(options or {}).items():
        require_option(key)
        set_option(table, key, _plain(value))
    named = {"method": method, "seed": seed, "threads": threads}
    return parse_config(table | {key: _plain(value) for key, value in named.items()}, "LaDTLTagger")


def options_of(model: Model, vocabulary_key: str | PathLike[str] | None) -> dict[str, Any] | None:
    """The options that differ from their defaults, without those that `options` may not hold.

    Models hold names of files without their folders, so vectors stay by name alone, and so does
    the vocabulary's key unless its path is given: a training that left them out would be another.
    """
    found = flattened(msgspec.to_builtins(model.config))
    if model.config.vocabulary.key and vocabulary_key is not None:
        found["vocabulary.key"] = str(vocabulary_key)
    changed = {key: value for key, value in found.items() if value != _DEFAULTS.get(key)}
    return {key: value for key, value in changed.items() if not _elsewhere(key)} or None


def _elsewhere(key: str) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in _ELSEWHERE)


def checked_label_maps(
    pairs: Mapping[str, str] | Sequence[Mapping[str, str]] | None,
) -> list[LabelMap]:
    """The pairs of types as label maps: one for all sources, or one for each.

    Raises
    ------
    UsageError
        As for each of them.
    """
    if isinstance(pairs, list | tuple):
        return [_label_map(one) for one in pairs]
    return [_label_map(pairs)]


def _label_map(pairs: Any) -> LabelMap:
    """The pairs of types as a label map.

    Raises
    ------
    UsageError
        If they are not types by types.
    """
    if not isinstance(pairs, Mapping | None):
        raise UsageError(
            "label_map must be a dictionary of source types and target types, as "
            f"{{'LOC': 'place'}}; it is of type {shown(type(pairs).__name__)}"
        )
    if not all(isinstance(kind, str) for pair in (pairs or {}).items() for kind in pair):
        raise UsageError("label_map must hold types as str on both sides")
    return LabelMap(pairs or {}, "label_map")


def checked_threads(threads: Any) -> int:
    """How many threads to tag with.

    Raises
    ------
    UsageError
        If it is no number, or less than 1.
    """
    found = _plain(threads)
    if not isinstance(found, int) or found < 1:
        raise UsageError("threads must be a number, at least 1")
    return found


def checked_path(path: Any, name: str) -> str | PathLike[str]:
    """A path that was given; numbers would be taken for files that are open already.

    Raises
    ------
    UsageError
        If it is none.
    """
    if not isinstance(path, str | PathLike):
        raise UsageError(f"{name} must be the path of a file, as 'model.safetensors'")
    return path


def label_maps_of(model: Model) -> dict[str, str] | list[dict[str, str]] | None:
    """The pairs of types of a model as the parameter ``label_map``."""
    if not model.more_sources:
        return model.label_map or None
    return [dict(head.label_map.pairs) for head in model.sources]


def require_source(config: Config, source: Any) -> None:
    """Refuse to train without a source by a method that learns from one.

    Raises
    ------
    UsageError
        Naming the method.
    """
    if source is None and method_named(config.method).reads_source:
        raise UsageError(
            f"method {config.method} learns from a source domain; give its sentences as source=, "
            "or choose the method 'non-transfer'"
        )


def _named(options: Mapping[Any, Any]) -> bool:
    """Whether all keys are strings, those of tables within too."""
    inner = (value for value in options.values() if isinstance(value, Mapping))
    return all(isinstance(key, str) for key in options) and all(map(_named, inner))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
