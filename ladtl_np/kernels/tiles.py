"""Code for one tile of a matrix product, written straight into LLVM's intermediate language.

Numba cannot be made to keep a block of vectors in registers over a loop; this can. matmul.py puts
the tiles together.                                                           docs/performance.md
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic

from ladtl_np._jit import VECTOR_BYTES

__all__ = ["tile_code"]

cgutils: Any = _cgutils  # has no type hints

INDEX = ir.IntType(64)


class _Operand:
    """An array inside generated code: the address of its elements."""

    def __init__(self, context: Any, builder: ir.IRBuilder, kind: Any, value: Any) -> None:
        array = context.make_array(kind)(context, builder, value)
        self.builder = builder
        self.data = array.data
        self.strides = cgutils.unpack_tuple(builder, array.strides)

    def at(self, row: Any, column: Any) -> Any:
        """Pointer to the element [row, column], for any strides."""
        b = self.builder
        byte = b.add(b.mul(row, self.strides[0]), b.mul(column, self.strides[1]))
        return cgutils.pointer_add(b, self.data, byte)


class _Vectors:
    """Loads, stores and arithmetic on one row of `count` vectors under masks."""

    def __init__(self, builder: ir.IRBuilder, element: Any, size: int, count: int) -> None:
        self.builder, self.size, self.count = builder, size, count
        self.lanes = VECTOR_BYTES // size
        self.type = ir.VectorType(element, self.lanes)
        self.zero = ir.Constant(self.type, [element(0.0)] * self.lanes)
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

    def multiply_add(self, a: Any, row: list[Any], sums: list[Any]) -> list[Any]:
        """Sums + a * row, with a in every lane."""
        a = self.splat(a, self.type)
        return [self.builder.call(self._fma, [a, x, y]) for x, y in zip(row, sums, strict=True)]


def tile_code(rows: int, vectors: int) -> Any:
    """Code for out[i:i + rows, j:j + columns] (+)= A[i:, k0:k1] B[down + k0:, across:].

    `columns` is at most what the vectors hold.
    """

    def tile(  # type: ignore[no-untyped-def]
        typing_context, out, A, B, i, j, k0, k1, down, across, columns, add
    ):
        index = types.intp
        signature = types.void(out, A, B, *[index] * 7, types.boolean)

        def generate(context: Any, b: ir.IRBuilder, sig: Any, arguments: Any) -> Any:
            kinds = sig.args[:3]
            C, X, Y = (
                _Operand(context, b, kind, value)
                for kind, value in zip(kinds, arguments[:3], strict=True)
            )
            row, column, start, stop, down, across, width, adding = arguments[3:]
            element = context.get_data_type(kinds[0].dtype)
            registers = _Vectors(b, element, kinds[0].dtype.bitwidth // 8, vectors)
            registers.mask(width)
            at = [b.add(row, INDEX(r)) for r in range(rows)]
            places = [C.at(r, column) for r in at]
            sums = [[cgutils.alloca_once(b, registers.type) for _ in range(vectors)] for _ in at]
            with b.if_else(cgutils.as_bool_bit(b, adding)) as (then, otherwise):
                with then:
                    for cells, place in zip(sums, places, strict=True):
                        for cell, value in zip(cells, registers.load(place), strict=True):
                            b.store(value, cell)
                with otherwise:
                    for cell in (cell for cells in sums for cell in cells):
                        b.store(registers.zero, cell)
            with cgutils.for_range_slice(b, start, stop, INDEX(1), inc=True) as (k, _):
                y = registers.load(Y.at(b.add(k, down), across))
                for r, cells in zip(at, sums, strict=True):
                    held = [b.load(cell) for cell in cells]
                    new = registers.multiply_add(b.load(X.at(r, k)), y, held)
                    for cell, value in zip(cells, new, strict=True):
                        b.store(value, cell)
            for cells, place in zip(sums, places, strict=True):
                registers.store([b.load(cell) for cell in cells], place)
            return context.get_dummy_value()

        return signature, generate

    return intrinsic(tile)
