"""Exact divergence of two CRFs, forward and backward, by length and by number of tags."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.layers.divergence import divergence_backward, divergence_forward
from ladtl_np.reference import divergence as reference


@pytest.mark.parametrize("length", [10, 100, 1000])
def test_divergence_by_length(measure, equal_lengths, length: int) -> None:
    run(measure, equal_lengths(length, 8).offsets, 7, "length", length)


@pytest.mark.parametrize("tags", [3, 7, 31, 121])
def test_divergence_by_tags(measure, equal_lengths, tags: int) -> None:
    run(measure, equal_lengths(40, 32).offsets, tags, "tags", tags)


def run(measure, offsets, m: int, axis: str, size: int) -> None:
    rng = np.random.default_rng(0)
    E_s, E_t = rng.normal(size=(2, int(offsets[-1]), m)).astype(np.float32)
    A_s, A_t = rng.normal(0.0, 0.3, (2, m, m)).astype(np.float32)

    def call():
        value, cache = divergence_forward(E_s, A_s, E_t, A_t, offsets)
        dE, dA = np.zeros_like(E_t), np.zeros_like(A_t)
        divergence_backward(dE, dA, 1.0, cache)
        return value, dE

    value, dE = call()
    sentences = int(offsets[1])
    rows = [offsets[:-1] + rank for rank in range(sentences)]  # all of one length
    chains = [(E_s[r], A_s, E_t[r], A_t) for r in rows]
    wanted = np.mean([reference.divergence_forward(*each) for each in chains])
    np.testing.assert_allclose(value, wanted, rtol=1e-3)
    back, _ = reference.divergence_backward(1.0 / sentences, *chains[0])
    np.testing.assert_allclose(dE[rows[0]], back, rtol=1e-2, atol=1e-5)
    measure(call, curve="divergence", axis=axis, size=size, threads=1)
