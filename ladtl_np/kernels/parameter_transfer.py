"""Squared differences of matched weights, squared norms.       docs/math/parameter_transfer.md"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import kernel, reducing_kernel
from ladtl_np.shapes import Floats, Integers, Scalar

__all__ = ["add_scaled", "matched_difference", "matched_difference_backward", "squared_norm"]

# terms whose sum keeps the dtype of the array; such sums are then added in float64
CHUNK = 256


@kernel
def matched_difference(
    X: Floats, Y: Floats, rows: Integers, columns: Integers, rows_y: Integers, columns_y: Integers
) -> float:
    """Sum over i and j of (X[rows[i], columns[j]] - Y[rows_y[i], columns_y[j]])^2."""
    value = 0.0
    for i in range(rows.size):
        x, y = X[rows[i]], Y[rows_y[i]]
        for j in range(columns.size):
            difference = np.float64(x[columns[j]] - y[columns_y[j]])
            value += difference * difference
    return value


@kernel
def matched_difference_backward(
    dX: Floats,
    dY: Floats,
    twice_dvalue: Scalar,
    X: Floats,
    Y: Floats,
    rows: Integers,
    columns: Integers,
    rows_y: Integers,
    columns_y: Integers,
) -> None:
    """Add the gradients of matched_difference to dX and dY; 2 dvalue is of their dtype."""
    for i in range(rows.size):
        x, y, dx, dy = X[rows[i]], Y[rows_y[i]], dX[rows[i]], dY[rows_y[i]]
        for j in range(columns.size):
            step = twice_dvalue * (x[columns[j]] - y[columns_y[j]])
            dx[columns[j]] += step
            dy[columns_y[j]] -= step


@reducing_kernel
def _sum_of_squares(x: Floats) -> Scalar:
    total: Scalar = x.dtype.type(0)
    for k in range(x.size):
        total += x[k] * x[k]
    return total


@kernel
def squared_norm(x: Floats) -> float:
    """Sum of x_k^2."""
    value = 0.0
    for k in range(0, x.size, CHUNK):
        value += np.float64(_sum_of_squares(x[k : k + CHUNK]))
    return value


@kernel
def add_scaled(out: Floats, factor: Scalar, x: Floats) -> None:
    """out += factor x, the factor being of their dtype."""
    for k in range(out.size):
        out[k] += factor * x[k]
