"""Text that others wrote, made safe to print."""

from __future__ import annotations

__all__ = ["shown"]


def shown(text: str, width: int = 40) -> str:
    """Make a tag, a type or an id safe to print: control characters escaped, cut at `width`."""
    cut = text if len(text) <= width else text[: width - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
