"""The MMD by random features: equal to its twin, near the exact one, linear, and the seed's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from objectives import objective_of

from ladtl_np.arrays.workers import Workers
from ladtl_np.kernels.random_features import ROWS
from ladtl_np.layers.mmd import RowPair, mmd_backward
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.layers.random_features import (
    LEAST_SEEN,
    PART_ROWS,
    Sketch,
    feature_mmd_forward,
    mean_features,
    random_frequencies,
    seen_variances,
)
from ladtl_np.objective.batching import EncodedSentence, domain_batch
from ladtl_np.objective.mmd import mmd_step
from ladtl_np.reference import random_features as twin
from ladtl_np.reference.mmd import mmd_backward as exact_backward
from ladtl_np.reference.mmd import mmd_forward as exact_forward

VARIANCES = (4.0, 9.0, 100.0)
WIDTH = 6
ONE = Workers()


def frequencies(count: int = 7, width: int = WIDTH, seed: int = 0) -> np.ndarray:
    return random_frequencies(np.random.default_rng(seed), count, width)


def samples(S: int, R: int, shift: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(S, WIDTH)), shift + rng.normal(size=(R, WIDTH))


def fast(X, Z, given, W, workers: Workers = ONE) -> tuple[float, np.ndarray, np.ndarray]:
    hidden, rows = np.concatenate([X, Z]), np.arange(len(X) + len(Z))
    pair = RowPair(0, rows[: len(X)], rows[len(X) :])
    values, cache = feature_mmd_forward(hidden, [pair], [given], W, workers)
    dhidden = np.zeros_like(hidden)
    mmd_backward(dhidden, np.ones(1), cache, ONE)
    return values[0], dhidden[: len(X)], dhidden[len(X) :]


@pytest.mark.parametrize("sizes", [(1, 1), (3, ROWS), (ROWS + 1, 2), (PART_ROWS + 5, 40)])
def test_equals_the_twin(sizes):
    X, Z = samples(*sizes)
    W = frequencies()
    found = fast(X, Z, VARIANCES, W)
    assert found[0] == pytest.approx(twin.feature_mmd_forward(X, Z, VARIANCES, W), rel=1e-10)
    wanted = twin.feature_mmd_backward(1.0, X, Z, VARIANCES, W)
    for ours, theirs in zip(found[1:], wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-14)


def test_blind_gaussians_add_what_a_row_with_itself_does_and_nothing_else():
    X, Z = samples(30, 20)
    W = frequencies()
    seen = twin.seen_variances(X, Z, REFERENCE_VARIANCES, LEAST_SEEN)
    assert 5 < len(seen) < len(REFERENCE_VARIANCES)
    assert seen == seen_variances(np.concatenate([X, Z]), np.arange(50), REFERENCE_VARIANCES)
    blind = (len(REFERENCE_VARIANCES) - len(seen)) * (1 / 30 + 1 / 20)
    value, dX, _ = fast(X, Z, REFERENCE_VARIANCES, W)
    assert value == pytest.approx(blind + twin.feature_mmd_forward(X, Z, seen, W), rel=1e-10)
    np.testing.assert_allclose(dX, twin.feature_mmd_backward(1.0, X, Z, seen, W)[0], rtol=1e-9)


def test_more_frequencies_come_nearer_to_the_exact_value_and_gradient():
    X, Z = samples(40, 50)
    exact, gradient = exact_forward(X, Z, VARIANCES), exact_backward(1.0, X, Z, VARIANCES)[0]
    errors = []
    for count in (6, 60, 6000):
        found = [fast(X, Z, VARIANCES, frequencies(count, seed=seed)) for seed in range(3)]
        values = np.array([value for value, _, _ in found])
        slopes = np.array([np.linalg.norm(dX - gradient) for _, dX, _ in found])
        errors.append((np.sqrt(np.mean((values - exact) ** 2)), slopes.mean()))
    errors = np.array(errors) / (exact, np.linalg.norm(gradient))
    assert (np.diff(errors, axis=0) < 0).all()
    assert (errors[-1] < (0.01, 0.03)).all()


def test_frequencies_of_a_block_are_orthogonal_and_long_as_normal_ones():
    W = random_frequencies(np.random.default_rng(3), 50, 20)
    assert W.shape == (50, 20)
    for block in (W[:20], W[20:40], W[40:]):
        products = block @ block.T
        np.testing.assert_allclose(products, np.diag(np.diag(products)), atol=1e-12)
    assert (W**2).sum(axis=1).mean() == pytest.approx(20, rel=0.15)
    assert abs(W.mean()) < 0.1


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_give_the_same_bytes(threads):
    X, Z = (side.astype(np.float32) for side in samples(2 * PART_ROWS + 9, 300))
    one = fast(X, Z, VARIANCES, frequencies(20))
    more = fast(X, Z, VARIANCES, frequencies(20), Workers(threads))
    assert [np.asarray(each).tobytes() for each in one] == [
        np.asarray(each).tobytes() for each in more
    ]


def test_float32_stays_near_float64():
    X, Z = samples(200, 300)
    W = frequencies(20)
    exact = fast(X, Z, VARIANCES, W)
    single = fast(X.astype(np.float32), Z.astype(np.float32), VARIANCES, W)
    assert single[0] == pytest.approx(exact[0], rel=1e-4)
    assert single[1].dtype == np.float32
    np.testing.assert_allclose(single[1], exact[1], atol=1e-5 * abs(exact[1]).max())


def test_a_sketch_of_the_source_stands_for_its_rows():
    X, Z = samples(90, 30)
    W = frequencies()
    means = mean_features(X, np.arange(90), VARIANCES, W)
    np.testing.assert_allclose(means, twin.mean_features_forward(X, VARIANCES, W), rtol=1e-9)
    value, _, dZ = fast(X[:0], Z, Sketch(VARIANCES, means), W)
    whole, _, wanted = fast(X, Z, VARIANCES, W)
    assert value == pytest.approx(whole, rel=1e-10)
    np.testing.assert_allclose(dZ, wanted, rtol=1e-9, atol=1e-15)
    sketched = means, Z, VARIANCES, W
    assert value == pytest.approx(twin.sketched_mmd_forward(*sketched), rel=1e-10)
    np.testing.assert_allclose(dZ, twin.sketched_mmd_backward(1.0, *sketched), rtol=1e-9)


def test_an_empty_sample_has_no_distance_and_no_gradient():
    X, Z = samples(3, 2)
    for pair in ((X[:0], Z), (X, Z[:0])):
        assert twin.feature_mmd_forward(*pair, VARIANCES, frequencies()) == 0.0
        gradients = twin.feature_mmd_backward(1.0, *pair, VARIANCES, frequencies())
        assert not any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("floor", [0.0, 0.3])
def test_labels_of_few_rows_stay_exact_beside_those_of_many(floor):
    rng = np.random.default_rng(5)
    tags = np.array([0] * 9 + [1] * 3), np.array([0] * 8 + [1] * 2)
    sides = [[EncodedSentence(np.zeros(each.size, np.int64), each)] for each in tags]
    batch, W = domain_batch(sides), frequencies(5)
    hidden = rng.normal(size=(22, WIDTH))  # 17 rows of one label, 5 of the other
    same = np.arange(2), np.arange(2)
    settings = {"matched": same, "kernel": (20.0, 50.0), "w_mmd": 0.7, "mmd_floor": floor}
    objective = replace(objective_of(**settings), frequencies=W)
    dhidden = np.ones_like(hidden)
    value = mmd_step(dhidden, hidden, batch, objective, None, ONE)
    total, wanted = 0.0, np.ones_like(hidden)
    for label in (0, 1):
        rows = [half.rows[half.tags == label] for half in (batch.source, batch.target)]
        X, Z = (hidden[own] for own in rows)
        if label:
            found = exact_forward(X, Z, (20.0, 50.0)), exact_backward(0.7, X, Z, (20.0, 50.0))
        else:
            given = X, Z, (20.0, 50.0), W
            found = twin.feature_mmd_forward(*given), twin.feature_mmd_backward(0.7, *given)
        total += max(floor, found[0])
        if found[0] > floor:
            for own, gradient in zip(rows, found[1], strict=True):
                wanted[own] += gradient
    assert value == pytest.approx(total, rel=1e-10)
    np.testing.assert_allclose(dhidden, wanted, rtol=1e-10, atol=1e-14)
