"""Laws of L_p, which holds the two CRFs together, and of the regulariser."""

from __future__ import annotations

import numpy as np
import pytest
from shapes_at_random import architecture_of, random_weights

from ladtl_np.layers.parameter_transfer import (
    parameter_transfer_backward,
    parameter_transfer_forward,
    regulariser_backward,
    regulariser_forward,
)
from ladtl_np.reference import parameter_transfer as reference

MATCHED = np.array([0, 3, 2]), np.array([4, 1, 0])
UNMATCHED = {"source": [1], "target": [2, 3]}


def case(bias=True, dtype=np.float64, seed=0):
    sizes = architecture_of(
        vocabulary=2, embedding=3, hidden=2, source_tags=4, target_tags=5, emission_bias=bias
    )
    weights = random_weights(np.random.default_rng(seed), sizes).astype(dtype)
    return weights, weights.zeros_like()


def head(weights, domain):
    return reference.CrfWeights(*(weights.get(f"{domain}_crf.{part}") for part in "WAb"))


@pytest.mark.parametrize("bias", [True, False])
def test_equals_the_readable_twin(bias):
    weights, gradients = case(bias)
    heads = head(weights, "source"), head(weights, "target")
    assert parameter_transfer_forward(weights, MATCHED) == pytest.approx(
        reference.parameter_transfer_forward(*heads, MATCHED), rel=1e-12
    )
    parameter_transfer_backward(gradients, 0.7, weights, MATCHED)
    expected = reference.parameter_transfer_backward(0.7, *heads, MATCHED)
    for domain, theirs in zip(("source", "target"), expected, strict=True):
        for part, gradient in theirs._asdict().items():
            if gradient is not None:
                ours = gradients[f"{domain}_crf.{part}"]
                np.testing.assert_allclose(ours, gradient, rtol=1e-12, atol=1e-15)


def test_unmatched_tags_and_the_encoder_receive_exactly_nothing():
    weights, gradients = case()
    gradients.flat[:] = before = np.random.default_rng(1).normal(size=gradients.flat.size)
    copy = weights.zeros_like()
    copy.flat[:] = before
    parameter_transfer_backward(gradients, 1.0, weights, MATCHED)
    for name, gradient in gradients.items():
        domain, _, part = name.partition("_crf.")
        if domain not in UNMATCHED:
            assert gradient.tobytes() == copy[name].tobytes()
            continue
        tags = UNMATCHED[domain]
        assert (gradient != copy[name]).any()
        np.testing.assert_array_equal(gradient[..., tags], copy[name][..., tags])
        if part == "A":
            np.testing.assert_array_equal(gradient[tags], copy[name][tags])


def test_equal_heads_have_no_distance_and_no_gradient():
    weights, gradients = case()
    s, t = MATCHED
    weights["target_crf.W"][:, t] = weights["source_crf.W"][:, s]
    weights["target_crf.A"][np.ix_(t, t)] = weights["source_crf.A"][np.ix_(s, s)]
    weights["target_crf.b"][t] = weights["source_crf.b"][s]
    assert parameter_transfer_forward(weights, MATCHED) == 0
    parameter_transfer_backward(gradients, 1.0, weights, MATCHED)
    assert not gradients.flat.any()
    weights["target_crf.b"][4] += 0.5
    assert parameter_transfer_forward(weights, MATCHED) == pytest.approx(0.25)


def test_pulls_on_the_two_heads_are_opposite():
    weights, gradients = case()
    parameter_transfer_backward(gradients, 1.0, weights, MATCHED)
    s, t = MATCHED
    np.testing.assert_array_equal(gradients["source_crf.W"][:, s], -gradients["target_crf.W"][:, t])
    np.testing.assert_array_equal(
        gradients["source_crf.A"][np.ix_(s, s)], -gradients["target_crf.A"][np.ix_(t, t)]
    )


def test_order_of_the_matches_changes_nothing():
    weights, gradients = case()
    parameter_transfer_backward(gradients, 1.0, weights, MATCHED)
    order = np.array([2, 0, 1])
    moved = MATCHED[0][order], MATCHED[1][order]
    assert parameter_transfer_forward(weights, moved) == pytest.approx(
        parameter_transfer_forward(weights, MATCHED), rel=1e-14
    )
    again = weights.zeros_like()
    parameter_transfer_backward(again, 1.0, weights, moved)
    np.testing.assert_array_equal(again.flat, gradients.flat)


def test_nothing_matched_costs_nothing():
    weights, gradients = case()
    none = np.empty(0, np.int64), np.empty(0, np.int64)
    assert parameter_transfer_forward(weights, none) == 0
    parameter_transfer_backward(gradients, 1.0, weights, none)
    assert not gradients.flat.any()


def test_gradients_are_added():
    weights, once = case()
    parameter_transfer_backward(once, 0.5, weights, MATCHED)
    twice = weights.zeros_like()
    for _ in range(2):
        parameter_transfer_backward(twice, 0.5, weights, MATCHED)
    np.testing.assert_array_equal(twice.flat, 2 * once.flat)
    regulariser_backward(twice, 0.25, weights)
    np.testing.assert_allclose(twice.flat, 2 * once.flat + 0.5 * weights.flat, rtol=1e-14)


def test_regulariser_is_the_sum_over_every_weight_of_the_twin():
    weights, gradients = case()
    expected = sum(reference.regulariser_forward(array) for array in weights.values())
    assert regulariser_forward(weights) == pytest.approx(expected, rel=1e-13)
    regulariser_backward(gradients, 0.3, weights)
    for name, array in weights.items():
        np.testing.assert_allclose(
            gradients[name], reference.regulariser_backward(0.3, array), rtol=1e-14
        )


def test_float32_is_summed_in_float64_and_gradients_stay_float32():
    weights, gradients = case(dtype=np.float32)
    wide = weights.astype(np.float64)
    assert regulariser_forward(weights) == pytest.approx(regulariser_forward(wide), rel=1e-6)
    assert parameter_transfer_forward(weights, MATCHED) == pytest.approx(
        parameter_transfer_forward(wide, MATCHED), rel=1e-6
    )
    parameter_transfer_backward(gradients, 1.0, weights, MATCHED)
    regulariser_backward(gradients, 1.0, weights)
    exact = wide.zeros_like()
    parameter_transfer_backward(exact, 1.0, wide, MATCHED)
    regulariser_backward(exact, 1.0, wide)
    assert gradients.flat.dtype == np.float32
    np.testing.assert_allclose(gradients.flat, exact.flat, rtol=1e-5, atol=1e-6)
