"""Entities in colour on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.schemes import Span
from ladtl_np.printable import escaped, shown

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


def _safe(text: str) -> str:
    """A text without anything that steers a terminal; its lines stay lines."""
    return "\n".join(map(escaped, text.split("\n")))


class Highlighter:
    """Shows tagged text: in colour with a legend, or with the type in the brackets.

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

    def line(
        self, text: str, entities: Sequence[Span], probabilities: Sequence[float] | None = None
    ) -> str:
        """The text with its entities, spans of code points in their order, in brackets.

        Behind an entity stands its probability, where that is told.
        """
        marked = Text()
        at = 0
        for number, (start, end, kind) in enumerate(entities):
            marked.append(_safe(text[at:start]))
            label = "" if self._coloured else f" {shown(kind)}"
            if probabilities is not None:
                label += f" {probabilities[number]:.2f}"
            marked.append(f"[{_safe(text[start:end])}{label}]", self._style.get(kind, ""))
            at = end
        marked.append(_safe(text[at:]))
        return self._rendered(marked)

    def document(self, document: Document) -> str:
        """The text as `line` shows it, and below it the best ways to tag each sentence."""
        lines = [self.line(document.text, document.entities or (), document.probabilities)]
        for sure in document.certainties or ():
            for way in sure.best:
                text = document.text[sure.start : sure.end].rstrip()
                inside = [(a - sure.start, b - sure.start, kind) for a, b, kind in way.entities]
                lines.append(f"{way.probability:8.4f}  {self.line(text, inside)}")
        return "".join(lines)

    def _rendered(self, text: Text) -> str:
        self._console.print(text)
        content = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return content
