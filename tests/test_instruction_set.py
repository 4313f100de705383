"""The description of the vectors is what LLVM compiles for, and a lesser one can be chosen."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from ladtl_np.kernels.algebra.strips import highest
from ladtl_np.kernels.instruction_set import (
    INSTRUCTIONS,
    LEVELS,
    VARIABLE,
    InstructionSet,
    available,
    describe,
)

ROOT = Path(__file__).parents[1]
x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="of x86 processors")
TELL = """
import numba
from ladtl_np.kernels.instruction_set import INSTRUCTIONS
print(INSTRUCTIONS.name, INSTRUCTIONS.vector_bytes, numba.config.CPU_NAME)
"""
FOLDER = "from ladtl_np.kernels._jit import _FOLDERS; print(_FOLDERS.own)"


@x86
@pytest.mark.parametrize(
    ("cpu", "features", "expected"),
    [
        ("sapphirerapids", "", InstructionSet("AVX-512", 64, 32, True, True, True, True)),
        ("znver4", "", InstructionSet("AVX-512", 64, 32, True, True, True, True)),
        ("skylake-avx512", "", InstructionSet("AVX-512", 64, 32, True, True, True, False)),
        ("x86-64-v4", "", InstructionSet("AVX-512", 64, 32, True, True, True, False)),
        ("haswell", "", InstructionSet("AVX2", 32, 16, False, True, False, False)),
        ("znver3", "", InstructionSet("AVX2", 32, 16, False, True, False, False)),
        ("x86-64", "+avx2,+fma", InstructionSet("AVX2", 32, 16, False, True, False, False)),
        ("x86-64-v4", "-avx512f", InstructionSet("AVX2", 32, 16, False, True, False, False)),
        ("sandybridge", "", InstructionSet("AVX", 32, 16, False, False, False, False)),
        ("nehalem", "", InstructionSet("SSE2", 16, 16, False, False, False, False)),
        ("x86-64", "", InstructionSet("SSE2", 16, 16, False, False, False, False)),
        ("generic", "", InstructionSet("SSE2", 16, 16, False, False, False, False)),
    ],
)
def test_processors_are_described_as_llvm_compiles_for_them(cpu, features, expected):
    assert describe(cpu, features) == expected


def started(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter with some variables set, and no others of this kind."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in (VARIABLE, "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_DISABLE_JIT")
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        env=kept | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_processors_own_can_be_chosen_and_is_what_it_has_without_a_choice():
    widest = available()[0]
    assert started(TELL, **{VARIABLE: widest}).stdout == started(TELL).stdout


@x86
@pytest.mark.parametrize("level", [level for level in available()[1:]])
def test_a_lesser_one_can_be_chosen(level):
    name, width, cpu = started(TELL, **{VARIABLE: level}).stdout.split()
    assert (name, int(width)) == (LEVELS[level], {"avx2": 32, "sse2": 16}[level])
    assert cpu.startswith("x86-64")


@x86
def test_a_processor_that_the_user_names_is_compiled_for_alone():
    """Not with what this processor has besides, as Numba would."""
    assert started(TELL, NUMBA_CPU_NAME="nehalem").stdout.split() == ["SSE2", "16", "nehalem"]
    told = started(TELL, NUMBA_CPU_NAME="nehalem", NUMBA_CPU_FEATURES="+avx").stdout
    assert told.split() == ["AVX", "32", "nehalem"]


def test_what_the_processor_lacks_is_refused():
    foreign = "neon" if platform.machine() in ("x86_64", "AMD64") else "avx2"
    for level in (foreign, "AVX2", "mmx"):
        told = started(TELL, **{VARIABLE: level})
        assert told.returncode == 1
        have = ", ".join(available())
        assert f"{VARIABLE} is {level!r}, but this processor has: {have}" in told.stderr


def test_two_choices_at_once_are_refused():
    told = started(TELL, **{VARIABLE: available()[0], "NUMBA_CPU_NAME": "generic"})
    assert f"{VARIABLE} and NUMBA_CPU_NAME or NUMBA_CPU_FEATURES both say" in told.stderr


def test_a_command_says_so_in_one_line(tmp_path):
    told = subprocess.run(
        [sys.executable, "cli.py", "train", "--demo", "--out", str(tmp_path / "run")],
        env=os.environ | {VARIABLE: "none"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 2
    assert told.stderr.startswith("error: LADTL_ISA is 'none'")
    assert told.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_each_has_a_cache_of_its_own(tmp_path):
    """Also where LLVM's name of the processor is the same."""
    choices = [{VARIABLE: level} for level in available()]
    if platform.machine() in ("x86_64", "AMD64"):
        choices += [{"NUMBA_CPU_NAME": "haswell"}, {"NUMBA_CPU_NAME": "znver3"}]
    told = [started(FOLDER, NUMBA_CACHE_DIR=str(tmp_path), **choice).stdout for choice in choices]
    assert len(set(told)) == len(choices)
    assert all(line.startswith(str(tmp_path)) for line in told)


def test_tiles_need_no_more_registers_than_there_are():
    others = (not INSTRUCTIONS.broadcasts) + (not INSTRUCTIONS.fused)
    for vectors in range(1, 6):
        assert highest(vectors) * vectors + vectors + others <= INSTRUCTIONS.registers
