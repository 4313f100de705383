"""The BiLSTM of a model in use, with products of bfloat16.                   docs/performance.md

The twin of encoding and of pieces: sums, cells, and all that is no product stay float32.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import kernel
from ladtl_np.kernels.algebra.bfloat16 import Halves, round_row
from ladtl_np.kernels.algebra.bfloat16_products import project, step
from ladtl_np.kernels.lstm import visited_before
from ladtl_np.kernels.lstm_step import copy_row
from ladtl_np.shapes import Floats, Integers

__all__ = ["encode_piece", "lstm_encode", "project_words"]


@kernel
def project_words(
    projected: Floats, X: Halves, table: Floats, rows: Integers, W: Halves, b: Floats
) -> None:
    """Write projected (U', groups, 4, LANES) = table[rows] W + b, with packed W and b.

    U' is U filled up to a multiple of ROWS. Scratch: X (U', D'), D' is D filled up to pairs.
    """
    for n in range(rows.size):
        round_row(X[n], table[rows[n]])
    X[rows.size :] = 0
    project(projected, X, W, b)


@kernel
def lstm_encode(
    output: Floats,
    states: Halves,
    cell: Floats,
    projected: Floats,
    words: Integers,
    U: Halves,
    offsets: Integers,
    reverse: bool,
    goes_on: bool,
) -> None:
    """Write h into output (N, H) for words (N,), rows of projected, with packed U.

    Where sentences go on, states[0] (B, H') and cell (B, H') are those of the tokens before.
    Scratch: states (2, B, H'), cell; H' is H filled up to whole groups.
    """
    steps, pairs = offsets.size - 1, U.shape[1]
    if not goes_on:
        cell[:] = 0.0
    for visit in range(steps):
        t = steps - 1 - visit if reverse else visit
        first, last = offsets[t], offsets[t + 1]
        width = last - first
        _, carried = visited_before(offsets, t, reverse)
        if goes_on and visit == 0:
            carried = width
        out, now = output[first:last], words[first:last]
        before, after = states[visit % 2], states[(visit + 1) % 2]
        h = before[:carried, : 2 * pairs]
        step(out[:carried], after[:carried], cell[:carried], projected, now[:carried], h, U)
        # sentences that begin have no states before them
        h = before[carried:width, :0]
        rest = slice(carried, width)
        step(out[rest], after[rest], cell[rest], projected, now[rest], h, U)


@kernel
def encode_piece(
    output: Floats,
    state: Floats,
    states: Halves,
    cell: Floats,
    projected: Floats,
    words: Integers,
    U: Halves,
    reverse: bool,
) -> None:
    """Write h into output (n, H) for words (n,) of one sentence, as pieces.encode_piece does.

    state (2, H) is h and c of the token visited before, 0 where there is none, and becomes those
    of the token visited last. Scratch: states (2, 1, H'), cell (1, H').
    """
    H = state.shape[1]
    round_row(states[0, 0], state[0])
    cell[:] = 0.0
    copy_row(cell[0, :H], state[1])
    offsets = np.arange(words.size + 1)
    lstm_encode(output, states, cell, projected, words, U, offsets, reverse, True)
    if words.size:
        copy_row(state[0], output[0 if reverse else words.size - 1])
        copy_row(state[1], cell[0, :H])
