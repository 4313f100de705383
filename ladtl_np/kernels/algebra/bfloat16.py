"""Numbers as bfloat16, and how weights of gates lie for its dot products.    docs/performance.md

bfloat16 is the upper half of a float32: the same exponent, and 8 bits of precision. NumPy has no
such dtype, so arrays of it are uint16.
"""

from __future__ import annotations

import numpy as np
from llvmlite import binding as llvm
from numba.extending import overload
from numpy.typing import NDArray

from ladtl_np.kernels._jit import STRICT, inline, kernel
from ladtl_np.kernels.algebra.bfloat16_tiles import GATES, LANES
from ladtl_np.kernels.algebra.elementwise import same_bits
from ladtl_np.kernels.instruction_set import INSTRUCTIONS
from ladtl_np.shapes import Floats

__all__ = [
    "Halves",
    "groups_of",
    "has_dot_products",
    "pack_bias",
    "pack_gates",
    "round_row",
    "rounded",
    "widened",
]

Halves = NDArray[np.uint16]
"""Numbers as bfloat16."""

# LLVM's functions take numbers of the type bfloat from this version on, before it integers
LLVM_WITH_BFLOAT = 16
HALF, LAST, ONE = np.uint32(0x7FFF), np.uint32(16), np.uint32(1)
QUIET = np.uint32(0x400000)


def has_dot_products() -> bool:
    """Whether kernels may use dot products of bfloat16, as AVX512-BF16 has them."""
    return INSTRUCTIONS.bfloat16 and llvm.llvm_version_info[0] >= LLVM_WITH_BFLOAT


def groups_of(hidden: int) -> int:
    """Groups of LANES hidden units; the last may lack some, whose weights are 0."""
    return -(-hidden // LANES)


def rounded(x: Floats) -> Halves:
    """The nearest bfloat16 of float32, of two the even one; NaN stays NaN."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    up = bits + HALF + ((bits >> LAST) & ONE)
    halves: Halves = (np.where(np.isnan(x), bits | QUIET, up) >> LAST).astype(np.uint16)
    return halves


def widened(halves: Halves) -> Floats:
    """The float32 of bfloat16, exactly."""
    return (halves.astype(np.uint32) << LAST).view(np.float32)


def round_row(to: Halves, x: Floats) -> None:
    """to = x as bfloat16, and 0 beyond it."""
    to[: x.size] = rounded(x)
    to[x.size :] = 0


@inline
def _round_row(to: Halves, x: Floats) -> None:
    for k in range(x.size):
        bits = np.uint32(same_bits(x[k]))
        up = bits + HALF + ((bits >> LAST) & ONE)
        to[k] = (bits | QUIET if x[k] != x[k] else up) >> LAST
    to[x.size :] = 0


@overload(round_row, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose_round(to, x):  # type: ignore[no-untyped-def]
    return lambda to, x: _round_row(to, x)


@kernel
def pack_gates(W: Floats) -> Halves:
    """W (K, 4H) as (groups, K / 2, 4, LANES, 2): vectors of pairs, rows k and k + 1 of a gate."""
    K, H = W.shape[0], W.shape[1] // GATES
    groups = (H + LANES - 1) // LANES
    packed = np.zeros((groups, (K + 1) // 2, GATES, LANES, 2), np.uint16)
    row = np.empty(W.shape[1], np.uint16)
    for k in range(K):
        round_row(row, W[k])
        for q in range(GATES):
            for g in range(groups):
                some = row[q * H + g * LANES : q * H + min(H, (g + 1) * LANES)]
                to = packed[g, k // 2, q]
                for n in range(some.size):
                    to[n, k % 2] = some[n]
    return packed


@kernel
def pack_bias(b: Floats) -> Floats:
    """b (4H,) as (groups, 4, LANES)."""
    H = b.size // GATES
    packed = np.zeros(((H + LANES - 1) // LANES, GATES, LANES), b.dtype)
    for q in range(GATES):
        for j in range(H):
            packed[j // LANES, q, j % LANES] = b[q * H + j]
    return packed
