"""What the processor's vectors are like, as LLVM is going to compile for it. docs/performance.md

Everything that depends on it follows from the one description here: tiles and panels of products,
blocks of the MMD, the name of the compile cache. LLVM itself is asked, by compiling three lines and
reading the registers that it takes, so that what the user has set of Numba counts as well.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numba
from llvmlite import binding as llvm
from numba.core import codegen

from ladtl_np.errors import UsageError

__all__ = ["INSTRUCTIONS", "LEVELS", "VARIABLE", "InstructionSet", "available", "describe"]

VARIABLE = "LADTL_ISA"
"""Environment variable that chooses one of `LEVELS` below what the processor has."""

LEVELS = {"avx512": "AVX-512", "avx2": "AVX2", "sse2": "SSE2", "neon": "NEON"}
"""Instruction sets that can be chosen, and their names, the widest first."""

# processors of x86-64's levels: all that every one of a level has, and nothing else
_LEVEL_CPUS = {"avx2": "x86-64-v3", "sse2": "x86-64"}

_PROBE = """
define void @products(ptr %x) {
  %a = load <16 x float>, ptr %x
  %b = call <16 x float> @llvm.fmuladd.v16f32(<16 x float> %a, <16 x float> %a, <16 x float> %a)
  store <16 x float> %b, ptr %x
  ret void
}
define void @integers(ptr %x) {
  %a = load <8 x i32>, ptr %x
  %b = add <8 x i32> %a, %a
  store <8 x i32> %b, ptr %x
  ret void
}
declare <16 x float> @llvm.fmuladd.v16f32(<16 x float>, <16 x float>, <16 x float>)
"""
_BFLOAT16_PROBE = """
define void @rounded(ptr %x, ptr %y) {
  %a = load <16 x float>, ptr %x
  %b = fptrunc <16 x float> %a to <16 x bfloat>
  store <16 x bfloat> %b, ptr %y
  ret void
}
"""


class InstructionSet(NamedTuple):
    """Vectors of a processor.

    Attributes
    ----------
    name
        Such as "AVX2".
    vector_bytes
        Bytes of the widest vector register.
    registers
        Number of vector registers.
    masks
        Whether lanes of a load or store can be left out at no cost.
    fused
        Whether a product and a sum are one instruction.
    broadcasts
        Whether a product can take one number of the memory into all lanes by itself.
    bfloat16
        Whether there are dot products of bfloat16 (AVX512-BF16).
    """

    name: str
    vector_bytes: int
    registers: int
    masks: bool
    fused: bool
    broadcasts: bool
    bfloat16: bool


def describe(cpu: str, features: str) -> InstructionSet:
    """Say what LLVM compiles for a processor of a name, with features such as ``"+avx2,-fma"``."""
    code = _assembly(_PROBE, cpu, features)
    fused = "fmadd" in code or "fmla" in code
    if "zmm" in code:
        bfloat16 = "vcvtneps2bf16" in _assembly(_BFLOAT16_PROBE, cpu, features)
        return InstructionSet("AVX-512", 64, 32, True, fused, True, bfloat16)
    if "ymm" in code:
        integers = any("paddd" in line and "ymm" in line for line in code.split("\n"))
        return InstructionSet("AVX2" if integers else "AVX", 32, 16, False, fused, False, False)
    if "xmm" in code:
        return InstructionSet("SSE2", 16, 16, False, fused, False, False)
    name = "NEON" if "fmla" in code else llvm.get_process_triple().partition("-")[0]
    return InstructionSet(name, 16, 32, False, fused, False, False)


def _assembly(code: str, cpu: str, features: str) -> str:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(cpu=cpu, features=features, opt=2)
    text: str = machine.emit_assembly(llvm.parse_assembly(code))
    return text


def _own() -> tuple[str, str]:
    """Name and features of this processor, less what the user has switched off."""
    numba_codegen: Any = codegen  # has no type hints
    return llvm.get_host_cpu_name(), numba_codegen.get_host_cpu_features()


def available() -> tuple[str, ...]:
    """The `LEVELS` that this processor has, the widest first."""
    widest = describe(*_own()).name
    order = {"NEON": ("neon",), "AVX-512": ("avx512", "avx2", "sse2"), "AVX2": ("avx2", "sse2")}
    return order.get(widest, ("sse2",) if widest in ("AVX", "SSE2") else ())


def _choose() -> InstructionSet:
    """Tell Numba what to compile for, as the user has chosen, and describe it."""
    config: Any = numba.config
    if level := os.environ.get(VARIABLE):
        _limit(level)
    elif config.CPU_NAME is not None and config.CPU_FEATURES is None:
        # Numba would add what this processor has; who names a processor wants what that one has
        config.CPU_FEATURES = ""
    cpu, features = _own()
    if config.CPU_FEATURES is not None:
        return describe(config.CPU_NAME or cpu, config.CPU_FEATURES)
    found = describe(cpu, features)
    if found.masks:
        # LLVM halves the vectors of many AVX-512 machines because their clock used to drop; with
        # whole ones our loops and products were measured faster
        config.CPU_FEATURES = features + ",-prefer-256-bit"
    return found


def _limit(level: str) -> None:
    config: Any = numba.config
    levels = available()
    if level not in levels:
        have = ", ".join(levels) or "none that can be chosen"
        raise UsageError(
            f"{VARIABLE} is {level!r}, but this processor has: {have}; choose of these"
        )
    if config.CPU_NAME is not None or config.CPU_FEATURES is not None:
        raise UsageError(
            f"{VARIABLE} and NUMBA_CPU_NAME or NUMBA_CPU_FEATURES both say what to compile for; "
            "leave one of them out"
        )
    if LEVELS[level] != describe(*_own()).name:
        config.CPU_NAME, config.CPU_FEATURES = _LEVEL_CPUS[level], ""


INSTRUCTIONS = _choose()
"""What every kernel of this process is compiled for."""
