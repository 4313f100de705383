"""Squared MMD of two sets of rows under a sum of Gaussians, with gradient.   docs/math/mmd.md

Both sets are stacked into P (S + R, k) with weights u = 1/S for the first set and -1/R for the
second, which turns Eq. (4) into one quadratic form:

    MMD^2 = sum_ij u_i u_j k_ij,     k_ij = sum_q exp(-|p_i - p_j|^2 / (2 s_q))
    dp_i  = -2 u_i sum_j u_j g_ij (p_i - p_j),     g_ij = sum_q exp(.) / s_q

Only pairs with i < j are visited. Few rows are compared one by one, many in blocks
(mmd_blocks.py).
"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.kernels.algebra.elementwise import exp
from ladtl_np.kernels.mmd_blocks import (
    BLOCK,
    BLOCK_STRIDE,
    blocks_with_gradient,
    diagonal,
)
from ladtl_np.kernels.mmd_distances import FAR, squared_distance
from ladtl_np.kernels.mmd_gaussians import UNDERFLOW
from ladtl_np.shapes import Floats, Integers, Scalar

__all__ = ["FEW_ROWS", "few_rows_with_gradient", "mmd_tasks", "scatter_rows"]

# up to this many rows, packing for products costs more than it saves
FEW_ROWS = 40


@kernel
def few_rows_with_gradient(
    dP: Floats, pairs: Floats, P: Floats, u: Floats, half_inverse: Floats
) -> float:
    """Return MMD^2 and write its gradient, all distances by differences.

    Scratch: pairs (3, n (n - 1) / 2) for n = S + R rows, or longer.
    """
    n = P.shape[0]
    count = n * (n - 1) // 2
    d2, sum_k, sum_g = pairs[0][:count], pairs[1][:count], pairs[2][:count]
    dP[:] = 0.0
    sum_k[:] = 0.0
    sum_g[:] = 0.0
    nearest, pair = d2.dtype.type(FAR), 0
    for i in range(n):
        for j in range(i + 1, n):
            d2[pair] = squared_distance(P[i], P[j])
            nearest = min(nearest, d2[pair])
            pair += 1
    for q in range(half_inverse.size):
        h = half_inverse[q]
        if nearest * h > UNDERFLOW:
            continue
        for p in range(d2.size):
            k = exp(-d2[p] * h)
            sum_k[p] += k
            sum_g[p] += k * (h + h)
    value, pair = diagonal(u, half_inverse), 0
    for i in range(n):
        twice_u = u[i] + u[i]
        for j in range(i + 1, n):
            weight = twice_u * u[j]
            value += np.float64(weight) * np.float64(sum_k[pair])
            _pull(dP[i], dP[j], P[i], P[j], weight * sum_g[pair])
            pair += 1
    return value


@inline
def _pull(dx: Floats, dy: Floats, x: Floats, y: Floats, weight: Scalar) -> None:
    for k in range(x.size):
        step = weight * (y[k] - x[k])
        dx[k] += step
        dy[k] -= step


@kernel
def _gather_centred(
    P: Floats, u: Floats, norms: Floats, hidden: Floats, rows: Integers, sources: int, targets: int
) -> None:
    """Write P (n, k) = hidden[rows] less their mean, their squared norms, and the weights u.

    u is 1/S for the first S rows, else -1/R. The mean changes no distance, and without it less
    cancels in the products.
    """
    n, width = P.shape
    mean, zero = np.zeros(width, P.dtype), np.zeros(width, P.dtype)
    for i in range(n):
        x = hidden[rows[i]]
        for k in range(width):
            mean[k] += x[k]
    for k in range(width):
        mean[k] /= n
    for i in range(n):
        row, x = P[i], hidden[rows[i]]
        for k in range(width):
            row[k] = x[k] - mean[k]
        u[i] = 1.0 / sources if i < sources else -1.0 / targets
    for i in range(n):
        norms[i] = squared_distance(P[i], zero)


@kernel
def mmd_tasks(
    values: Floats,
    gradients: Floats,
    hidden: Floats,
    rows: Integers,
    starts: Integers,
    sources: Integers,
    half_inverse: Floats,
    widths: Integers,
    tasks: Integers,
    slots: Integers,
    mine: Integers,
) -> None:
    """Do the tasks numbered by `mine`, each a pair of samples or one shard of a large one.

    Pair p has the rows rows[starts[p]:starts[p + 1]] of hidden, of which sources[p] are the first
    sample, and variances half_inverse[widths[p]]. Task t is (pair, shard, shards) = tasks[t]; its
    value goes to values[t], its gradient to gradients[slots[t]:slots[t + 1]], a row for each row
    that it needs of its pair. It copies these, so that no task has to wait for another.
    """
    largest, height = 0, 0
    for t in mine:
        largest = max(largest, slots[t + 1] - slots[t])
        if not _few(tasks[t], slots[t + 1] - slots[t]):
            height = BLOCK
    dtype, width = hidden.dtype, hidden.shape[1]
    block, sums = np.empty((height, BLOCK_STRIDE), dtype), np.empty((3, BLOCK), dtype)
    totals, pairs = np.empty(largest, dtype), np.empty((3, FEW_ROWS * FEW_ROWS // 2), dtype)
    copy, u_norms = np.empty((largest, width), dtype), np.empty((2, largest), dtype)
    for t in mine:
        pair, shard, shards = tasks[t]
        first, n = starts[pair], slots[t + 1] - slots[t]
        dP, h = gradients[slots[t] : slots[t + 1]], half_inverse[widths[pair]]
        P, u, norms = copy[:n], u_norms[0][:n], u_norms[1][:n]
        targets = starts[pair + 1] - first - sources[pair]
        _gather_centred(P, u, norms, hidden, rows[first : first + n], sources[pair], targets)
        if _few(tasks[t], n):
            values[t] = few_rows_with_gradient(dP, pairs, P, u, h)
        else:
            scratch = block, sums, totals[:n]
            values[t] = blocks_with_gradient(dP, *scratch, P, u, norms, h, shard, shards)


@inline
def _few(task: Integers, rows: int) -> bool:
    """Whether a task is a whole pair of few rows."""
    return bool(task[2] == 1 and rows <= FEW_ROWS)


@kernel
def scatter_rows(
    dhidden: Floats,
    gradients: Floats,
    rows: Integers,
    starts: Integers,
    tasks: Integers,
    slots: Integers,
    factors: Floats,
    left: int,
    right: int,
) -> None:
    """Add factors[pair] times the gradient of each task to its rows of dhidden[:, left:right]."""
    for t in range(tasks.shape[0]):
        pair = tasks[t, 0]
        factor = factors[pair]
        for n in range(slots[t + 1] - slots[t]):
            out = dhidden[rows[starts[pair] + n]][left:right]
            x = gradients[slots[t] + n][left:right]
            for k in range(x.size):
                out[k] += factor * x[k]
