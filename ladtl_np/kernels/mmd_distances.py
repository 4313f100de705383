"""Squared distances of a block of pairs: by products, and by differences where these cancel.

Names are those of mmd.py, the pairs (i0 + r, j0 + s) for r < rows and s < columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import overload

from ladtl_np.kernels._jit import STRICT, inline, reducing_kernel
from ladtl_np.kernels.algebra.elementwise import same_bits
from ladtl_np.shapes import Floats, Scalar

__all__ = ["FAR", "Span", "distances", "extremes", "squared_distance"]

Span = tuple[int, int, int, int]
"""i0, j0, rows, columns."""

# pairs nearer than this share of |p_i|^2 + |p_j|^2 have lost about a thousandth of their digits
NEAR = 1e-3
# a squared distance at which every kernel is 0: marks pairs that are done or do not count
FAR = 1e30


@reducing_kernel
def squared_distance(x: Floats, y: Floats) -> Scalar:
    """|x - y|^2."""
    total: Scalar = x.dtype.type(0)
    for k in range(x.size):
        difference = x[k] - y[k]
        total += difference * difference
    return total


@inline
def _near_pair(dP: Floats, P: Floats, i: int, j: int, weight: float, half_inverse: Floats) -> float:
    """Value and gradient of one pair by differences; returns weight * k_ij."""
    d2 = squared_distance(P[i], P[j])
    value, slope = 0.0, 0.0
    for q in range(half_inverse.size):
        k = np.exp(-np.float64(d2) * half_inverse[q])
        value += k
        slope += 2.0 * half_inverse[q] * k
    if d2 > 0:
        coefficient = P.dtype.type(weight * slope)
        for k in range(P.shape[1]):
            step = coefficient * (P[i, k] - P[j, k])
            dP[i, k] -= step
            dP[j, k] += step
    return weight * value


@inline
def distances(
    dP: Floats,
    block: Floats,
    least: Floats,
    P: Floats,
    norms: Floats,
    u: Floats,
    half_inverse: Floats,
    place: Span,
) -> tuple[float, float, float]:
    """Turn the Gram block into squared distances; near pairs are done, and marked by FAR.

    Writes the least distance of each row; returns what the near pairs add to MMD^2, and the least
    and the largest distance of the others.
    """
    i0, j0, rows, columns = place
    kind: Any = block.dtype.type
    near, far, zero = kind(NEAR), kind(FAR), kind(0)
    value, low, high = 0.0, far, zero
    for r in range(rows):
        i = i0 + r
        # pairs up to the diagonal are visited from the other side
        first = min(columns, max(0, i - j0 + 1))
        row, norms_j, norm = block[r][first:columns], norms[j0 + first : j0 + columns], norms[i]
        block[r][:first] = far
        if row.size == 0:
            least[r] = far
            continue
        for s in range(row.size):
            row[s] = (norm + norms_j[s]) - (row[s] + row[s])
        nearness, smallest, largest = extremes(row, norms_j, norm, near)
        if nearness < 0.0:
            smallest, largest = far, zero
            for s in range(row.size):
                d = row[s]
                if d < near * (norm + norms_j[s]):
                    weight = 2.0 * np.float64(u[i]) * np.float64(u[j0 + first + s])
                    value += _near_pair(dP, P, i, j0 + first + s, weight, half_inverse)
                    row[s] = far
                else:
                    smallest, largest = min(smallest, d), max(largest, d)
        least[r] = smallest
        low, high = min(low, smallest), max(high, largest)
    return value, np.float64(low), np.float64(high)


def extremes(d: Floats, norms: Floats, norm: Scalar, near: Scalar) -> Any:
    """The least of d - near (norm + norms), least and largest of d, as long as none is negative.

    With negative numbers among them the first is a negative one, too.
    """
    return np.min(d - near * (norm + norms)), np.min(d), np.max(d)


@inline
def _extremes_of_bits(d: Floats, norms: Floats, norm: Scalar, near: Scalar) -> Any:
    # as integers, because LLVM compares floats one after the other
    nearness = same_bits(d[0] - near * (norm + norms[0]))
    least = same_bits(d[0])
    largest = least
    for s in range(d.size):
        above = same_bits(d[s] - near * (norm + norms[s]))
        nearness = above if above < nearness else nearness
        bits = same_bits(d[s])
        least = bits if bits < least else least
        largest = bits if bits > largest else largest
    return same_bits(nearness), same_bits(least), same_bits(largest)


@overload(extremes, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose(d, norms, norm, near):  # type: ignore[no-untyped-def]
    return lambda d, norms, norm, near: _extremes_of_bits(d, norms, norm, near)
