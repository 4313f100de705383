"""Exponential, sigmoid and tanh that LLVM can turn into vector code.       docs/math/lstm.md

Numba's own ``exp`` is a library call per element; this one is a polynomial without branches, so
that a loop over it runs on whole vector registers (about seven times as fast).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from ladtl_np.kernels._jit import STRICT, inline

__all__ = ["exp", "same_bits", "sigmoid", "tanh"]

LOG2_E = 1.4426950408889634
# ln 2 = HIGH + LOW, with so few bits in HIGH that n * HIGH is exact
LN2_HIGH_32, LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
LN2_HIGH_64, LN2_LOW_64 = 0.6931471803691238, 1.9082149292705877e-10
# below these the result is 0, above the second of each pair it is inf
LOWEST_32, HIGHEST_32 = np.float32(-87.33), np.float32(88.72)
LOWEST_64, HIGHEST_64 = -708.39, 709.78
HALF_32, ONE_32, TWO_32 = np.float32(0.5), np.float32(1.0), np.float32(2.0)


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


@inline
def _exp_32(x: Any) -> Any:
    # x = n ln 2 + r with |r| <= ln 2 / 2, so exp(x) = 2^n exp(r)
    y = min(max(x, LOWEST_32), HIGHEST_32)
    n = np.floor(y * np.float32(LOG2_E) + HALF_32)
    r = (y - n * LN2_HIGH_32) - n * LN2_LOW_32
    p = np.float32(1.0 / 5040.0)
    p = p * r + np.float32(1.0 / 720.0)
    p = p * r + np.float32(1.0 / 120.0)
    p = p * r + np.float32(1.0 / 24.0)
    p = p * r + np.float32(1.0 / 6.0)
    p = p * r + HALF_32
    p = p * r * r + r + ONE_32
    # 2^n in two factors, because 2^128 is not a float32
    half = np.int32(n) >> np.int32(1)
    rest = np.int32(n) - half
    first = same_bits(np.int32((half + np.int32(127)) << np.int32(23)))
    second = same_bits(np.int32((rest + np.int32(127)) << np.int32(23)))
    p = p * first * second
    p = np.float32(0.0) if x < LOWEST_32 else p
    return np.float32(np.inf) if x > HIGHEST_32 else p


@inline
def _exp_64(x: Any) -> Any:
    y = min(max(x, LOWEST_64), HIGHEST_64)
    n = np.floor(y * LOG2_E + 0.5)
    r = (y - n * LN2_HIGH_64) - n * LN2_LOW_64
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r * r + r + 1.0
    half = np.int64(n) >> np.int64(1)
    rest = np.int64(n) - half
    first = same_bits(np.int64((half + np.int64(1023)) << np.int64(52)))
    second = same_bits(np.int64((rest + np.int64(1023)) << np.int64(52)))
    p = p * first * second
    p = 0.0 if x < LOWEST_64 else p
    return np.inf if x > HIGHEST_64 else p


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


def exp(x: Any) -> Any:
    """exp(x) of a float32 or float64, to about one unit in the last place."""
    return np.exp(x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def tanh(x: Any) -> Any:
    """2 sigmoid(2 x) - 1, right to the dtype's absolute precision."""
    return np.tanh(x)


def _by_dtype(function: Any, single: Any, double: Any) -> None:
    """Give kernels the version of their dtype; plain Python keeps NumPy's."""

    @overload(function, jit_options={"error_model": "numpy", "fastmath": STRICT})
    def choose(x):  # type: ignore[no-untyped-def]  # Numba compares the two signatures
        return (lambda x: single(x)) if x == types.float32 else (lambda x: double(x))


_by_dtype(exp, _exp_32, _exp_64)
_by_dtype(sigmoid, _sigmoid_32, _sigmoid_64)
_by_dtype(tanh, _tanh_32, _tanh_64)
