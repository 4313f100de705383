"""Slopes of functions by central differences whose step nobody has to choose."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ladtl_np.shapes import Floats

__all__ = ["relative_errors", "slopes"]

START = 0.125
"""Largest step."""
RATIO = 4.0
"""Each step is so many times smaller than the one before."""
LEVELS = 6
"""Steps at most."""
ENOUGH = 1e-8
"""No further step is tried once every slope is known to so much of its size."""
SMALL = 1e-5
"""Gradients below so much of the function's value are compared as if they were as large."""


def slopes(function: Callable[[float], Floats]) -> Floats:
    """Slope at 0 of each of K functions of one number, by Ridders' method.

    Parameters
    ----------
    function
        Its K values (K,) at a distance from 0.

    Returns
    -------
    (K,)
        Of each the extrapolation that the others confirm best; NaN where no value is finite.

    Notes
    -----
    With d(h) = (f(h) - f(-h)) / 2h = f' + a h^2 + b h^4 + ..., two steps remove a, three remove b
    (Richardson). What an extrapolation is worth is told by those that it is made of, and by the
    rounding of f over h. Nothing here sees the gradient that is to be checked.
    """
    size = np.abs(function(0.0))
    enough = ENOUGH * _floor(size)
    best, doubt = np.full(size.shape, np.nan), np.full(size.shape, np.inf)
    above: list[Floats] = []
    for level in range(LEVELS):
        h = START / RATIO**level
        row: list[Floats] = [(function(h) - function(-h)) / (2.0 * h)]
        rounding = np.finfo(np.float64).eps * size / h
        for order, coarse in enumerate(above, 1):
            gain = RATIO ** (2 * order)
            row.append((gain * row[-1] - coarse) / (gain - 1.0))
            unsure = np.maximum(abs(row[-1] - row[-2]), abs(row[-1] - coarse)) + rounding
            better = unsure < doubt
            best, doubt = np.where(better, row[-1], best), np.where(better, unsure, doubt)
        above = row
        if (doubt <= np.maximum(enough, ENOUGH * abs(best))).all():
            break
    return best


def relative_errors(given: Floats, found: Floats, size: Floats) -> Floats:
    """|given - found| over the larger of both, or over a floor below which rounding speaks.

    Parameters
    ----------
    given, found
        Two gradients (K,).
    size
        Values of the functions (K,), whose rounding errors grow with them.
    """
    scale = np.maximum(np.maximum(abs(given), abs(found)), _floor(abs(size)))
    errors: Floats = abs(given - found) / scale
    return errors


def _floor(size: Floats) -> Floats:
    floor: Floats = SMALL * np.maximum(size, 1.0)
    return floor
