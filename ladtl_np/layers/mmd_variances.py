"""Variances of the MMD's Gaussians: the released code's, and the median heuristic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ladtl_np.shapes import Floats

__all__ = [
    "LARGEST_VARIANCE",
    "MEDIAN_FACTORS",
    "MEDIAN_ROWS",
    "REFERENCE_VARIANCES",
    "evenly_spaced",
    "median_variances",
]

REFERENCE_VARIANCES: tuple[float, ...] = (
    *(1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1),
    *(1.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0),
    *(1e2, 1e3, 1e4, 1e5, 1e6),
)
"""The 19 variances of the authors' released code."""

LARGEST_VARIANCE = 1e20
"""Wider Gaussians are 1 at any distance: they add nothing to a difference of means."""

MEDIAN_FACTORS: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Multiples of the median that make the kernel less dependent on it."""

MEDIAN_ROWS = 250
"""At most so many rows of each side enter the median, which keeps its cost bounded."""


Rows = TypeVar("Rows", bound=NDArray[Any])


def evenly_spaced(rows: Rows, most: int) -> Rows:
    """At most so many rows, the same ones every time."""
    if len(rows) <= most:
        return rows
    return cast(Rows, rows[np.arange(most) * len(rows) // most])


def _median_distance(P: Floats) -> float:
    """Median of the squared distances between different rows; cancellation cannot hurt a median."""
    P = P - P.mean(axis=0)
    norms = np.einsum("ij,ij->i", P, P)
    squared = norms[:, None] + norms - 2.0 * (P @ P.T)
    # each pair stands twice off the diagonal, which leaves the median where it is
    pairs = squared[~np.eye(len(P), dtype=np.bool_)]
    return max(float(np.median(pairs)), 0.0)


def median_variances(
    X: Floats, Z: Floats, factors: Sequence[float] = MEDIAN_FACTORS
) -> tuple[float, ...]:
    """Median heuristic: ``s_q = factor_q * median of ||u - v||^2``, docs/math/mmd.md (12).

    The median is over all pairs of different rows of both samples together. With factor 1 the
    kernel ``exp(-d^2 / (2 s))`` is ``exp(-1/2)`` at the median distance: the standard deviation of
    that Gaussian is the median distance. Gradients treat the result as a constant.

    Parameters
    ----------
    X : (S, K)
    Z : (R, K)
    factors

    Returns
    -------
    tuple of float
        One variance a factor; the factors themselves where no scale can be seen (fewer than two
        rows, or a median of 0).
    """
    both = [evenly_spaced(side, MEDIAN_ROWS) for side in (X, Z)]
    pooled = np.concatenate(both).astype(np.float64)
    median = _median_distance(pooled) if len(pooled) > 1 else 0.0
    scale = median if median > 0 else 1.0
    return tuple(float(factor) * scale for factor in factors)
