"""Rows of the word table, with the dropout mask that training multiplies them by."""

from __future__ import annotations

import numpy as np

from ladtl_np.shapes import Floats, Integers

__all__ = ["embedding_backward", "embedding_forward"]


def embedding_forward(rows: Integers, table: Floats, mask: Floats | None = None) -> Floats:
    """Look up and mask: ``x_n = mask_n * table[r_n]``, docs/math/embedding.md (1).

    Parameters
    ----------
    rows : (N,)
        Row numbers in ``[0, V)``.
    table : (V, D)
    mask : (N, D), optional
        Dropout mask, already scaled: 0 or ``1 / keep``. None outside training.

    Returns
    -------
    (N, D)
    """
    # x_n = mask_n * table[r_n]                                        (1)
    X: Floats = table[rows]
    return X if mask is None else X * mask


def embedding_backward(
    dX: Floats, rows: Integers, table: Floats, mask: Floats | None = None
) -> Floats:
    """Gradient of `embedding_forward` by the table, docs/math/embedding.md (2).

    Parameters
    ----------
    dX : (N, D)
        Upstream gradient.
    rows, table, mask
        As in `embedding_forward`; of ``table`` only the shape and dtype are used.

    Returns
    -------
    (V, D)
        Zero in every row that the sentence does not use.
    """
    dtable = np.zeros_like(table)
    # A word that occurs twice receives both gradients, which `dtable[rows] += ...` would not do.
    np.add.at(dtable, rows, dX if mask is None else dX * mask)  # reverses (1)
    return dtable
