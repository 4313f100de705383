"""Code for one tile of a matrix product, written straight into LLVM's intermediate language.

Numba cannot be made to keep a block of vectors in registers over a loop; this can. matmul.py puts
the tiles together.                                                           docs/performance.md
"""

from __future__ import annotations

from typing import Any, Literal

from llvmlite import ir
from numba import types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic

from ladtl_np.kernels._jit import VECTOR_BYTES

__all__ = ["Algebra", "tile_code"]

Algebra = Literal["sum of products", "maximum of sums"]

cgutils: Any = _cgutils  # has no type hints

INDEX = ir.IntType(64)


class _Vectors:
    """Loads, stores and arithmetic on one row of `count` vectors under masks."""

    def __init__(
        self, builder: ir.IRBuilder, element: Any, size: int, count: int, algebra: Algebra
    ) -> None:
        self.builder, self.size, self.count = builder, size, count
        self.lanes = VECTOR_BYTES // size
        self.type = ir.VectorType(element, self.lanes)
        self.algebra = algebra
        start = 0.0 if algebra == "sum of products" else float("-inf")
        self.zero = ir.Constant(self.type, [element(0.0)] * self.lanes)
        self.neutral = ir.Constant(self.type, [element(start)] * self.lanes)
        suffix = f"v{self.lanes}f{8 * size}"
        pointer, word = self.type.as_pointer(), ir.IntType(32)
        self.align = word(size)
        mask = ir.VectorType(ir.IntType(1), self.lanes)
        load = ir.FunctionType(self.type, [pointer, word, mask, self.type])
        store = ir.FunctionType(ir.VoidType(), [self.type, pointer, word, mask])
        fma = ir.FunctionType(self.type, [self.type] * 3)
        declare = cgutils.get_or_insert_function
        module = builder.module
        self._load = declare(module, load, f"llvm.masked.load.{suffix}.p0")
        self._store = declare(module, store, f"llvm.masked.store.{suffix}.p0")
        self._fma = declare(module, fma, f"llvm.fma.{suffix}")

    def mask(self, columns: Any) -> None:
        """Set how many columns the vectors hold; lanes beyond are neither read nor written."""
        b = self.builder
        numbers = ir.VectorType(INDEX, self.lanes)
        self.masks = []
        for v in range(self.count):
            first = v * self.lanes
            lane = ir.Constant(numbers, [INDEX(first + n) for n in range(self.lanes)])
            self.masks.append(b.icmp_signed("<", lane, self.splat(columns, numbers)))

    def splat(self, scalar: Any, kind: Any) -> Any:
        """A vector with the scalar in every lane."""
        b, undefined = self.builder, ir.Constant(kind, ir.Undefined)
        first = b.insert_element(undefined, scalar, ir.IntType(32)(0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return b.shuffle_vector(first, undefined, lanes)

    def _pointer(self, start: Any, v: int) -> Any:
        moved = self.builder.gep(start, [INDEX(v * self.lanes)])
        return self.builder.bitcast(moved, self.type.as_pointer())

    def load(self, start: Any) -> list[Any]:
        """The vectors that begin at `start`; masked lanes are 0."""
        return [
            self.builder.call(self._load, [self._pointer(start, v), self.align, mask, self.zero])
            for v, mask in enumerate(self.masks)
        ]

    def store(self, values: list[Any], start: Any) -> None:
        """Write the vectors to `start`; masked lanes are left alone."""
        for v, mask in enumerate(self.masks):
            arguments = [values[v], self._pointer(start, v), self.align, mask]
            self.builder.call(self._store, arguments)

    def combine(self, a: Any, row: list[Any], held: list[Any]) -> list[Any]:
        """held + a * row, or max(held, a + row), with a in every lane."""
        b, a = self.builder, self.splat(a, self.type)
        if self.algebra == "sum of products":
            return [b.call(self._fma, [a, x, y]) for x, y in zip(row, held, strict=True)]
        sums = [b.fadd(a, x) for x in row]
        return [b.select(b.fcmp_ordered(">", x, y), x, y) for x, y in zip(sums, held, strict=True)]


def tile_code(rows: int, vectors: int, algebra: Algebra) -> Any:
    """Code for out[:rows, :columns] (+)= A[:rows, :depth] B[:depth, :columns].

    As "maximum of sums" it is out_ij = max over k of (A_ik + B_kj), and of out_ij where `add`.

    Matrices are given by the address of their first element and strides in bytes; neighbouring
    columns of out and B are neighbours in memory. `like` is a number of their dtype. `columns` is
    at most what the vectors hold.
    """

    def tile(  # type: ignore[no-untyped-def]
        typing_context, like, out, out_row, A, A_row, A_column, B, B_row, depth, columns, add
    ):
        signature = types.void(like, *[types.intp] * 9, types.boolean)

        def generate(context: Any, b: ir.IRBuilder, sig: Any, arguments: Any) -> Any:
            _, out, out_row, A, A_row, A_column, B, B_row, depth, columns, add = arguments
            kind = sig.args[0]
            element = context.get_data_type(kind)
            registers = _Vectors(b, element, kind.bitwidth // 8, vectors, algebra)
            registers.mask(columns)

            def at(start: Any, *steps: tuple[Any, Any]) -> Any:
                """Pointer to the element that lies count * stride bytes further, for each step."""
                for count, stride in steps:
                    start = b.add(start, b.mul(count, stride))
                return b.inttoptr(start, element.as_pointer())

            numbers = [INDEX(r) for r in range(rows)]
            places = [at(out, (r, out_row)) for r in numbers]
            sums = [
                [cgutils.alloca_once(b, registers.type) for _ in range(vectors)] for _ in numbers
            ]
            with b.if_else(cgutils.as_bool_bit(b, add)) as (then, otherwise):
                with then:
                    for cells, place in zip(sums, places, strict=True):
                        for cell, value in zip(cells, registers.load(place), strict=True):
                            b.store(value, cell)
                with otherwise:
                    for cell in (cell for cells in sums for cell in cells):
                        b.store(registers.neutral, cell)
            with cgutils.for_range(b, depth) as loop:
                k = loop.index
                y = registers.load(at(B, (k, B_row)))
                for r, cells in zip(numbers, sums, strict=True):
                    held = [b.load(cell) for cell in cells]
                    x = b.load(at(A, (r, A_row), (k, A_column)))
                    for cell, value in zip(cells, registers.combine(x, y, held), strict=True):
                        b.store(value, cell)
            for cells, place in zip(sums, places, strict=True):
                registers.store([b.load(cell) for cell in cells], place)
            return context.get_dummy_value()

        return signature, generate

    return intrinsic(tile)
