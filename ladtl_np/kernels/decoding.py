"""From words to best tags in one call: threads meet Python only between packed batches."""

from __future__ import annotations

import numpy as np

from ladtl_np._jit import inline, kernel
from ladtl_np.kernels.embedding import embedding_forward
from ladtl_np.kernels.linear import affine_forward
from ladtl_np.kernels.lstm import lstm_forward
from ladtl_np.kernels.viterbi import viterbi
from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = ["best_tags"]

Direction = tuple[Floats, Floats, Floats]


@kernel
def best_tags(
    tags: Integers,
    score: Floats,
    X: Floats,
    hidden: Floats,
    gates: Floats,
    cell: Floats,
    E: Floats,
    delta: Floats,
    words: Integers,
    table: Floats,
    forward: Direction,
    backward: Direction,
    W: Floats,
    b: Floats,
    A: Floats,
    A_transposed: Floats,
    may_start: Booleans,
    may_end: Booleans,
    offsets: Integers,
) -> None:
    """Write tags (N,) and score (B,) of each sentence's best path, as viterbi does.

    Directions are (W, U, b) of the LSTM; a `b` of size 0 is no emission bias. Scratch: X (N, D),
    hidden (N, 2H), gates and cell as for lstm_forward without `keep`, E and delta (N, m).
    """
    embedding_forward(X, table, words, X[:0])
    H = cell.shape[1]
    lstm_forward(
        hidden, gates, cell, X, forward[0], forward[1], forward[2], offsets, 0, False, False
    )
    lstm_forward(
        hidden, gates, cell, X, backward[0], backward[1], backward[2], offsets, H, True, False
    )
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
