"""Options of the small runs on the files of law_corpora.py, by their dotted keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ladtl_np.options.config import Config, parse_config, set_option

Base = dict[str, Any]

LAW: Base = {
    "threads": 1,
    "data.source": "source.txt",
    "data.target": "target.txt",
    "data.dev": "dev.txt",
    "data.test": ["test.txt"],
    "data.label_map": "map.toml",
    "model.embedding": 6,
    "model.hidden": 4,
    "model.emission_bias": True,
    "characters.hidden": 2,
    "characters.embedding": 3,
    "training.steps": 8,
    "training.source_batch": 8,
    "training.target_batch": 6,
    "training.evaluate_every": 2,
}
"""Of every run here: small, and with all parts that a network can have."""
PATHS = frozenset(
    f"data.{role}"
    for role in ("source", "target", "target_chosen", "dev", "label_map", "embeddings")
)
PATHS |= {"vocabulary.key"}


def table_of(folder: Path, options: Base) -> dict[str, Any]:
    """The options over those of every run, as a nested table; files stand in the folder."""
    table: dict[str, Any] = {}
    for key, value in {**LAW, **options}.items():
        set_option(table, key, placed(folder, key, value))
    return table


def placed(folder: Path, key: str, value: Any) -> Any:
    """An option's value, with the folder before the names of files."""
    if key == "data.test":
        return [str(folder / each) for each in value]
    if key == "data.more_sources":
        return [{**each, "file": str(folder / each["file"])} for each in value]
    return str(folder / value) if key in PATHS and value else value


def config_of(folder: Path, options: Base) -> Config:
    return parse_config(table_of(folder, options))


def options_of(config: msgspec.Struct, lead: str = "") -> Iterator[tuple[str, Any]]:
    """Every option by its dotted key, however deep its section lies."""
    for name in config.__struct_fields__:
        value = getattr(config, name)
        if isinstance(value, msgspec.Struct):
            yield from options_of(value, f"{lead}{name}.")
        else:
            yield lead + name, value


def _inline(value: Any) -> str:
    """A value as TOML in one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    if not isinstance(value, dict):
        return json.dumps(value)
    return f"{{ {', '.join(f'{json.dumps(k)} = {_inline(v)}' for k, v in value.items())} }}"


def setting(key: str, value: Any) -> str:
    """``KEY=VALUE`` as ``--set`` takes it: TOML, or a plain string."""
    return f"{key}={value if isinstance(value, str) else _inline(value)}"
