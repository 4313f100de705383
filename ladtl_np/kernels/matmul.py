"""A matrix product for the shapes of this package, in register tiles.      docs/performance.md

    out = A B    or    out += A B

BLAS libraries shine on large squares; here the factors have a few dozen rows (the active sentences
of a step) or few columns (tags). A tile of 6 x 4 vectors of `out` stays in registers while k runs:
per k it loads one row of B and broadcasts six elements of A, which is 24 fused multiply-adds for
ten loads. Vectors are masked, so no shape needs padding, and A may have any strides, so a
transposed factor needs no copy. Sums run over k in order: the same bytes every time. There are few
kinds of tile, because every kernel that multiplies compiles them all again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import overload

from ladtl_np._jit import STRICT, VECTOR_BYTES, inline, kernel
from ladtl_np.kernels.tiles import tile_code
from ladtl_np.shapes import Floats

__all__ = ["multiply", "multiply_packed", "multiply_strip", "pack"]

# rows and vectors of the tiles; 6 x 4 accumulators fill 24 of 32 registers, 6 x 2 fill 12 of 16
ROWS = (6, 2, 1)
VECTORS = 4 if VECTOR_BYTES == 64 else 2
# rows of B per pass: a strip of B this long stays in the first caches
DEPTH = 256
# from this many rows of A on, a strip is read often enough to be packed first
PACKING_ROWS = 48


def _strip(vectors: int) -> Any:
    """A compiled function for one strip of columns, all rows of A, in tiles of falling height."""
    six, two, one = (tile_code(rows, vectors) for rows in ROWS)

    @kernel
    def strip(
        out: Floats,
        A: Floats,
        B: Floats,
        j: int,
        k0: int,
        k1: int,
        down: int,
        across: int,
        columns: int,
        add: bool,
    ) -> None:
        i, rows = 0, A.shape[0]
        while rows - i >= 6:
            six(out, A, B, i, j, k0, k1, down, across, columns, add)
            i += 6
        while rows - i >= 2:
            two(out, A, B, i, j, k0, k1, down, across, columns, add)
            i += 2
        if rows - i >= 1:
            one(out, A, B, i, j, k0, k1, down, across, columns, add)

    return strip


_NARROW, _WIDE = _strip(1), _strip(VECTORS)


@kernel
def _any_strip(
    out: Floats,
    A: Floats,
    B: Floats,
    j: int,
    k0: int,
    k1: int,
    down: int,
    across: int,
    add: bool,
) -> None:
    """The strip of `out` that starts at column j; one vector wide where that is enough."""
    lanes = VECTOR_BYTES // out.itemsize
    width = min(VECTORS * lanes, out.shape[1] - j)
    if width > lanes:
        _WIDE(out, A, B, j, k0, k1, down, across, width, add)
    else:
        _NARROW(out, A, B, j, k0, k1, down, across, width, add)


@kernel
def pack(B: Floats) -> Floats:
    """B (K, N), of any strides, cut into strips as wide as a tile, one below the other.

    In B itself a strip's rows lie N elements apart, each on a memory page of its own; packed, the
    strip is one piece. Worth it where B is used many times.
    """
    inner, columns = B.shape
    panel = VECTORS * VECTOR_BYTES // B.itemsize
    strips = (columns + panel - 1) // panel
    packed = np.empty((strips * inner, panel), B.dtype)
    for strip in range(strips):
        _pack_strip(packed[strip * inner : (strip + 1) * inner], B, 0, strip * panel)
    return packed


@inline
def _pack_strip(to: Floats, B: Floats, k0: int, j: int) -> None:
    width = min(to.shape[1], B.shape[1] - j)
    for k in range(to.shape[0]):
        for n in range(width):
            to[k, n] = B[k0 + k, j + n]
        for n in range(width, to.shape[1]):
            to[k, n] = 0.0


@kernel
def _multiply_packed(out: Floats, A: Floats, packed: Floats, first: int, add: bool) -> None:
    panel = packed.shape[1]
    strips = (out.shape[1] + panel - 1) // panel
    inner = packed.shape[0] // strips
    for strip in range(strips):
        down = strip * inner + first
        _any_strip(out, A, packed, strip * panel, 0, A.shape[1], down, 0, add)


@kernel
def _multiply(out: Floats, A: Floats, B: Floats, add: bool) -> None:
    inner, columns = B.shape
    panel = VECTORS * VECTOR_BYTES // out.itemsize
    packing = A.shape[0] >= PACKING_ROWS
    buffer = np.empty((min(DEPTH, inner) if packing else 0, panel), out.dtype)
    if inner == 0 and not add:
        out[:] = 0.0
    for k0 in range(0, inner, DEPTH):
        k1 = min(k0 + DEPTH, inner)
        adding = add or k0 > 0
        for j in range(0, columns, panel):
            if packing:
                _pack_strip(buffer[: k1 - k0], B, k0, j)
                _any_strip(out, A, buffer, j, k0, k1, -k0, 0, adding)
            else:
                _any_strip(out, A, B, j, k0, k1, 0, j, adding)


@kernel
def _multiply_strip(out: Floats, A: Floats, packed: Floats, first: int) -> None:
    panel, inner = packed.shape[1], A.shape[1]
    for j in range(0, out.shape[1], panel):
        down = (first + j) // panel * inner
        _any_strip(out, A, packed, j, 0, inner, down, 0, False)


def multiply(out: Floats, A: Floats, B: Floats, add: bool) -> None:
    """out (M, N) = A (M, K) B (K, N), or += where `add`; rows of out and B are contiguous."""
    product: Any = np.dot(A, B)
    out[...] = out + product if add else product


def multiply_packed(out: Floats, A: Floats, packed: Floats, first: int, add: bool) -> None:
    """As multiply, with B given by pack, and of it only the rows from `first` on that A needs."""
    strips = -(-out.shape[1] // packed.shape[1])
    inner = packed.shape[0] // strips
    parts = packed.reshape(strips, inner, -1)[:, first : first + A.shape[1]]
    multiply(out, A, np.concatenate(parts, axis=1)[:, : out.shape[1]], add)


def multiply_strip(out: Floats, A: Floats, packed: Floats, first: int) -> None:
    """out = A times the columns of a packed factor from `first` on, where a strip must begin."""
    panel, inner = packed.shape[1], A.shape[1]
    strips = packed.reshape(-1, inner, panel)[first // panel :]
    multiply(out, A, np.concatenate(strips, axis=1)[:, : out.shape[1]], False)


@overload(multiply, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose(out, A, B, add):  # type: ignore[no-untyped-def]
    return lambda out, A, B, add: _multiply(out, A, B, add)


@overload(multiply_strip, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose_strip(out, A, packed, first):  # type: ignore[no-untyped-def]
    return lambda out, A, packed, first: _multiply_strip(out, A, packed, first)


@overload(multiply_packed, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose_packed(out, A, packed, first, add):  # type: ignore[no-untyped-def]
    return lambda out, A, packed, first, add: _multiply_packed(out, A, packed, first, add)
