"""Rows of the embedding table under a dropout mask, and their gradient.   docs/math/objective.md

X_n = table[words_n] * mask_n, where the mask holds 0 and 1 / (1 - dropout).
"""

from __future__ import annotations

from ladtl_np.kernels._jit import kernel
from ladtl_np.shapes import Floats, Integers

__all__ = ["embedding_backward", "embedding_forward"]


@kernel
def embedding_forward(X: Floats, table: Floats, words: Integers, mask: Floats) -> None:
    """Write X (N, D); a mask with no rows means no dropout."""
    for n in range(words.size):
        for k in range(X.shape[1]):
            X[n, k] = table[words[n], k]
        if mask.shape[0] > 0:
            for k in range(X.shape[1]):
                X[n, k] *= mask[n, k]


@kernel
def embedding_backward(drows: Floats, dX: Floats, place: Integers, mask: Floats) -> None:
    """Add dX_n * mask_n to drows[place_n]: the gradient of the distinct rows in use."""
    for n in range(place.size):
        p = place[n]
        if mask.shape[0] > 0:
            for k in range(dX.shape[1]):
                drows[p, k] += dX[n, k] * mask[n, k]
        else:
            for k in range(dX.shape[1]):
                drows[p, k] += dX[n, k]
