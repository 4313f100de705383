"""AdaGrad by number of dense weights, and by touched rows of the embedding table."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.arrays.parameters import RowGradient
from ladtl_np.bench import operations
from ladtl_np.bench.workloads import START
from ladtl_np.model.network import Architecture, Network, initialise
from ladtl_np.objective import Gradients
from ladtl_np.options.parts import AdaGradOptions
from ladtl_np.reference.adagrad import adagrad_rows_step, adagrad_step
from ladtl_np.training.optimizer import AdaGrad

OPTIONS = AdaGradOptions(clip_norm=0.0)
VOCABULARY, D = 20_000, 100


@pytest.mark.parametrize("hidden", [10, 50, 200, 500])
def test_adagrad_by_weights(measure, hidden: int) -> None:
    network = build(vocabulary=2, hidden=hidden)
    size = network.weights.flat.size
    run(measure, network, gradients_of(network, 1), "weights", size, size)


@pytest.mark.parametrize("rows", [100, 1000, 10_000])
def test_adagrad_by_touched_rows(measure, rows: int) -> None:
    network = build(vocabulary=VOCABULARY, hidden=1)
    run(measure, network, gradients_of(network, rows), "touched rows", rows, rows * D)


def build(*, vocabulary: int, hidden: int) -> Network:
    sizes = Architecture.plain(
        vocabulary=vocabulary, embedding=D, hidden=hidden, source_tags=7, target_tags=7
    )
    return initialise(sizes, np.random.default_rng(0), START)


def gradients_of(network: Network, rows: int) -> Gradients:
    rng = np.random.default_rng(1)
    dense = network.weights.zeros_like()
    dense.flat[:] = rng.normal(size=dense.flat.size)
    touched = np.sort(rng.choice(len(network.embedding), rows, replace=False))
    values = rng.normal(size=(rows, D)).astype(np.float32)
    return Gradients(dense, RowGradient(touched, values))


def run(measure, network, gradients, axis: str, size: int, parameters: int) -> None:
    flat, table = network.weights.flat.copy(), network.embedding.copy()
    optimizer = AdaGrad(network, OPTIONS)
    optimizer.update(network, gradients, 0.0)
    start, rate, epsilon = OPTIONS.initial_accumulator, OPTIONS.learning_rate, OPTIONS.epsilon
    wanted, _ = adagrad_step(flat, np.full_like(flat, start), gradients.weights.flat, rate, epsilon)
    np.testing.assert_allclose(network.weights.flat, wanted, rtol=1e-4, atol=1e-6)
    sums = np.full_like(table, start)
    wanted, _ = adagrad_rows_step(table, sums, *gradients.embedding, rate, epsilon)
    np.testing.assert_allclose(network.embedding, wanted, rtol=1e-4, atol=1e-6)
    count = operations.adagrad(parameters)
    call = lambda: optimizer.update(network, gradients, 0.0)  # noqa: E731
    measure(call, curve="adagrad", axis=axis, size=size, threads=1, operations=count)
