"""Rows of the embedding table under a dropout mask, and their gradient.   docs/math/objective.md

X_n = table[words_n] * mask_n, where the mask holds 0 and 1 / (1 - dropout).
"""

from __future__ import annotations

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.kernels.lstm_step import copy_row
from ladtl_np.shapes import Floats, Integers, Scalar

__all__ = ["dropout_factors", "embedding_backward", "embedding_forward"]


@kernel
def dropout_factors(mask: Floats, draws: Integers, limit: int, kept: Scalar) -> None:
    """mask = kept where a draw (uint16) reaches the limit, else 0; both flat."""
    zero = kept - kept
    for k in range(mask.size):
        mask[k] = kept if draws[k] >= limit else zero


@kernel
def embedding_forward(X: Floats, table: Floats, words: Integers, mask: Floats) -> None:
    """Write X (N, D); a mask with no rows means no dropout."""
    _look_up(X, table, words, mask)


@kernel
def embedding_backward(drows: Floats, dX: Floats, place: Integers, mask: Floats) -> None:
    """Add dX_n * mask_n to drows[place_n]: the gradient of the distinct rows in use."""
    _add_rows(drows, dX, place, mask)


# Inner loops of their own, because a kernel counts the references to every row that it takes.


@inline
def _look_up(X: Floats, table: Floats, words: Integers, mask: Floats) -> None:
    for n in range(words.size):
        if mask.shape[0] > 0:
            _product(X[n], table[words[n]], mask[n])
        else:
            copy_row(X[n], table[words[n]])


@inline
def _add_rows(drows: Floats, dX: Floats, place: Integers, mask: Floats) -> None:
    for n in range(place.size):
        if mask.shape[0] > 0:
            _add_product(drows[place[n]], dX[n], mask[n])
        else:
            _add(drows[place[n]], dX[n])


@inline
def _product(out: Floats, x: Floats, y: Floats) -> None:
    for k in range(out.size):
        out[k] = x[k] * y[k]


@inline
def _add_product(out: Floats, x: Floats, y: Floats) -> None:
    for k in range(out.size):
        out[k] += x[k] * y[k]


@inline
def _add(out: Floats, x: Floats) -> None:
    for k in range(out.size):
        out[k] += x[k]
