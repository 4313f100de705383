"""Which options change nothing under which others, so that one that was chosen is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from ladtl_np.corpus.dotted import flattened
from ladtl_np.corpus.formats.registry import NEEDS
from ladtl_np.corpus.read import idle_in
from ladtl_np.errors import UsageError
from ladtl_np.options.config import DEFAULTS, Config
from ladtl_np.options.method_checks import has_effect
from ladtl_np.options.methods import FROM_FILE, METHODS, Method, method_named

__all__ = ["Idle", "idle_options", "is_record", "moved_options", "refuse_idle"]


class Idle(NamedTuple):
    """An option that changes nothing: its key, under what, and what else to do."""

    key: str
    where: str
    cure: str

    def told(self, name: str = "") -> str:
        """In words; `name` is how the user called it."""
        return f"{name or self.key} has no effect {self.where}; leave it out, or {self.cure}"


class _Given(NamedTuple):
    """What an effect may depend on; the demo has a source and development data of its own."""

    config: Config
    method: Method
    demo: bool

    @property
    def source(self) -> bool:
        return self.demo or bool(self.config.data.source)

    @property
    def has_types(self) -> bool:
        """Whether there is a source of whatever kind, whose types may be paired."""
        return self.source or bool(self.config.data.source_model)

    @property
    def several(self) -> bool:
        return not self.demo and bool(self.config.data.more_sources)

    @property
    def dev(self) -> bool:
        return self.demo or bool(self.config.data.dev)

    def reads_by(self, side: str, option: str) -> bool:
        """Whether an option can change how a side's files are read; files that are not there may.

        Development data and tests are read as the target is where nothing else is said.
        """
        roles = ("target", "dev", "test") if side == "target" else (side,)
        files = [file for file in self.config.data.files() if file.role in roles]
        return option not in idle_in((file.path, file.format) for file in files)


class _Rule(NamedTuple):
    """Options, or sections of them, that need something of the others."""

    keys: str
    holds: Callable[[_Given], bool]
    where: str
    cure: str


def _of_reading(side: str, option: str) -> _Rule:
    """An option of one side's files, which only some formats need."""
    need = NEEDS[option]
    return _Rule(
        f"data.{side}_format.{option}",
        lambda given: given.reads_by(side, option),
        f"without {need} to read",
        "name such a file",
    )


def _samples(given: _Given) -> bool:
    """Whether less than all sentences are used of a corpus that is used."""
    data, used = given.config.data, given.method.reads_source
    return data.target_fraction < 1.0 or (used and data.source_fraction < 1.0)


