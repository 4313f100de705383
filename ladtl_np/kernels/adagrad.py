"""AdaGrad in place, dense and row-sparse.                             docs/math/adagrad.md

s += g^2,    theta -= learning_rate * d / (sqrt(s) + epsilon)

d is g itself, or what a method has made of it that is to scale the step and not the sums.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.shapes import Floats, Integers, Scalar

__all__ = ["adagrad_dense", "adagrad_rows"]


@inline
def _update(
    theta: Floats, s: Floats, d: Floats, g: Floats, learning_rate: Scalar, epsilon: Scalar
) -> None:
    for k in range(theta.size):
        s[k] += g[k] * g[k]
        theta[k] -= learning_rate * d[k] / (np.sqrt(s[k]) + epsilon)


@kernel
def adagrad_dense(
    theta: Floats, s: Floats, d: Floats, g: Floats, learning_rate: Scalar, epsilon: Scalar
) -> None:
    """Update all of theta; learning_rate and epsilon are scalars of theta's dtype."""
    _update(theta, s, d, g, learning_rate, epsilon)


@kernel
def adagrad_rows(
    theta: Floats,
    s: Floats,
    rows: Integers,
    d: Floats,
    g: Floats,
    learning_rate: Scalar,
    epsilon: Scalar,
) -> None:
    """Update theta[rows] only, given distinct rows and their d and g (rows, D)."""
    _update_rows(theta, s, rows, d, g, learning_rate, epsilon)


@inline
def _update_rows(
    theta: Floats,
    s: Floats,
    rows: Integers,
    d: Floats,
    g: Floats,
    learning_rate: Scalar,
    epsilon: Scalar,
) -> None:
    for n in range(rows.size):
        r = rows[n]
        _update(theta[r], s[r], d[n], g[n], learning_rate, epsilon)
