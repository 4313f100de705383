"""A floor under each label's MMD: what counts as the floor, and what sends nothing back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from gradient_check import check_gradient
from gradient_checks_objective import check_objective
from objectives import objective_of
from shapes_at_random import random_network

from ladtl_np.arrays.workers import Workers
from ladtl_np.objective import loss_and_gradients
from ladtl_np.objective.batching import Batch, EncodedSentence, domain_batch
from ladtl_np.objective.mmd import mmd_step
from ladtl_np.reference.mmd import mmd_backward, mmd_forward

VARIANCES = (0.5, 4.0)
W_MMD = 0.7
# labels 0 to 3 stand in both halves; 4 is absent from the source, 5 from the target, 6 from both
MATCHED = np.array([3, 0, 5, 1, 2, 4, 6]), np.array([0, 4, 1, 6, 5, 2, 3])
PRESENT, ABSENT = (0, 1, 2, 3), (4, 5, 6)
SOURCE_TAGS = (3, 0, 5, 1, 4, 0), (3, 1, 5), (0, 3, 4, 5)
TARGET_TAGS = (0, 4, 1, 6, 5), (6, 4), (1, 0, 5, 4), (0,)
MU = {
    "all 1": np.ones(7),
    "a present one left out": np.array([1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
    "absent ones left out": np.array([1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0]),
    "of any size": np.array([0.3, 2.0, 1.5, 0.0, 0.4, 0.0, 0.9]),
}
"""The paper's mu; ``exclude_tags`` makes it 0."""


def case() -> tuple[np.ndarray, Batch]:
    rng = np.random.default_rng(0)
    halves = [
        [EncodedSentence(rng.integers(0, 9, len(tags)), np.array(tags)) for tags in half]
        for half in (SOURCE_TAGS, TARGET_TAGS)
    ]
    batch = domain_batch(halves)
    hidden = rng.normal(size=(batch.words.size, 4))
    hidden[batch.target.rows] += np.array([0.5, 0.0, -0.5, 1.0])
    return hidden, batch


def rows_of(batch: Batch, label: int) -> tuple[np.ndarray, np.ndarray]:
    source, target = batch.source, batch.target
    return (
        source.rows[source.tags == MATCHED[0][label]],
        target.rows[target.tags == MATCHED[1][label]],
    )


def value_of(hidden: np.ndarray, batch: Batch, label: int) -> float:
    source, target = rows_of(batch, label)
    return mmd_forward(hidden[source], hidden[target], VARIANCES)


def floors() -> list[float]:
    """Below every present label, between each two of them, and above all."""
    hidden, batch = case()
    values = sorted(value_of(hidden, batch, label) for label in PRESENT)
    assert min(np.diff(values)) > 1e-2
    return [values[0] / 2, *(float(np.mean(pair)) for pair in pairwise(values)), 2 * values[-1]]


def step(hidden: np.ndarray, batch: Batch, floor: float, **objective) -> tuple[float, np.ndarray]:
    """L_LaMMD and what is added to dhidden, which holds something before."""
    dhidden = np.full_like(hidden, 0.25)
    settings = {"matched": MATCHED, "kernel": VARIANCES, "w_mmd": W_MMD, "mmd_floor": floor}
    value = mmd_step(dhidden, hidden, batch, objective_of(**settings | objective), None, Workers())
    return value, dhidden - 0.25


@pytest.mark.parametrize("mu", MU)
@pytest.mark.parametrize("rank", range(5))
def test_each_label_counts_at_least_the_floor_and_only_those_above_send_back(rank, mu):
    hidden, batch = case()
    floor, weights = floors()[rank], MU[mu]
    expected, gradient, above = 0.0, np.zeros_like(hidden), 0
    for label in (*PRESENT, *ABSENT):
        source, target = rows_of(batch, label)
        assert (source.size > 0 and target.size > 0) == (label in PRESENT)
        value = value_of(hidden, batch, label)
        expected += weights[label] * max(floor, value)
        if value > floor:
            above += 1
            dX, dZ = mmd_backward(W_MMD * weights[label], hidden[source], hidden[target], VARIANCES)
            gradient[source] += dX
            gradient[target] += dZ
    assert above == 4 - rank
    value, dhidden = step(hidden, batch, floor, label_weights=weights)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(dhidden, gradient, rtol=1e-10, atol=1e-13)
    for label in (*PRESENT, *ABSENT):
        for rows in rows_of(batch, label):
            assert bool(dhidden[rows].any()) == bool(gradient[rows].any())  # exactly nothing


