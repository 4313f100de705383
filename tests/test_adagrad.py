"""Laws of the AdaGrad kernels and of the optimiser around them."""

from __future__ import annotations

import numpy as np
import pytest
from objectives import objective_of
from shapes_at_random import random_batch, random_network

from ladtl_np.arrays.workers import Workers
from ladtl_np.kernels.adagrad import adagrad_dense, adagrad_rows
from ladtl_np.model.network import EMBEDDING
from ladtl_np.objective import Gradients, loss_step
from ladtl_np.options.parts import AdaGradOptions
from ladtl_np.reference.adagrad import adagrad_rows_step, adagrad_step
from ladtl_np.training.optimizer import AdaGrad, global_norm

DTYPES = [np.float32, np.float64]
ROWS = ([0], [2, 5, 6], [], list(range(8)))


def case(dtype, V=8, D=5, seed=0):
    rng = np.random.default_rng(seed)
    theta, g = rng.normal(size=(2, V, D)).astype(dtype)
    return theta, rng.random(size=(V, D)).astype(dtype), g, dtype(0.03), dtype(1e-8)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 3, 64, 133])
def test_dense_update_equals_the_readable_twin_over_three_steps(size, dtype):
    theta, s, _, rate, epsilon = (x.ravel() if np.ndim(x) else x for x in case(dtype, V=1, D=size))
    expected = theta.copy(), s.copy()
    rng = np.random.default_rng(1)
    for _ in range(3):
        g = rng.normal(size=size).astype(dtype)
        adagrad_dense(theta, s, g, g, rate, epsilon)
        expected = adagrad_step(*expected, g, rate, epsilon)
    for ours, theirs in zip((theta, s), expected, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", ROWS)
def test_row_update_equals_dense_on_touched_rows_and_leaves_the_others_bit_identical(rows, dtype):
    theta, s, g, rate, epsilon = case(dtype)
    rows = np.array(rows, np.int64)
    untouched = np.setdiff1d(np.arange(8), rows)
    masked = g.copy()
    masked[untouched] = 0
    before, dense = (theta.copy(), s.copy()), (theta.copy(), s.copy())
    adagrad_dense(dense[0].ravel(), dense[1].ravel(), masked.ravel(), masked.ravel(), rate, epsilon)
    twin = adagrad_rows_step(theta, s, rows, g[rows], rate, epsilon)
    adagrad_rows(theta, s, rows, g[rows], g[rows], rate, epsilon)
    for k, ours in enumerate((theta, s)):
        assert ours[untouched].tobytes() == before[k][untouched].tobytes()
        np.testing.assert_array_equal(ours, dense[k])
        np.testing.assert_allclose(ours, twin[k], rtol=8 * np.finfo(dtype).eps)


def test_coordinate_without_gradient_stays_where_it_is():
    theta, s, g, rate, epsilon = case(np.float64)
    g[3] = 0
    s[3] = 0  # no gradient ever: 0 / (0 + epsilon)
    before = theta.copy()
    adagrad_dense(theta.ravel(), s.ravel(), g.ravel(), g.ravel(), rate, epsilon)
    np.testing.assert_array_equal(theta[3], before[3])
    assert (theta[2] != before[2]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_first_step_from_zero_has_the_size_of_the_learning_rate(dtype):
    g = np.array([1e-3, -5.0, 1e4], dtype)
    theta, s = np.zeros(3, dtype), np.zeros(3, dtype)
    adagrad_dense(theta, s, g, g, dtype(0.03), dtype(1e-10))
    np.testing.assert_allclose(theta, -0.03 * np.sign(g), rtol=1e-6)


# ---- the optimiser -------------------------------------------------------------------------------


def trained_once(options, dtype=np.float64, seed=2):
    rng = np.random.default_rng(seed)
    network = random_network(rng).astype(dtype)
    batch = random_batch(rng, network, (3, 1), (2, 4))
    objective = objective_of(matched=(np.array([0, 1]), np.array([2, 1])))
    _, gradients = loss_step(network, batch, objective, None, None, Workers())
    kept = Gradients(gradients.weights.astype(dtype), gradients.embedding)
    kept = kept._replace(
        embedding=kept.embedding._replace(values=gradients.embedding.values.copy())
    )
    before, optimiser = network.copy(), AdaGrad(network, options)
    optimiser.update(network, gradients, global_norm(gradients))
    return before, network, kept, optimiser


def test_update_moves_every_parameter_as_the_twin_does():
    options = AdaGradOptions(learning_rate=0.1, initial_accumulator=0.2, epsilon=1e-8)
    before, after, gradients, optimiser = trained_once(options)
    for name, array in before.weights.items():
        start = np.full_like(array, 0.2)
        expected, _ = adagrad_step(array, start, gradients.weights[name], 0.1, 1e-8)
        np.testing.assert_allclose(after.weights[name], expected, rtol=1e-14, err_msg=name)
    rows, values = gradients.embedding
    start = np.full_like(before.embedding, 0.2)
    expected, sums = adagrad_rows_step(before.embedding, start, rows, values, 0.1, 1e-8)
    np.testing.assert_allclose(after.named()[EMBEDDING], expected, rtol=1e-14)
    np.testing.assert_allclose(optimiser.row_sums, sums, rtol=1e-14)
    unread = np.setdiff1d(np.arange(len(before.embedding)), rows)
    assert after.embedding[unread].tobytes() == before.embedding[unread].tobytes()


def test_clipping_scales_all_gradients_together_to_the_norm_asked_for():
    plain = AdaGradOptions(clip_norm=0.0)
    _, _, gradients, _ = trained_once(plain)
    norm = global_norm(gradients)
    parts = gradients.weights.flat, gradients.embedding.values.ravel()
    assert norm == pytest.approx(np.linalg.norm(np.concatenate(parts)), rel=1e-13)
    options = AdaGradOptions(clip_norm=norm / 4, initial_accumulator=0.2, epsilon=1e-8)
    before, after, _, _ = trained_once(options)
    expected, _ = adagrad_step(
        before.weights.flat, np.full_like(parts[0], 0.2), parts[0] / 4, options.learning_rate, 1e-8
    )
    np.testing.assert_allclose(after.weights.flat, expected, rtol=1e-13)
    _, loose, _, _ = trained_once(AdaGradOptions(clip_norm=norm * 2))
    _, free, _, _ = trained_once(plain)
    np.testing.assert_array_equal(loose.weights.flat, free.weights.flat)


def test_learning_rate_falls_by_a_stair_after_every_decay_steps():
    network = random_network(np.random.default_rng(3))
    optimiser = AdaGrad(network, AdaGradOptions(learning_rate=0.03, decay=0.95, decay_steps=5000))
    for step, expected in ((0, 0.03), (4999, 0.03), (5000, 0.0285), (10_000, 0.03 * 0.95**2)):
        optimiser.step = step
        assert optimiser.learning_rate() == pytest.approx(expected, rel=1e-15)


def test_learning_rate_stays_where_no_steps_part_its_stairs():
    network = random_network(np.random.default_rng(3))
    optimiser = AdaGrad(network, AdaGradOptions(learning_rate=0.03, decay=0.5, decay_steps=0))
    for optimiser.step in (0, 1, 1000):
        assert optimiser.learning_rate() == 0.03


def test_float32_model_is_updated_in_float32():
    _, after, _, optimiser = trained_once(AdaGradOptions(), dtype=np.float32)
    for array in (after.embedding, after.weights.flat, optimiser.weight_sums, optimiser.row_sums):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()


def test_a_step_can_be_scaled_apart_from_the_sums():
    rng = np.random.default_rng(8)
    theta, s, g = rng.normal(size=(3, 4, 5))
    s, rows, d = s**2, np.array([0, 3]), 0.25 * g
    expected, sums = adagrad_step(theta, s, g, 0.1, 1e-8)
    for part in (slice(None), rows):
        moved, found = theta.copy(), s.copy()
        if part is rows:
            adagrad_rows(moved, found, rows, d[rows], g[rows], 0.1, 1e-8)
        else:
            adagrad_dense(moved.ravel(), found.ravel(), d.ravel(), g.ravel(), 0.1, 1e-8)
        np.testing.assert_allclose(moved[part] - theta[part], 0.25 * (expected - theta)[part])
        np.testing.assert_allclose(found[part], sums[part])
