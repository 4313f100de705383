"""Lesser instruction sets compute the same to rounding, from compiled code of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import few_kernels
import numpy as np
import pytest

from ladtl_np.kernels.instruction_set import VARIABLE, available

LEVELS = available()
lesser = pytest.mark.skipif(len(LEVELS) < 2, reason="this processor has one instruction set")


class Found(NamedTuple):
    """What a process computed, how much it compiled for that, and where that lies."""

    results: dict[str, np.ndarray]
    compiled: int
    folder: str


def computed(level: str, names: Iterable[str], folder: Path, **variables: str) -> Found:
    """Some kernels in a fresh interpreter that is limited to an instruction set."""
    file = folder / "results.npz"
    told = subprocess.run(
        [sys.executable, few_kernels.__file__, str(file), *names],
        env=os.environ | {VARIABLE: level} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    with np.load(file) as arrays:
        results = dict(arrays)
    return Found(results, int(results.pop("compiled")), told.stdout.strip())


def assert_equal_to_rounding(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        size = np.abs(array).max()
        np.testing.assert_allclose(found[name], array, rtol=2e-5, atol=1e-6 * size, err_msg=name)


@lesser
def test_the_least_instructions_compute_the_same_to_rounding(tmp_path: Path) -> None:
    names = ["powers", "product"]  # these are compiled in a few seconds
    found = computed(LEVELS[-1], names, tmp_path)
    assert_equal_to_rounding(found.results, few_kernels.results(names))


@lesser
@pytest.mark.slow
def test_code_of_one_instruction_set_is_never_used_for_another(tmp_path: Path) -> None:
    """Three processes with one cache, and then the same three again."""
    names, cache = few_kernels.KERNELS, {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    wanted = few_kernels.results(names)
    first = {level: computed(level, names, tmp_path, **cache) for level in LEVELS}
    again = {level: computed(level, names, tmp_path, **cache) for level in LEVELS}
    assert len({found.folder for found in first.values()}) == len(LEVELS)
    for level in LEVELS:
        assert_equal_to_rounding(first[level].results, wanted)
        assert first[level].folder == again[level].folder
        assert first[level].compiled > 0
        assert again[level].compiled == 0
        for name, array in first[level].results.items():
            assert array.tobytes() == again[level].results[name].tobytes()
