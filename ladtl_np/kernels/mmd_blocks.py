"""Squared MMD of many rows, in blocks: memory is one block.                   docs/math/mmd.md

Distances come from a matrix product, |p_i|^2 + |p_j|^2 - 2 p_i p_j, which cancels for near pairs;
those are done again by differences. Names are those of mmd.py.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import inline, kernel, reducing_kernel
from ladtl_np.kernels.algebra.matmul import multiply_packed, pack
from ladtl_np.kernels.algebra.sums import total_of
from ladtl_np.kernels.mmd_distances import FAR, Span, distances
from ladtl_np.kernels.mmd_gaussians import COEFFICIENTS, NODES, gaussian_sums, to_unit, wide_sums
from ladtl_np.shapes import Floats, Scalar

__all__ = [
    "BLOCK",
    "BLOCK_STRIDE",
    "blocks_with_gradient",
    "diagonal",
]

BLOCK = 160
# elements between the rows of a block, so that the lines of a column lie in different cache sets
BLOCK_STRIDE = BLOCK + 16
# numbers that one vector holds, or a multiple
LINE = 16


@inline
def diagonal(u: Floats, half_inverse: Floats) -> float:
    """What pairs of a row with itself add: each kernel is 1."""
    value = 0.0
    for i in range(u.size):
        value += np.float64(u[i]) * np.float64(u[i]) * half_inverse.size
    return value


@inline
def _row_weights(
    row: Floats, totals: Floats, k: Floats, g: Floats, u: Floats, twice_u: Scalar
) -> None:
    """Turn distances into w_ij = 2 u_i u_j g_ij, and add them to totals.

    What is marked by FAR becomes 0, also in k.
    """
    far, zero = row.dtype.type(FAR), row.dtype.type(0)
    for s in range(row.size):
        marked = row[s] == far
        weight = zero if marked else twice_u * u[s] * g[s]
        k[s] = zero if marked else k[s]
        row[s] = weight
        totals[s] += weight


@inline
def _block_weights(
    dP: Floats,
    block: Floats,
    sums: Floats,
    totals: Floats,
    fitting: tuple[Floats, Floats, Floats, Floats],
    P: Floats,
    norms: Floats,
    u: Floats,
    half_inverse: Floats,
    place: Span,
) -> float:
    """Turn the Gram block into w_ij = 2 u_i u_j g_ij; returns the block's share of MMD^2."""
    i0, j0, rows, columns = place
    least = sums[2]
    value, low, high = distances(dP, block, least, P, norms, u, half_inverse, place)
    if low > high:  # no pair is left
        block[:rows, :columns] = 0.0
        return value
    terms, narrow = fitting[0], fitting[1]
    needed, count = wide_sums(*fitting, half_inverse, low, high)
    scale, shift = to_unit(low, high)
    kind = block.dtype.type
    for r in range(rows):
        i = i0 + r
        begin = max(0, i - j0 + 1)
        begin = min(columns, begin - begin % LINE)
        row, u_j = block[r][begin:columns], u[j0 + begin : j0 + columns]
        k, g = sums[0][: row.size], sums[1][: row.size]
        block[r][:begin] = 0.0
        rest = narrow[:count]
        gaussian_sums(k, g, row, terms, needed, rest, least[r], kind(scale), kind(shift))
        twice_u = u[i] + u[i]
        totals_j = totals[j0 + begin : j0 + columns]
        _row_weights(row, totals_j, k, g, u_j, twice_u)
        totals[i] += total_of(row)
        value += np.float64(twice_u) * _dot(u_j, k)
    return value


@kernel
def _gram(out: Floats, P: Floats, packed: Floats, on_diagonal: bool) -> None:
    """All products of rows; on the diagonal those below it are left out, a strip's width apart."""
    if not on_diagonal:
        multiply_packed(out, P, packed, 0, False)
        return
    panel, inner, columns = packed.shape[1], P.shape[1], out.shape[1]
    for n in range((columns + panel - 1) // panel):
        first, last = n * panel, min(columns, (n + 1) * panel)
        strip = packed[n * inner : (n + 1) * inner]
        multiply_packed(out[:last, first:last], P[:last], strip, 0, False)


@inline
def _span(n: int, number: int) -> tuple[int, int]:
    """First row of a block, and how many it has. All are full but the first.

    Its columns are multiplied least often, and so what sticks out over them in a tile costs least.
    """
    last = n - ((n + BLOCK - 1) // BLOCK - 1 - number) * BLOCK
    return max(0, last - BLOCK), min(BLOCK, last)


@inline
def _mirror(weights: Floats) -> None:
    """Copy what is above the diagonal below it."""
    for r in range(weights.shape[0]):
        row = weights[r]
        for s in range(r):
            row[s] = weights[s, r]


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
    """Return one shard's part of MMD^2 and write its part of the gradient dP (n, k).

    norms are |p_i|^2, half_inverse is 1 / (2 s_q). A shard has some columns of blocks and needs the
    rows before their end, which are the first n = S + R - shard * BLOCK; the parts of all shards
    add up. Scratch: block (BLOCK, BLOCK_STRIDE), sums (3, BLOCK), totals (n,).
    """
    n = P.shape[0]
    packed_rows = pack(P)
    terms, narrow = np.empty((2, COEFFICIENTS), P.dtype), np.empty_like(half_inverse)
    fitting = terms, narrow, np.empty((2, NODES)), np.empty((2, COEFFICIENTS))
    dP[:] = 0.0
    totals[:] = 0.0
    value = diagonal(u, half_inverse) if shard == 0 else 0.0
    blocks = (n + BLOCK - 1) // BLOCK
    for column in range(blocks - 1, -1, -1):
        # the longest column first, back and forth, so that all shards have about as many blocks
        turn, position = divmod(blocks - 1 - column + shard, shards)
        if shard != (position if turn % 2 == 0 else shards - 1 - position):
            continue
        j0, columns = _span(n, column)
        packed_columns = pack(P[j0 : j0 + columns].T)
        for number in range(column + 1):
            i0, rows = _span(n, number)
            d2 = block[:rows, :columns]
            _gram(d2, P[i0 : i0 + rows], packed_columns, i0 == j0)
            place = i0, j0, rows, columns
            value += _block_weights(
                dP, block, sums, totals, fitting, P, norms, u, half_inverse, place
            )
            # d2 now holds w_ij = 2 u_i u_j g_ij:  dp_i += sum_j w_ij (p_j - p_i), and the reverse
            if i0 == j0:
                _mirror(d2)
                multiply_packed(dP[i0 : i0 + rows], d2, packed_rows, i0, True)
            else:
                multiply_packed(dP[i0 : i0 + rows], d2, packed_rows, j0, True)
                multiply_packed(dP[j0 : j0 + columns], d2.T, packed_rows, i0, True)
    for i in range(n):
        out, x, total = dP[i], P[i], totals[i]
        for k in range(x.size):
            out[k] -= total * x[k]
    return value
