"""BiLSTM forward and backward, by length of the sentences."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.arrays.workers import Workers
from ladtl_np.bench import operations
from ladtl_np.bench.workloads import START
from ladtl_np.layers.bilstm import bilstm_backward, bilstm_forward
from ladtl_np.model.network import Architecture, initialise
from ladtl_np.reference.lstm import LstmWeights
from ladtl_np.reference.lstm import bilstm_backward as reference_backward
from ladtl_np.reference.lstm import bilstm_forward as reference_forward

D = H = 100
SENTENCES = 4
WEIGHTS = initialise(
    Architecture.plain(vocabulary=2, embedding=D, hidden=H, source_tags=2, target_tags=2),
    np.random.default_rng(0),
    START,
).weights


@pytest.mark.parametrize("length", [10, 100, 1000, 10_000])
def test_lstm_by_length(measure, equal_lengths, length: int, threads: int) -> None:
    offsets, workers = equal_lengths(length, SENTENCES).offsets, Workers(threads)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(int(offsets[-1]), D)).astype(np.float32)
    upstream = rng.normal(size=(len(X), 2 * H)).astype(np.float32)

    def call() -> tuple[np.ndarray, np.ndarray]:
        gradients = WEIGHTS.zeros_like()
        hidden, cache = bilstm_forward(X, WEIGHTS, offsets, workers)
        return hidden, bilstm_backward(gradients, upstream, cache, WEIGHTS, workers)

    check_first_sentence(X, upstream, *call())
    count = operations.bilstm(len(X), D, H)
    measure(call, curve="lstm", axis="length", size=length, threads=threads, operations=count)


def check_first_sentence(X, upstream, hidden, dX) -> None:
    def direction(name: str) -> LstmWeights:
        return LstmWeights(*(WEIGHTS[f"{name}.{kind}"].astype(np.float64) for kind in "WUb"))

    both = direction("forward"), direction("backward")
    expected, cache = reference_forward(X[::SENTENCES].astype(np.float64), *both)
    np.testing.assert_allclose(hidden[::SENTENCES], expected, atol=1e-4)
    wanted, _, _ = reference_backward(
        upstream[::SENTENCES].astype(np.float64), cache, X[::SENTENCES].astype(np.float64), *both
    )
    np.testing.assert_allclose(dX[::SENTENCES], wanted, atol=1e-3 * np.abs(wanted).max())
