"""Laws and hazards of the reference MMD, and of its variances."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ladtl_np.layers import mmd_variances
from ladtl_np.layers.mmd_variances import MEDIAN_FACTORS, REFERENCE_VARIANCES, median_variances
from ladtl_np.reference.mmd import (
    label_aware_mmd_backward,
    label_aware_mmd_forward,
    mmd_backward,
    mmd_forward,
)

VARIANCES = (0.5, 2.0)


def samples(S: int, R: int, K: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(S, K)), 0.5 + rng.normal(size=(R, K))


@pytest.mark.parametrize("variances", [VARIANCES, REFERENCE_VARIANCES])
@pytest.mark.parametrize(("S", "R"), [(1, 1), (1, 4), (5, 3)])
def test_equals_the_loop_over_pairs(S, R, variances):
    X, Z = samples(S, R)
    Z[0] = X[0] + 1e-4
    expected = oracles.looped_mmd(X, Z, variances)
    assert mmd_forward(X, Z, variances) == pytest.approx(expected, abs=1e-13)


@settings(max_examples=40, deadline=None)
@given(S=st.integers(1, 6), R=st.integers(1, 6), seed=st.integers(0, 999))
def test_never_negative_symmetric_and_independent_of_order(S, R, seed):
    X, Z = samples(S, R, seed=seed)
    value = mmd_forward(X, Z, REFERENCE_VARIANCES)
    assert value >= -1e-12
    assert mmd_forward(Z, X, REFERENCE_VARIANCES) == pytest.approx(value, abs=1e-12)
    shuffled = np.random.default_rng(seed).permutation(X)
    assert mmd_forward(shuffled, Z, REFERENCE_VARIANCES) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("S", [1, 4])
def test_equal_samples_have_none_and_no_gradient(S):
    X, _ = samples(S, 1)
    assert mmd_forward(X, X.copy(), REFERENCE_VARIANCES) == 0
    assert mmd_forward(X, X[::-1], REFERENCE_VARIANCES) == pytest.approx(0, abs=1e-12)
    assert mmd_forward(X, np.tile(X, (2, 1)), VARIANCES) == pytest.approx(0, abs=1e-12)
    for gradient in mmd_backward(1.0, X, X.copy(), VARIANCES):
        np.testing.assert_allclose(gradient, 0, atol=1e-15)


def test_moving_both_samples_together_changes_nothing():
    X, Z = samples(4, 3)
    assert mmd_forward(X + 5, Z + 5, VARIANCES) == pytest.approx(mmd_forward(X, Z, VARIANCES))
    dX, dZ = mmd_backward(1.0, X, Z, VARIANCES)
    np.testing.assert_allclose(dX.sum(axis=0) + dZ.sum(axis=0), 0, atol=1e-15)


def test_gradient_step_brings_the_samples_together():
    X, Z = samples(4, 3)
    dX, dZ = mmd_backward(1.0, X, Z, VARIANCES)
    assert mmd_forward(X - 0.1 * dX, Z - 0.1 * dZ, VARIANCES) < mmd_forward(X, Z, VARIANCES)


def test_distances_beyond_every_gaussian_stay_finite():
    X, Z = samples(2, 2)
    assert mmd_forward(1e4 * X, 1e4 * Z, (1e-6,)) == pytest.approx(1.0)
    for gradient in mmd_backward(1.0, 1e4 * X, 1e4 * Z, (1e-6,)):
        assert not gradient.any()


def labelled() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    H_s, H_t = samples(5, 4)
    return H_s, np.array([0, 1, 0, 3, 1]), H_t, np.array([7, 5, 7, 6])


def test_label_aware_sums_the_weighted_values_of_the_labels():
    H_s, tags_s, H_t, tags_t = labelled()
    pairs = np.array([0, 1]), np.array([7, 5])
    total, per_label = label_aware_mmd_forward(
        H_s, tags_s, H_t, tags_t, pairs, VARIANCES, (0.5, 2.0)
    )
    expected = [
        oracles.looped_mmd(H_s[[0, 2]], H_t[[0, 2]], VARIANCES),
        oracles.looped_mmd(H_s[[1, 4]], H_t[[1]], VARIANCES),
    ]
    np.testing.assert_allclose(per_label, expected, rtol=1e-13)
    assert total == pytest.approx(0.5 * expected[0] + 2 * expected[1])


def test_absent_label_contributes_exactly_nothing():
    H_s, tags_s, H_t, tags_t = labelled()
    # Source tag 3 is present, its target tag 8 is not; target tag 6 is, its source tag 2 is not;
    # the last pair is absent from both halves.
    present = np.array([0]), np.array([7])
    more = np.array([0, 3, 2, 9]), np.array([7, 8, 6, 9])
    inputs = (H_s, tags_s, H_t, tags_t)
    total, _ = label_aware_mmd_forward(*inputs, present, VARIANCES, [1.0])
    total_more, per_label = label_aware_mmd_forward(*inputs, more, VARIANCES, np.ones(4))
    assert total_more == total
    assert per_label[1:].tolist() == [0, 0, 0]
    gradients = label_aware_mmd_backward(1.0, *inputs, present, VARIANCES, [1.0])
    gradients_more = label_aware_mmd_backward(1.0, *inputs, more, VARIANCES, np.ones(4))
    for expected, found in zip(gradients, gradients_more, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert not gradients[0][[1, 3, 4]].any()
    assert not gradients[1][[1, 3]].any()


def test_label_of_weight_zero_is_left_out():
    H_s, tags_s, H_t, tags_t = labelled()
    pairs = np.array([0, 1]), np.array([7, 5])
    inputs = (H_s, tags_s, H_t, tags_t, pairs, VARIANCES, (1.0, 0.0))
    total, per_label = label_aware_mmd_forward(*inputs)
    assert total == per_label[0]
    assert not label_aware_mmd_backward(1.0, *inputs)[0][[1, 4]].any()


def test_dtype_of_the_input_is_kept():
    X, Z = (array.astype(np.float32) for array in samples(4, 3))
    for gradient in mmd_backward(0.5, X, Z, REFERENCE_VARIANCES):
        assert gradient.dtype == np.float32


def test_reference_variances_are_those_of_the_released_code():
    assert len(REFERENCE_VARIANCES) == 19
    assert list(REFERENCE_VARIANCES) == sorted(REFERENCE_VARIANCES)
    assert (REFERENCE_VARIANCES[0], REFERENCE_VARIANCES[-1]) == (1e-6, 1e6)


def test_median_variance_gives_the_median_pair_one_standard_deviation():
    X, Z = samples(3, 4)
    pooled = np.concatenate([X, Z])
    squared = [((pooled[i] - pooled[j]) ** 2).sum() for i in range(7) for j in range(i)]
    expected = np.median(squared) * np.array(MEDIAN_FACTORS)
    np.testing.assert_allclose(median_variances(X, Z), expected, rtol=1e-14)
    assert median_variances(Z, X, (1.0,)) == pytest.approx((np.median(squared),))


def test_median_without_a_visible_scale_falls_back_to_the_factors():
    one, none = np.ones((1, 3)), np.empty((0, 3))
    assert median_variances(one, none) == MEDIAN_FACTORS
    assert median_variances(none, none) == MEDIAN_FACTORS
    assert median_variances(np.ones((4, 3)), one) == MEDIAN_FACTORS


def test_median_looks_at_a_bounded_number_of_evenly_spaced_rows(monkeypatch):
    monkeypatch.setattr(mmd_variances, "MEDIAN_ROWS", 3)
    X, Z = samples(10, 2)
    assert median_variances(X, Z) == median_variances(X[[0, 3, 6]], Z)
