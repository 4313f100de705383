"""Text that others wrote, made safe to print; and numbers of things."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

__all__ = [
    "LONG",
    "counted",
    "escaped",
    "escaped_json",
    "json_text",
    "shown",
    "some_of",
    "toml_problem",
]

LONG = 2000
"""Characters of a message, a path or a cell that are shown."""

# Control and format characters (C0, DEL, C1, zero width, directions), lone surrogates, and the
# line ends U+2028 and U+2029: they steer a terminal, turn the direction, or cannot be seen.
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


# strings of two characters or more, as Python writes them; one alone may be the one that is wanted
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.){2,}'|"(?:[^"\\]|\\.){2,}\"""")


# the ending of a plural: entit(ies), sketch(es), word(s); of the first noun where others follow
_PLURAL = re.compile(r"(?:(ie)|(?<=ch|sh|ss)e)?s(?= (?:that|of|without)|$)")


class _Escapes(dict[int, int | str]):
    """What `str.translate` puts for each character; filled as characters are met."""

    def __init__(self, kept: str) -> None:
        super().__init__({ord(character): character for character in kept})

    def __missing__(self, code: int) -> int | str:
        steers = unicodedata.category(chr(code)) in _STEERING
        self[code] = self.escape(code) if steers else code
        return self[code]

    def escape(self, code: int) -> str:
        return chr(code).encode("unicode_escape").decode()


class _JsonEscapes(_Escapes):
    r"""As JSON writes them: ``\u`` and four digits, twice beyond U+FFFF."""

    def escape(self, code: int) -> str:
        return json.dumps(chr(code))[1:-1] if code != 0x7F else "\\u007f"


_TEXT, _JSON = _Escapes("\t"), _JsonEscapes("\n")


def shown(text: str, width: int = 40) -> str:
    """Make a type, a name or a path safe to print: what cannot be seen escaped, cut at `width`."""
    cut = text if len(text) <= width else text[: width - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def counted(count: int, things: str) -> str:
    """A number of things, which are named in the plural: ``1 entity`` of ``entities``."""
    return f"{count:,} {things if count != 1 else _PLURAL.sub(_singular, things, count=1)}"


def _singular(ending: re.Match[str]) -> str:
    return "y" if ending[1] else ""


def escaped(text: str) -> str:
    """Text of the data for a terminal: all of it, tabs and spaces too, but nothing that steers."""
    return text if text.isprintable() else text.translate(_TEXT)


def json_text(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON that is safe to print, and read back is the same."""
    return escaped_json(json.dumps(value, ensure_ascii=False, indent=indent))


def escaped_json(text: str) -> str:
    """JSON text, whose strings may hold anything, with what steers a terminal escaped."""
    return text if text.isprintable() else text.translate(_JSON)


def toml_problem(error: Exception) -> str:
    """What is wrong in a TOML file and where; keys that Python's message quotes may be text."""
    return shown(_QUOTED.sub("…", str(error)), LONG)


def some_of(texts: Sequence[str], most: int, gap: str = ", ") -> str:
    """Put the first few of some texts into a message, and how many more there are."""
    more = f"{gap}and {len(texts) - most} more" if len(texts) > most else ""
    return gap.join(texts[:most]) + more or "none"