_RULES = (
    _Rule(
        "data.source data.more_sources data.target data.dev data.test data.source_format "
        "data.target_format data.dev_format data.test_format",
        lambda given: not given.demo,
        "with --demo, which has corpora of its own",
        "leave --demo out",
    ),
    _Rule(
        "data.label_map",
        lambda given: given.has_types,
        "without a source",
        "name one with --source",
    ),
    _Rule(
        "data.source_fraction data.source_format",
        lambda given: given.source,
        "without a source",
        "name one with --source",
    ),
    _Rule(
        "data.concatenate",
        lambda given: given.several,
        "with one source",
        "name more with --source",
    ),
    _Rule(
        "data.shares",
        lambda given: given.several or bool(given.config.data.source_model),
        "with one source",
        "name more with --source",
    ),
    _Rule(
        "data.shares",
        lambda given: not given.config.data.concatenate,
        "with data.concatenate, which leaves one source",
        "leave that out",
    ),
    _Rule(
        "data.dev_format",
        lambda given: given.dev,
        "without development data",
        "name them with --dev",
    ),
    _Rule(
        "data.test_format",
        lambda given: bool(given.config.data.test),
        "without test data",
        "name them with --test",
    ),
    _Rule(
        "data.sample_seed",
        _samples,
        "where all sentences are used",
        "lower data.target_fraction or data.source_fraction",
    ),
    _Rule(
        "training.patience training.select_by",
        lambda given: given.dev,
        "without development data",
        "name some with --dev",
    ),
    _Rule(
        "training.unknown_probability",
        lambda given: given.config.vocabulary.min_count == 1,
        "with vocabulary.min_count above 1, which makes every word seen once unknown",
        "leave that out",
    ),
    _Rule(
        "optimizer.decay",
        lambda given: given.config.optimizer.decay_steps > 0,
        "without optimizer.decay_steps",
        "set both",
    ),
    _Rule(
        "optimizer.decay_steps",
        lambda given: given.config.optimizer.decay < 1.0,
        "without optimizer.decay below 1",
        "set both",
    ),
    _Rule(
        "characters.embedding characters.lower reload.characters reload.character_lstm",
        lambda given: given.config.characters.hidden > 0,
        "without characters.hidden",
        "set that above 0",
    ),
    _Rule(
        "decoding.emission_bias",
        lambda given: given.config.model.emission_bias,
        "without model.emission_bias",
        "set that to true",
    ),
    _Rule(
        "objective.kernel objective.mmd_estimator objective.mmd_features objective.mmd_floor "
        "objective.exclude_tags",
        lambda given: given.config.objective.largest("w_mmd") > 0.0,
        "with objective.w_mmd of 0",
        "give that a weight",
    ),
    _Rule(
        "objective.mmd_features",
        lambda given: given.config.objective.mmd_estimator == "random-features",
        "without objective.mmd_estimator=random-features",
        "choose that",
    ),
    _Rule(
        "objective.parameter_transfer objective.divergence_gradient",
        lambda given: given.config.objective.largest("w_param") > 0.0,
        "with objective.w_param of 0",
        "give that a weight",
    ),
    _Rule(
        "cd.width",
        lambda given: given.config.cd.similarity == "gaussian",
        "without cd.similarity=gaussian",
        "choose that",
    ),
    _Rule(
        "cd.order",
        lambda given: given.config.cd.similarity == "cross-entropy",
        "without cd.similarity=cross-entropy",
        "choose that",
    ),
    *(_of_reading(side, key) for side in ("source", "target", "dev", "test") for key in NEEDS),
)


def idle_options(
    config: Config, keys: Iterable[str], *, demo: bool = False, for_all_methods: bool = False
) -> list[Idle]:
    """Options among those chosen that change nothing, none of which is at its default.

    Parameters
    ----------
    config
        Every option.
    keys
        Dotted keys of those that somebody chose; defaults and presets are nobody's choice.
    demo
        Whether the demo corpus is trained on.
    for_all_methods
        Whether they were chosen for whatever method there may be: then what only another method
        uses is left aside.
    """
    given = _Given(config, method_named(config.method), demo)
    found = []
    for key in moved_options(config, keys):
        if not (for_all_methods and not has_effect(key, given.method)):
            found += list(_reasons(key, given))[:1]
    return found


def moved_options(config: Config, keys: Iterable[str]) -> list[str]:
    """Those of some options that are not at their defaults."""
    values, defaults = (flattened(msgspec.to_builtins(each)) for each in (config, DEFAULTS))
    return [key for key in keys if values.get(key) != defaults.get(key)]


def _reasons(key: str, given: _Given) -> Iterator[Idle]:
    for rule in _RULES:
        named = any(key == each or key.startswith(f"{each}.") for each in rule.keys.split())
        if named and not rule.holds(given):
            yield Idle(key, rule.where, rule.cure)
    if not has_effect(key, given.method):
        able = ", ".join(
            name for name, method in (METHODS | FROM_FILE).items() if has_effect(key, method)
        )
        yield Idle(key, f"with method {given.config.method}", f"choose one of: {able}")


def refuse_idle(
    config: Config, keys: Iterable[str], names: Mapping[str, str], *, demo: bool = False
) -> None:
    """Refuse options that were chosen and change nothing.

    Parameters
    ----------
    config, keys, demo
        As for `idle_options`.
    names
        How the user called some of the keys.

    Raises
    ------
    UsageError
        Naming the first of them, and what it needs.
    """
    for idle in idle_options(config, keys, demo=demo):
        raise UsageError(idle.told(names.get(idle.key, "")))


def is_record(table: Mapping[str, Any]) -> bool:
    """Whether a file of options is that of a run, which holds all of them and chooses none."""
    return set(Config.__struct_fields__) <= table.keys()
