"""Rows chosen one after the other, each far from those before it.        docs/selection.md"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import kernel, reducing_kernel
from ladtl_np.shapes import Floats, Integers, Scalar

__all__ = ["farthest_first", "nearest_squares"]


@reducing_kernel
def _squared_distance(x: Floats, y: Floats) -> Scalar:
    """Of two rows, added in float64."""
    total = 0.0
    for k in range(x.size):
        d = np.float64(x[k]) - np.float64(y[k])
        total += d * d
    return total


@kernel
def nearest_squares(squares: Floats, X: Floats, centre: Floats) -> None:
    """Lower squares (n,) to those of the distances of X (n, K) from one more centre (K,)."""
    for i in range(squares.size):
        squares[i] = min(squares[i], _squared_distance(X[i], centre))


@kernel
def farthest_first(
    order: Integers,
    gains: Floats,
    squares: Floats,
    X: Floats,
    weight: Floats,
    sizes: Integers,
    budget: int,
) -> int:
    """Write the order (n,) in which rows of X (n, K) are chosen, with their gains; return how many.

    Rows are chosen until their sizes (n,) reach the budget; one more is written if there is one,
    the first that is left out. `squares` (n,) are squared distances from what was chosen before,
    inf where nothing was; they are lowered. Of equal gains the first row's.      (6), (7)
    """
    n, taken, count = weight.size, 0, 0
    left = np.ones(n, np.bool_)
    for rank in range(n):
        best, gain = -1, -1.0
        for i in range(n):
            if left[i]:
                # without a row to be far from the weight alone decides
                found = weight[i] if squares[i] == np.inf else weight[i] * np.sqrt(squares[i])
                if found > gain:
                    best, gain = i, found
        order[rank], gains[rank] = best, gain
        if taken >= budget:
            break
        left[best] = False
        taken += sizes[best]
        count += 1
        nearest_squares(squares, X, X[best])
    return count
