"""The lattice of a linear-chain CRF: tokens across, tags down, paths through it.

Nodes are shaded by the marginals of tags, edges are as thick as the marginals of transitions. Long
sentences take several lines, each of which starts with the last token of the line before.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import numpy as np

from ladtl_np.pages.content import Figure, visible
from ladtl_np.pages.drawing.lattice_layout import (
    HEAD,
    LEAST,
    NODE,
    ROW,
    SIZE,
    WIDEST,
    Frame,
    Lattice,
    Line,
    Way,
    columns_of,
    frame_of,
    lines_of,
    stretched,
    tags_that_matter,
)
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.pages.drawing.svg import add, finished, fitting, group, root, text_width

__all__ = ["Lattice", "Way", "draw_lattice"]

_PAGE = 1060.0  # pixels that a page has for a figure
_GAP = 22.0  # between lines
_GUTTER = 196.0  # widest names of tags
_SMALL = 11.0  # letters
_EDGE = "#7f8c8d"  # the pen's grey
_DASHES = ("none", "6 3", "1.5 3")


def draw_lattice(name: str, caption: str, lattice: Lattice, *, width: float = _PAGE) -> Figure:
    """Draw a lattice on as many lines as it needs.

    Parameters
    ----------
    name, caption
        Of the figure.
    lattice
        What is drawn.
    width
        Pixels of the widest line.
    """
    drawing = root()
    drawn = tags_that_matter(lattice, 0, len(lattice.tokens) - 1)
    labels = [fitting(lattice.tags[tag], _SMALL, _GUTTER - 12) for tag in drawn]
    gutter = max(text_width(label, _SMALL) for label in labels) + 12
    columns, room = columns_of(lattice.tokens), width - gutter
    lines = lines_of(lattice, columns, room)
    columns = stretched(columns, lines, room)
    top, right = 0.0, 0.0
    for line in lines:
        frame = frame_of(line, columns, gutter, top)
        _draw_line(drawing, lattice, line, frame)
        top, right = frame.bottom + _GAP, max(right, frame.right)
    hidden = len(lattice.tags) - len(drawn)
    right = max(right, min(width, 640.0))
    bottom = _legend(drawing, lattice, hidden, top, right)
    return finished(drawing, name, caption, right, bottom)


def _draw_line(drawing: Element, lattice: Lattice, line: Line, frame: Frame) -> None:
    left = frame.x[line.first] - NODE[0] / 2
    rails = group(drawing, stroke="currentColor", stroke_opacity=0.14)
    names = group(drawing, fill="currentColor", font_size=_SMALL, text_anchor="end")
    for tag, y in frame.y.items():
        add(rails, "line", x1=left, x2=frame.right, y1=y, y2=y)
        label = fitting(lattice.tags[tag], _SMALL, _GUTTER - 12)
        add(names, "text", label, x=left - 14, y=y + 4)
    _draw_tokens(drawing, lattice, line, frame)
    _draw_edges(drawing, lattice, line, frame)
    for number, way in enumerate(lattice.ways):
        _draw_way(drawing, way, number, len(lattice.ways), line, frame)
    nodes = group(drawing, fill="currentColor", font_size=_SMALL, text_anchor="middle")
    for t, x in frame.x.items():
        for tag, y in frame.y.items():
            passed = [n for n, way in enumerate(lattice.ways) if way.tags[t] == tag]
            if lattice.unary[t, tag] >= LEAST or passed:
                _draw_node(nodes, lattice, (t, tag), (x, y), passed)


def _draw_tokens(drawing: Element, lattice: Lattice, line: Line, frame: Frame) -> None:
    words = group(drawing, fill="currentColor", font_size=SIZE, text_anchor="middle")
    top = frame.y[line.rows[0]] - ROW / 2 - HEAD
    for t, x in frame.x.items():
        label = fitting(lattice.tokens[t], SIZE, WIDEST - 10)
        word = add(words, "text", label, x=x, y=top + 14, font_weight=600)
        add(words, "text", str(t + 1), x=x, y=top + 30, font_size=_SMALL)
        if t in lattice.unknown:
            word.set("text-decoration", "underline")


def _draw_edges(drawing: Element, lattice: Lattice, line: Line, frame: Frame) -> None:
    edges = group(drawing, fill="none", stroke=_EDGE, stroke_linecap="round")
    for t in range(line.first, line.last):
        here = lattice.neighbours[t]
        for i, j in np.argwhere(here >= LEAST).tolist():
            if i in frame.y and j in frame.y:
                width = _thickness(float(here[i, j]))
                add(edges, "path", d=_curve(frame, t, i, j, 0.0), stroke_width=width)


def _curve(frame: Frame, t: int, i: int, j: int, shift: float) -> str:
    """A line from a node's right side to the left side of one of the next token."""
    half = NODE[0] / 2
    x1, x2 = frame.x[t] + half, frame.x[t + 1] - half
    y1, y2, middle = frame.y[i] + shift, frame.y[j] + shift, (x1 + x2) / 2
    return f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"


