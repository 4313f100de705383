"""What the cells of the book share: few digits, central differences, comparisons, pictures.

A page imports it as ``_cells``; `make docs` puts this folder on the path of its cells.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

__all__ = ["BLUE", "GREEN", "GREY", "RED", "Picture", "agree", "canvas", "central", "heat", "show"]

Array = NDArray[np.float64]

BLUE, RED, GREEN, GREY = "#1f5f99", "#c1442e", "#4d7f3a", "#8a8f98"
"""Colours of the pictures; blue and red stay apart for every kind of colour vision."""

mpl.rcParams.update(
    {
        "axes.edgecolor": "#555",
        "axes.labelcolor": "#333",
        "axes.prop_cycle": mpl.cycler(color=[BLUE, RED, GREEN, GREY]),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 10,
        "font.size": 9.5,
        "legend.frameon": False,
        "savefig.transparent": True,
        "svg.hashsalt": "ladtl_np",  # equal pictures are equal bytes
        "text.color": "#333",
        "xtick.color": "#555",
        "ytick.color": "#555",
    }
)


def show(**values: ArrayLike) -> None:
    """Print each value by its name, arrays with four decimals."""
    for name, value in values.items():
        text = np.array2string(
            np.asarray(value), precision=4, suppress_small=True, prefix=f"{name} = "
        )
        print(f"{name} = {text}")


def central(function: Callable[[Array], float], at: Array, step: float = 1e-5) -> Array:
    """Central differences of a function of one array, coordinate by coordinate.

    Parameters
    ----------
    function
        Maps an array like ``at`` to a number.
    at
        Where, float64; unchanged afterwards.
    step
        The error is about ``step**2`` from what is cut off, and 1e-16 / ``step`` from rounding.

    Returns
    -------
    array
        The gradient, in the shape of ``at``.
    """
    gradient, moved = np.empty_like(at), at.copy()
    for index in np.ndindex(at.shape):
        moved[index] = at[index] + step
        above = function(moved)
        moved[index] = at[index] - step
        gradient[index] = (above - function(moved)) / (2 * step)
        moved[index] = at[index]
    return gradient


def agree(name: str, expected: ArrayLike, within: float = 1e-8, /, **found: ArrayLike) -> None:
    """Print how far other computations of a value are from it; too far ends the build.

    Parameters
    ----------
    name
        What is compared.
    expected
        Its value.
    within
        The largest absolute difference that passes, times the largest value where that is above 1.
    found
        The same value, by the way in which it was computed.
    """
    told, size = [], max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    for way, value in found.items():
        assert np.shape(value) == np.shape(expected), f"{name}: {way} has shape {np.shape(value)}"
        apart = float(np.max(np.abs(np.subtract(value, expected)), initial=0.0))
        assert apart <= within * size, f"{name}: {way} differs by {apart:.3g}"
        told.append(f"{way} equal" if apart == 0 else f"{way} within {apart:.0e}")
    print(f"{name}: {', '.join(told)}")


def canvas(
    columns: int = 1, *, width: float = 7.5, height: float = 2.8, rows: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """Make a figure in the style of the book, and its axes as `Figure.subplots` gives them."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def heat(
    axes: Any, values: ArrayLike, rows: list[str], columns: list[str], *, digits: int = 2
) -> None:
    """Draw a matrix as shaded cells with its numbers; rows and columns have names."""
    matrix = np.asarray(values, float)
    top = 1.3 * float(np.max(np.abs(matrix), initial=1e-300))
    signed = bool((matrix < 0).any())
    colours, low = ("RdBu_r", -top) if signed else ("Blues", 0.0)
    axes.imshow(matrix, colours, vmin=low, vmax=top, aspect="auto")
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(matrix):
        colour = "white" if abs(value) > 0.55 * top else "#222"
        axes.text(column, row, f"{value:.{digits}f}", ha="center", va="center", color=colour)


class Picture:
    """A figure as SVG, its letters as outlines; a cell ends with it to show it."""

    def __init__(self, figure: Figure) -> None:
        with io.StringIO() as file:
            figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
            self._svg = file.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, str]:
        return {"image/svg+xml": self._svg}
