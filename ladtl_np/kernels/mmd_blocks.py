"""Squared MMD of many rows, in blocks: memory is one block.                   docs/math/mmd.md

Distances come from a matrix product, |p_i|^2 + |p_j|^2 - 2 p_i p_j, which cancels for near pairs;
those are done again by differences. Names are those of mmd.py.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import inline, kernel, reducing_kernel
from ladtl_np.kernels.algebra.elementwise import exp
from ladtl_np.kernels.algebra.extremes import sign_or_least
from ladtl_np.kernels.algebra.matmul import multiply_packed, pack
from ladtl_np.shapes import Floats, Scalar

__all__ = [
    "BLOCK",
    "BLOCK_STRIDE",
    "FAR",
    "UNDERFLOW",
    "blocks_with_gradient",
    "diagonal",
    "squared_distance",
]

BLOCK = 160
# elements between the rows of a block, so that the lines of a column lie in different cache sets
BLOCK_STRIDE = BLOCK + 16
# pairs nearer than this share of |p_i|^2 + |p_j|^2 have lost about a thousandth of their digits
NEAR = 1e-3
# a squared distance at which every kernel is 0: marks pairs that are done or do not count
FAR = 1e30
# exp(-100) is 4e-44, below the smallest float32; in float64 it adds less than rounding does
UNDERFLOW = 100.0
# numbers that one vector holds, or a multiple
LINE = 16


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


@inline
def _block_weights(
    dP: Floats,
    block: Floats,
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
    """Turn the Gram block into 2 u_i u_j g_ij; returns the block's share of MMD^2."""
    value = 0.0
    near, far = block.dtype.type(NEAR), block.dtype.type(FAR)
    for r in range(rows):
        i = i0 + r
        # pairs up to the diagonal are visited from the other side: their vectors are left out
        first = min(columns, max(0, i - j0 + 1))
        begin = first - first % LINE
        row = block[r][begin:columns]  # of a whole row it is known that it is contiguous
        block[r][:begin] = 0.0
        norms_j, u_j = norms[j0 + begin : j0 + columns], u[j0 + begin : j0 + columns]
        k, g, norm, twice_u = sum_k[: row.size], sum_g[: row.size], norms[i], u[i] + u[i]
        for s in range(row.size):
            total = norm + norms_j[s]
            row[s] = total - (row[s] + row[s])
            k[s] = row[s] - near * total
        for s in range(first - begin):
            row[s] = far
            k[s] = far
        if row.size and sign_or_least(k) < 0.0:
            for s in range(row.size):
                if k[s] < 0.0:
                    weight = np.float64(twice_u) * np.float64(u_j[s])
                    value += _near_pair(dP, P, i, j0 + begin + s, weight, half_inverse)
                    row[s] = far
        nearest = sign_or_least(row) if row.size else far
        k[:] = 0.0
        g[:] = 0.0
        for q in range(half_inverse.size):
            h = half_inverse[q]
            if nearest * h > UNDERFLOW:
                continue
            for s in range(row.size):
                each = exp(-row[s] * h)
                k[s] += each
                g[s] += each * (h + h)
        for s in range(row.size):
            row[s] = twice_u * u_j[s] * g[s]
        value += np.float64(twice_u) * _dot(u_j, k)
    return value


@reducing_kernel
def _dot(x: Floats, y: Floats) -> float:
    total = 0.0
    for s in range(x.size):
        total += np.float64(x[s]) * np.float64(y[s])
    return total


@kernel
def blocks_with_gradient(
    dP: Floats,
    block: Floats,
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

    norms are |p_i|^2, half_inverse is 1 / (2 s_q). A shard has some columns of blocks; the parts of
    all shards add up. Scratch: block (BLOCK, BLOCK_STRIDE), sums (2, BLOCK), totals (S + R,).
    """
    n = P.shape[0]
    packed_rows = pack(P)
    dP[:] = 0.0
    totals[:] = 0.0
    value = diagonal(u, half_inverse) if shard == 0 else 0.0
    columns_of_blocks = (n + BLOCK - 1) // BLOCK
    for place in range(columns_of_blocks):
        # the longest column first, back and forth, so that all shards have about as many blocks
        turn, position = place // shards, place % shards
        if shard != (position if turn % 2 == 0 else shards - 1 - position):
            continue
        j0 = (columns_of_blocks - 1 - place) * BLOCK
        columns = min(BLOCK, n - j0)
        packed_columns = pack(P[j0 : j0 + columns].T)
        for i0 in range(0, j0 + 1, BLOCK):
            rows = min(BLOCK, n - i0)
            d2 = block[:rows, :columns]
            multiply_packed(d2, P[i0 : i0 + rows], packed_columns, 0, False)
            value += _block_weights(
                dP, block, sums[0], sums[1], P, norms, u, half_inverse, i0, j0, rows, columns
            )
            # d2 now holds w_ij = 2 u_i u_j g_ij:  dp_i += sum_j w_ij (p_j - p_i), and the reverse
            multiply_packed(dP[i0 : i0 + rows], d2, packed_rows, j0, True)
            multiply_packed(dP[j0 : j0 + columns], d2.T, packed_rows, i0, True)
            totals_j = totals[j0 : j0 + columns]
            for r in range(rows):
                weights = block[r][:columns]
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
