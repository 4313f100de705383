"""Emission scores E = H W + b.                                               docs/math/linear.md"""

from __future__ import annotations

import numpy as np

from ladtl_np.arrays.memory import Empty
from ladtl_np.kernels import linear as kernels
from ladtl_np.shapes import Floats

__all__ = ["affine_backward", "affine_forward"]


def affine_forward(X: Floats, W: Floats, b: Floats | None, empty: Empty = np.empty) -> Floats:
    """P (N, m) = X W + b, rows are tokens; the bias is optional."""
    if X.shape[1] != W.shape[0]:
        raise ValueError(f"inputs have {X.shape[1]} columns, the weights want {W.shape[0]}")
    P: Floats = empty((X.shape[0], W.shape[1]), X.dtype)
    kernels.affine_forward(P, X, W, _or_none(b, W))
    return P


def affine_backward(
    dW: Floats,
    db: Floats | None,
    dP: Floats,
    X: Floats,
    W: Floats,
    empty: Empty = np.empty,
) -> Floats:
    """Add to dW and db; returns dX (N, columns of X)."""
    dX: Floats = empty(X.shape, X.dtype)
    kernels.affine_backward(dX, dW, _or_none(db, W), dP, X, W)
    return dX


def _or_none(b: Floats | None, like: Floats) -> Floats:
    """What kernels take for no bias: an array without elements."""
    return np.empty(0, like.dtype) if b is None else b
