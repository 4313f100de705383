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
from ladtl_np.kernels.matmul import multiply_packed, multiply_strip, pack
from ladtl_np.shapes import Floats, Integers, Scalar

__all__ = ["TILE", "gather_centred", "mmd_tasks", "mmd_with_gradient", "scatter_rows"]

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
    norms_j, u_j = norms[j0 : j0 + columns], u[j0 : j0 + columns]
    for r in range(rows):
        i, row = i0 + r, d2[r]
        far, norm, twice_u = row.dtype.type(FAR), norms[i], u[i] + u[i]
        near = row.dtype.type(NEAR)
        for s in range(min(columns, max(0, i - j0 + 1))):
            row[s] = -far  # pairs on and below the diagonal are visited from the other side
        nearest, any_near = far, False
        for s in range(columns):
            total = norm + norms_j[s]
            row[s] = far if row[s] == -far else total - (row[s] + row[s])
            any_near |= row[s] < near * total
            sum_k[s] = 0.0
            sum_g[s] = 0.0
        if any_near:
            for s in range(columns):
                if row[s] < near * (norm + norms_j[s]):
                    weight = np.float64(twice_u) * np.float64(u_j[s])
                    value += _near_pair(dP, P, i, j0 + s, weight, half_inverse)
                    row[s] = far
        for s in range(columns):
            nearest = min(nearest, row[s])
        for q in range(half_inverse.size):
            h = half_inverse[q]
            if nearest * h > UNDERFLOW:
                continue
            for s in range(columns):
                k = exp(-row[s] * h)
                sum_k[s] += k
                sum_g[s] += k * (h + h)
        row_value = 0.0  # few numbers per sum, so that terms of both signs cancel well
        for s in range(columns):
            row_value += twice_u * u_j[s] * sum_k[s]
            row[s] = twice_u * u_j[s] * sum_g[s]
        value += row_value
    return value


@kernel
def mmd_with_gradient(
    dP: Floats,
    tile: Floats,
    sums: Floats,
    norms: Floats,
    P: Floats,
    u: Floats,
    half_inverse: Floats,
    shard: int,
    shards: int,
) -> float:
    """Return one shard's part of MMD^2 and write its part of the gradient dP (S + R, k).

    half_inverse is 1 / (2 s_q). A shard takes every `shards`-th tile; the parts of all shards add
    up. Scratch: tile (TILE * TILE,), sums (2, TILE), norms (S + R,).
    """
    n = P.shape[0]
    packed_rows, packed_columns = pack(P), pack(P.T)
    dP[:] = 0.0
    value = 0.0
    for i in range(n):
        norms[i] = _squared_distance(P[i], dP[i])  # dP is still 0: the squared norm
        if shard == 0:
            value += np.float64(u[i]) * np.float64(u[i]) * half_inverse.size
    number = 0
    for i0 in range(0, n, TILE):
        rows = min(TILE, n - i0)
        for j0 in range(i0, n, TILE):
            number += 1
            if number % shards != shard:
                continue
            columns = min(TILE, n - j0)
            d2 = tile[: rows * columns].reshape(rows, columns)
            multiply_strip(d2, P[i0 : i0 + rows], packed_columns, j0)
            value += _tile_weights(dP, d2, sums[0], sums[1], P, norms, u, half_inverse, i0, j0)
            # d2 now holds w_ij = 2 u_i u_j g_ij:  dp_i += sum_j w_ij (p_j - p_i), and the reverse
            multiply_packed(dP[i0 : i0 + rows], d2, packed_rows, j0, True)
            multiply_packed(dP[j0 : j0 + columns], d2.T, packed_rows, i0, True)
            for r in range(rows):
                _subtract(dP[i0 + r], P[i0 + r], _sum(d2[r]))
            column_sums = sums[0]
            column_sums[:columns] = 0.0
            for r in range(rows):
                weights = d2[r]
                for s in range(columns):
                    column_sums[s] += weights[s]
            for s in range(columns):
                _subtract(dP[j0 + s], P[j0 + s], column_sums[s])
    return value


@kernel
def gather_centred(P: Floats, u: Floats, hidden: Floats, rows: Integers, sources: int) -> None:
    """Write P (S + R, k) = hidden[rows] less their mean, and u = 1/S for the first S, else -1/R.

    The mean changes no distance, and without it less cancels in the products.
    """
    n, width = P.shape
    mean = np.zeros(width, P.dtype)
    for i in range(n):
        P[i] = hidden[rows[i]]
        for k in range(width):
            mean[k] += P[i, k]
        u[i] = 1.0 / sources if i < sources else -1.0 / (n - sources)
    for k in range(width):
        mean[k] /= n
    for i in range(n):
        for k in range(width):
            P[i, k] -= mean[k]


@kernel
def mmd_tasks(
    values: Floats,
    gradients: Floats,
    hidden: Floats,
    rows: Integers,
    starts: Integers,
    sources: Integers,
    half_inverse: Floats,
    tasks: Integers,
    slots: Integers,
    mine: Integers,
) -> None:
    """Do the tasks numbered by `mine`, each a pair of samples or one shard of a large one.

    Pair p has the rows rows[starts[p]:starts[p + 1]] of hidden, sources[p] of the source, and
    variances half_inverse[p]. Task t is (pair, shard, shards) = tasks[t]; its value goes to
    values[t], its gradient to gradients[slots[t]:].
    """
    largest = 0
    for t in mine:
        pair = tasks[t, 0]
        largest = max(largest, starts[pair + 1] - starts[pair])
    width, dtype = hidden.shape[1], hidden.dtype
    all_P, all_u, norms = (
        np.empty((largest, width), dtype),
        np.empty(largest, dtype),
        np.empty(largest, dtype),
    )
    tile, sums = np.empty(TILE * TILE, dtype), np.empty((2, TILE), dtype)
    for t in mine:
        pair, shard, shards = tasks[t]
        first, last = starts[pair], starts[pair + 1]
        P, u = all_P[: last - first], all_u[: last - first]
        gather_centred(P, u, hidden, rows[first:last], sources[pair])
        dP = gradients[slots[t] : slots[t] + last - first]
        values[t] = mmd_with_gradient(
            dP, tile, sums, norms, P, u, half_inverse[pair], shard, shards
        )


@kernel
def scatter_rows(dhidden: Floats, gradients: Floats, rows: Integers, factor: Scalar) -> None:
    """dhidden[rows[n]] += factor * gradients[n]."""
    for n in range(rows.size):
        out, x = dhidden[rows[n]], gradients[n]
        for k in range(x.size):
            out[k] += factor * x[k]


@inline
def _subtract(out: Floats, x: Floats, factor: Scalar) -> None:
    for k in range(out.size):
        out[k] -= factor * x[k]


@reducing_kernel
def _sum(x: Floats) -> Scalar:
    total: Scalar = x.dtype.type(0)
    for k in range(x.size):
        total += x[k]
    return total
