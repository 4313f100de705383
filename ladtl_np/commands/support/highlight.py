"""Entities in colour on a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text

from ladtl_np.corpus.raw import RawLine
from ladtl_np.corpus.schemes import spans
from ladtl_np.printable import shown

__all__ = ["Highlighter"]

_COLOURS = (
    "bright_red",
    "bright_green",
    "bright_yellow",
    "bright_blue",
    "bright_magenta",
    "bright_cyan",
)
_STYLES = ("bold", "bold underline", "bold italic", "bold reverse", "bold italic underline")
# Categories of characters that could steer the terminal, and those that turn the reading direction.
_UNSAFE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Highlighter:
    """Shows tagged sentences: in colour with a legend, or with the type in the brackets.

    Parameters
    ----------
    types
        Every type that may occur.
    coloured
        Whether the output understands colour.
    """

    def __init__(self, types: Sequence[str], *, coloured: bool) -> None:
        self._coloured = coloured
        self._buffer = StringIO()
        self._console = Console(
            file=self._buffer,
            force_terminal=coloured,
            color_system="standard" if coloured else None,
            highlight=False,
            soft_wrap=True,
        )
        pairs = [f"{style} {colour}" for style in _STYLES for colour in _COLOURS]
        self._style = {kind: pairs[n % len(pairs)] for n, kind in enumerate(types)}

    def legend(self) -> str:
        """One line with every type in its colour; nothing without colour."""
        if not self._coloured:
            return ""
        entries = (Text(shown(kind), style) for kind, style in self._style.items())
        return self._rendered(Text("  ").join(entries)) + "\n"

    def sentence(self, raw: RawLine, tags: Sequence[str]) -> str:
        """One line: the text with its entities in brackets."""
        text = Text()
        at = 0
        for start, end, kind in raw.character_spans(spans(tags, "BIOES")):
            text.append(_safe(raw.text[at:start]))
            label = "" if self._coloured else f" {shown(kind)}"
            text.append(f"[{_safe(raw.text[start:end])}{label}]", self._style.get(kind, ""))
            at = end
        text.append(_safe(raw.text[at:]))
        return self._rendered(text)

    def _rendered(self, text: Text) -> str:
        self._console.print(text)
        content = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return content


def _safe(text: str) -> str:
    """Escape what is not text but an order to the terminal."""
    if text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode()
        if c in _BIDI or (c != "\t" and unicodedata.category(c) in _UNSAFE)
        else c
        for c in text
    )
