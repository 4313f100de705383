"""One strip of columns of a matrix product: all rows, in register tiles.    docs/performance.md

Compiled once for each dtype and called by address, so that kernels do not compile it again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from ladtl_np._jit import VECTOR_BYTES, external, inline
from ladtl_np.kernels.tiles import Algebra, tile_code

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


_SIGNATURE = types.void(*[types.intp] * 10, types.boolean)


def _strip(symbol: str, dtype: Any, algebra: Algebra) -> Any:
    """Compile out (rows, columns) (+)= A (rows, depth) B (depth, columns), at most a panel wide."""
    wide, other, narrow = (_tiles_of(v, algebra) for v in (PANEL_VECTORS, 3 if WIDE else 1, 1))
    like = dtype(0)
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    middle = 3 * lanes if WIDE else lanes

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
            wide(like, out, out_row, A, A_row, A_column, B, B_row, rows, depth, columns, add)
        elif columns > lanes:
            other(like, out, out_row, A, A_row, A_column, B, B_row, rows, depth, columns, add)
        else:
            narrow(like, out, out_row, A, A_row, A_column, B, B_row, rows, depth, columns, add)

    return external(symbol, _SIGNATURE)(strip)


strip_float32 = _strip("ladtl_np_strip_float32", np.float32, "sum of products")
strip_float64 = _strip("ladtl_np_strip_float64", np.float64, "sum of products")
max_plus_float32 = _strip("ladtl_np_max_plus_float32", np.float32, "maximum of sums")
max_plus_float64 = _strip("ladtl_np_max_plus_float64", np.float64, "maximum of sums")
