"""Waiting for another thread without going to sleep, and without Python's lock.

A thread that the system has put to sleep takes 25 to 70 microseconds to go on. One that looks at a
number in memory goes on at once, but keeps its processor busy, so it looks for a limited time.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic, overload

from ladtl_np.kernels._jit import STRICT, kernel
from ladtl_np.shapes import Integers

__all__ = ["spin"]

cgutils: Any = _cgutils  # has no type hints

# what tells a processor that a loop only waits, so that it spares power and its other hardware
# thread; elsewhere the loop does without
_PAUSES = {"x86_64": ("llvm.x86.sse2.pause", None), "aarch64": ("llvm.aarch64.hint", 1)}


def _now(flags: Integers, place: int) -> Any:
    """flags[place] as it is in memory at this moment, whichever thread wrote it."""
    return flags[place]


def _pause() -> None:
    """Wait for an instant."""


def _load_now(typing_context: Any, flags: Any, place: Any) -> Any:
    def generate(context: Any, b: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, b, arguments[0])
        return b.load_atomic(b.gep(array.data, [arguments[1]]), "acquire", 8)

    return types.int64(flags, types.intp), generate


def _pause_now(typing_context: Any) -> Any:
    def generate(context: Any, b: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        name, hint = _PAUSES.get(llvm.get_process_triple().split("-")[0], (None, None))
        if name is not None:
            given = [] if hint is None else [ir.Constant(ir.IntType(32), hint)]
            kind = ir.FunctionType(ir.VoidType(), [value.type for value in given])
            b.call(cgutils.get_or_insert_function(b.module, kind, name), given)
        return context.get_dummy_value()

    return types.void(), generate


_load_intrinsic: Any = intrinsic(_load_now)
_pause_intrinsic: Any = intrinsic(_pause_now)


@overload(_now, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose_now(flags, place):  # type: ignore[no-untyped-def]
    return lambda flags, place: _load_intrinsic(flags, place)


@overload(_pause, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose_pause():  # type: ignore[no-untyped-def]
    return lambda: _pause_intrinsic()


@kernel
def spin(flags: Integers, place: int, wanted: int, turns: int) -> bool:
    """Look at flags[place] until it is at least `wanted`; False if it is not after `turns` looks.

    flags is int64; a turn takes some 25 to 60 nanoseconds.
    """
    for _ in range(turns):
        if _now(flags, place) >= wanted:
            return True
        _pause()
    return bool(_now(flags, place) >= wanted)
