"""Squared MMD of two sets of rows under a sum of Gaussians, with gradient.   docs/math/mmd.md

Both sets are stacked into P (S + R, k) with weights u = 1/S for the first set and -1/R for the
second, which turns Eq. (4) into one quadratic form:

    MMD^2 = sum_ij u_i u_j k_ij,     k_ij = sum_q exp(-|p_i - p_j|^2 / (2 s_q))
    dp_i  = -2 u_i sum_j u_j g_ij (p_i - p_j),     g_ij = sum_q exp(.) / s_q

Only tiles with i < j are visited, so memory is one tile. Distances come from a matrix product,
|p_i|^2 + |p_j|^2 - 2 p_i p_j, which cancels for near pairs; those are done again by differences.
"""

from __future__ import annotations

import numpy as np

from ladtl_np._jit import inline, kernel, reducing_kernel
from ladtl_np.kernels.elementwise import exp
from ladtl_np.shapes import Floats, Scalar

__all__ = ["TILE", "mmd_with_gradient"]

TILE = 128
# pairs nearer than this share of |p_i|^2 + |p_j|^2 have lost about a thousandth of their digits
NEAR = 1e-3
# a squared distance at which every kernel is 0: marks pairs that are done or do not count
FAR = 1e30
# exp(-100) is 4e-44, below the smallest float32; in float64 it adds less than rounding does
UNDERFLOW = 100.0


@reducing_kernel
def _squared_distance(x: Floats, y: Floats) -> Scalar:
    total: Scalar = x.dtype.type(0)
    for k in range(x.size):
        difference = x[k] - y[k]
        total += difference * difference
    return total


@inline
def _near_pair(dP: Floats, P: Floats, i: int, j: int, weight: float, half_inverse: Floats) -> float:
    """Value and gradient of one pair by differences; returns weight * k_ij."""
    d2 = _squared_distance(P[i], P[j])
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


@kernel
def _tile_weights(
    dP: Floats,
    d2: Floats,
    sum_k: Floats,
    sum_g: Floats,
    P: Floats,
    norms: Floats,
    u: Floats,
    half_inverse: Floats,
    i0: int,
    j0: int,
) -> float:
    """Turn the Gram tile d2 into 2 u_i u_j g_ij; returns the tile's share of MMD^2."""
    value = 0.0
    rows, columns = d2.shape
    for r in range(rows):
        i, row = i0 + r, d2[r]
        nearest = row.dtype.type(FAR)
        for s in range(columns):
            row[s] = norms[i] + norms[j0 + s] - (row[s] + row[s])
        for s in range(columns):
            j = j0 + s
            if j <= i:
                row[s] = FAR
            elif row[s] < NEAR * (norms[i] + norms[j]):
                value += _near_pair(dP, P, i, j, 2.0 * u[i] * u[j], half_inverse)
                row[s] = FAR
        for s in range(columns):
            nearest = min(nearest, row[s])
            sum_k[s] = 0.0
            sum_g[s] = 0.0
        for q in range(half_inverse.size):
            h = half_inverse[q]
            if nearest * h > UNDERFLOW:
                continue
            for s in range(columns):
                k = exp(-row[s] * h)
                sum_k[s] += k
                sum_g[s] += k * (h + h)
        twice_u = u[i] + u[i]
        row_value = 0.0  # few numbers per sum, so that terms of both signs cancel well
        for s in range(columns):
            row_value += twice_u * u[j0 + s] * sum_k[s]
            row[s] = twice_u * u[j0 + s] * sum_g[s]
        value += row_value
    return value


@kernel
def mmd_with_gradient(
    dP: Floats,
    tile: Floats,
    product: Floats,
    sums: Floats,
    norms: Floats,
    P: Floats,
    u: Floats,
    half_inverse: Floats,
) -> float:
    """Return MMD^2 and write its gradient dP (S + R, k), given half_inverse = 1 / (2 s_q).

    Scratch: tile (TILE * TILE,), product (TILE, k), sums (2, TILE), norms (S + R,).
    """
    n, width = P.shape
    dP[:] = 0.0
    value = 0.0
    for i in range(n):
        norms[i] = _squared_distance(P[i], dP[i])  # dP is still 0: the squared norm
        value += np.float64(u[i]) * np.float64(u[i]) * half_inverse.size
    for i0 in range(0, n, TILE):
        rows = min(TILE, n - i0)
        for j0 in range(i0, n, TILE):
            columns = min(TILE, n - j0)
            d2 = tile[: rows * columns].reshape(rows, columns)
            np.dot(P[i0 : i0 + rows], P[j0 : j0 + columns].T, d2)
            value += _tile_weights(dP, d2, sums[0], sums[1], P, norms, u, half_inverse, i0, j0)
            # d2 now holds w_ij = 2 u_i u_j g_ij:  dp_i += sum_j w_ij (p_j - p_i), and the reverse
            np.dot(d2, P[j0 : j0 + columns], product[:rows])
            for r in range(rows):
                total = _sum(d2[r])
                for k in range(width):
                    dP[i0 + r, k] += product[r, k] - total * P[i0 + r, k]
            np.dot(d2.T, P[i0 : i0 + rows], product[:columns])
            column_sums = sums[0]
            column_sums[:columns] = 0.0
            for r in range(rows):
                for s in range(columns):
                    column_sums[s] += d2[r, s]
            for s in range(columns):
                for k in range(width):
                    dP[j0 + s, k] += product[s, k] - column_sums[s] * P[j0 + s, k]
    return value


@reducing_kernel
def _sum(x: Floats) -> Scalar:
    total: Scalar = x.dtype.type(0)
    for k in range(x.size):
        total += x[k]
    return total
