"""Exponential, sigmoid, tanh and waves that LLVM can turn into vector code.       docs/math/lstm.md

Numba's own ``exp`` is a library call per element; this one is a polynomial without branches, so
that a loop over it runs on whole vector registers (about seven times as fast).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from ladtl_np.kernels._jit import STRICT, inline

__all__ = ["exp", "same_bits", "sigmoid", "tanh", "waves"]

LOG2_E = 1.4426950408889634
# ln 2 = HIGH + LOW, with so few bits in HIGH that n * HIGH is exact
LN2_HIGH_32, LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
LN2_HIGH_64, LN2_LOW_64 = 0.6931471803691238, 1.9082149292705877e-10
# A sum with one of these has no digits behind the point, and ends with the bits of that integer.
# There are instructions for both, but not in SSE2, and for float64 not in AVX2.
ROUNDING_32, ROUNDING_64 = np.float32(1.5 * 2**23), 1.5 * 2**52
# below these the result is 0, above the second of each pair it is inf
LOWEST_32, HIGHEST_32 = np.float32(-87.33), np.float32(88.72)
LOWEST_64, HIGHEST_64 = -708.39, 709.78
ONE_32, TWO_32 = np.float32(1.0), np.float32(2.0)
# sin(pi r) / r and cos(pi r) by powers of r^2, for |r| <= 1/2: what is left out is below rounding
_SINE = [(-1.0) ** n * math.pi ** (2 * n + 1) / math.factorial(2 * n + 1) for n in range(11)]
_COSINE = [(-1.0) ** n * math.pi ** (2 * n) / math.factorial(2 * n) for n in range(11)]
SINE_64, COSINE_64 = tuple(_SINE), tuple(_COSINE)
SINE_32, COSINE_32 = (tuple(map(np.float32, series[:8])) for series in (_SINE, _COSINE))


def _bitcast(typing_context: Any, bits: Any) -> Any:
    """Reinterpret an integer as the float of the same bits, or a float as the integer."""
    pairs = {types.int32: types.float32, types.int64: types.float64}
    target: Any = (pairs | {real: integer for integer, real in pairs.items()}).get(bits)
    if target is None:
        return None

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return target(bits), generate


same_bits: Any = intrinsic(_bitcast)


# exp(x) = 2^n exp(r) with n the nearest integer to x / ln 2, so |r| <= ln 2 / 2. The polynomial is
# that of the least relative error, 3e-9 and 4e-18. Its exponent is raised by n: where 2^n itself
# would be too large or too small for a number, r is negative or positive and the product is one.


@inline
def _exp_32(x: Any) -> Any:
    y = min(max(x, LOWEST_32), HIGHEST_32)
    rounded = y * np.float32(LOG2_E) + ROUNDING_32
    n = rounded - ROUNDING_32
    r = (y - n * LN2_HIGH_32) - n * LN2_LOW_32
    p = np.float32(1.3814541056e-3)
    p = p * r + np.float32(8.3687451046e-3)
    p = p * r + np.float32(4.1668390769e-2)
    p = p * r + np.float32(1.6666520400e-1)
    p = p * r + np.float32(4.9999993432e-1)
    p = p * r * r + r + ONE_32
    p = same_bits(np.int32(same_bits(p) + np.int32(same_bits(rounded) << np.int32(23))))
    p = np.float32(0.0) if x < LOWEST_32 else p
    p = np.float32(np.inf) if x > HIGHEST_32 else p
    return p if x == x else x  # what is no number has bits of its own, which are lost above


@inline
def _exp_64(x: Any) -> Any:
    y = min(max(x, LOWEST_64), HIGHEST_64)
    rounded = y * LOG2_E + ROUNDING_64
    n = rounded - ROUNDING_64
    r = (y - n * LN2_HIGH_64) - n * LN2_LOW_64
    p = 2.5000013913453014e-8
    p = p * r + 2.7630306208172276e-7
    p = p * r + 2.7557586818266118e-6
    p = p * r + 2.4801492949755011e-5
    p = p * r + 1.9841269505759292e-4
    p = p * r + 1.3888888943759845e-3
    p = p * r + 8.3333333334949831e-3
    p = p * r + 4.1666666666529729e-2
    p = p * r + 1.6666666666666412e-1
    p = p * r + 0.5
    p = p * r * r + r + 1.0
    p = same_bits(np.int64(same_bits(p) + np.int64(same_bits(rounded) << np.int64(52))))
    p = 0.0 if x < LOWEST_64 else p
    p = np.inf if x > HIGHEST_64 else p
    return p if x == x else x


@inline
def _sigmoid_32(x: Any) -> Any:
    return ONE_32 / (ONE_32 + _exp_32(-x))


@inline
def _sigmoid_64(x: Any) -> Any:
    return 1.0 / (1.0 + _exp_64(-x))


@inline
def _tanh_32(x: Any) -> Any:
    return TWO_32 / (ONE_32 + _exp_32(-(x + x))) - ONE_32


@inline
def _tanh_64(x: Any) -> Any:
    return 2.0 / (1.0 + _exp_64(-(x + x))) - 1.0


# A whole number of turns is taken away, which is exact. The rest is at most half a turn, so that
# half of it is an angle of at most pi / 2; two series give its sine and cosine, and the formulas of
# the double angle those of the whole.


@inline
def _waves_32(turns: Any) -> Any:
    r = turns - ((turns + ROUNDING_32) - ROUNDING_32)
    z = r * r
    sine, cosine = SINE_32[7], COSINE_32[7]
    sine, cosine = sine * z + SINE_32[6], cosine * z + COSINE_32[6]
    sine, cosine = sine * z + SINE_32[5], cosine * z + COSINE_32[5]
    sine, cosine = sine * z + SINE_32[4], cosine * z + COSINE_32[4]
    sine, cosine = sine * z + SINE_32[3], cosine * z + COSINE_32[3]
    sine, cosine = sine * z + SINE_32[2], cosine * z + COSINE_32[2]
    sine, cosine = sine * z + SINE_32[1], cosine * z + COSINE_32[1]
    sine, cosine = sine * z + SINE_32[0], cosine * z + COSINE_32[0]
    sine = sine * r
    twice = sine + sine
    return ONE_32 - twice * sine, twice * cosine


@inline
def _waves_64(turns: Any) -> Any:
    r = turns - ((turns + ROUNDING_64) - ROUNDING_64)
    z = r * r
    sine, cosine = SINE_64[10], COSINE_64[10]
    sine, cosine = sine * z + SINE_64[9], cosine * z + COSINE_64[9]
    sine, cosine = sine * z + SINE_64[8], cosine * z + COSINE_64[8]
    sine, cosine = sine * z + SINE_64[7], cosine * z + COSINE_64[7]
    sine, cosine = sine * z + SINE_64[6], cosine * z + COSINE_64[6]
    sine, cosine = sine * z + SINE_64[5], cosine * z + COSINE_64[5]
    sine, cosine = sine * z + SINE_64[4], cosine * z + COSINE_64[4]
    sine, cosine = sine * z + SINE_64[3], cosine * z + COSINE_64[3]
    sine, cosine = sine * z + SINE_64[2], cosine * z + COSINE_64[2]
    sine, cosine = sine * z + SINE_64[1], cosine * z + COSINE_64[1]
    sine, cosine = sine * z + SINE_64[0], cosine * z + COSINE_64[0]
    sine = sine * r
    twice = sine + sine
    return 1.0 - twice * sine, twice * cosine


def exp(x: Any) -> Any:
    """exp(x) of a float32 or float64, to about one unit in the last place."""
    return np.exp(x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def tanh(x: Any) -> Any:
    """2 sigmoid(2 x) - 1, right to the dtype's absolute precision."""
    return np.tanh(x)


def waves(turns: Any) -> Any:
    """cos(2 pi t) and sin(2 pi t) of some turns t, fewer than 2^22 (2^51), to absolute rounding."""
    angle = 2 * np.pi * turns
    return np.cos(angle), np.sin(angle)


def _by_dtype(function: Any, single: Any, double: Any) -> None:
    """Give kernels the version of their dtype; plain Python keeps NumPy's."""

    @overload(function, jit_options={"error_model": "numpy", "fastmath": STRICT})
    def choose(x):  # type: ignore[no-untyped-def]  # Numba compares the two signatures
        return (lambda x: single(x)) if x == types.float32 else (lambda x: double(x))


_by_dtype(exp, _exp_32, _exp_64)
_by_dtype(sigmoid, _sigmoid_32, _sigmoid_64)
_by_dtype(tanh, _tanh_32, _tanh_64)
_by_dtype(waves, _waves_32, _waves_64)
