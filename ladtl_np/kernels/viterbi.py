"""The best tag sequence of each sentence of a packed batch.                    docs/math/crf.md

    delta_t(j) = E_t(j) + max_i (delta_{t-1}(i) + A(i, j))

The destination j is the inner loop: one pass over contiguous rows of A with a running maximum,
which becomes vector code; the source innermost would be a reduction with an index, which does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ladtl_np._jit import inline, kernel
from ladtl_np.shapes import Floats, Integers

__all__ = ["viterbi"]


@inline
def _keep_small(best_score: Floats, b: int, now: Floats) -> None:
    """Move a row's largest score into a float64 sum: long sentences keep their digits."""
    largest = now[0]
    for j in range(1, now.size):
        largest = max(largest, now[j])
    if largest > -np.inf:
        best_score[b] += largest
        for j in range(now.size):
            now[j] -= largest


@kernel
def viterbi(
    best_tags: Integers,
    best_score: Floats,
    delta: Floats,
    came_from: NDArray[np.int32],
    E: Floats,
    A: Floats,
    offsets: Integers,
) -> None:
    """Write best_tags (N,) and best_score (B,) float64; among equals the lowest tag wins.

    Scratch: delta (N, m), came_from (N, m) int32.
    """
    m = A.shape[0]
    steps = offsets.size - 1
    for row in range(offsets[1]):
        best_score[row] = 0.0
        for j in range(m):
            delta[row, j] = E[row, j]
    for t in range(1, steps):
        first = offsets[t]
        for row in range(first, offsets[t + 1]):
            before, now, source = delta[offsets[t - 1] + row - first], delta[row], came_from[row]
            for j in range(m):
                now[j] = before[0] + A[0, j]
                source[j] = 0
            for i in range(1, m):
                start = before[i]
                for j in range(m):
                    candidate = start + A[i, j]
                    better = candidate > now[j]
                    now[j] = candidate if better else now[j]
                    source[j] = i if better else source[j]
            for j in range(m):
                now[j] += E[row, j]
            _keep_small(best_score, row - first, now)
    for t in range(steps - 1, -1, -1):
        first, last = offsets[t], offsets[t + 1]
        longer = 0 if t + 1 == steps else offsets[t + 2] - last
        for row in range(first, last):
            b = row - first
            if b < longer:
                best_tags[row] = came_from[last + b, best_tags[last + b]]
                continue
            best = 0
            for j in range(1, m):
                if delta[row, j] > delta[row, best]:
                    best = j
            best_tags[row] = best
            best_score[b] += delta[row, best]
