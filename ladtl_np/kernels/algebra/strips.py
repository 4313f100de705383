"""One strip of columns of a matrix product: all rows, in register tiles.    docs/performance.md

Compiled once for each dtype and called by address, so that kernels do not compile it again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from ladtl_np.kernels._jit import VECTOR_BYTES, external, inline
from ladtl_np.kernels.algebra.tiles import Algebra, tile_code

__all__ = [
    "PANEL_VECTORS",
    "max_plus_float32",
    "max_plus_float64",
    "strip_float32",
    "strip_float64",
]

WIDE = VECTOR_BYTES == 64
PANEL_VECTORS = 5 if WIDE else 2
"""Vectors across the widest tile."""
MIDDLE_VECTORS = 3 if WIDE else 1

# Rows of the tiles of each width in vectors, falling. AVX-512 has 32 registers, AVX2 has 16: 5 x 5
# accumulators with a row of B beside them fill 30 of 32, 5 x 2 fill 12 of 16. Narrow tiles are
# higher, because it takes at least 8 sums in flight to keep two multiplier units busy.
ROWS = {5: (5, 2, 1), 3: (8, 3, 1), 1: (12, 4, 1)} if WIDE else {2: (5, 2, 1), 1: (8, 3, 1)}


def _tiles_of(vectors: int, algebra: Algebra) -> Any:
    """Compile the code for all rows of a strip of at most `vectors` vectors."""
    high, middle, low = ROWS[vectors]
    first, second, third = (tile_code(rows, vectors, algebra) for rows in ROWS[vectors])

    @inline
    def tiles(
        like: Any,
        out: int,
        out_row: int,
        A: int,
        A_row: int,
        A_column: int,
        B: int,
        B_row: int,
        rows: int,
        depth: int,
        columns: int,
        add: bool,
    ) -> None:
        while rows >= high:
            first(like, out, out_row, A, A_row, A_column, B, B_row, depth, columns, add)
            rows -= high
            out += high * out_row
            A += high * A_row
        while rows >= middle:
            second(like, out, out_row, A, A_row, A_column, B, B_row, depth, columns, add)
            rows -= middle
            out += middle * out_row
            A += middle * A_row
        while rows >= low:
            third(like, out, out_row, A, A_row, A_column, B, B_row, depth, columns, add)
            rows -= low
            out += low * out_row
            A += low * A_row

    return tiles


_WIDE, _MIDDLE, _NARROW = (
    _tiles_of(vectors, "sum of products") for vectors in (PANEL_VECTORS, MIDDLE_VECTORS, 1)
)
_WIDE_MAX, _MIDDLE_MAX, _NARROW_MAX = (
    _tiles_of(vectors, "maximum of sums") for vectors in (PANEL_VECTORS, MIDDLE_VECTORS, 1)
)
_SIGNATURE = types.void(*[types.intp] * 10, types.boolean)

# A function that refers to compiled functions in a closure would be compiled by every process
# again, so those of both algebras are global and the code below stands here twice.


def _strip(symbol: str, dtype: Any) -> Any:
    """Compile out (rows, columns) (+)= A (rows, depth) B (depth, columns), at most a panel wide."""
    like = dtype(0)
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    middle = MIDDLE_VECTORS * lanes

    def strip(
        out: int,
        out_row: int,
        A: int,
        A_row: int,
        A_column: int,
        B: int,
        B_row: int,
        rows: int,
        depth: int,
        columns: int,
        add: bool,
    ) -> None:
        if columns > middle:
            _WIDE(like, out, out_row, A, A_row, A_column, B, B_row, rows, depth, columns, add)
        elif columns > lanes:
            _MIDDLE(like, out, out_row, A, A_row, A_column, B, B_row, rows, depth, columns, add)
        else:
            _NARROW(like, out, out_row, A, A_row, A_column, B, B_row, rows, depth, columns, add)

    return external(symbol, _SIGNATURE)(strip)


def _max_plus_strip(symbol: str, dtype: Any) -> Any:
    """Compile out_ij = max over k of (A_ik + B_kj), and of out_ij where `add`."""
    like = dtype(0)
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    middle = MIDDLE_VECTORS * lanes

    def max_plus_strip(
        out: int,
        out_row: int,
        A: int,
        A_row: int,
        A_column: int,
        B: int,
        B_row: int,
        rows: int,
        depth: int,
        columns: int,
        add: bool,
    ) -> None:
        if columns > middle:
            _WIDE_MAX(like, out, out_row, A, A_row, A_column, B, B_row, rows, depth, columns, add)
        elif columns > lanes:
            _MIDDLE_MAX(like, out, out_row, A, A_row, A_column, B, B_row, rows, depth, columns, add)
        else:
            _NARROW_MAX(like, out, out_row, A, A_row, A_column, B, B_row, rows, depth, columns, add)

    return external(symbol, _SIGNATURE)(max_plus_strip)


strip_float32 = _strip("ladtl_np_strip_float32", np.float32)
strip_float64 = _strip("ladtl_np_strip_float64", np.float64)
max_plus_float32 = _max_plus_strip("ladtl_np_max_plus_float32", np.float32)
max_plus_float64 = _max_plus_strip("ladtl_np_max_plus_float64", np.float64)
