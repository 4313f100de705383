"""Code for one tile of a matrix product, written straight into LLVM's intermediate language.

Numba cannot be made to keep a block of vectors in registers over a loop; this can. strips.py puts
the tiles together.                                                           docs/performance.md

A tile whose last vector sticks out over the matrix has an edge. With masks its lanes beyond are
left out of every load and store. Without, whole vectors of B are read, which therefore has to be
packed there, and the edge of the result goes through a buffer.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from llvmlite import ir
from numba.core import cgutils as _cgutils

from ladtl_np.kernels.instruction_set import INSTRUCTIONS

__all__ = ["ARGUMENTS", "Algebra", "Tile", "tile_function"]

Algebra = Literal["sum of products", "maximum of sums"]

cgutils: Any = _cgutils  # has no type hints

INDEX, BIT = ir.IntType(64), ir.IntType(1)

ARGUMENTS = ("out", "out_row", "A", "A_row", "A_column", "B", "B_row", "depth", "columns", "add")
"""Of a tile's function: addresses, strides in bytes, sizes, and whether `out` is added to.

Neighbouring columns of out and B are neighbours in memory. `columns` is at most what the tile's
vectors hold, and more than one vector less.
"""


class Tile(NamedTuple):
    """Shape of a tile, and what is computed in it."""

    rows: int
    vectors: int
    edge: bool  # whether the last vector may have lanes beyond the matrix
    algebra: Algebra


def tile_function(module: Any, element: Any, size: int, tile: Tile) -> Any:
    """Function for out[:rows, :columns] (+)= A[:rows, :depth] B[:depth, :columns].

    As "maximum of sums" it is out_ij = max over k of (A_ik + B_kj), and of out_ij where `add`.

    Parameters
    ----------
    module
        Where the function is added.
    element, size
        LLVM's type of the matrices' numbers, and its bytes.
    tile
        What is wanted.
    """
    kind = ir.FunctionType(ir.VoidType(), [*[INDEX] * (len(ARGUMENTS) - 1), BIT])
    function = ir.Function(module, kind, module.get_unique_name("ladtl_np_tile"))
    function.linkage = "internal"
    function.attributes.add("noinline")  # each has the registers to itself
    b = ir.IRBuilder(function.append_basic_block("entry"))
    out, out_row, A, A_row, A_column, B, B_row, depth, columns, add = function.args

    def at(start: Any, *steps: tuple[Any, Any]) -> Any:
        """Pointer to the element that lies count * stride bytes further, for each step."""
        for count, stride in steps:
            start = b.add(start, b.mul(count, stride))
        return b.inttoptr(start, element.as_pointer())

    numbers = [INDEX(r) for r in range(tile.rows)]
    places = [at(out, (r, out_row)) for r in numbers]
    row = _row_of(b, element, size, tile, columns)
    sums = [[cgutils.alloca_once(b, row.type) for _ in range(tile.vectors)] for _ in numbers]
    with b.if_else(add) as (then, otherwise):
        with then:
            for cells, values in zip(sums, row.load_results(places), strict=True):
                _set(b, cells, values)
        with otherwise:
            for cells in sums:
                _set(b, cells, [row.neutral] * tile.vectors)
    with cgutils.for_range(b, depth) as loop:
        k = loop.index
        y = row.load(at(B, (k, B_row)))
        for r, cells in zip(numbers, sums, strict=True):
            x = b.load(at(A, (r, A_row), (k, A_column)))
            _set(b, cells, row.combine(x, y, [b.load(cell) for cell in cells]))
    row.store_results([[b.load(cell) for cell in cells] for cells in sums], places)
    b.ret_void()
    return function


def _set(b: ir.IRBuilder, cells: list[Any], values: list[Any]) -> None:
    for cell, value in zip(cells, values, strict=True):
        b.store(value, cell)


def _row_of(b: ir.IRBuilder, element: Any, size: int, tile: Tile, columns: Any) -> _Row:
    if not tile.edge:
        return _Row(b, element, size, tile)
    return (_MaskedRow if INSTRUCTIONS.masks else _BufferedRow)(b, element, size, tile, columns)


class _Row:
    """Loads, stores and arithmetic on one row of a tile, of whole vectors."""

    def __init__(self, b: ir.IRBuilder, element: Any, size: int, tile: Tile) -> None:
        self.b, self.element, self.tile = b, element, tile
        self.lanes = INSTRUCTIONS.vector_bytes // size
        self.type = ir.VectorType(element, self.lanes)
        self.align = size
        self.suffix = f"v{self.lanes}f{8 * size}"
        start = 0.0 if tile.algebra == "sum of products" else float("-inf")
        self.neutral = ir.Constant(self.type, [element(start)] * self.lanes)

    def declare(self, name: str, result: Any, *arguments: Any) -> Any:
        """One of LLVM's own functions."""
        return cgutils.get_or_insert_function(
            self.b.module, ir.FunctionType(result, arguments), f"llvm.{name}"
        )

    def splat(self, scalar: Any, kind: Any) -> Any:
        """A vector with the scalar in every lane."""
        b, undefined = self.b, ir.Constant(kind, ir.Undefined)
        first = b.insert_element(undefined, scalar, ir.IntType(32)(0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return b.shuffle_vector(first, undefined, lanes)

    def pointer(self, start: Any, v: int) -> Any:
        """Pointer to vector v of the row at `start`."""
        moved = self.b.gep(start, [INDEX(v * self.lanes)])
        return self.b.bitcast(moved, self.type.as_pointer())

    def load(self, start: Any) -> list[Any]:
        """The vectors of a row of B."""
        pointers = (self.pointer(start, v) for v in range(self.tile.vectors))
        return [self.b.load(pointer, align=self.align) for pointer in pointers]

    def load_results(self, places: list[Any]) -> list[list[Any]]:
        """The vectors of all rows of the result."""
        return [self.load(place) for place in places]

    def store_results(self, rows: list[list[Any]], places: list[Any]) -> None:
        """Write the vectors of all rows of the result."""
        for values, place in zip(rows, places, strict=True):
            for v, value in enumerate(values):
                self.b.store(value, self.pointer(place, v), align=self.align)

    def combine(self, a: Any, row: list[Any], held: list[Any]) -> list[Any]:
        """held + a * row, or max(held, a + row), with a in every lane."""
        b, a = self.b, self.splat(a, self.type)
        if self.tile.algebra == "sum of products":
            if not INSTRUCTIONS.fused:  # it would be a call of the C library for each lane
                return [b.fadd(y, b.fmul(a, x)) for x, y in zip(row, held, strict=True)]
            fma = self.declare(f"fma.{self.suffix}", self.type, *[self.type] * 3)
            return [b.call(fma, [a, x, y]) for x, y in zip(row, held, strict=True)]
        sums = [b.fadd(a, x) for x in row]
        return [b.select(b.fcmp_ordered(">", x, y), x, y) for x, y in zip(sums, held, strict=True)]


class _MaskedRow(_Row):
    """A row under masks: lanes beyond `columns` are neither read nor written, and read as 0."""

    def __init__(self, b: ir.IRBuilder, element: Any, size: int, tile: Tile, columns: Any) -> None:
        super().__init__(b, element, size, tile)
        self.zero = ir.Constant(self.type, [element(0.0)] * self.lanes)
        pointer, word = self.type.as_pointer(), ir.IntType(32)
        mask = ir.VectorType(BIT, self.lanes)
        self.word = word(size)
        name = f"{self.suffix}.p0"
        self._load = self.declare(f"masked.load.{name}", self.type, pointer, word, mask, self.type)
        self._store = self.declare(
            f"masked.store.{name}", ir.VoidType(), self.type, pointer, word, mask
        )
        numbers = ir.VectorType(INDEX, self.lanes)
        most = self.splat(columns, numbers)
        firsts = range(0, tile.vectors * self.lanes, self.lanes)
        lanes = [[INDEX(first + n) for n in range(self.lanes)] for first in firsts]
        self.masks = [b.icmp_signed("<", ir.Constant(numbers, lane), most) for lane in lanes]

    def load(self, start: Any) -> list[Any]:
        return [
            self.b.call(self._load, [self.pointer(start, v), self.word, mask, self.zero])
            for v, mask in enumerate(self.masks)
        ]

    def store_results(self, rows: list[list[Any]], places: list[Any]) -> None:
        for values, place in zip(rows, places, strict=True):
            for v, mask in enumerate(self.masks):
                arguments = [values[v], self.pointer(place, v), self.word, mask]
                self.b.call(self._store, arguments)


class _BufferedRow(_Row):
    """A row whose last vector is read and written in pieces, by way of a buffer."""

    def __init__(self, b: ir.IRBuilder, element: Any, size: int, tile: Tile, columns: Any) -> None:
        super().__init__(b, element, size, tile)
        self.over = b.and_(columns, INDEX(self.lanes - 1))  # numbers in the last vector
        self.buffers = [cgutils.alloca_once(b, self.type) for _ in range(tile.rows)]

    def load_results(self, places: list[Any]) -> list[list[Any]]:
        for buffer in self.buffers:
            self.b.store(self.neutral, buffer)
        self._copy(places, [self._numbers(buffer) for buffer in self.buffers])
        last = self.tile.vectors - 1
        pairs = zip(places, self.buffers, strict=True)
        return [
            [self.b.load(self.pointer(place, v), align=self.align) for v in range(last)]
            + [self.b.load(buffer)]
            for place, buffer in pairs
        ]

    def store_results(self, rows: list[list[Any]], places: list[Any]) -> None:
        super().store_results([values[:-1] for values in rows], places)
        for values, buffer in zip(rows, self.buffers, strict=True):
            self.b.store(values[-1], buffer)
        self._copy(places, [self._numbers(buffer) for buffer in self.buffers], back=True)

    def _numbers(self, buffer: Any) -> Any:
        return self.b.bitcast(buffer, self.element.as_pointer())

    def _copy(self, places: list[Any], buffers: list[Any], back: bool = False) -> None:
        """Copy the numbers of the last vectors, in pieces of 1, 2, 4 ... as their count is made."""
        b, last = self.b, INDEX((self.tile.vectors - 1) * self.lanes)
        piece = self.lanes // 2
        while piece:
            with b.if_then(b.icmp_unsigned("!=", b.and_(self.over, INDEX(piece)), INDEX(0))):
                done = b.and_(self.over, INDEX(self.lanes - 2 * piece))
                kind = ir.VectorType(self.element, piece).as_pointer()
                for place, buffer in zip(places, buffers, strict=True):
                    outside = b.bitcast(b.gep(place, [b.add(last, done)]), kind)
                    inside = b.bitcast(b.gep(buffer, [done]), kind)
                    start, end = (inside, outside) if back else (outside, inside)
                    b.store(b.load(start, align=self.align), end, align=self.align)
            piece //= 2
