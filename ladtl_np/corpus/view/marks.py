"""A text and the marks in it, which may lie within or over each other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from html import escape
from typing import NamedTuple

from ladtl_np.printable import escaped, shown

__all__ = ["LEVELS", "Mark", "level_of", "marked", "percent", "safe"]

LEVELS = (0.5, 0.7, 0.9, 0.99)
"""Least probabilities of the shades after the first; `marks.css` has a class for each shade."""


class Mark(NamedTuple):
    """One mark: code points `start` to `end` of a text, and what is written behind them.

    Attributes
    ----------
    start, end
        First code point, and the one after the last.
    style
        Classes of the element, safe to write.
    kind
        What the first element of the mark names in ``data-type``, "" for nothing.
    label
        Text behind the mark.
    more
        Text behind the label, which is shown where the mark is not sure.
    title
        What a pointer that rests on the mark is told, "" for nothing.
    """

    start: int
    end: int
    style: str
    kind: str = ""
    label: str = ""
    more: str = ""
    title: str = ""


def level_of(probability: float) -> int:
    """Shade of a probability: 0 for the least sure, ``len(LEVELS)`` for the surest."""
    return bisect_right(LEVELS, probability)


def percent(probability: float) -> str:
    """A probability in whole per cent; only 1 is 100 %, and only 0 is 0 %."""
    if 0 < probability < 0.01:
        return "<1 %"
    if 0.99 < probability < 1:
        return ">99 %"
    return f"{100 * probability:.0f} %"


def marked(text: str, marks: Iterable[Mark]) -> Iterator[str]:
    """Yield a text and the marks in it; at each end, marks that lie within it are closed too.

    Of marks with the same start, the longest is the outer one. A mark that crosses another is drawn
    in parts, and its label stands behind the last.

    Raises
    ------
    ValueError
        If a mark is empty or leaves its text.
    """
    # the next one is the last
    waiting = sorted(reversed([*marks]), key=lambda mark: (-mark.start, mark.end))
    opened: list[Mark] = []
    at = 0
    while waiting or opened:
        start = waiting[-1].start if waiting else len(text)
        end = min((mark.end for mark in opened), default=len(text))
        place = min(start, end)
        yield safe(text[at:place])
        at = place
        if end == place and opened:
            first = next(n for n, mark in enumerate(opened) if mark.end == end)
            for mark in reversed(opened[first:]):
                yield (_label(mark) if mark.end == end else "") + "</mark>"
            opened[first:] = [mark for mark in opened[first:] if mark.end > end]
            yield from (_opening(mark, first=False) for mark in opened[first:])
            continue
        mark = waiting.pop()
        if not 0 <= mark.start < mark.end <= len(text):
            raise ValueError(f"entity {mark.start}..{mark.end} is empty or leaves its text")
        opened.append(mark)
        yield _opening(mark, first=True)
    yield safe(text[at:])


def _opening(mark: Mark, *, first: bool) -> str:
    kind = f' data-type="{safe(shown(mark.kind))}"' if first and mark.kind else ""
    title = f' title="{safe(mark.title)}"' if mark.title else ""
    return f'<mark class="{mark.style}"{kind}{title}>'


def _label(mark: Mark) -> str:
    if not mark.label:
        return ""
    more = f"<span> {safe(mark.more)}</span>" if mark.more else ""
    return f"<small> {safe(mark.label)}{more}</small>"


def safe(text: str) -> str:
    """Escape for a page, and what steers or cannot be seen for the eye; line ends stay."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(escape(escaped(line)) for line in lines)
