"""Functions with hand-written gradients, one at a time on small shapes: how they are compared.

`reference_pairs` and `kernel_pairs` list them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from ladtl_np.audit.outcome import Line, held
from ladtl_np.audit.slopes import relative_errors, slopes
from ladtl_np.shapes import Floats

__all__ = ["LENGTHS", "Pair", "Pairs", "against", "check_pairs"]

LENGTHS = (1, 2, 4)
"""Sentence lengths at which boundaries break."""


class Pair(NamedTuple):
    """A function of arrays, and its gradient as the package has it.

    Attributes
    ----------
    function
        A number, given the arrays in their order.
    at
        The arrays, by name.
    gradients
        By each of them.
    """

    function: Callable[..., float]
    at: dict[str, Floats]
    gradients: tuple[Floats, ...]


Pairs = Mapping[str, Callable[[np.random.Generator], list[Pair]]]
"""Cases of each backward function, by its name."""


def check_pairs(side: str, pairs: Pairs, rng: np.random.Generator, tolerance: float) -> list[Line]:
    """A line for each backward function: its largest relative error over all coordinates."""
    lines = []
    for name, cases in pairs.items():
        worst, where = 0.0, ""
        for pair in cases(rng):
            for array, gradient in zip(pair.at, pair.gradients, strict=True):
                error, place = _worst(pair, array, gradient)
                if error > worst or not where:
                    worst, where = error, f"{array}{place}"
        lines.append(held(f"{side}: {name}", worst, tolerance, where))
    return lines


def _worst(pair: Pair, name: str, gradient: Floats) -> tuple[float, str]:
    """The largest error of one array, and its coordinate."""
    values = {key: array.copy() for key, array in pair.at.items()}
    moved = values[name]
    if moved.shape != gradient.shape:
        return np.inf, f" has a gradient of shape {gradient.shape}"
    worst, where = 0.0, ""
    for place in np.ndindex(moved.shape):
        before = float(moved[place])

        def function(
            distance: float, place: tuple[int, ...] = place, before: float = before
        ) -> Floats:
            moved[place] = before + distance
            return np.array([pair.function(*values.values())])

        found, size = slopes(function), np.abs(function(0.0))
        error = float(relative_errors(np.array([gradient[place]]), found, size)[0])
        if not error <= worst or not where:
            worst, where = (error if error == error else np.inf), str(list(place))
    return worst, where


def against(given: Floats, wanted: Floats) -> float:
    """The largest difference, relative where numbers are large; infinite where one is none."""
    error = np.abs(given - wanted) / np.maximum(np.abs(wanted), 1.0)
    return float(np.where(np.isnan(error), np.inf, error).max(initial=0.0))
