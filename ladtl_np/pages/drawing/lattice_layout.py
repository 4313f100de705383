"""Where the parts of a lattice stand: which tags are drawn, lines, columns and rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from ladtl_np.pages.content import visible
from ladtl_np.pages.drawing.svg import text_width
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "HEAD",
    "LEAST",
    "NODE",
    "ROW",
    "SIZE",
    "WIDEST",
    "Frame",
    "Lattice",
    "Line",
    "Way",
    "columns_of",
    "frame_of",
    "lines_of",
    "stretched",
    "tags_that_matter",
]

LEAST = 0.01
"""Marginals from which on tags and transitions are drawn."""
ROW, HEAD, SIZE = 27.0, 38.0, 12.0
"""Height of a tag's row and of the tokens' above them, and of letters; in pixels, as all here."""
NODE = (36.0, 18.0)
NARROWEST, WIDEST = 64.0, 124.0
"""Of a column."""
_WIDER = 1.4  # times that columns are stretched at most, where there is room


class Way(NamedTuple):
    """A path: its name, and a tag (T,) for each token."""

    name: str
    tags: Integers


@dataclass(frozen=True, slots=True)
class Lattice:
    """What is drawn of one sentence of T tokens under m tags.

    Attributes
    ----------
    tokens
        As they are written; they are escaped and shortened here.
    tags
        Name of each tag.
    unary
        (T, m) marginals of tags.
    neighbours
        (T - 1, m, m) marginals of transitions, from row to column.
    ways
        Up to three paths; each has a line and a colour of its own.
    unknown
        Places of tokens that are underlined.
    """

    tokens: Sequence[str]
    tags: Sequence[str]
    unary: Floats
    neighbours: Floats
    ways: Sequence[Way]
    unknown: Collection[int] = ()


class Line(NamedTuple):
    """Tokens `first` to `last` inclusive, and the tags that are drawn of them."""

    first: int
    last: int
    rows: list[int]


class Frame(NamedTuple):
    """Where things of a line stand: centres of its columns by token, heights of rows by tag."""

    x: dict[int, float]
    y: dict[int, float]
    right: float
    bottom: float


def tags_that_matter(lattice: Lattice, first: int, last: int) -> list[int]:
    """Tags with a marginal of `LEAST` at one of these tokens, or that a path goes through."""
    some = slice(first, last + 1)
    kept = lattice.unary[some].max(axis=0) >= LEAST
    for way in lattice.ways:
        kept[way.tags[some]] = True
    return np.flatnonzero(kept).tolist()


def columns_of(tokens: Sequence[str]) -> list[float]:
    """Width of each token's column."""
    return [min(WIDEST, max(NARROWEST, text_width(visible(token), SIZE) + 14)) for token in tokens]


def lines_of(lattice: Lattice, columns: Sequence[float], room: float) -> list[Line]:
    """Part a sentence into lines of like width, as few as there is room for."""
    best = _filled(columns, room)
    while room > max(columns):
        room *= 0.97
        narrower = _filled(columns, room)
        if len(narrower) > len(best):
            break
        best = narrower
    return [Line(first, last, tags_that_matter(lattice, first, last)) for first, last in best]


def stretched(columns: Sequence[float], lines: Sequence[Line], room: float) -> list[float]:
    """Wider columns where there is room: flatter edges are easier to follow."""
    longest = max(sum(columns[line.first : line.last + 1]) for line in lines)
    wider = min(_WIDER, max(1.0, room / longest))
    return [wider * column for column in columns]


def _filled(columns: Sequence[float], room: float) -> list[tuple[int, int]]:
    """First and last token of each line; one after the first starts where the one before ends.

    A line has two tokens at least, so that it goes on.
    """
    found: list[tuple[int, int]] = []
    first, used = 0, 0.0
    for place, column in enumerate(columns):
        if used + column > room and place - first >= 2:
            found.append((first, place - 1))
            first, used = place - 1, columns[place - 1]
        used += column
    return [*found, (first, len(columns) - 1)]


def frame_of(line: Line, columns: Sequence[float], gutter: float, top: float) -> Frame:
    """Place the columns and rows of a line, right of the names of tags and below `top`."""
    tokens = range(line.first, line.last + 1)
    edges = list(accumulate((columns[t] for t in tokens), initial=gutter))
    x = {t: (a + b) / 2 for t, (a, b) in zip(tokens, pairwise(edges), strict=True)}
    y = {tag: top + HEAD + ROW * (n + 0.5) for n, tag in enumerate(line.rows)}
    return Frame(x, y, edges[-1], top + HEAD + ROW * len(line.rows))
