"""Laws and hazards of the reference AdaGrad."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ladtl_np.reference.adagrad import adagrad_rows_step, adagrad_step


def test_equals_the_formula_over_three_steps():
    p, v, gradients = 1.0, 0.1, (0.5, -2.0, 0.25)
    parameter, accumulator = np.array([p]), np.array([v])
    for g in gradients:
        v += g * g
        p -= 0.03 * g / (math.sqrt(v) + 1e-8)
        parameter, accumulator = adagrad_step(parameter, accumulator, np.array([g]), 0.03, 1e-8)
    assert parameter[0] == pytest.approx(p, rel=1e-15)
    assert accumulator[0] == pytest.approx(v, rel=1e-15)


def test_first_step_has_the_size_of_the_learning_rate_whatever_the_gradient():
    gradient = np.array([1e-3, -5.0, 1e4])
    parameter, _ = adagrad_step(np.zeros(3), np.zeros(3), gradient, 0.03, 1e-12)
    np.testing.assert_allclose(parameter, -0.03 * np.sign(gradient), rtol=1e-8)


def test_coordinate_without_gradient_stays_where_it_is():
    parameter, accumulator = adagrad_step(np.ones(2), np.zeros(2), np.array([0.0, 1.0]), 0.1, 1e-8)
    assert (parameter[0], accumulator[0]) == (1, 0)


def test_inputs_are_untouched():
    p, v, g = np.ones(2), np.ones(2), np.ones(2)
    adagrad_step(p, v, g, 0.1, 1e-8)
    adagrad_rows_step(p[:, None], v[:, None], np.array([0]), g[:1, None], 0.1, 1e-8)
    assert (p == 1).all()
    assert (v == 1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [[3, 0], [2], [1, 4, 1, 1], []])
def test_sparse_rows_equal_the_dense_step(rows, dtype):
    rng = np.random.default_rng(0)
    p, v = rng.normal(size=(5, 3)).astype(dtype), rng.random(size=(5, 3)).astype(dtype)
    rows = np.array(rows, np.int64)
    row_gradients = rng.normal(size=(len(rows), 3)).astype(dtype)
    gradient = np.zeros_like(p)
    np.add.at(gradient, rows, row_gradients)
    dense = adagrad_step(p, v, gradient, 0.03, 1e-8)
    sparse = adagrad_rows_step(p, v, rows, row_gradients, 0.03, 1e-8)
    for ours, theirs in zip(sparse, dense, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_array_equal(ours, theirs)
