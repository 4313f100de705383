"""Squared MMD of many rows, in tiles: memory is one tile.                     docs/math/mmd.md

Distances come from a matrix product, |p_i|^2 + |p_j|^2 - 2 p_i p_j, which cancels for near pairs;
those are done again by differences. Names are those of mmd.py.
"""

from __future__ import annotations

import numpy as np

from ladtl_np._jit import inline, kernel, reducing_kernel
from ladtl_np.kernels.elementwise import exp
from ladtl_np.kernels.matmul import multiply_packed, pack
from ladtl_np.shapes import Floats, Scalar

__all__ = [
    "FAR",
    "TILE",
    "TILE_STRIDE",
    "UNDERFLOW",
    "diagonal",
    "squared_distance",
    "tiles_with_gradient",
]

TILE = 160
# elements between the rows of a tile, so that the lines of a column lie in different cache sets
TILE_STRIDE = TILE + 16
# pairs nearer than this share of |p_i|^2 + |p_j|^2 have lost about a thousandth of their digits
NEAR = 1e-3
# a squared distance at which every kernel is 0: marks pairs that are done or do not count
FAR = 1e30
# exp(-100) is 4e-44, below the smallest float32; in float64 it adds less than rounding does
UNDERFLOW = 100.0


@reducing_kernel
def squared_distance(x: Floats, y: Floats) -> Scalar:
    """|x - y|^2."""
    total: Scalar = x.dtype.type(0)
    for k in range(x.size):
        difference = x[k] - y[k]
        total += difference * difference
    return total


@inline
def diagonal(u: Floats, half_inverse: Floats) -> float:
    """What pairs of a row with itself add: each kernel is 1."""
    value = 0.0
    for i in range(u.size):
        value += np.float64(u[i]) * np.float64(u[i]) * half_inverse.size
    return value


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


@kernel
def _tile_weights(
    dP: Floats,
    tile: Floats,
    sum_k: Floats,
    sum_g: Floats,
    P: Floats,
    norms: Floats,
    u: Floats,
    half_inverse: Floats,
    i0: int,
    j0: int,
    rows: int,
    columns: int,
) -> float:
    """Turn the Gram tile into 2 u_i u_j g_ij; returns the tile's share of MMD^2."""
    value = 0.0
    norms_j, u_j = norms[j0 : j0 + columns], u[j0 : j0 + columns]
    for r in range(rows):
        i, row = i0 + r, tile[r][:columns]  # whole rows first: known to be contiguous
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
def tiles_with_gradient(
    dP: Floats,
    tile: Floats,
    sums: Floats,
    totals: Floats,
    P: Floats,
    u: Floats,
    norms: Floats,
    half_inverse: Floats,
    shard: int,
    shards: int,
) -> float:
    """Return one shard's part of MMD^2 and write its part of the gradient dP (S + R, k).

    norms are |p_i|^2, half_inverse is 1 / (2 s_q). A shard has some columns of tiles; the parts of
    all shards add up. Scratch: tile (TILE, TILE_STRIDE), sums (2, TILE), totals (S + R,).
    """
    n = P.shape[0]
    packed_rows = pack(P)
    dP[:] = 0.0
    totals[:] = 0.0
    value = diagonal(u, half_inverse) if shard == 0 else 0.0
    columns_of_tiles = (n + TILE - 1) // TILE
    for place in range(columns_of_tiles):
        # the longest column first, back and forth, so that all shards have about as many tiles
        turn, position = place // shards, place % shards
        if shard != (position if turn % 2 == 0 else shards - 1 - position):
            continue
        j0 = (columns_of_tiles - 1 - place) * TILE
        columns = min(TILE, n - j0)
        packed_columns = pack(P[j0 : j0 + columns].T)
        for i0 in range(0, j0 + 1, TILE):
            rows = min(TILE, n - i0)
            d2 = tile[:rows, :columns]
            multiply_packed(d2, P[i0 : i0 + rows], packed_columns, 0, False)
            value += _tile_weights(
                dP, tile, sums[0], sums[1], P, norms, u, half_inverse, i0, j0, rows, columns
            )
            # d2 now holds w_ij = 2 u_i u_j g_ij:  dp_i += sum_j w_ij (p_j - p_i), and the reverse
            multiply_packed(dP[i0 : i0 + rows], d2, packed_rows, j0, True)
            multiply_packed(dP[j0 : j0 + columns], d2.T, packed_rows, i0, True)
            totals_j = totals[j0 : j0 + columns]
            for r in range(rows):
                weights = tile[r][:columns]
                totals[i0 + r] += _sum(weights)
                for s in range(columns):
                    totals_j[s] += weights[s]
    for i in range(n):
        out, x, total = dP[i], P[i], totals[i]
        for k in range(x.size):
            out[k] -= total * x[k]
    return value


@reducing_kernel
def _sum(x: Floats) -> Scalar:
    total: Scalar = x.dtype.type(0)
    for k in range(x.size):
        total += x[k]
    return total
