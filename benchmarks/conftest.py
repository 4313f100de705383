"""How the files of this folder time: check first, then as many rounds as a second allows.

make bench
python -m pytest benchmarks/bench_crf.py --benchmark-only -p no:cacheprovider
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from ladtl_np.arrays.packing import Packing, pack
from ladtl_np.arrays.workers import single_threaded_blas

BUDGET = 0.7  # seconds of one benchmark, about
THREADS = (1, 2)
Measure = Callable[..., Any]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "threads" in metafunc.fixturenames:
        metafunc.parametrize("threads", THREADS, ids=lambda n: f"{n}-threads")


@pytest.fixture(autouse=True)
def one_blas_thread() -> Iterator[None]:
    with single_threaded_blas():
        yield


@pytest.fixture
def measure(benchmark: Any) -> Measure:
    """Time a call and note what the plots need: curve, size, axis, operations."""

    def measure(
        call: Callable[[], object], *, curve: str, axis: str, size: int, **facts: Any
    ) -> Any:
        call()  # compiles or loads
        start = time.perf_counter()
        call()
        seconds = max(time.perf_counter() - start, 1e-7)
        iterations = int(np.clip(np.ceil(0.002 / seconds), 1, 1000))
        rounds = int(np.clip(BUDGET / (seconds * iterations), 3, 100))
        benchmark.group = f"{curve} by {axis}"
        benchmark.extra_info.update(curve=curve, axis=axis, size=size, **facts)
        return benchmark.pedantic(call, rounds=rounds, iterations=iterations)

    return measure


@pytest.fixture
def equal_lengths() -> Callable[[int, int], Packing]:
    """Layout of a number of sentences of one length."""
    return lambda length, sentences: pack(np.full(sentences, length, dtype=np.int64))
