"""Heat maps of one sentence: matrices with a column for each token, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from ladtl_np.pages.content import Figure, visible
from ladtl_np.pages.drawing.raster import png_address
from ladtl_np.pages.drawing.svg import add, finished, fitting, group, root, text_width
from ladtl_np.shapes import Floats

__all__ = ["HeatMap", "draw_heat_maps"]

_PAGE = 1060.0  # pixels that a page has for a figure
_COLUMN = (12.0, 34.0)  # narrowest and widest
_HEIGHT = (120.0, 240.0)  # lowest and highest picture
_LABEL = 84.0  # longest name of a token, which stands upright below its column
_LEFT, _GAP, _TITLE = 16.0, 20.0, 24.0
_SIZE, _SMALL = 12.0, 11.0
_WANTED = 240.0  # width of a picture, where its columns allow it


class HeatMap(NamedTuple):
    """A matrix and what it is called.

    Attributes
    ----------
    title
        Above it.
    values
        (rows, T) in [-1, 1].
    rows
        Left of it, upright: what a row is.
    """

    title: str
    values: Floats
    rows: str


def draw_heat_maps(
    name: str,
    caption: str,
    tokens: Sequence[str],
    maps: Sequence[HeatMap],
    *,
    width: float = _PAGE,
) -> Figure:
    """Draw matrices over the same tokens, as many side by side as fit.

    Blue is positive, orange negative, and the page's own colour is 0. A matrix with more rows than
    `_HEIGHT` has pixels is drawn by means of neighbouring rows.
    """
    drawing = root()
    column = float(np.clip(_WANTED / len(tokens), *_COLUMN))
    labels = [fitting(token, _SMALL, _LABEL) for token in tokens]
    widest = max(text_width(label, _SMALL) for label in labels)
    below = (_SMALL if widest < column else widest) + 12
    panel = max(column * len(tokens), _WANTED / 2) + _LEFT + _GAP
    across = max(1, min(len(maps), int((width + _GAP) // panel)))
    right, top = 0.0, 0.0
    for start in range(0, len(maps), across):
        line = maps[start : start + across]
        heights = [_height(one) for one in line]
        for place, (one, height) in enumerate(zip(line, heights, strict=True)):
            corner = (place * panel + _LEFT, top + _TITLE)
            _draw_map(drawing, one, labels, corner, (column, height))
            right = max(right, (place + 1) * panel - _GAP)
        top += _TITLE + max(heights) + below + 10
    bottom = _scale(drawing, top)
    # the last label is a little wider than its column
    return finished(drawing, name, caption, max(right + 4, 300.0), bottom)


def _height(one: HeatMap) -> float:
    rows = one.values.shape[0]
    low, high = _HEIGHT
    return float(min(high, rows * max(1.0, low // rows)))


def _draw_map(
    drawing: Element,
    one: HeatMap,
    labels: Sequence[str],
    corner: tuple[float, float],
    sizes: tuple[float, float],
) -> None:
    (x, y), (column, height) = corner, sizes
    wide = column * len(labels)
    texts = group(drawing, fill="currentColor", font_size=_SMALL)
    add(texts, "text", visible(one.title), x=x, y=y - 8, font_size=_SIZE, font_weight=600)
    middle, turned = y + height / 2, f"rotate(-90 {x - 6:.1f} {y + height / 2:.1f})"
    label = visible(one.rows)
    add(texts, "text", label, x=x - 6, y=middle, transform=turned, text_anchor="middle")
    _draw_picture(drawing, averaged(one.values, int(height)), (x, y), (wide, height))
    _draw_labels(texts, labels, (x, y + height), column)


def _draw_labels(
    texts: Element, labels: Sequence[str], corner: tuple[float, float], column: float
) -> None:
    """Names of the tokens below their columns; upright where one does not fit."""
    x, y = corner
    upright = max(text_width(label, _SMALL) for label in labels) >= column
    for number, label in enumerate(labels):
        at = x + column * (number + 0.5)
        if upright:
            turned = f"rotate(-90 {at + 4:.1f} {y + 6:.1f})"
            add(texts, "text", label, x=at + 4, y=y + 6, transform=turned, text_anchor="end")
        else:
            add(texts, "text", label, x=at, y=y + 14, text_anchor="middle")


def _draw_picture(
    drawing: Element, values: Floats, corner: tuple[float, float], size: tuple[float, float]
) -> None:
    """A matrix as a picture with a frame."""
    place = {"x": corner[0], "y": corner[1], "width": size[0], "height": size[1]}
    how = {"preserveAspectRatio": "none", "style": "image-rendering: pixelated"}
    add(drawing, "image", **place, **how, href=png_address(values))
    add(drawing, "rect", **place, fill="none", stroke="currentColor", stroke_opacity=0.5)


def averaged(values: Floats, most: int) -> Floats:
    """At most so many rows: means of neighbouring ones, in groups of like size."""
    rows = values.shape[0]
    if rows <= most:
        return values
    starts = np.arange(most) * rows // most
    sizes = np.diff([*starts.tolist(), rows])
    sums: Floats = np.add.reduceat(values, starts, axis=0)
    return sums / sizes[:, None]


def _scale(drawing: Element, top: float) -> float:
    """The colours and their values, below the pictures."""
    texts = group(drawing, fill="currentColor", font_size=_SMALL)
    _draw_picture(drawing, np.linspace(-1.0, 1.0, 65)[None, :], (30.0, top), (130.0, 12.0))
    add(texts, "text", "-1", x=26, y=top + 10, text_anchor="end")
    add(texts, "text", "1", x=164, y=top + 10)
    add(texts, "text", "0", x=95, y=top + 25, text_anchor="middle")
    return top + 30