def test_a_label_exactly_at_the_floor_counts_as_the_floor_and_sends_back_nothing():
    hidden, batch = case()
    for label in PRESENT:
        only = np.eye(7)[label]
        value, dhidden = step(hidden, batch, 0.0, label_weights=only)
        assert dhidden.any()
        at, nothing = step(hidden, batch, value, label_weights=only)
        assert at == value
        assert not nothing.any()


def test_no_floor_leaves_absent_labels_at_zero():
    hidden, batch = case()
    value, dhidden = step(hidden, batch, 0.0)
    low, same = step(hidden, batch, 1e-12)
    assert value == pytest.approx(sum(value_of(hidden, batch, label) for label in PRESENT))
    assert low - value == pytest.approx(3e-12, rel=1e-2)
    np.testing.assert_array_equal(dhidden, same)


@pytest.mark.parametrize("mu", [None, MU["of any size"]], ids=["no mu", "mu"])
def test_one_mmd_of_all_tokens_has_one_floor_whatever_the_labels_weigh(mu):
    hidden, batch = case()
    samples = hidden[batch.source.rows], hidden[batch.target.rows]
    plain = mmd_forward(*samples, VARIANCES)
    dX, dZ = mmd_backward(W_MMD, *samples, VARIANCES)
    for floor in (0.0, plain / 2, plain * 2):
        value, dhidden = step(hidden, batch, floor, label_aware=False, label_weights=mu)
        assert value == pytest.approx(max(plain, floor), rel=1e-12)
        if floor > plain:
            assert not dhidden.any()
            continue
        np.testing.assert_allclose(dhidden[batch.source.rows], dX, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(dhidden[batch.target.rows], dZ, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("label_aware", [True, False])
@pytest.mark.parametrize("halves", [(SOURCE_TAGS, ()), ((), TARGET_TAGS)], ids=["source", "target"])
def test_a_batch_of_one_domain_counts_every_floor_and_sends_back_nothing(halves, label_aware):
    sentences = [
        [EncodedSentence(np.zeros(len(tags), np.int64), np.array(tags)) for tags in half]
        for half in halves
    ]
    batch = domain_batch(sentences)
    hidden = np.random.default_rng(1).normal(size=(batch.words.size, 4))
    mu = MU["of any size"]
    value, dhidden = step(hidden, batch, 0.3, label_aware=label_aware, label_weights=mu)
    assert value == pytest.approx(0.3 * (mu.sum() if label_aware else 1.0))
    assert not dhidden.any()


@pytest.mark.parametrize("mu", ["all 1", "of any size"])
@pytest.mark.parametrize("rank", range(4))  # above all of them nothing is left to check
def test_the_gradient_is_that_of_the_value_by_finite_differences(rank, mu):
    hidden, batch = case()
    floor, weights = floors()[rank], MU[mu]
    _, dhidden = step(hidden, batch, floor, label_weights=weights)
    check_gradient(
        lambda moved: W_MMD * step(moved, batch, floor, label_weights=weights)[0],
        [dhidden],
        [hidden.copy()],
        names=["hidden"],
    )


@pytest.mark.parametrize("rank", [1, 2])
def test_the_whole_loss_has_the_gradient_of_its_floors(rank):
    rng = np.random.default_rng(3)
    _, batch = case()
    network = random_network(rng, words=9, source_tags=7, target_tags=7)
    settings = {"matched": MATCHED, "kernel": VARIANCES, "w_mmd": 2.0}
    values = []
    for label in PRESENT:
        alone = objective_of(**settings, label_weights=np.eye(7)[label])
        values.append(loss_and_gradients(network, batch, alone)[0].mmd)
    floor = float(np.mean(sorted(values)[rank : rank + 2]))
    for mu in (None, MU["a present one left out"]):
        objective = objective_of(**settings, mmd_floor=floor, label_weights=mu)
        terms, _ = loss_and_gradients(network, batch, objective)
        all_values, weights = np.array([*values, 0, 0, 0]), MU["all 1"] if mu is None else mu
        assert terms.mmd == pytest.approx(float(weights @ np.maximum(all_values, floor)), rel=1e-12)
        check_objective(rng, network, batch, objective)
