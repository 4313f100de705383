"""One strip of columns of a matrix product: all rows, in register tiles.    docs/performance.md

Compiled once for each dtype and called by address, so that kernels do not compile it again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic

from ladtl_np.kernels._jit import external
from ladtl_np.kernels.algebra.tiles import ARGUMENTS, INDEX, Algebra, Tile, tile_function
from ladtl_np.kernels.instruction_set import INSTRUCTIONS

__all__ = [
    "PANEL_VECTORS",
    "highest",
    "max_plus_float32",
    "max_plus_float64",
    "strip_float32",
    "strip_float64",
]

cgutils: Any = _cgutils  # has no type hints


def _panel_vectors() -> int:
    if INSTRUCTIONS.registers < 32:
        return 2
    return 5 if INSTRUCTIONS.broadcasts else 3


PANEL_VECTORS = _panel_vectors()
"""Vectors across the widest tile: 5 x 5 sums fill 32 registers, 6 x 2 fill 16.

What is left beside whole panels gets tiles of its own width: there are all of them.
"""

MOST_ROWS = 12  # it takes 8 sums in flight to keep two multiplier units busy; more gain little


def highest(vectors: int) -> int:
    """Rows of the highest tile that is so wide, for which the registers are enough.

    Beside the sums they hold a row of B, a number of A in every lane unless the product takes it
    from the memory, and the product itself where that is an instruction of its own.
    """
    others = vectors + (not INSTRUCTIONS.broadcasts) + (not INSTRUCTIONS.fused)
    return min((INSTRUCTIONS.registers - others) // vectors, MOST_ROWS)


def _strip_code(algebra: Algebra) -> Any:
    """Code for a strip of at most a panel's columns and any number of rows.

    `like` is a number of the matrices' dtype, `numbers` are the rows and a tile's arguments.
    """

    def strip(typing_context: Any, like: Any, numbers: Any, add: Any) -> Any:
        signature = types.void(like, numbers, add)

        def generate(context: Any, b: ir.IRBuilder, sig: Any, arguments: Any) -> Any:
            _, numbers, add = arguments
            rows, *others = cgutils.unpack_tuple(b, numbers)
            given = dict(zip(ARGUMENTS, [*others, cgutils.as_bool_bit(b, add)], strict=True))
            size = sig.args[0].bitwidth // 8
            lanes = INSTRUCTIONS.vector_bytes // size
            element = context.get_data_type(sig.args[0])
            end = b.append_basic_block("end")
            for width in range(1, PANEL_VECTORS + 1):
                fits = b.icmp_signed("<=", given["columns"], INDEX(width * lanes))
                with b.if_then(fits):
                    tiles = _Tiles(b, element, size, width, algebra)
                    tiles.emit(given, rows)
                    b.branch(end)
            b.branch(end)
            b.position_at_end(end)
            return context.get_dummy_value()

        return signature, generate

    return intrinsic(strip)


class _Tiles:
    """The tiles of one width, one below the other."""

    def __init__(
        self, b: ir.IRBuilder, element: Any, size: int, width: int, algebra: Algebra
    ) -> None:
        self.b, self.element, self.size = b, element, size
        self.width, self.algebra = width, algebra

    def emit(self, given: dict[str, Any], rows: Any) -> None:
        """Code for all rows; without masks, tiles with an edge and without are different ones."""
        b = self.b
        if INSTRUCTIONS.masks:
            self._emit(given, rows, edge=True)
            return
        whole = INDEX(self.width * INSTRUCTIONS.vector_bytes // self.size)
        with b.if_else(b.icmp_signed("==", given["columns"], whole)) as (then, otherwise):
            with then:
                self._emit(given, rows, edge=False)
            with otherwise:
                self._emit(given, rows, edge=True)

    def _emit(self, given: dict[str, Any], rows: Any, *, edge: bool) -> None:
        """As few tiles as can be, all of one height or one less: no tile is left with few sums."""
        b, high = self.b, highest(self.width)
        count = b.udiv(b.add(rows, INDEX(high - 1)), INDEX(high))
        with b.if_then(b.icmp_signed(">", rows, INDEX(0))):
            low = b.udiv(rows, count)
            higher = b.urem(rows, count)
            places = [cgutils.alloca_once_value(b, given[name]) for name in ("out", "A")]
            with cgutils.for_range(b, count) as loop:
                more = b.zext(b.icmp_unsigned("<", loop.index, higher), INDEX)
                height = b.add(low, more)
                now = given | dict(zip(("out", "A"), map(b.load, places), strict=True))
                self._call(now, height, edge)
                for place, name in zip(places, ("out", "A"), strict=True):
                    step = b.mul(height, given[f"{name}_row"])
                    b.store(b.add(now[name], step), place)

    def _call(self, given: dict[str, Any], height: Any, edge: bool) -> None:
        b = self.b
        end = b.append_basic_block("tile_done")
        choice = b.switch(height, end)
        for rows in range(1, highest(self.width) + 1):
            tile = Tile(rows, self.width, edge, self.algebra)
            function = tile_function(b.module, self.element, self.size, tile)
            block = b.append_basic_block(f"tile_{rows}")
            choice.add_case(INDEX(rows), block)
            b.position_at_end(block)
            b.call(function, [given[name] for name in ARGUMENTS])
            b.branch(end)
        b.position_at_end(end)


_SIGNATURE = types.void(*[types.intp] * 10, types.boolean)
_SUMS, _MAXIMA = _strip_code("sum of products"), _strip_code("maximum of sums")

# A function that refers to compiled code in a closure would be compiled by every process again, so
# the code of both algebras is global and what calls it stands here twice.


def _strip(symbol: str, dtype: Any) -> Any:
    """Compile out (rows, columns) (+)= A (rows, depth) B (depth, columns), at most a panel wide."""
    like = dtype(0)

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
        numbers = (rows, out, out_row, A, A_row, A_column, B, B_row, depth, columns)
        _SUMS(like, numbers, add)

    return external(symbol, _SIGNATURE)(strip)


def _max_plus_strip(symbol: str, dtype: Any) -> Any:
    """Compile out_ij = max over k of (A_ik + B_kj), and of out_ij where `add`."""
    like = dtype(0)

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
        numbers = (rows, out, out_row, A, A_row, A_column, B, B_row, depth, columns)
        _MAXIMA(like, numbers, add)

    return external(symbol, _SIGNATURE)(max_plus_strip)


strip_float32 = _strip("ladtl_np_strip_float32", np.float32)
strip_float64 = _strip("ladtl_np_strip_float64", np.float64)
max_plus_float32 = _max_plus_strip("ladtl_np_max_plus_float32", np.float32)
max_plus_float64 = _max_plus_strip("ladtl_np_max_plus_float64", np.float64)
