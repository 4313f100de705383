"""Laws and hazards of the reference LSTM."""

from __future__ import annotations

import numpy as np
import pytest
from gradient_checks_reference import random_lstm

from ladtl_np.reference.embedding import embedding_backward, embedding_forward
from ladtl_np.reference.lstm import (
    LstmWeights,
    bilstm_backward,
    bilstm_forward,
    lstm_backward,
    lstm_forward,
    sigmoid,
)

D, H = 3, 2


def case(T: int) -> tuple[np.ndarray, LstmWeights, LstmWeights, np.ndarray]:
    rng = np.random.default_rng(T)
    return rng.normal(size=(T, D)), random_lstm(rng), random_lstm(rng), rng.normal(size=(T, 2 * H))


def test_equals_the_scalar_formulas_of_one_unit():
    x, w, u, b = [0.5, -1.0], [0.1, 0.2, 0.3, 0.4], [-0.5, 0.6, 0.7, -0.8], [0.0, 1.0, 0.2, -0.1]
    h = c = 0.0
    expected = []
    for x_t in x:
        i, f, o, g = (w_k * x_t + u_k * h + b_k for w_k, u_k, b_k in zip(w, u, b, strict=True))
        i, f, o = (1 / (1 + np.exp(-z)) for z in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        expected.append(h)
    cache = lstm_forward(np.array(x)[:, None], np.array([w]), np.array([u]), np.array(b))
    np.testing.assert_allclose(cache.hidden[:, 0], expected, rtol=1e-14)


@pytest.mark.parametrize("T", [1, 2, 4])
def test_reversing_the_sentence_swaps_the_directions(T):
    X, forward, backward, dhidden = case(T)
    swap = np.r_[H : 2 * H, 0:H]
    hidden, caches = bilstm_forward(X, forward, backward)
    swapped, swapped_caches = bilstm_forward(X[::-1], backward, forward)
    np.testing.assert_array_equal(swapped[::-1, swap], hidden)
    dX, dforward, dbackward = bilstm_backward(dhidden, caches, X, forward, backward)
    dX_swapped, dbackward_swapped, dforward_swapped = bilstm_backward(
        dhidden[::-1, swap], swapped_caches, X[::-1], backward, forward
    )
    np.testing.assert_array_equal(dX_swapped[::-1], dX)
    for ours, theirs in zip(
        (*dforward, *dbackward), (*dforward_swapped, *dbackward_swapped), strict=True
    ):
        np.testing.assert_array_equal(theirs, ours)


def test_forward_direction_never_sees_later_tokens():
    X, forward, backward, _ = case(4)
    changed = X.copy()
    changed[3] += 1
    before, after = (bilstm_forward(rows, forward, backward)[0] for rows in (X, changed))
    np.testing.assert_array_equal(after[:3, :H], before[:3, :H])
    assert (after[:3, H:] != before[:3, H:]).all()


def test_recurrent_gradient_of_a_single_token_is_exactly_zero():
    X, (W, U, b), _, dhidden = case(1)
    cache = lstm_forward(X, W, U, b)
    _, _, dU, _ = lstm_backward(dhidden[:, :H], cache, X, W, U)
    assert not dU.any()


@pytest.mark.parametrize("size", [1e2, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saturated_gates_stay_finite_and_bounded(size, dtype):
    X, (W, U, b), _, dhidden = case(4)
    X, W, U, b, dhidden = (array.astype(dtype) for array in (X * size, W, U, b, dhidden))
    cache = lstm_forward(X, W, U, b)
    assert (abs(cache.hidden) <= 1).all()
    for gradient in lstm_backward(dhidden[:, :H], cache, X, W, U):
        assert np.isfinite(gradient).all()
        assert gradient.dtype == dtype


def test_sigmoid_equals_its_formula():
    z = np.linspace(-30, 30, 61)
    np.testing.assert_allclose(sigmoid(z), 1 / (1 + np.exp(-z)), atol=1e-16)


def test_repeated_word_receives_the_gradients_of_all_its_tokens():
    table, rows = np.arange(8.0).reshape(4, 2), np.array([2, 0, 2])
    np.testing.assert_array_equal(embedding_forward(rows, table), table[[2, 0, 2]])
    dtable = embedding_backward(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), rows, table)
    np.testing.assert_array_equal(dtable, [[3, 4], [0, 0], [6, 8], [0, 0]])
