"""Laws and hazards of the MMD in blocks, and its equality with the readable twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.kernels.mmd import FEW_ROWS
from ladtl_np.kernels.mmd_blocks import BLOCK
from ladtl_np.layers.mmd import RowPair, label_rows, mmd_backward, mmd_forward
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.reference import mmd as reference

ONE_WORKER = Workers()
VARIANCES = (0.3, 1.0, 4.0)


def samples(S, R, width=5, seed=0, shift=0.5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(S, width)), shift + rng.normal(size=(R, width))


def fast(X, Z, variances=VARIANCES):
    """MMD^2 of two samples and its gradients by both."""
    hidden = np.concatenate([X, Z])
    rows = np.arange(len(hidden))
    pair = RowPair(0, rows[: len(X)], rows[len(X) :])
    values, cache = mmd_forward(hidden, [pair], [variances], ONE_WORKER)
    dhidden = np.zeros_like(hidden)
    mmd_backward(dhidden, np.ones(1), cache, ONE_WORKER)
    return values[0], dhidden[: len(X)], dhidden[len(X) :]


def assert_equals_twin(X, Z, variances=VARIANCES):
    value, dX, dZ = fast(X, Z, variances)
    # the gradient's terms are of size max(1 / s); what cancels among them leaves rounding
    steepest = 1.0 / np.sqrt(min(variances))
    assert value == pytest.approx(reference.mmd_forward(X, Z, variances), rel=1e-10, abs=1e-12)
    for ours, theirs in zip((dX, dZ), reference.mmd_backward(1.0, X, Z, variances), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12 * steepest)


# ---- equality with the twin ----------------------------------------------------------------------


@pytest.mark.parametrize("variances", [VARIANCES, REFERENCE_VARIANCES, (1e-3,)])
@pytest.mark.parametrize(("S", "R"), [(1, 1), (1, 30), (30, 1), (2, 3), (17, 40)])
def test_equals_the_sum_over_pairs(S, R, variances):
    assert_equals_twin(*samples(S, R), variances)


@pytest.mark.parametrize(
    ("S", "R"),
    [
        (FEW_ROWS - 1, 1),
        (FEW_ROWS, 1),
        (BLOCK - 1, 1),
        (BLOCK, 1),
        (1, BLOCK),
        (BLOCK, BLOCK),
        (BLOCK - 3, 9),
        (BLOCK + 1, BLOCK + 1),
        (2 * BLOCK, 5),
        (70, 2 * BLOCK + 30),
    ],
)
def test_equals_the_sum_over_pairs_across_tiles(S, R):
    assert_equals_twin(*samples(S, R, width=3))


@settings(max_examples=40, deadline=None)
@given(
    S=st.integers(1, 25),
    R=st.integers(1, 25),
    width=st.integers(1, 9),
    scale=st.sampled_from([1e-6, 1e-2, 1.0, 30.0, 1e3]),
    variances=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=4),
    seed=st.integers(0, 999),
)
def test_any_shape_and_any_spread_of_rows_equals_the_twin(S, R, width, scale, variances, seed):
    X, Z = samples(S, R, width, seed)
    assert_equals_twin(scale * X, scale * Z, tuple(variances))


def test_near_pairs_far_from_the_others_keep_their_digits():
    """Distances of 1e-3 between rows of norm 10, under Gaussians that see nothing else."""
    X, Z = samples(6, 5, width=4, seed=1)
    X, Z = 10 * X, 10 * Z
    rng = np.random.default_rng(2)
    X[1] = X[0] + 1e-3 * rng.normal(size=4)  # within a sample
    Z[2] = X[3] + 1e-3 * rng.normal(size=4)  # across the samples
    Z[4] = Z[3] + 1e-5 * rng.normal(size=4)
    assert_equals_twin(X, Z, (1e-6, 1e-5))
    value, dX, _ = fast(X, Z, (1e-6,))
    assert value > 0
    assert abs(dX[[0, 1, 3]]).max() > 1  # steep, and seen


def test_duplicate_rows_pull_on_nothing_between_themselves():
    X, Z = samples(5, 4, seed=3)
    X[1] = X[0]
    Z[0] = X[0]
    assert_equals_twin(X, Z, REFERENCE_VARIANCES)
    _, dX, _ = fast(X, Z)
    np.testing.assert_array_equal(dX[0], dX[1])


def test_rows_that_are_all_equal_have_distance_and_gradient_zero():
    for row in (np.zeros(5), np.full(5, 1e-20), np.full(5, 0.7), np.full(5, -1e3)):
        X, Z = np.tile(row, (3, 1)), np.tile(row, (140, 1))
        value, dX, dZ = fast(X, Z, REFERENCE_VARIANCES)
        assert value == pytest.approx(0, abs=1e-11)  # 19 times the rounding of 10,000 sums
        assert not dX.any()
        assert not dZ.any()


def test_rows_too_far_apart_for_every_gaussian_leave_the_diagonals_only():
    X, Z = 100.0 * np.eye(5)[:2], 100.0 * np.eye(5)[2:]
    value, dX, dZ = fast(X, Z, (1.0, 0.5))
    assert value == pytest.approx(2 / 2 + 2 / 3, rel=1e-14)
    assert not dX.any()
    assert not dZ.any()


def test_common_shift_of_all_rows_costs_no_digits():
    X, Z = samples(20, 30, seed=4)
    value, dX, dZ = fast(X, Z)
    moved = fast(X + 1024.0, Z + 1024.0)  # a power of two rounds the rows themselves a little
    assert moved[0] == pytest.approx(value, rel=1e-9)
    np.testing.assert_allclose(moved[1], dX, atol=1e-11)
    np.testing.assert_allclose(moved[2], dZ, atol=1e-11)


@pytest.mark.parametrize("variances", [VARIANCES, REFERENCE_VARIANCES])
def test_float32_stays_within_1e_5_of_float64(variances):
    rng = np.random.default_rng(5)
    # hidden states lie in (-1, 1)
    X, Z = np.tanh(rng.normal(size=(90, 40))), np.tanh(0.3 + rng.normal(size=(150, 40)))
    exact = fast(X, Z, variances)
    single = fast(X.astype(np.float32), Z.astype(np.float32), variances)
    assert single[0] == pytest.approx(exact[0], abs=1e-5)
    for ours, theirs in zip(single[1:], exact[1:], strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * abs(theirs).max())


# ---- laws ----------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(S=st.integers(1, 40), R=st.integers(1, 40), seed=st.integers(0, 999))
def test_promise_24_never_negative_symmetric_and_independent_of_order(S, R, seed):
    X, Z = samples(S, R, seed=seed, shift=0.0)
    value, dX, dZ = fast(X, Z, REFERENCE_VARIANCES)
    assert value >= -1e-12
    swapped = fast(Z, X, REFERENCE_VARIANCES)
    assert swapped[0] == pytest.approx(value, rel=1e-12, abs=1e-13)
    np.testing.assert_allclose(swapped[1], dZ, atol=1e-12)
    rng = np.random.default_rng(seed)
    order_X, order_Z = rng.permutation(S), rng.permutation(R)
    moved = fast(X[order_X], Z[order_Z], REFERENCE_VARIANCES)
    assert moved[0] == pytest.approx(value, rel=1e-12, abs=1e-13)
    np.testing.assert_allclose(moved[1], dX[order_X], atol=1e-12)
    np.testing.assert_allclose(moved[2], dZ[order_Z], atol=1e-12)


@pytest.mark.parametrize("rows", [1, 7, BLOCK + 20])
def test_promise_24_equal_samples_have_distance_zero_and_gradient_zero(rows):
    X, _ = samples(rows, 1, seed=6)
    value, dX, dZ = fast(X, X[::-1].copy(), REFERENCE_VARIANCES)
    assert value == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(dX, 0, atol=1e-12)
    np.testing.assert_allclose(dZ, 0, atol=1e-12)


def test_gradients_of_all_rows_sum_to_zero_because_only_differences_count():
    _, dX, dZ = fast(*samples(30, 110, seed=7), REFERENCE_VARIANCES)
    np.testing.assert_allclose(dX.sum(axis=0) + dZ.sum(axis=0), 0, atol=1e-12)


def test_value_is_the_sum_over_the_gaussians():
    X, Z = samples(8, 9, seed=8)
    together = fast(X, Z, VARIANCES)
    alone = [fast(X, Z, (s,)) for s in VARIANCES]
    for k, whole in enumerate(together):
        np.testing.assert_allclose(sum(part[k] for part in alone), whole, rtol=1e-10, atol=1e-13)


def test_repeating_both_samples_changes_nothing():
    X, Z = samples(6, 4, seed=9)
    value, dX, _ = fast(X, Z)
    doubled = fast(np.concatenate([X, X]), Z)
    assert doubled[0] == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(doubled[1][:6] + doubled[1][6:], dX, atol=1e-13)


# ---- labels --------------------------------------------------------------------------------------


def labelled(seed=10, width=4):
    rng = np.random.default_rng(seed)
    rows = rng.permutation(40)
    source_rows, target_rows = np.sort(rows[:25]), np.sort(rows[25:])
    # tag 3 occurs in the source alone, tag 4 in the target alone, tag 9 is matched with nothing
    source_tags = rng.choice([0, 1, 2, 3, 9], size=25)
    target_tags = rng.choice([5, 6, 7, 4, 9], size=15)
    matched = np.array([0, 1, 2, 3, 8]), np.array([7, 5, 6, 2, 4])
    return (
        rng.normal(size=(40, width)),
        (source_rows, source_tags, target_rows, target_tags),
        matched,
    )


def test_labels_equal_the_twin_over_each_matched_tag():
    hidden, halves, matched = labelled()
    source_rows, source_tags, target_rows, target_tags = halves
    pairs = label_rows(*halves, matched)
    values, cache = mmd_forward(hidden, pairs, [VARIANCES] * len(pairs), ONE_WORKER)
    mu = np.array([0.5, 2.0, 1.0, 1.0, 1.0])
    arguments = (
        hidden[source_rows],
        source_tags,
        hidden[target_rows],
        target_tags,
        matched,
        VARIANCES,
        mu,
    )
    total, per_label = reference.label_aware_mmd_forward(*arguments)
    labels = [pair.label for pair in pairs]
    assert labels == [0, 1, 2]
    np.testing.assert_allclose(values, per_label[labels], rtol=1e-10)
    assert mu[labels] @ values == pytest.approx(total, rel=1e-10)
    dhidden = np.zeros_like(hidden)
    mmd_backward(dhidden, 0.7 * mu[labels], cache, ONE_WORKER)
    dH_source, dH_target = reference.label_aware_mmd_backward(0.7, *arguments)
    np.testing.assert_allclose(dhidden[source_rows], dH_source, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(dhidden[target_rows], dH_target, rtol=1e-10, atol=1e-13)


def test_promise_24_absent_labels_do_not_appear_and_their_rows_are_untouched():
    hidden, halves, matched = labelled()
    source_rows, source_tags, target_rows, target_tags = halves
    pairs = label_rows(*halves, matched)
    _, cache = mmd_forward(hidden, pairs, [VARIANCES] * len(pairs), ONE_WORKER)
    dhidden = np.random.default_rng(11).normal(size=hidden.shape)
    before = dhidden.copy()
    mmd_backward(dhidden, np.ones(len(pairs)), cache, ONE_WORKER)
    absent = np.concatenate(
        [source_rows[np.isin(source_tags, [3, 9])], target_rows[np.isin(target_tags, [4, 9])]]
    )
    assert absent.size
    assert dhidden[absent].tobytes() == before[absent].tobytes()
    present = np.setdiff1d(np.arange(40), absent)
    assert (dhidden[present] != before[present]).any(axis=1).all()


def test_rows_of_a_label_are_exactly_the_tokens_that_carry_it():
    _, halves, matched = labelled()
    source_rows, source_tags, target_rows, target_tags = halves
    for label, source, target in label_rows(*halves, matched):
        np.testing.assert_array_equal(source, source_rows[source_tags == matched[0][label]])
        np.testing.assert_array_equal(target, target_rows[target_tags == matched[1][label]])


@pytest.mark.parametrize("empty", ["source", "target", "both", "matched"])
def test_nothing_to_compare_gives_no_pairs_and_a_loss_of_zero(empty):
    hidden, (source_rows, source_tags, target_rows, target_tags), matched = labelled()
    none = np.empty(0, np.int64)
    if empty in ("source", "both"):
        source_rows = source_tags = none
    if empty in ("target", "both"):
        target_rows = target_tags = none
    if empty == "matched":
        matched = none, none
    pairs = label_rows(source_rows, source_tags, target_rows, target_tags, matched)
    assert pairs == ()
    for workers in (ONE_WORKER, Workers(2)):
        values, cache = mmd_forward(hidden, pairs, [], workers)
        assert values.shape == (0,)
        dhidden = np.zeros_like(hidden)
        mmd_backward(dhidden, np.empty(0), cache, ONE_WORKER)
        assert not dhidden.any()


def test_gradients_are_added_and_hidden_states_untouched():
    hidden, halves, matched = labelled()
    pairs, copy = label_rows(*halves, matched), hidden.copy()
    _, cache = mmd_forward(hidden, pairs, [VARIANCES] * len(pairs), ONE_WORKER)
    once, twice = np.zeros_like(hidden), np.zeros_like(hidden)
    mmd_backward(once, np.ones(3), cache, ONE_WORKER)
    for _ in range(2):
        mmd_backward(twice, np.ones(3), cache, ONE_WORKER)
    np.testing.assert_array_equal(twice, 2 * once)
    np.testing.assert_array_equal(hidden, copy)


def test_threads_give_the_same_bytes_whatever_their_number():
    rng = np.random.default_rng(12)
    hidden = rng.normal(size=(400, 24)).astype(np.float32)
    tags = rng.choice(6, size=400, p=[0.5, 0.2, 0.1, 0.1, 0.06, 0.04])
    rows, same = np.arange(400), (np.arange(6), np.arange(6))
    pairs = label_rows(rows[:220], tags[:220], rows[220:], tags[220:], same)
    results = []
    with single_threaded_blas():
        for threads in (1, 2, 4):
            chosen = [REFERENCE_VARIANCES] * len(pairs)
            values, cache = mmd_forward(hidden, pairs, chosen, Workers(threads))
            dhidden = np.zeros_like(hidden)
            mmd_backward(dhidden, np.ones(len(pairs)), cache, ONE_WORKER)
            results.append(values.tobytes() + dhidden.tobytes())
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("variances", [(1.0, 0.0), (-2.0,), ()])
def test_variances_that_are_not_positive_are_named(variances):
    X, Z = samples(2, 2)
    with pytest.raises(ValueError, match=r"kernel variances must lie in"):
        fast(X, Z, variances)


def test_pairs_with_other_numbers_of_variances_are_refused():
    X, Z = samples(2, 2)
    hidden = np.concatenate([X, Z])
    pair = RowPair(0, np.array([0, 1]), np.array([2, 3]))
    with pytest.raises(ValueError, match="the same number of kernel variances"):
        mmd_forward(hidden, [pair, pair], [(1.0,), (1.0, 2.0)], Workers())
    with pytest.raises(ValueError, match="for each of the 2 pairs, got 1"):
        mmd_forward(hidden, [pair, pair], [(1.0,)], Workers())


@pytest.mark.parametrize("threads", [2, 4])
def test_a_large_pair_gives_the_same_bytes_for_any_number_of_threads(threads):
    rng = np.random.default_rng(8)
    hidden = rng.normal(size=(700, 20)).astype(np.float32)
    pairs = [
        RowPair(0, np.arange(400), np.arange(400, 690)),
        RowPair(1, np.arange(690, 695), np.arange(695, 700)),
    ]
    results = []
    for workers in (Workers(), Workers(threads)):
        values, cache = mmd_forward(hidden, pairs, [(1.0, 9.0)] * 2, workers)
        dhidden = np.zeros_like(hidden)
        mmd_backward(dhidden, np.ones(2), cache, ONE_WORKER)
        results.append((values.tobytes(), dhidden.tobytes()))
    assert results[0] == results[1]
