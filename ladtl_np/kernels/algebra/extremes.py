"""Largest and smallest number of a row.

A running maximum waits for itself at every number. LLVM splits it over vector lanes only for
integers, for which the order of comparisons cannot matter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import overload

from ladtl_np.kernels._jit import STRICT, inline
from ladtl_np.kernels.algebra.elementwise import same_bits
from ladtl_np.shapes import Floats, Scalar

__all__ = ["largest", "sign_or_least"]


@inline
def largest(x: Floats) -> Scalar:
    """The largest number of a row that is not empty, in four chains."""
    a: Scalar = x[0]
    b, c, d = a, a, a
    whole = x.size - x.size % 4
    for k in range(0, whole, 4):
        a, b = max(a, x[k]), max(b, x[k + 1])
        c, d = max(c, x[k + 2]), max(d, x[k + 3])
    for k in range(whole, x.size):
        a = max(a, x[k])
    return max(max(a, b), max(c, d))


def sign_or_least(x: Floats) -> Any:
    """The smallest number of a row that is not empty; if one is negative, any negative one.

    Floats that are not negative are in the order of their bits.
    """
    return np.min(x)


@inline
def _least_bits(x: Floats) -> Any:
    least = same_bits(x[0])
    for k in range(1, x.size):
        bits = same_bits(x[k])
        least = bits if bits < least else least
    return same_bits(least)


@overload(sign_or_least, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose(x):  # type: ignore[no-untyped-def]
    return lambda x: _least_bits(x)
