"""P = X W + b for token rows, and its gradient.                              docs/math/linear.md"""

from __future__ import annotations

from ladtl_np.kernels._jit import kernel
from ladtl_np.kernels.algebra.matmul import multiply, multiply_packed, pack
from ladtl_np.shapes import Floats

__all__ = ["affine_backward", "affine_forward"]


@kernel
def affine_forward(P: Floats, X: Floats, W: Floats, b: Floats) -> None:
    """Write P (N, m) from X (N, K) and W (K, m); a `b` of size 0 means none."""
    multiply(P, X, W, False)
    if b.size:
        for n in range(P.shape[0]):
            row = P[n]
            for j in range(b.size):
                row[j] += b[j]


@kernel
def affine_backward(dX: Floats, dW: Floats, db: Floats, dP: Floats, X: Floats, W: Floats) -> None:
    """Write dX and add to dW and db (of size 0 where there is no bias)."""
    multiply(dW, X.T, dP, True)
    multiply_packed(dX, dP, pack(W.T), 0, False)
    if db.size:
        for n in range(dP.shape[0]):
            row = dP[n]
            for j in range(db.size):
                db[j] += row[j]
