"""Points of two kinds in a plane, in a colour for each label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ladtl_np.pages.content import Figure
from ladtl_np.pages.drawing.figures import short
from ladtl_np.pages.drawing.pen import INK, Pen
from ladtl_np.shapes import Floats

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["CloudPanel", "clouds"]

_PANEL = (5.4, 4.6)  # inches
_ACROSS = 4  # names of labels in a line of the legend


class CloudPanel(NamedTuple):
    """A plane: its title, its axes' names, and (S, 2) and (R, 2) points by label."""

    title: str
    axes: tuple[str, ...]
    points: Mapping[str, tuple[Floats, Floats]]


def clouds(
    pen: Pen, name: str, caption: str, panels: Sequence[CloudPanel], kinds: tuple[str, str]
) -> Figure:
    """Draw planes side by side: colour tells the label, shape the kind.

    Circles of the first kind are hollow, so that the others are seen through them.
    """
    labels = list(panels[0].points)
    lines = 1 + -(-len(labels) // _ACROSS)
    with pen.page(_PANEL[0] * len(panels), _PANEL[1] + 0.22 * lines) as drawing:
        axes = drawing.subplots(1, len(panels), squeeze=False).ravel()
        for panel, place in zip(panels, axes, strict=True):
            for number, label in enumerate(labels):
                _points(pen, place, panel.points[label], number)
            place.set(title=panel.title, xlabel=panel.axes[0], ylabel=panel.axes[1])
            place.grid(visible=True)
        handles, names = _handles(pen, labels, kinds)
        columns = min(_ACROSS, len(names))
        drawing.legend(handles, names, loc="outside lower center", ncols=columns)
        return pen.finish(drawing, name, caption)


def _points(pen: Pen, place: Axes, points: tuple[Floats, Floats], number: int) -> None:
    colour = pen.colour(number)
    first, second = points
    place.scatter(second[:, 0], second[:, 1], color=colour, marker="^", s=22, lw=0, alpha=0.75)
    place.scatter(
        first[:, 0], first[:, 1], facecolors="none", edgecolors=colour, marker="o", s=20, lw=0.9
    )


def _handles(
    pen: Pen, labels: Sequence[str], kinds: tuple[str, str]
) -> tuple[list[Artist], list[str]]:
    """Patches for the labels, and the two shapes in the colour of the text."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    hollow, filled = (
        Line2D([], [], lw=0, marker=marker, color=INK, markerfacecolor=face, markersize=5)
        for marker, face in (("o", "none"), ("^", INK))
    )
    patches = [Patch(color=pen.colour(number)) for number in range(len(labels))]
    return [hollow, filled, *patches], [*kinds, *map(short, labels)]
