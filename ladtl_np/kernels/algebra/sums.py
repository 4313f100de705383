"""Sums over a row."""

from __future__ import annotations

from ladtl_np.kernels._jit import reducing_kernel
from ladtl_np.shapes import Floats, Scalar

__all__ = ["total_of"]


@reducing_kernel
def total_of(x: Floats) -> Scalar:
    """The sum of a row, in its own dtype."""
    total: Scalar = x.dtype.type(0)
    for k in range(x.size):
        total += x[k]
    return total
