"""Points in a plane, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ladtl_np.pages.content import Figure
from ladtl_np.pages.drawing.figures import short
from ladtl_np.pages.drawing.pen import Pen

__all__ = ["scatter"]

_NAMED = 12
"""Names that a legend holds; with more, all points look the same."""
_ACROSS = 4
_LONG = 60  # characters below the axis
_MARKERS = "os^Dv<>PXph*"


def scatter(
    pen: Pen,
    name: str,
    caption: str,
    points: Mapping[str, Sequence[tuple[float, float]]],
    *,
    x: str,
    y: str,
) -> Figure:
    """Draw points, each name in a colour and shape of its own, over a line at y = 0."""
    named = len(points) <= _NAMED
    legend = 0.25 + 0.2 * -(-len(points) // _ACROSS) if named else 0.0
    with pen.page(6.4, 3.6 + legend) as drawing:
        axes = drawing.subplots()
        axes.axhline(0.0, color="0.55", lw=1)
        for number, (kind, places) in enumerate(sorted(points.items())):
            look = number if named else 0
            axes.scatter(
                [place[0] for place in places],
                [place[1] for place in places],
                color=pen.colour(look),
                marker=_MARKERS[look],
                s=24,
                label=short(kind),
            )
        axes.set(xlabel=short(x, _LONG), ylabel=y)
        axes.grid(visible=True)
        if named:
            drawing.legend(loc="outside lower center", ncols=min(_ACROSS, len(points)))
        return pen.finish(drawing, name, caption)
