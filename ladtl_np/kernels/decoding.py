"""From words to best tags in one call: threads meet Python only between packed batches."""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.kernels.encoding import lstm_encode
from ladtl_np.kernels.linear import affine_forward
from ladtl_np.kernels.viterbi import viterbi
from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = ["best_tags"]


@kernel
def best_tags(
    tags: Integers,
    score: Floats,
    hidden: Floats,
    gates: Floats,
    cell: Floats,
    tanh_cell: Floats,
    E: Floats,
    delta: Floats,
    words: Integers,
    projected: tuple[Floats, Floats],
    recurrent: tuple[Floats, Floats],
    W: Floats,
    b: Floats,
    A: Floats,
    A_transposed: Floats,
    may_start: Booleans,
    may_end: Booleans,
    offsets: Integers,
) -> None:
    """Write tags (N,) and score (B,) of each sentence's best path, as viterbi does.

    `projected` and `recurrent` hold what lstm_encode takes of each direction; a `b` of size 0 is no
    emission bias. Scratch: hidden (N, 2H), gates, cell and tanh_cell as for lstm_encode, E and
    delta (N, m).
    """
    H = cell.shape[1]
    state = gates, cell, tanh_cell
    lstm_encode(hidden, *state, projected[0], words, recurrent[0], offsets, 0, False)
    lstm_encode(hidden, *state, projected[1], words, recurrent[1], offsets, H, True)
    affine_forward(E, hidden, W, b)
    _forbid(E, may_start, may_end, offsets)
    viterbi(tags, score, delta, E, A, A_transposed, offsets)


@inline
def _forbid(E: Floats, may_start: Booleans, may_end: Booleans, offsets: Integers) -> None:
    """Give -inf to tags that no sentence may start or end with."""
    steps = offsets.size - 1
    for t in range(steps):
        longer = 0 if t + 1 == steps else offsets[t + 2] - offsets[t + 1]
        for row in range(offsets[t], offsets[t + 1]):
            if t > 0 and row - offsets[t] < longer:
                continue
            ends = row - offsets[t] >= longer
            for j in range(may_start.size):
                if (t == 0 and not may_start[j]) or (ends and not may_end[j]):
                    E[row, j] = -np.inf
