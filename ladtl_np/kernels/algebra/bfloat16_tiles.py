"""Tiles of an LSTM's step in bfloat16, written in LLVM's intermediate language.

A dot product of the CPU multiplies two pairs of bfloat16 in each of 16 lanes and adds both products
to a float32. A tile holds the four gates of 16 hidden units for a few sentences: their sums stay in
registers over the whole inner loop, and become cells and states there.       docs/performance.md
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic

__all__ = ["GATES", "LANES", "PAIR_BYTES", "ROWS", "projection_tile", "step_tile"]

cgutils: Any = _cgutils  # has no type hints

LANES = 16
"""Hidden units of a tile: as many float32 as a vector holds."""
GATES = 4
"""In the order i, f, o, g, a vector of each."""
ROWS = 6
"""Most sentences of a tile: its 24 sums, a row of weights and a state fill 29 of 32 registers."""
PAIR_BYTES = GATES * LANES * 4
"""What two rows of weights, k and k + 1, take for one group of LANES hidden units."""

# 2^r on [0, 1] as 1 + r + r (1 - r) (A + B r + C r^2), multiplied out: exact at both ends, so that
# tanh keeps its relative precision near 0; elsewhere right to 4e-6, where bfloat16 rounds by 2e-3.
A, B, C = -0.306967884, -0.0655881166, -0.0135557475
POWER_OF_2 = (-C, C - B, B - A, 1 + A, 1.0)
LOG2_E = 1.4426950408889634
# exp2 of more would make the product of two denominators overflow
HIGHEST = 57.0

INDEX, WORD = ir.IntType(64), ir.IntType(32)
FLOAT = ir.FloatType()
VECTOR = ir.VectorType(FLOAT, LANES)
PAIRS = ir.VectorType(WORD, LANES)


class _BFloat(ir.Type):
    """LLVM's bfloat, which llvmlite does not name."""

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


OPERAND = ir.VectorType(_BFloat(), 2 * LANES)
ROUNDED = ir.VectorType(_BFloat(), LANES)


