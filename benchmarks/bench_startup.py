"""Start of the program and compilation, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HELP = "from ladtl_np.commands import main; main()"
WARM = "from ladtl_np.training.warm_up import warm_up; print(warm_up())"


def run(code: str, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, **environment},
    )
    return done.stdout


@pytest.mark.parametrize(
    ("name", "code", "arguments", "wanted"),
    [
        ("interpreter", "", (), ""),
        ("help", HELP, ("--help",), "Usage: "),
        ("import", "import ladtl_np.training.trainer", (), ""),
        ("warm-up, compiled before", WARM, (), "."),
    ],
    ids=["interpreter", "help", "import", "warm-up"],
)
def test_startup(benchmark, name: str, code: str, arguments: tuple, wanted: str) -> None:
    assert wanted in run(code, *arguments)  # fills the caches as well
    benchmark.group = "startup"
    benchmark.extra_info.update(curve=name, axis="", size=0)
    benchmark.pedantic(lambda: run(code, *arguments), rounds=5)


def test_first_compilation(benchmark, tmp_path) -> None:
    """With an empty cache, and then with what it left."""
    folder = str(tmp_path)
    benchmark.group = "startup"
    benchmark.extra_info.update(curve="first compile", axis="", size=0)
    first = benchmark.pedantic(lambda: float(run(WARM, NUMBA_CACHE_DIR=folder)), rounds=1)
    assert float(run(WARM, NUMBA_CACHE_DIR=folder)) < first
