"""The three kinds of figures: lines with bands, gains by label, and shares in a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ladtl_np.pages.content import Figure, visible
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.scoring.significance import mean_and_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Band", "GridPanel", "LinePanel", "band_of", "gains", "grids", "lines", "short"]

_ACROSS = 3
_PANEL = {1: 5.6, 2: 4.8, _ACROSS: 3.8}  # inches of a panel by how many stand side by side
_PAGE = 11.8  # inches that the page has for a figure
_WIDE = 20  # ratio of the largest to the smallest value from which on an axis is logarithmic
_PLACES = 7  # chosen values that an axis names
_LONGEST = 28  # characters of a name in a figure
_TITLE = 38  # the same of a panel's title


class Band(NamedTuple):
    """A line of means with the 95 % interval of each; NaN where a mean is of one value."""

    x: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]


@dataclass(slots=True)
class LinePanel:
    """Lines by name.

    Attributes
    ----------
    title
        Of the panel.
    lines
        What is drawn.
    ticks
        Names of the places 0, 1, ... of an axis that has no numbers.
    places
        Whether the axis shows some chosen values, rather than steps.
    best
        A point of a line that gets a ring.
    logarithmic
        Whether places stand by their logarithms.
    """

    title: str
    lines: dict[str, Band] = field(default_factory=dict)
    ticks: list[str] = field(default_factory=list)
    places: bool = False
    best: dict[str, tuple[float, float]] = field(default_factory=dict)
    logarithmic: bool = False


class GridPanel(NamedTuple):
    """A matrix of counts, coloured by their share of the row."""

    title: str
    rows: list[str]
    columns: list[str]
    counts: NDArray[np.int64]


def band_of(values: Mapping[float, Sequence[float]]) -> Band:
    """Means and intervals of the values at each place."""
    band = Band([], [], [], [])
    for x in sorted(values):
        summary = mean_and_interval(values[x])
        low, high = summary.interval or (float("nan"), float("nan"))
        for numbers, number in zip(band, (x, summary.mean, low, high), strict=True):
            numbers.append(number)
    return band


def lines(
    pen: Pen, name: str, caption: str, panels: Sequence[LinePanel], *, x: str, y: str
) -> Figure:
    """Draw lines, one panel beside the other, with one legend for all."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.lines))
    across = min(_ACROSS, len(panels))
    down = -(-len(panels) // across)
    width = _PANEL[across] * across
    columns = _legend_columns(names, width)
    legend = 0.25 + 0.2 * -(-len(names) // columns)
    with pen.page(width, 2.8 * down + legend) as drawing:
        axes = drawing.subplots(down, across, squeeze=False).ravel()
        handles: dict[str, Any] = {}
        for panel, place in zip(panels, axes, strict=False):
            _lines_of(pen, panel, place, handles)
            place.set(title=short(panel.title, _TITLE), xlabel=short(x), ylabel=y)
        for place in axes[len(panels) :]:
            place.set_axis_off()
        drawing.legend(
            [handles[name] for name in names],
            [short(name) for name in names],
            loc="outside lower center",
            ncols=columns,
        )
        return pen.finish(drawing, name, caption)


def _mark_powers(axes: Axes) -> None:
    """Places by their logarithms, with 1, 2 and 5 of each power of ten written in full."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.minorticks_off()


def _lines_of(pen: Pen, panel: LinePanel, axes: Axes, handles: dict[str, Any]) -> None:
    values = [x for band in panel.lines.values() for x in band.x]
    means = [mean for band in panel.lines.values() for mean in band.mean]
    # Bands of two seeds may be wider than all else, and are cut.
    lowest, highest = min(means), max(means)
    spread = 1 + highest - lowest
    low = np.nanmin([lowest, *(x for band in panel.lines.values() for x in band.low)])
    high = np.nanmax([highest, *(x for band in panel.lines.values() for x in band.high)])
    axes.set_ylim(max(0, low - 0.5, lowest - spread), min(100.5, high + 0.5, highest + spread))
    for name, band in panel.lines.items():
        style = pen.style(name)
        marker = "o" if len(band.x) <= 12 else ""
        (handle,) = axes.plot(band.x, band.mean, marker=marker, markersize=3.5, lw=1.5, **style)
        handles.setdefault(name, handle)
        if name in panel.best:
            ring: dict[str, Any] = {
                "marker": "o",
                "markersize": 8,
                "fillstyle": "none",
                "markeredgewidth": 1.4,
            }
            axes.plot(*([at] for at in panel.best[name]), color=style["color"], **ring)
        axes.fill_between(band.x, band.low, band.high, color=style["color"], alpha=0.14, lw=0)
    if panel.ticks:
        axes.set_xticks(range(len(panel.ticks)), [short(text) for text in panel.ticks])
    elif panel.places:
        _mark_places(axes, sorted(set(values)))
    elif panel.logarithmic:
        _mark_powers(axes)
    axes.grid(visible=True)


def _mark_places(axes: Axes, values: Sequence[float]) -> None:
    """Put the ticks of an axis at the values themselves, where they are not too many."""
    from matplotlib.ticker import NullLocator

    least = next((value for value in values if value > 0), 0.0)
    if values[0] >= 0 and values[-1] >= _WIDE * least > 0:
        if values[0] > 0:
            axes.set_xscale("log")
        else:  # zero has its place one step before the least value
            axes.set_xscale("symlog", linthresh=least, linscale=0.5)
        axes.xaxis.set_minor_locator(NullLocator())
    if len(values) <= _PLACES or axes.get_xscale() != "linear":
        shown = values[:: -(-len(values) // _PLACES)]
        axes.set_xticks(shown, [f"{value:g}" for value in shown])


def gains(
    pen: Pen,
    name: str,
    caption: str,
    panels: Mapping[str, Sequence[tuple[str, float, float]]],
    sides: tuple[str, str],
) -> Figure:
    """Draw two scores of each label and the way between them."""
    across = min(2, len(panels))
    down = -(-len(panels) // across)
    longest = max(len(rows) for rows in panels.values())
    with pen.page(5.4 * across, (0.9 + 0.2 * longest) * down + 0.4) as drawing:
        axes = drawing.subplots(down, across, squeeze=False).ravel()
        for (title, rows), place in zip(panels.items(), axes, strict=False):
            _gains_of(pen, rows, place, sides)
            place.set(title=short(title, _TITLE), xlabel="F1 in per cent")
        for place in axes[len(panels) :]:
            place.set_axis_off()
        handles, labels = axes[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=2)
        return pen.finish(drawing, name, caption)


def _gains_of(
    pen: Pen, rows: Sequence[tuple[str, float, float]], axes: Axes, sides: tuple[str, str]
) -> None:
    places = range(len(rows))
    for place, (_, first, second) in zip(places, rows, strict=True):
        axes.plot([first, second], [place, place], color="0.55", lw=1.2, zorder=1)
    for side, marker in ((2, "s"), (1, "o")):
        colour = pen.style(sides[side - 1])["color"]
        scores = [row[side] for row in rows]
        label = short(sides[side - 1])
        axes.scatter(scores, list(places), color=colour, marker=marker, s=22, label=label, zorder=2)
    axes.set_yticks(places, [short(row[0]) for row in rows])
    axes.invert_yaxis()
    axes.grid(visible=True, axis="x")


def grids(pen: Pen, name: str, caption: str, panels: Sequence[GridPanel]) -> Figure:
    """Draw matrices, side by side if they fit: fuller cells are larger shares of their row."""
    rows = max(len(panel.rows) for panel in panels)
    columns = max(len(panel.columns) for panel in panels)
    width, height = max(1.6 + 0.33 * columns, 4.0), 2.0 + 0.24 * rows
    across = len(panels) if width * len(panels) <= _PAGE else 1
    down = -(-len(panels) // across)
    with pen.page(width * across, height * down) as drawing:
        drawing.set_layout_engine("constrained", h_pad=0.12)
        axes = drawing.subplots(down, across, squeeze=False).ravel()
        for panel, place in zip(panels, axes, strict=True):
            _grid_of(panel, place)
        return pen.finish(drawing, name, caption)


def _grid_of(panel: GridPanel, axes: Axes) -> None:
    counts = panel.counts
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    paint = np.zeros((*counts.shape, 4))
    paint[..., :3] = np.array([0x3F, 0x87, 0xC9]) / 255
    # the root shows rare confusions too; on the fullest cells text has a contrast of 4.5
    paint[..., 3] = 0.65 * np.sqrt(shares)
    axes.imshow(paint, aspect="auto", interpolation="nearest")
    for row, column in zip(*np.nonzero(counts), strict=True):
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", fontsize=6.5)
    axes.set_xticks(range(len(panel.columns)), [short(c) for c in panel.columns], rotation=90)
    axes.set_yticks(range(len(panel.rows)), [short(r) for r in panel.rows])
    axes.set(title=short(panel.title, _TITLE), xlabel="predicted", ylabel="gold")
    axes.tick_params(length=0, labelsize=7)


def _legend_columns(names: Sequence[str], width: float) -> int:
    """How many names stand side by side in a legend so many inches wide."""
    longest = max(len(short(name)) for name in names)
    return max(1, min(len(names), int(width / (0.65 + 0.08 * longest))))


def short(text: str, longest: int = _LONGEST) -> str:
    """Make a name fit a figure."""
    plain = visible(text)
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
