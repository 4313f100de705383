"""Text that others wrote, made safe to print."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["LONG", "shown", "some_of"]

LONG = 2000
"""Characters of a message, a path or a cell that are shown."""


def shown(text: str, width: int = 40) -> str:
    """Make a tag, a type or an id safe to print: control characters escaped, cut at `width`."""
    cut = text if len(text) <= width else text[: width - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def some_of(texts: Sequence[str], most: int, gap: str = ", ") -> str:
    """Put the first few of some texts into a message, and how many more there are."""
    more = f"{gap}and {len(texts) - most} more" if len(texts) > most else ""
    return gap.join(texts[:most]) + more or "none"
