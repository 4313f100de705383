"""The largest number of a row, in four chains at a time: one alone waits for itself."""

from __future__ import annotations

from ladtl_np._jit import inline
from ladtl_np.shapes import Floats, Scalar

__all__ = ["largest"]


@inline
def largest(x: Floats) -> Scalar:
    """The largest number of a row that is not empty."""
    a: Scalar = x[0]
    b, c, d = a, a, a
    whole = x.size - x.size % 4
    for k in range(0, whole, 4):
        a, b = max(a, x[k]), max(b, x[k + 1])
        c, d = max(c, x[k + 2]), max(d, x[k + 3])
    for k in range(whole, x.size):
        a = max(a, x[k])
    return max(max(a, b), max(c, d))
