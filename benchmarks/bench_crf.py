"""CRF forward and backward, by length of the sentences and by number of tags."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.arrays.workers import Workers
from ladtl_np.bench import operations
from ladtl_np.layers.crf import crf_backward, crf_forward
from ladtl_np.reference.crf import nll_backward, nll_forward


@pytest.mark.parametrize("length", [10, 100, 1000, 10_000])
def test_crf_by_length(measure, equal_lengths, length: int, threads: int) -> None:
    run(measure, equal_lengths(length, 8).offsets, 7, threads, "length", length)


@pytest.mark.parametrize("tags", [3, 7, 31, 121, 481])
def test_crf_by_tags(measure, equal_lengths, tags: int, threads: int) -> None:
    run(measure, equal_lengths(40, 32).offsets, tags, threads, "tags", tags)


def run(measure, offsets, m: int, threads: int, axis: str, size: int) -> None:
    """Two domains of the same size: as in training, each is a task of its own."""
    rng = np.random.default_rng(0)
    N, B = int(offsets[-1]), int(offsets[1])
    domains = [
        (rng.normal(size=(N, m)).astype(np.float32), rng.integers(0, m, N)) for _ in range(2)
    ]
    A = rng.normal(0.0, 0.3, (m, m)).astype(np.float32)
    workers = Workers(threads)
    results: list[tuple] = [(), ()]

    def domain(number: int) -> None:
        E, tags = domains[number]
        dE, dA = np.zeros_like(E), np.zeros_like(A)
        nll, cache = crf_forward(E, A, tags, offsets)
        crf_backward(dE, dA, np.ones(B), cache)
        results[number] = nll, dE

    def call() -> None:
        workers.run(lambda: domain(0), lambda: domain(1))

    call()
    check_first_sentence(domains[0], A, B, *results[0])
    count = 2 * operations.crf(N, B, m)
    measure(call, curve="crf", axis=axis, size=size, threads=threads, operations=count)


def check_first_sentence(domain, A, B: int, nll, dE) -> None:
    E, tags = (values[::B] for values in domain)
    E64, A64 = E.astype(np.float64), A.astype(np.float64)
    np.testing.assert_allclose(nll[0], nll_forward(E64, A64, tags), rtol=1e-4)
    np.testing.assert_allclose(dE[::B], nll_backward(1.0, E64, A64, tags)[0], atol=2e-4)
