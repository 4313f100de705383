"""Laws of a whole training step: threads and batches that are used twice change no byte."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ladtl_np.arrays import team
from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.bench.ours import OPTIMIZER
from ladtl_np.bench.workloads import KERNELS, WEIBO, build_case
from ladtl_np.objective import loss_step
from ladtl_np.training.optimizer import AdaGrad, global_norm

SMALL = replace(WEIBO, embedding=12, hidden=9, sentences=8, vocabulary=60)


def trained(case, threads, steps=3, variances=KERNELS["19 kernels"]):
    """Weights and losses after some steps on one batch."""
    network, workers = case.network.copy(), Workers(threads)
    optimizer, losses = AdaGrad(network, OPTIMIZER), []
    objective = case.objective(variances)
    with single_threaded_blas():
        for _ in range(steps):
            workers.memory.reuse()
            terms, gradients = loss_step(network, case.batch, objective, case.mask, None, workers)
            optimizer.update(network, gradients, global_norm(gradients))
            losses.append(terms)
    return network.weights.flat.tobytes(), network.embedding.tobytes(), losses


@pytest.mark.parametrize(("threads", "processors"), [(2, 2), (3, 8), (8, 2), (8, 8)])
def test_bytes_do_not_depend_on_the_number_of_threads(threads, processors, monkeypatch):
    """Whether there are as many processors or not, and whether that is known or not."""
    monkeypatch.setattr(team, "allowed", lambda: processors)
    case = build_case(SMALL)
    assert trained(case, threads) == trained(case, 1)


def test_a_batch_that_is_used_for_two_objectives_keeps_their_labels_apart():
    case = build_case(SMALL)
    one = case.objective((10.0,))
    other = one.tied(matched=(one.matched[0][1:4], one.matched[1][[3, 1, 2]]))
    fresh = build_case(SMALL)
    for objective in (one, other, one):
        values = [
            loss_step(c.network, c.batch, objective, None, None, Workers())[0]
            for c in (case, fresh if objective is one else build_case(SMALL))
        ]
        assert values[0] == values[1]


def test_gradients_of_rows_outside_both_halves_heads_are_none():
    """A half without a head sends nothing back, whatever the memory held before."""
    case = build_case(SMALL)
    objective = case.objective((10.0,)).changed(w_mmd=0.0, w_param=0.0, w_reg=0.0)
    workers = Workers()
    found = []
    for junk in (0.0, 1e9):
        workers.memory.reuse()
        workers.memory.empty(10**6, np.float32).fill(junk)
        workers.memory.reuse()
        source, target = case.batch.halves
        batch = replace(case.batch, halves=(replace(source, sentences=0), target))
        _, gradients = loss_step(case.network, batch, objective, None, None, workers)
        found.append(gradients.weights.flat.tobytes())
    assert found[0] == found[1]
