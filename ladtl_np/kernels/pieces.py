"""A long sentence a piece at a time: what one piece hands to the next is carried, nothing is lost.

The same sums in the same order as lstm_encode and viterbi, so the tags are theirs.
"""

from __future__ import annotations

from ladtl_np.kernels._jit import kernel
from ladtl_np.kernels.algebra.matmul import max_plus, multiply_packed, pack
from ladtl_np.kernels.lstm_step import copy_row, finish_step
from ladtl_np.kernels.viterbi import KEEP_SMALL_EVERY, came_from, keep_small
from ladtl_np.shapes import Floats, Integers

__all__ = ["encode_piece", "trace_piece", "viterbi_piece"]


@kernel
def encode_piece(
    output: Floats,
    state: Floats,
    gates: Floats,
    tanh_cell: Floats,
    projected: Floats,
    words: Integers,
    U: Floats,
    column: int,
    reverse: bool,
) -> None:
    """Write h into output[:, column:column + H] for words (n,), rows of projected (., 4H).

    state (2, H) is h and c of the token visited before, 0 where there is none, and becomes those
    of the token visited last. Scratch: gates (1, 4H), tanh_cell (1, H).
    """
    H = U.shape[0]
    packed_U = pack(U)
    hidden, cell = state[0:1], state[1:2]
    for visit in range(words.size):
        t = words.size - 1 - visit if reverse else visit
        copy_row(gates[0], projected[words[t]])
        multiply_packed(gates, hidden, packed_U, 0, True)
        finish_step(output[t : t + 1], column, gates, cell, tanh_cell, cell)
        copy_row(hidden[0], output[t][column : column + H])


@kernel
def viterbi_piece(score: Floats, delta: Floats, E: Floats, A: Floats, begin: int) -> None:
    """Write delta[1:] (n, m) for E (n, m) of the tokens from `begin` on, and add to score (1,).

    delta[0] is that of the token before, and has no meaning where `begin` is 0.
    """
    packed_A = pack(A)
    for n in range(E.shape[0]):
        now, scores = delta[n + 1], E[n]
        if begin + n == 0:
            copy_row(now, scores)
            continue
        max_plus(delta[n + 1 : n + 2], delta[n : n + 1], packed_A)
        for j in range(now.size):
            now[j] += scores[j]
        if (begin + n) % KEEP_SMALL_EVERY == 0:
            keep_small(score, 0, now)


@kernel
def trace_piece(tags: Integers, delta: Floats, A_transposed: Floats, after: int) -> None:
    """Write the best tags (n,) of a piece, given delta[1:] and the tag of the token after it.

    -1 stands for the end of the sentence.
    """
    tag = after
    for n in range(tags.size - 1, -1, -1):
        now = delta[n + 1]
        if tag >= 0:
            tag = came_from(now, A_transposed, tag)
        else:
            tag = 0
            for j in range(1, now.size):
                if now[j] > now[tag]:
                    tag = j
        tags[n] = tag
