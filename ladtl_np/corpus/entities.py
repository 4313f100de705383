"""Entities as tools mark them, made to fit tokens: checked, trimmed, widened, parted.

All spans are code points of one text: first, last + 1, type.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from ladtl_np.corpus.document import Bounds
from ladtl_np.corpus.formats.reading import Overlaps
from ladtl_np.corpus.limits import TYPE_CHARACTERS
from ladtl_np.corpus.schemes import Span

__all__ = ["fits", "overlapping", "trimmed", "widened", "without_overlaps", "wrong"]

# marks that stand beside an entity; those that names end in, such as ! or %, are not among them
_MARKS = frozenset(",.;:·、，。；：．")
_BRACKETS = dict(zip("([{（［【《「『“‘", ")]}）］】》」』”’", strict=True))
_CLOSING = {closing: opening for opening, closing in _BRACKETS.items()}


def wrong(span: Span, length: int) -> str:
    """Say what no text of `length` code points can hold; "" for a sound span."""
    start, end, kind = span
    if end <= start:
        return "is empty or reversed"
    if start < 0 or end > length:
        return f"leaves the text of {length} characters"
    if not kind or kind != kind.strip() or not kind.isprintable():
        return "has no proper type"
    if len(kind) > TYPE_CHARACTERS:
        return f"has a type of more than {TYPE_CHARACTERS:,} characters"
    return ""


def fits(span: Span, bounds: Sequence[Bounds]) -> bool:
    """Whether a span starts where a token does, and ends where one does."""
    start, end, _ = span
    first = bisect_left(bounds, start, key=_start)
    last = bisect_left(bounds, end, key=_end)
    return (
        first < len(bounds)
        and bounds[first][0] == start
        and last < len(bounds)
        and bounds[last][1] == end
    )


def trimmed(span: Span, text: str) -> Span:
    """Leave out white space, marks and brackets without a partner at the ends of a span.

    What is left may be empty.
    """
    start, end, kind = span
    while start < end and _stands_beside(text, start, start, end):
        start += 1
    while start < end and _stands_beside(text, end - 1, start, end):
        end -= 1
    return start, end, kind


def _stands_beside(text: str, place: int, start: int, end: int) -> bool:
    character = text[place]
    if character.isspace() or character in _MARKS:
        return True
    if character in _BRACKETS:
        return _BRACKETS[character] not in text[start:end]
    return character in _CLOSING and _CLOSING[character] not in text[start:end]


def widened(span: Span, bounds: Sequence[Bounds]) -> Span:
    """Move ends that lie within tokens to the tokens' ends; empty where it holds no token."""
    start, end, kind = span
    first = bisect_right(bounds, start, key=_end)
    last = bisect_left(bounds, end, key=_start)
    return (bounds[first][0], bounds[last - 1][1], kind) if first < last else (start, start, kind)


def overlapping(spans: Sequence[Span]) -> list[Span]:
    """Spans that begin within one before them, in order."""
    found, reach = [], 0
    for span in sorted(spans):
        if span[0] < reach:
            found.append(span)
        reach = max(reach, span[1])
    return found


def without_overlaps(spans: Sequence[Span], rule: Overlaps) -> tuple[list[Span], list[Span]]:
    """Keep spans that do not overlap.

    Parameters
    ----------
    spans
        In the file's order.
    rule
        ``longest``: longer ones go before shorter ones, and earlier ones before later ones;
        ``first``: the order of the file.

    Returns
    -------
    kept, left out
        Both in the order of the text.
    """
    order = range(len(spans))
    if rule == "longest":
        order = sorted(order, key=lambda n: (spans[n][0] - spans[n][1], spans[n][0]))  # type: ignore[assignment]
    kept: list[Span] = []
    left: list[Span] = []
    for n in order:
        start, end, _ = spans[n]
        place = bisect_left(kept, start, key=_end_of_span) if kept else 0
        # `kept` is in order and disjoint, so only its first span that ends behind `start` can meet
        while place < len(kept) and kept[place][1] <= start:
            place += 1
        if place < len(kept) and kept[place][0] < end:
            left.append(spans[n])
        else:
            kept.insert(place, spans[n])
    return kept, sorted(left)


def _start(bounds: Bounds) -> int:
    return bounds[0]


def _end(bounds: Bounds) -> int:
    return bounds[1]


def _end_of_span(span: Span) -> int:
    return span[1]
