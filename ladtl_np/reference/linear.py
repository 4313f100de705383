"""Affine map of token rows: the CRF's emissions ``E = H W`` and every other projection."""

from __future__ import annotations

from ladtl_np.shapes import Floats

__all__ = ["affine_backward", "affine_forward"]


def affine_forward(X: Floats, W: Floats, b: Floats | None = None) -> Floats:
    """Map every row: ``P = X W + b``, docs/math/linear.md (1).

    Parameters
    ----------
    X : (N, K)
    W : (K, m)
    b : (m,), optional
        Left out in the paper (sec. 3), an option of the program.

    Returns
    -------
    (N, m)
    """
    # P = X W + b                                                      (1)
    P: Floats = X @ W
    return P if b is None else P + b


def affine_backward(dP: Floats, X: Floats, W: Floats) -> tuple[Floats, Floats, Floats]:
    """Gradients of `affine_forward`, docs/math/linear.md (2).

    Parameters
    ----------
    dP : (N, m)
        Upstream gradient.
    X, W
        As in `affine_forward`.

    Returns
    -------
    dX : (N, K)
    dW : (K, m)
    db : (m,)
        To be ignored where the forward had no bias.
    """
    dX: Floats = dP @ W.T  # reverses (1)
    dW: Floats = X.T @ dP  # reverses (1)
    db: Floats = dP.sum(axis=0)  # reverses (1)
    return dX, dW, db
