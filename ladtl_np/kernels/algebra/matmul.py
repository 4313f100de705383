"""A matrix product for the shapes of this package, in register tiles.      docs/performance.md

    out = A B    or    out += A B

BLAS libraries shine on large squares; here the factors have a few dozen rows (the active sentences
of a step) or few columns (tags). A tile of `out` stays in registers while k runs. Vectors that
stick out over the columns are masked where the processor can; elsewhere that part of B is packed,
with zeros beside it. Sums run over k in order: the same bytes every time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from ladtl_np.kernels._jit import STRICT, inline, kernel
from ladtl_np.kernels.algebra.strips import (
    PANEL_VECTORS,
    max_plus_float32,
    max_plus_float64,
    strip_float32,
    strip_float64,
)
from ladtl_np.kernels.instruction_set import INSTRUCTIONS
from ladtl_np.shapes import Floats

__all__ = ["max_plus", "multiply", "multiply_packed", "pack"]

# rows of B per pass: a strip of B this long stays in the first cache
DEPTH = 128
VECTOR_BYTES, MASKS = INSTRUCTIONS.vector_bytes, INSTRUCTIONS.masks
# from this many rows of A on, a strip is read often enough to be packed first
PACKING_ROWS = 48


def strip(out: Floats, A: Floats, B: Floats, add: bool) -> None:
    """out (+)= A B for at most a panel's columns; out and B have contiguous rows."""
    product: Any = np.dot(A, B)
    out[...] = out + product if add else product


def max_plus_strip(out: Floats, A: Floats, B: Floats, add: bool) -> None:
    """out_ij = max over k of (A_ik + B_kj), and of what out_ij was where `add`."""
    best = np.max(A[:, :, None] + B[None, :, : out.shape[1]], axis=1, initial=-np.inf)
    out[...] = np.maximum(out, best) if add else best


def _by_address(function: Any, single: Any, double: Any) -> None:
    """Give kernels the code that was compiled for their dtype."""

    @overload(function, jit_options={"error_model": "numpy", "fastmath": STRICT})
    def choose(out, A, B, add):  # type: ignore[no-untyped-def]
        code = single if out.dtype == types.float32 else double

        def call(out, A, B, add):  # type: ignore[no-untyped-def]
            code(
                out.ctypes.data,
                out.strides[0],
                A.ctypes.data,
                A.strides[0],
                A.strides[1],
                B.ctypes.data,
                B.strides[0],
                out.shape[0],
                A.shape[1],
                out.shape[1],
                add,
            )

        return call


_by_address(strip, strip_float32, strip_float64)
_by_address(max_plus_strip, max_plus_float32, max_plus_float64)


@kernel
def pack(B: Floats) -> Floats:
    """B (K, N), of any strides, cut into strips as wide as a tile, one below the other.

    In B itself a strip's rows lie N elements apart, each on a memory page of its own; packed, the
    strip is one piece. Worth it where B is used many times.
    """
    inner, columns = B.shape
    panel = PANEL_VECTORS * VECTOR_BYTES // B.itemsize
    strips = (columns + panel - 1) // panel
    packed = np.empty((strips * inner, panel), B.dtype)
    for n in range(strips):
        _pack_strip(packed[n * inner : (n + 1) * inner], B, 0, n * panel)
    return packed


@inline
def _pack_strip(to: Floats, B: Floats, first: int, column: int) -> None:
    width = min(to.shape[1], B.shape[1] - column)
    for k in range(to.shape[0]):
        row, x = to[k], B[first + k][column : column + width]
        for n in range(width):
            row[n] = x[n]
        row[width:] = 0.0


@kernel
def _multiply_packed(out: Floats, A: Floats, packed: Floats, first: int, add: bool) -> None:
    panel = packed.shape[1]
    strips = (out.shape[1] + panel - 1) // panel
    inner, depth = packed.shape[0] // strips, A.shape[1]
    for n in range(strips):
        part = out[:, n * panel : (n + 1) * panel]
        for k in range(0, depth, DEPTH):
            rows = packed[n * inner + first + k : n * inner + first + min(depth, k + DEPTH)]
            strip(part, A[:, k : k + DEPTH], rows, add or k > 0)


@kernel
def _multiply(out: Floats, A: Floats, B: Floats, add: bool) -> None:
    inner, columns = B.shape
    panel = PANEL_VECTORS * VECTOR_BYTES // out.itemsize
    packing = A.shape[0] >= PACKING_ROWS
    # without masks whole vectors of B are read, of which the last may end beyond the matrix
    edge = not MASKS and columns % (VECTOR_BYTES // out.itemsize) != 0
    buffer = np.empty((min(DEPTH, inner) if packing or edge else 0, panel), out.dtype)
    if inner == 0 and not add:
        out[:] = 0.0
    for k in range(0, inner, DEPTH):
        adding = add or k > 0
        for j in range(0, columns, panel):
            part, some_A = out[:, j : j + panel], A[:, k : k + DEPTH]
            if packing or (edge and j + panel > columns):
                rows = buffer[: some_A.shape[1]]
                _pack_strip(rows, B, k, j)
                strip(part, some_A, rows, adding)
            else:
                strip(part, some_A, B[k : k + DEPTH, j : j + panel], adding)


@kernel
def _max_plus(out: Floats, A: Floats, packed: Floats) -> None:
    panel = packed.shape[1]
    strips = (out.shape[1] + panel - 1) // panel
    inner = packed.shape[0] // strips
    for n in range(strips):
        part = out[:, n * panel : (n + 1) * panel]
        for k in range(0, inner, DEPTH):
            rows = packed[n * inner + k : n * inner + min(inner, k + DEPTH)]
            max_plus_strip(part, A[:, k : k + DEPTH], rows, k > 0)


def multiply(out: Floats, A: Floats, B: Floats, add: bool) -> None:
    """out (M, N) = A (M, K) B (K, N), or += where `add`; rows of out and B are contiguous."""
    product: Any = np.dot(A, B)
    out[...] = out + product if add else product


def multiply_packed(out: Floats, A: Floats, packed: Floats, first: int, add: bool) -> None:
    """As multiply, with B given by pack, and of it only the rows from `first` on that A needs."""
    multiply(out, A, _unpacked(packed, out.shape[1])[first : first + A.shape[1]], add)


def _unpacked(packed: Floats, columns: int) -> Floats:
    strips = -(-columns // packed.shape[1])
    parts = packed.reshape(strips, packed.shape[0] // strips, -1)
    return np.concatenate(parts, axis=1)[:, :columns]


def max_plus(out: Floats, A: Floats, packed: Floats) -> None:
    """out_ij = max over k of (A_ik + B_kj), with B given by pack: + is max and * is +."""
    max_plus_strip(out, A, _unpacked(packed, out.shape[1]), False)


@overload(multiply, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose(out, A, B, add):  # type: ignore[no-untyped-def]
    return lambda out, A, B, add: _multiply(out, A, B, add)


@overload(max_plus, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose_max_plus(out, A, packed):  # type: ignore[no-untyped-def]
    return lambda out, A, packed: _max_plus(out, A, packed)


@overload(multiply_packed, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose_packed(out, A, packed, first, add):  # type: ignore[no-untyped-def]
    return lambda out, A, packed, first, add: _multiply_packed(out, A, packed, first, add)
