"""Write docs/config.md from the docstrings and defaults of the option classes.

Run ``python docs/config_page.py`` after changing an option; a test compares the two.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import msgspec

from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.options.config import Config

HEAD = """# Options of a run

Every option of `ladtl train`, with its key and its default. Set one with `--set KEY=VALUE`, or
several in a TOML file given with `--config`; keys with a dot are tables there (`[training]`, then
`steps = 500`). A run writes all of its options to `config.toml` in its folder, which `--config`
reads. The order is: defaults, `--preset`, the demo's own options with `--demo`, `--config`,
`--set`, single options such as `--seed`. An unknown key or a value out of range is an error, before
any reading; so is an option of a method other than the chosen one, and one that would change
nothing under the others that are chosen. What the `config.toml` of a run repeats is nobody's
choice.

This page is written by `docs/config_page.py` from the code.
"""


def config_page() -> str:
    """The page: one table for each group of options."""
    parts = [HEAD]
    parts += _table("", Config, "The run itself")
    for field in msgspec.structs.fields(Config):
        if isinstance(field.default, msgspec.Struct):
            title = inspect.getdoc(type(field.default)).splitlines()[0].rstrip(".")
            parts += _table(f"{field.name}.", type(field.default), title)
    title = "How corpora are read: `data.source_format` and `data.target_format`"
    parts += _table("data.target_format.", ReadOptions, title)
    return "\n".join(parts)


def _table(lead: str, options: type[msgspec.Struct], title: str) -> list[str]:
    meanings = _meanings(options)
    rows = ["", f"## {title}", "", "| key | default | meaning |", "|---|---|---|"]
    for field in msgspec.structs.fields(options):
        if isinstance(field.default, msgspec.Struct):
            continue
        default = msgspec.json.encode(_default(field)).decode()
        rows.append(f"| `{lead}{field.name}` | `{default}` | {meanings[field.name]} |")
    return rows


def _default(field: msgspec.structs.FieldInfo) -> object:
    made = field.default_factory is not msgspec.NODEFAULT
    return field.default_factory() if made else field.default


def _meanings(options: type[msgspec.Struct]) -> dict[str, str]:
    """What the class's docstring says of each attribute."""
    text = inspect.getdoc(options).partition("Attributes\n----------\n")[2]
    found = {}
    for names, body in re.findall(r"^(\w[\w, ]*)\n((?:[ ]{4}.*\n?)+)", text, re.MULTILINE):
        meaning = " ".join(line.strip() for line in body.splitlines())
        for name in names.split(", "):
            found[name] = meaning.replace("``", "`").replace("|", r"\|")
    return found


if __name__ == "__main__":
    Path(__file__).with_name("config.md").write_text(config_page(), encoding="utf-8")
