"""Every option of a run, its default and its check: the one source of truth for both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from ladtl_np.corpus.documents import LimitError, parse_toml, read_document, require_numbers
from ladtl_np.corpus.dotted import flattened
from ladtl_np.corpus.limits import NESTING, TOML_BYTES, bounded
from ladtl_np.corpus.typed import typed
from ladtl_np.errors import DataError, UsageError
from ladtl_np.options.data_options import DataOptions
from ladtl_np.options.input_file import require_writable
from ladtl_np.options.method_options import (
    JointOptions,
    MaskOptions,
    ProjectionOptions,
    ReloadOptions,
    SimilarityOptions,
)
from ladtl_np.options.objective_options import ObjectiveOptions
from ladtl_np.options.parts import (
    AdaGradOptions,
    CharacterOptions,
    DecodingOptions,
    ModelOptions,
    TrainingOptions,
    VectorOptions,
    VocabularyOptions,
)
from ladtl_np.printable import LONG, shown

__all__ = [
    "DEFAULTS",
    "Config",
    "apply_settings",
    "differing_options",
    "merge_options",
    "parse_config",
    "portable",
    "read_config",
    "set_option",
    "to_toml",
]


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training run.

    Attributes
    ----------
    method
        A name of ``methods.METHODS`` or of ``methods.FROM_FILE``.
    seed
        Seed of every random choice: start values, order, dropout, unknown words, sample.
    threads
        Threads to compute with; results do not depend on it.
    """

    method: str = "la-dtl"
    seed: int = 0
    threads: int = 2
    data: DataOptions = DataOptions()
    model: ModelOptions = ModelOptions()
    characters: CharacterOptions = CharacterOptions()
    objective: ObjectiveOptions = ObjectiveOptions()
    optimizer: AdaGradOptions = AdaGradOptions()
    training: TrainingOptions = TrainingOptions()
    vocabulary: VocabularyOptions = VocabularyOptions()
    vectors: VectorOptions = VectorOptions()
    decoding: DecodingOptions = DecodingOptions()
    joint: JointOptions = JointOptions()
    projection: ProjectionOptions = ProjectionOptions()
    mask: MaskOptions = MaskOptions()
    cd: SimilarityOptions = SimilarityOptions()
    reload: ReloadOptions = ReloadOptions()

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, got {self.threads}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")


DEFAULTS = Config()
"""Every option at its default."""


def portable(config: Config) -> Config:
    """The options without what may differ between equal runs: folders and threads."""
    data = config.data
    names = ("source", "source_model", "target", "target_chosen", "dev", "label_map", "embeddings")
    plain = {name: Path(getattr(data, name)).name for name in names}
    tests = [Path(path).name for path in data.test]
    more = [
        msgspec.structs.replace(
            other, file=Path(other.file).name, label_map=Path(other.label_map).name
        )
        for other in data.more_sources
    ]
    key = Path(config.vocabulary.key).name
    return msgspec.structs.replace(
        config,
        data=msgspec.structs.replace(data, **plain, test=tests, more_sources=more),
        vocabulary=msgspec.structs.replace(config.vocabulary, key=key),
        threads=DEFAULTS.threads,
    )


def differing_options(one: Config, other: Config) -> list[tuple[str, Any, Any]]:
    """Key and both values of every option that differs, folders and threads aside."""
    first, second = (flattened(msgspec.to_builtins(portable(config))) for config in (one, other))
    keys = dict.fromkeys([*first, *second])
    pairs = [(key, first.get(key), second.get(key)) for key in keys]
    return [(key, a, b) for key, a, b in pairs if a != b]


def parse_config(table: Mapping[str, Any], name: str = "configuration") -> Config:
    """Check a nested table of options against `Config`.

    Raises
    ------
    UsageError
        For an unknown option, a wrong type or a value out of range, naming the option; for text
        that config.toml cannot hold, such as a file name that is not UTF-8.
    """
    try:
        require_numbers(table, name, finite=True)
        require_writable(table, name)
        found: Config = typed(table, Config)
    except DataError as error:
        raise UsageError(str(error)) from None
    except ValueError as error:
        raise UsageError(
            f"{name}: {bounded(str(error), 500)}; see `ladtl train --help` and docs/config.md"
        ) from None
    return found


def read_config(path: str | Path) -> dict[str, Any]:
    """Read a TOML file of options into a nested table, not yet checked.

    Raises
    ------
    UsageError
        If it is not there, no regular file, too large, or not TOML.
    """
    try:
        return parse_toml(read_document(path, TOML_BYTES), shown(str(path), LONG))
    except DataError as error:
        raise UsageError(str(error)) from None


def apply_settings(table: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Add ``section.key=value`` settings to a nested table; they win over what it holds.

    A value is read as TOML (``0.1``, ``true``, ``[1.0, 2.0]``), and what is not TOML as a string.

    Raises
    ------
    UsageError
        If one is no setting, or two set the same option.
    """
    merged = _deep_copy(table)
    seen: dict[tuple[str, ...], str] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise UsageError(
                "--set wants KEY=VALUE, such as training.steps=500; "
                f"got {bounded(repr(setting), 200)}"
            )
        parts = tuple(key.strip().split("."))
        for other, earlier in seen.items():
            if parts[: len(other)] == other[: len(parts)]:
                raise UsageError(
                    f"option {bounded(key.strip(), 100)} is set twice, as {bounded(earlier, 200)} "
                    f"and as {bounded(setting, 200)}; leave one of them out"
                )
        seen[parts] = setting
        set_option(merged, key.strip(), _toml_value(text.strip(), key.strip()))
    return merged


def set_option(table: dict[str, Any], key: str, value: Any) -> None:
    """Set an option by its dotted key in a nested table."""
    *sections, last = key.split(".", NESTING)
    if len(sections) == NESTING:
        raise UsageError(f"option {bounded(key, 100)}: more than {NESTING} sections in a key")
    place = table
    for section in sections:
        place = place.setdefault(section, {})
        if not isinstance(place, dict):
            raise UsageError(f"option {key}: {section} is a value, not a section")
    place[last] = value


def merge_options(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Join two nested tables; where both set an option, `over` wins."""
    merged = _deep_copy(under)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, Mapping)
        merged[key] = merge_options(merged[key], value) if both else value
    return merged


def _toml_value(text: str, key: str) -> Any:
    try:
        table = parse_toml(f"value = {text}", f"--set {bounded(key, 100)}")
    except LimitError as error:
        raise UsageError(str(error)) from None
    except DataError:
        return text
    return table["value"] if len(table) == 1 else text  # a line end in it may start another key


def _deep_copy(table: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _deep_copy(v) if isinstance(v, Mapping) else v for k, v in table.items()}


def to_toml(config: Config) -> str:
    """Every option with its resolved value, as a file that ``--config`` reads back."""
    return tomli_w.dumps(_without_none(msgspec.to_builtins(config)))


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    # TOML has no null; an option that is None by choice is one whose default is not None
    kept = {key: value for key, value in table.items() if value is not None}
    for key, value in kept.items():
        if isinstance(value, Mapping):
            kept[key] = _without_none(value)
        elif isinstance(value, list):
            kept[key] = [_without_none(one) if isinstance(one, Mapping) else one for one in value]
    return kept
