"""Emission scores E = H W + b.                                               docs/math/linear.md"""

from __future__ import annotations

import numpy as np

from ladtl_np.shapes import Floats

__all__ = ["affine_backward", "affine_forward"]


def affine_forward(X: Floats, W: Floats, b: Floats | None) -> Floats:
    """P (N, m) = X W + b, rows are tokens; the bias is optional."""
    P: Floats = X @ W
    if b is not None:
        P += b
    return P


def affine_backward(dW: Floats, db: Floats | None, dP: Floats, X: Floats, W: Floats) -> Floats:
    """Add to dW and db; returns dX (N, columns of X)."""
    dW += X.T @ dP
    if db is not None:
        db += dP.sum(axis=0)
    dX: Floats = dP @ W.T
    return np.ascontiguousarray(dX)
