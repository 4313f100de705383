"""The BiLSTM of a model in use: nothing is kept for a way back.              docs/math/lstm.md

Words repeat, and without dropout x W + b depends on the word alone: it is computed once for every
distinct word, and tokens fetch it.
"""

from __future__ import annotations

from ladtl_np.kernels._jit import kernel
from ladtl_np.kernels.algebra.matmul import multiply_packed, pack
from ladtl_np.kernels.linear import affine_forward
from ladtl_np.kernels.lstm import visited_before
from ladtl_np.kernels.lstm_step import copy_row, finish_step
from ladtl_np.shapes import Floats, Integers

__all__ = ["lstm_encode", "project_words"]


@kernel
def project_words(
    projected: Floats, X: Floats, table: Floats, rows: Integers, W: Floats, b: Floats
) -> None:
    """Write projected (U, 4H) = table[rows] W + b. Scratch: X (U, D)."""
    for n in range(rows.size):
        copy_row(X[n], table[rows[n]])
    affine_forward(projected, X, W, b)


@kernel
def lstm_encode(
    output: Floats,
    gates: Floats,
    cell: Floats,
    tanh_cell: Floats,
    projected: Floats,
    words: Integers,
    U: Floats,
    offsets: Integers,
    column: int,
    reverse: bool,
) -> None:
    """Write h into output[:, column:column + H] for words (N,), rows of projected (., 4H).

    Scratch: gates (B, 4H), cell and tanh_cell (B, H).
    """
    H = U.shape[0]
    steps = offsets.size - 1
    packed_U = pack(U)
    states = output[:, column : column + H]
    for visit in range(steps):
        t = steps - 1 - visit if reverse else visit
        first, last = offsets[t], offsets[t + 1]
        width = last - first
        before, carried = visited_before(offsets, t, reverse)
        for j in range(width):
            copy_row(gates[j], projected[words[first + j]])
        h_before = states[before : before + carried]
        multiply_packed(gates[:carried], h_before, packed_U, 0, True)
        finish_step(
            output[first:last],
            column,
            gates[:width],
            cell[:width],
            tanh_cell[:width],
            cell[:carried],
        )