def _draw_way(drawing: Element, way: Way, number: int, ways: int, line: Line, frame: Frame) -> None:
    shift = 4.5 * (number - (ways - 1) / 2)
    pieces = [
        _curve(frame, t, int(way.tags[t]), int(way.tags[t + 1]), shift)
        for t in range(line.first, line.last)
    ]
    if pieces:
        add(drawing, "path", d="".join(pieces), **_look(number))


def _look(number: int) -> dict[str, str | float]:
    """Colour and line of a path."""
    return {
        "fill": "none",
        "stroke": Pen.colour(number),
        "stroke_width": 2.4,
        "stroke_dasharray": _DASHES[number],
    }


def _draw_node(
    nodes: Element,
    lattice: Lattice,
    place: tuple[int, int],
    centre: tuple[float, float],
    passed: Sequence[int],
) -> None:
    (t, tag), (x, y), (width, height) = place, centre, NODE
    p = float(lattice.unary[t, tag])
    node = group(nodes)
    told = f"{visible(lattice.tokens[t])}  {lattice.tags[tag]}  {p:.6f}"
    add(node, "title", visible(told))
    shape = _centred(x, y, width, height, 4.0)
    paint = _shaded(p)
    add(node, "rect", **shape, **paint, stroke_width=0.8)
    for ring, number in enumerate(passed):
        more = 5.6 * ring
        shape = _centred(x, y, width + more, height + more, 4 + more / 2)
        add(node, "rect", **shape, **_look(number))
    add(node, "text", _per_cent(p), x=x, y=y + 4)


def _centred(x: float, y: float, width: float, height: float, rx: float) -> dict[str, float]:
    """Attributes of a rectangle by its centre."""
    size = {"width": width, "height": height, "rx": rx}
    return {"x": x - width / 2, "y": y - height / 2, **size}


def _shaded(p: float) -> dict[str, str | float]:
    """Attributes of a shape that is shaded by a probability."""
    return {"fill": Pen.colour(0), "fill_opacity": shade(p), "stroke": _EDGE}


def shade(p: float) -> float:
    """How opaque a probability is painted: on the fullest nodes text has a contrast of 4.5."""
    return 0.65 * p


def _thickness(p: float) -> float:
    """Pixels of an edge."""
    return 0.8 + 4.0 * p


def _per_cent(p: float) -> str:
    """A probability in whole per cent; 100 and 0 only where it is as good as that."""
    if p < 0.005:
        return "<1" if p >= 0.0005 else "0"
    return ">99" if 0.995 <= p < 0.9995 else f"{100 * p:.0f}"


def _legend(drawing: Element, lattice: Lattice, hidden: int, top: float, right: float) -> float:
    """Say what marks mean, below the lines; returns where the drawing ends."""
    entries = [(visible(way.name), n) for n, way in enumerate(lattice.ways)]
    entries.append(("marginal of a tag, in per cent", -1))
    entries.append(("expected transition", -2))
    if lattice.unknown:
        entries.append(("underlined: not known to the model", -3))
    if hidden:
        least = f"{100 * LEAST:g} %"
        entries.append((f"{hidden:,} of {len(lattice.tags):,} tags stay below {least}", -3))
    marks = group(drawing, fill="currentColor", font_size=_SMALL)
    x, y = 4.0, top + 8
    for text, kind in entries:
        lead = 46.0 if kind > -3 else 0.0
        room = lead + text_width(text, _SMALL) + 18
        if x > 4.0 and x + room > right:
            x, y = 4.0, y + 22
        _mark(marks, kind, x, y)
        add(marks, "text", text, x=x + lead, y=y + 4)
        x += room
    return y + 14


def _mark(marks: Element, kind: int, x: float, y: float) -> None:
    if kind >= 0:
        add(marks, "path", d=f"M{x:.1f} {y:.1f}h38", **_look(kind))
    elif kind == -1:
        for n, p in enumerate((0.1, 0.5, 1.0)):
            add(marks, "rect", **_centred(x + 6 + 13 * n, y, 12, 12, 3), **_shaded(p))
    elif kind == -2:
        for n, p in enumerate((0.1, 0.5, 1.0)):
            d = f"M{x + 13 * n:.1f} {y:.1f}h12"
            add(marks, "path", d=d, stroke=_EDGE, stroke_width=_thickness(p))
