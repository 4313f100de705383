"""Word embeddings with dropout; the gradient holds only the rows that the batch touched."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ladtl_np.arrays.memory import Empty
from ladtl_np.arrays.parameters import RowGradient
from ladtl_np.kernels import embedding as kernels
from ladtl_np.shapes import Floats, Integers

__all__ = ["check_mask", "dropout_mask", "embedding_backward", "embedding_forward"]


def dropout_mask(
    rng: np.random.Generator,
    shape: tuple[int, int],
    dropout: float,
    dtype: DTypeLike,
    empty: Empty = np.empty,
) -> Floats | None:
    """Inverted dropout: 0 with probability `dropout`, else 1 / (1 - dropout); None at rate 0.

    A draw has 16 bits, so the probability is that of the next multiple of 1/65536.
    """
    if dropout == 0.0:
        return None
    size = shape[0] * shape[1]
    words = rng.integers(0, 1 << 64, -(-size // 4), dtype=np.uint64)
    draws = words.astype("<u8", copy=False).view("<u2")
    mask: Floats = empty(shape, dtype)
    kept: Any = np.array(1.0 / (1.0 - dropout), dtype)
    kernels.dropout_factors(mask.reshape(-1), draws, round(dropout * 65536), kept[()])
    return mask


def check_mask(mask: Floats, X: Floats) -> None:
    """Refuse a dropout mask that does not fit its inputs."""
    if mask.shape != X.shape:
        raise ValueError(f"the dropout mask must be {X.shape}, one row a token, got {mask.shape}")


def embedding_forward(
    table: Floats, words: Integers, mask: Floats | None, empty: Empty = np.empty
) -> Floats:
    """X (N, D) = table[words] * mask."""
    if words.size and not (0 <= words.min() and words.max() < table.shape[0]):
        raise ValueError(
            f"words must lie in [0, {table.shape[0]}), got [{words.min()}, {words.max()}]; "
            "was this text encoded with another model's vocabulary?"
        )
    X: Floats = empty((words.size, table.shape[1]), table.dtype)
    if mask is not None:
        check_mask(mask, X)
    kernels.embedding_forward(X, table, words, _or_none(mask, table))
    return X


def embedding_backward(dX: Floats, words: Integers, mask: Floats | None) -> RowGradient:
    """Gradient of the table, summed over the tokens of each distinct word."""
    rows, place = np.unique(words, return_inverse=True)
    values = np.zeros((rows.size, dX.shape[1]), dtype=dX.dtype)
    kernels.embedding_backward(values, dX, place, _or_none(mask, dX))
    return RowGradient(rows, values)


def _or_none(mask: Floats | None, like: Floats) -> Floats:
    """What kernels take for no dropout: a mask without rows."""
    return np.empty((0, like.shape[1]), dtype=like.dtype) if mask is None else mask