class _Vectors:
    """Arithmetic on vectors of float32, and dot products of bfloat16."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.builder = builder

    def call(self, name: str, kind: Any, *arguments: Any) -> Any:
        """Call a function of LLVM's."""
        signature = ir.FunctionType(kind, [argument.type for argument in arguments])
        function = cgutils.get_or_insert_function(self.builder.module, signature, name)
        return self.builder.call(function, arguments)

    def constant(self, value: float) -> Any:
        return ir.Constant(VECTOR, [FLOAT(value)] * LANES)

    def at(self, address: Any, kind: Any, *, count: Any = None, stride: Any = None) -> Any:
        """Pointer to what lies count * stride bytes behind an address."""
        b = self.builder
        if count is not None:
            address = b.add(address, b.mul(count, stride))
        return b.inttoptr(address, kind.as_pointer())

    def load(self, pointer: Any) -> Any:
        return self.builder.load(pointer, align=4)

    def splat(self, pair: Any) -> Any:
        """A vector with a pair of bfloat16 in every lane."""
        b, undefined = self.builder, ir.Constant(PAIRS, ir.Undefined)
        first = b.insert_element(undefined, pair, WORD(0))
        all_first = ir.Constant(ir.VectorType(WORD, LANES), [0] * LANES)
        return b.bitcast(b.shuffle_vector(first, undefined, all_first), OPERAND)

    def dot(self, held: Any, x: Any, y: Any) -> Any:
        """held + x_0 y_0 + x_1 y_1 in every lane."""
        return self.call("llvm.x86.avx512bf16.dpbf16ps.512", VECTOR, held, x, y)

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        """x y + z."""
        return self.call(f"llvm.fma.v{LANES}f32", VECTOR, x, y, z)

    def exp(self, x: Any, scale: float) -> Any:
        """exp(scale x), at most 2^HIGHEST; NaN stays NaN."""
        b, every = self.builder, ir.Constant(ir.IntType(16), -1)
        nothing, highest = ir.Constant(VECTOR, ir.Undefined), self.constant(HIGHEST)
        y = b.fmul(x, self.constant(scale * LOG2_E))
        y = b.select(b.fcmp_ordered("<", highest, y), highest, y)
        # r = y - floor(y), 0 where y is infinite
        r = self.call(
            "llvm.x86.avx512.mask.reduce.ps.512", VECTOR, y, WORD(9), nothing, every, WORD(4)
        )
        p = self.constant(POWER_OF_2[0])
        for coefficient in POWER_OF_2[1:]:
            p = self.fma(p, r, self.constant(coefficient))
        return self.call(
            "llvm.x86.avx512.mask.scalef.ps.512", VECTOR, p, y, nothing, every, WORD(4)
        )

    def reciprocal(self, x: Any) -> Any:
        """1 / x of a finite x, right to 2^-14, which is a 32nd of what bfloat16 rounds by."""
        every, nothing = ir.Constant(ir.IntType(16), -1), ir.Constant(VECTOR, ir.Undefined)
        return self.call("llvm.x86.avx512.rcp14.ps.512", VECTOR, x, nothing, every)

    def products(self, sums: list[list[Any]], X: list[Any], weights: Any, depth: Any) -> None:
        """Add to the sums (rows, GATES), in memory: rows of X times a group of weights."""
        b = self.builder
        with cgutils.for_range(b, depth) as loop:
            k = loop.index
            row = self.at(weights, OPERAND, count=k, stride=INDEX(PAIR_BYTES))
            y = [self.load(b.gep(row, [INDEX(q)])) for q in range(GATES)]
            for cells, place in zip(sums, X, strict=True):
                x = self.splat(self.load(self.at(place, WORD, count=k, stride=INDEX(4))))
                for cell, vector in zip(cells, y, strict=True):
                    b.store(self.dot(b.load(cell), x, vector), cell)

    def finish(self, gates: list[Any], before: Any) -> tuple[Any, Any]:
        """Cell and state of LANES hidden units from the sums of their gates.

        With e = exp(-a), c = c_before / (1 + e_f) + (1 - e_g) / ((1 + e_i) (1 + e_g)) where e_g is
        exp(-2 a), and h = (1 - e_c) / ((1 + e_o) (1 + e_c)).
        """
        b, one = self.builder, self.constant(1.0)
        i, f, o = (b.fadd(one, self.exp(gate, -1.0)) for gate in gates[:3])
        g = self.exp(gates[3], -2.0)
        new = b.fmul(b.fsub(one, g), self.reciprocal(b.fmul(i, b.fadd(one, g))))
        cell = self.fma(before, self.reciprocal(f), new)
        e = self.exp(cell, -2.0)
        state = b.fmul(b.fsub(one, e), self.reciprocal(b.fmul(o, b.fadd(one, e))))
        return cell, state

    def sums(self, rows: int) -> list[list[Any]]:
        """Room for the sums of some rows, in registers once LLVM has looked at it."""
        place = partial(cgutils.alloca_once, self.builder, VECTOR)
        return [[place() for _ in range(GATES)] for _ in range(rows)]

    def first_lanes(self, columns: Any) -> Any:
        """Mask of as many lanes."""
        b, numbers = self.builder, ir.VectorType(INDEX, LANES)
        lane = ir.Constant(numbers, [INDEX(n) for n in range(LANES)])
        undefined = ir.Constant(numbers, ir.Undefined)
        first = b.insert_element(undefined, columns, WORD(0))
        all_first = ir.Constant(ir.VectorType(WORD, LANES), [0] * LANES)
        return b.icmp_signed("<", lane, b.shuffle_vector(first, undefined, all_first))


