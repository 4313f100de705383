"""Two computations of one thing: the largest difference over all sentences, and where it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ladtl_np.audit.outcome import Line, held

__all__ = ["Comparison", "Comparisons", "difference"]


def difference(found: Any, wanted: Any) -> float:
    """The largest ``|found - wanted|``, relative to the largest ``|wanted|`` and at least to 1.

    Numbers or arrays of them. Infinite where shapes differ or one side alone is NaN or infinite;
    two NaN are a difference too, because nothing that is compared here may be NaN.
    """
    x, y = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    if x.shape != y.shape:
        return math.inf
    if not x.size:
        return 0.0
    apart = x != y  # equal infinities are no difference
    finite = np.abs(y[np.isfinite(y)])
    scale = max(1.0, float(finite.max(initial=0.0)))
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(x[apart] - y[apart])
    if not np.isfinite(error).all():
        return math.inf
    return float(error.max(initial=0.0)) / scale


class Comparison:
    """Collects differences of one thing.

    Parameters
    ----------
    check
        What is computed, and by whom.

    Attributes
    ----------
    error, where
        The largest difference so far, and its place.
    count
        How often it was compared.
    """

    def __init__(self, check: str) -> None:
        self.check = check
        self.error, self.where, self.count = 0.0, "", 0

    def add(self, found: Any, wanted: Any, where: str) -> float:
        """Compare once; returns the difference."""
        error = difference(found, wanted)
        self.count += 1
        if error > self.error or self.count == 1:
            self.error, self.where = error, where
        return error

    def line(self, tolerance: float) -> Line:
        """The check's line; one that was never made fails."""
        if not self.count:
            return Line(self.check, "never compared", "once at least", "failed")
        return held(self.check, self.error, tolerance, self.where)


class Comparisons:
    """Comparisons by name, in the order in which they were first made."""

    def __init__(self) -> None:
        self._held: dict[str, Comparison] = {}

    def add(self, check: str, found: Any, wanted: Any, where: str) -> float:
        """Compare once; returns the difference."""
        return self._held.setdefault(check, Comparison(check)).add(found, wanted, where)

    def lines(self, tolerance: float) -> list[Line]:
        """A line for each."""
        return [comparison.line(tolerance) for comparison in self._held.values()]
