"""The best tag sequence of each sentence of a packed batch.                    docs/math/crf.md

    delta_t(j) = E_t(j) + max_i (delta_{t-1}(i) + A(i, j))

A step is a matrix product in which + is max and * is +, done in register tiles like any other.
Where a maximum came from is not kept for all m tags of a token but found again, by the same sums,
for the one tag that the best path goes through.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.kernels.algebra.extremes import largest
from ladtl_np.kernels.algebra.matmul import max_plus, pack
from ladtl_np.shapes import Floats, Integers

__all__ = ["KEEP_SMALL_EVERY", "came_from", "keep_small", "viterbi"]


# steps between two subtractions of the largest score
KEEP_SMALL_EVERY = 8


@inline
def keep_small(best_score: Floats, b: int, now: Floats) -> None:
    """Move a row's largest score into a float64 sum: long sentences keep their digits."""
    top = largest(now)
    if top > -np.inf:
        best_score[b] += top
        for j in range(now.size):
            now[j] -= top


@inline
def came_from(before: Floats, A_transposed: Floats, tag: int) -> int:
    """The lowest i at which before_i + A[i, tag] is largest."""
    column = A_transposed[tag]
    best, source = before[0] + column[0], 0
    for i in range(1, before.size):
        candidate = before[i] + column[i]
        if candidate > best:
            best, source = candidate, i
    return source


@kernel
def viterbi(
    best_tags: Integers,
    best_score: Floats,
    delta: Floats,
    E: Floats,
    A: Floats,
    A_transposed: Floats,
    offsets: Integers,
) -> None:
    """Write best_tags (N,) and best_score (B,) float64; among equals the lowest tag wins.

    Scratch: delta (N, m). `A_transposed` is C-contiguous.
    """
    m = A.shape[0]
    steps = offsets.size - 1
    packed_A = pack(A)
    for row in range(offsets[1]):
        best_score[row] = 0.0
        delta[row] = E[row]
    for t in range(1, steps):
        first, last, before = offsets[t], offsets[t + 1], offsets[t - 1]
        max_plus(delta[first:last], delta[before : before + last - first], packed_A)
        for row in range(first, last):
            now, scores = delta[row], E[row]
            for j in range(m):
                now[j] += scores[j]
            if t % KEEP_SMALL_EVERY == 0:
                keep_small(best_score, row - first, now)
    for t in range(steps - 1, -1, -1):
        first, last = offsets[t], offsets[t + 1]
        longer = 0 if t + 1 == steps else offsets[t + 2] - last
        for row in range(first, last):
            b = row - first
            if b < longer:
                best_tags[row] = came_from(delta[row], A_transposed, best_tags[last + b])
                continue
            best = 0
            for j in range(1, m):
                if delta[row, j] > delta[row, best]:
                    best = j
            best_tags[row] = best
            best_score[b] += delta[row, best]