class _Step(NamedTuple):
    """Addresses, and strides in bytes, of one tile of a step."""

    words: Any  # numbers of rows of projected
    projected: Any  # (., 4, LANES) where sums begin
    projected_row: Any
    before: Any  # states, rows of `depth` pairs of bfloat16
    before_row: Any
    depth: Any
    weights: Any  # (depth, 4, LANES) pairs of bfloat16
    cell: Any  # rows of LANES float32, which are replaced
    cell_row: Any
    after: Any  # the new states, whose rows lie as those of `before`
    out: Any  # the same in float32, the first `columns` of them
    out_row: Any
    columns: Any


def _step(b: ir.IRBuilder, rows: int, at: _Step) -> None:
    """Code for one step of some sentences and a group of hidden units."""
    v, numbers = _Vectors(b), [INDEX(r) for r in range(rows)]
    sums = v.sums(rows)
    for r, cells in zip(numbers, sums, strict=True):
        word = b.load(b.gep(v.at(at.words, INDEX), [r]))
        row = v.at(at.projected, VECTOR, count=word, stride=at.projected_row)
        for q, place in enumerate(cells):
            b.store(v.load(b.gep(row, [INDEX(q)])), place)
    states = [b.add(at.before, b.mul(r, at.before_row)) for r in numbers]
    v.products(sums, states, at.weights, at.depth)
    mask = v.first_lanes(at.columns)
    for r, cells in zip(numbers, sums, strict=True):
        kept = v.at(at.cell, VECTOR, count=r, stride=at.cell_row)
        c, h = v.finish([b.load(place) for place in cells], v.load(kept))
        b.store(c, kept, align=4)
        state = v.call("llvm.x86.avx512bf16.cvtneps2bf16.512", ROUNDED, h)
        b.store(state, v.at(at.after, ROUNDED, count=r, stride=at.before_row), align=2)
        place = v.at(at.out, VECTOR, count=r, stride=at.out_row)
        v.call(f"llvm.masked.store.v{LANES}f32.p0", ir.VoidType(), h, place, WORD(4), mask)


def step_tile(most: int) -> Any:
    """Code for one step of `rows` sentences, 1 to `most`, and one group of hidden units.

    `places` is a tuple of all that _Step has.
    """

    def tile(typing_context, rows, places):  # type: ignore[no-untyped-def]
        def generate(context: Any, b: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            rows, places = arguments
            at = _Step(*cgutils.unpack_tuple(b, places, len(_Step._fields)))
            for count in range(1, most + 1):
                with b.if_then(b.icmp_signed("==", rows, INDEX(count))):
                    _step(b, count, at)
            return context.get_dummy_value()

        return types.void(types.intp, places), generate

    return intrinsic(tile)


def projection_tile(rows: int) -> Any:
    """Code for out = X weights + start, of `rows` rows and one group of hidden units.

    Addresses, and strides in bytes: start (4, LANES) of float32, X rows of `depth` pairs of
    bfloat16, weights (depth, 4, LANES) of pairs, out rows of (4, LANES) float32.
    """

    def tile(typing_context, start, X, X_row, depth, weights, out, out_row):  # type: ignore[no-untyped-def]
        def generate(context: Any, b: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            start, X, X_row, depth, weights, out, out_row = arguments
            v, numbers = _Vectors(b), [INDEX(r) for r in range(rows)]
            sums, row = v.sums(rows), v.at(start, VECTOR)
            for cells in sums:
                for q, place in enumerate(cells):
                    b.store(v.load(b.gep(row, [INDEX(q)])), place)
            v.products(sums, [b.add(X, b.mul(r, X_row)) for r in numbers], weights, depth)
            for r, cells in zip(numbers, sums, strict=True):
                row = v.at(out, VECTOR, count=r, stride=out_row)
                for q, place in enumerate(cells):
                    b.store(b.load(place), b.gep(row, [INDEX(q)]), align=4)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 7), generate

    return intrinsic(tile)
