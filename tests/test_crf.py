"""Laws and hazards of the packed CRF, in scaled space and in log space."""

from __future__ import annotations

import math

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes_at_random import (
    RAGGED,
    by_sentence,
    in_list_order,
    packed_rows,
    random_chains,
    to_packed,
)

from ladtl_np.layers import crf
from ladtl_np.layers.crf import crf_backward, crf_forward, crf_viterbi, fits_scaled_space
from ladtl_np.reference import crf as reference

SPACES = ("scaled", "log")


@pytest.fixture
def force(monkeypatch):
    """A function that makes the next calls use scaled or log space, whatever the scores."""

    def choose(space: str) -> None:
        monkeypatch.setattr(crf, "fits_scaled_space", lambda E, A: space == "scaled")

    return choose


def nll_and_gradients(packing, E, A, tags, dnll=None):
    """Values in list order, gradients in packed order, and whether scaled space was used."""
    nll, cache = crf_forward(E, A, tags, packing.offsets)
    dE, dA = np.zeros_like(E), np.zeros_like(A)
    ones = np.ones(packing.sentences)
    crf_backward(dE, dA, ones if dnll is None else dnll, cache)
    return in_list_order(packing, nll), dE, dA, cache.e is not None


def one_by_one(packing, E, A, tags, dnll):
    """What the readable twin says, in the same orders."""
    values, dE, dA = [], [], np.zeros_like(A)
    upstream = in_list_order(packing, dnll)
    sentences = zip(by_sentence(packing, E), by_sentence(packing, tags), upstream, strict=True)
    for e, y, d in sentences:
        values.append(reference.nll_forward(e, A, y))
        de, da = reference.nll_backward(d, e, A, y)
        dE.append(de)
        dA += da
    return np.array(values), to_packed(packing, dE), dA


# ---- equality with the twin ----------------------------------------------------------------------


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("m", [1, 2, 7, 23, 24, 130])  # BLAS products from 24 on
@pytest.mark.parametrize("lengths", RAGGED.values(), ids=RAGGED)
def test_packed_batch_equals_its_sentences_one_by_one(lengths, m, space, force):
    if space == "log" and m > 30:
        lengths = lengths[:2]
    rng = np.random.default_rng(m)
    packing, E, A, tags = random_chains(rng, lengths, m)
    dnll = rng.normal(size=packing.sentences)
    force(space)
    nll, dE, dA, scaled = nll_and_gradients(packing, E, A, tags, dnll)
    assert scaled == (space == "scaled")
    expected = one_by_one(packing, E, A, tags, dnll)
    np.testing.assert_allclose(nll, expected[0], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(dE, expected[1], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(dA, expected[2], rtol=1e-10, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    m=st.integers(1, 9),
    scale=st.floats(0, 200),
    seed=st.integers(0, 999),
)
def test_any_shape_and_any_scale_of_scores_equals_the_twin(lengths, m, scale, seed):
    rng = np.random.default_rng(seed)
    packing, E, A, tags = random_chains(rng, lengths, m, scale)
    dnll = rng.normal(size=packing.sentences)
    nll, dE, dA, _ = nll_and_gradients(packing, E, A, tags, dnll)
    expected = one_by_one(packing, E, A, tags, dnll)
    np.testing.assert_allclose(nll, expected[0], rtol=1e-10, atol=1e-10 * (1 + scale))
    np.testing.assert_allclose(dE, expected[1], atol=1e-10)
    np.testing.assert_allclose(dA, expected[2], atol=1e-10)


# ---- exact oracles -------------------------------------------------------------------------------


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(("T", "m"), [(1, 1), (1, 4), (2, 2), (4, 3), (6, 2), (3, 4)])
def test_log_partition_and_marginals_equal_enumeration(T, m, space, force):
    packing, E, A, tags = random_chains(np.random.default_rng(T), (T, 1, T), m)
    force(space)
    nll, dE, dA, _ = nll_and_gradients(packing, E, A, tags)
    expected_dA = np.zeros_like(A)
    sentences = (by_sentence(packing, array) for array in (E, tags, dE))
    for value, (e, y, de) in zip(nll, zip(*sentences, strict=True), strict=True):
        log_z = oracles.enumerated_log_partition(e, A)
        assert value == pytest.approx(log_z - oracles.path_score(e, A, y.tolist()), abs=1e-12)
        unary, pairwise = oracles.enumerated_marginals(e, A)
        np.testing.assert_allclose(de + np.eye(m)[y], unary, atol=1e-13)
        np.subtract.at(pairwise, (y[:-1], y[1:]), 1)
        expected_dA += pairwise
    np.testing.assert_allclose(dA, expected_dA, atol=1e-13)


@pytest.mark.parametrize("space", SPACES)
def test_probabilities_of_all_tag_sequences_sum_to_one(space, force):
    packing, E, A, _ = random_chains(np.random.default_rng(8), (4,), 3)
    force(space)
    nll = [crf_forward(E, A, np.array(path), packing.offsets)[0][0] for path in oracles.paths(4, 3)]
    assert len(nll) == 81
    assert math.fsum(math.exp(-value) for value in nll) == pytest.approx(1, abs=1e-13)


LONG = 10_000


def long_chain(scores: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(9)
    if scores == "ordinary":
        return 2.0 * rng.normal(size=(LONG, 2)), 2.0 * rng.normal(size=(2, 2))
    E = rng.uniform(-1e4, 1e4, size=(LONG, 2))
    E[::7] *= 1e-4  # tokens that leave a choice
    return E, np.array([[0.3, -1e4], [1e4, -0.2]])


@pytest.fixture(scope="module", params=["ordinary", "ten thousand"])
def exact_long_chain(request):
    E, A = long_chain(request.param)
    return request.param, E, A, *oracles.exact_chain(E, A, digits=30)


def test_promise_22_ten_thousand_tokens_stay_right_with_huge_scores(exact_long_chain, force):
    scores, E, A, log_z, unary, pairwise = exact_long_chain
    packing = packed_rows((LONG,))
    tags = np.random.default_rng(10).integers(0, 2, size=LONG)
    # log Z is about 7e7 with huge scores, where each of 10,000 sums may round by 1e-8
    expected = float(log_z) - reference.sequence_score(E, A, tags)
    seen = np.zeros_like(A)
    np.add.at(seen, (tags[:-1], tags[1:]), 1)
    for space in SPACES if scores == "ordinary" else ("log",):
        force(space)
        nll, dE, dA, _ = nll_and_gradients(packing, E, A, tags)
        assert nll[0] == pytest.approx(expected, rel=1e-11)
        np.testing.assert_allclose(dE + np.eye(2)[tags], unary, atol=1e-8)
        np.testing.assert_allclose(dA + seen, pairwise, rtol=1e-9, atol=1e-6)


def test_huge_scores_choose_log_space_by_themselves(exact_long_chain):
    scores, E, A, *_ = exact_long_chain
    _, cache = crf_forward(E, A, np.zeros(LONG, np.int64), packed_rows((LONG,)).offsets)
    assert (cache.e is not None) == (scores == "ordinary")


def test_float32_marginals_of_ten_thousand_tokens_stay_within_1e_4(exact_long_chain):
    scores, E, A, log_z, unary, _ = exact_long_chain
    if scores != "ordinary":
        # rounding a score of 1e4 to float32 alone moves it by 5e-4
        E, A = (np.round(array) for array in (E, A))
        log_z, unary, _ = oracles.exact_chain(E, A, digits=30)
    tags = np.zeros(LONG, np.int64)
    single = E.astype(np.float32), A.astype(np.float32)
    nll, dE, dA, _ = nll_and_gradients(packed_rows((LONG,)), *single, tags)
    assert dE.dtype == dA.dtype == np.float32
    expected = float(log_z) - reference.sequence_score(E, A, tags)
    assert nll[0] == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(dE + np.eye(2)[tags], unary, atol=1e-4)


# ---- the guard of scaled space -------------------------------------------------------------------


def scores_of_range(total: float, dtype: type, seed: int = 0):
    """A batch whose (range of E_t) + 2 (range of A) is `total`, the worst tags being the gold."""
    rng = np.random.default_rng(seed)
    packing, E, A, _ = random_chains(rng, (6, 3, 1, 6), 4, scale=1.0)
    E, A = E / np.ptp(E, axis=1).max(), A / np.ptp(A)
    E, A = (0.5 * total * E).astype(dtype), (0.25 * total * A).astype(dtype)
    return packing, E, A, E.argmin(axis=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_guard_lets_scores_pass_just_under_the_limit_and_stops_them_just_over(dtype):
    limit = crf.SAFE_RANGE[np.dtype(dtype)]
    for factor, fits in ((0.999, True), (1.001, False)):
        packing, E, A, tags = scores_of_range(factor * limit, dtype)
        assert fits_scaled_space(E, A) == fits
        assert nll_and_gradients(packing, E, A, tags)[3] == fits


@pytest.mark.parametrize("asked", [None, True, False])
def test_a_space_that_is_asked_for_is_taken(asked):
    packing, E, A, tags = random_chains(np.random.default_rng(3), (3, 1), 4)
    _, cache = crf_forward(E, A, tags, packing.offsets, in_scaled_space=asked)
    assert (cache.e is not None) == (asked is not False)
    assert (cache.a is not None) == (asked is not False)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("factor", [0.3, 0.999])
def test_both_spaces_agree_up_to_the_limit(factor, dtype, seed, force):
    total = factor * crf.SAFE_RANGE[np.dtype(dtype)]
    packing, E, A, tags = scores_of_range(total, dtype, seed)
    dnll = np.random.default_rng(seed).normal(size=packing.sentences)
    results = []
    for space in SPACES:
        force(space)
        results.append(nll_and_gradients(packing, E, A, tags, dnll)[:3])
    rtol = 1e-10 if dtype == np.float64 else 1e-5
    for one, other in zip(*results, strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("m", [3, 40])
def test_least_likely_everything_at_the_limit_does_not_underflow(m, dtype):
    """Emissions and transitions that all contradict each other, at every token."""
    limit = 0.999 * crf.SAFE_RANGE[np.dtype(dtype)]
    packing = packed_rows((50, 2))
    E = np.full((packing.tokens, m), -limit / 2)
    E[np.arange(packing.tokens), np.arange(packing.tokens) % m] = 0.0
    A = np.full((m, m), -limit / 4)
    A[np.arange(m), np.arange(m)] = 0.0
    E, A = E.astype(dtype), A.astype(dtype)
    tags = E.argmin(axis=1)
    nll, dE, dA, scaled = nll_and_gradients(packing, E, A, tags)
    assert scaled
    wide = E.astype(np.float64), A.astype(np.float64), tags, np.ones(2)
    expected = one_by_one(packing, *wide)
    rtol = 1e-10 if dtype == np.float64 else 1e-5
    for ours, theirs in zip((nll, dE, dA), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=50 * rtol)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["E", "A"])
def test_no_infinite_or_undefined_score_fits_scaled_space(where, value):
    E, A = np.zeros((3, 2)), np.zeros((2, 2))
    (E if where == "E" else A)[0, 1] = value
    with np.errstate(invalid="ignore"):
        assert not fits_scaled_space(E, A)


def test_nan_in_a_score_gives_a_loss_that_is_not_finite():
    for where in ("E", "A"):
        packing, E, A, tags = random_chains(np.random.default_rng(11), (3, 2), 3)
        (E if where == "E" else A)[:] = np.nan
        assert not np.isfinite(crf_forward(E, A, tags, packing.offsets)[0]).any()


# ---- forbidden scores ----------------------------------------------------------------------------


def with_forbidden(lengths, m, seed):
    """About a third of the transitions and some tags forbidden, one way on left from every tag."""
    rng = np.random.default_rng(seed)
    packing, E, A, _ = random_chains(rng, lengths, m)
    A[rng.random((m, m)) < 0.4] = -np.inf
    A[np.arange(m), (np.arange(m) + 1) % m] = 0.3
    E[rng.random(E.shape) < 0.05] = -np.inf
    tags = to_packed(packing, [reference.viterbi(e, A)[0] for e in by_sentence(packing, E)])
    return packing, E, A, tags


@pytest.mark.parametrize("seed", range(6))
def test_forbidden_scores_equal_the_twin_with_gradient_zero_where_forbidden(seed):
    packing, E, A, tags = with_forbidden((5, 1, 3, 5, 2), 4, seed)
    dnll = np.random.default_rng(seed).normal(size=packing.sentences)
    nll, dE, dA, scaled = nll_and_gradients(packing, E, A, tags, dnll)
    assert not scaled
    expected = one_by_one(packing, E, A, tags, dnll)
    np.testing.assert_allclose(nll, expected[0], atol=1e-12)
    np.testing.assert_allclose(dE, expected[1], atol=1e-12)
    np.testing.assert_allclose(dA, expected[2], atol=1e-12)
    assert (dE[np.isneginf(E)] == 0).all()
    assert (dA[np.isneginf(A)] == 0).all()


def test_forbidden_transition_is_the_limit_of_a_transition_that_costs_more_and_more():
    packing, E, A, _ = random_chains(np.random.default_rng(12), (4, 2), 3)
    tags = np.ones(packing.tokens, np.int64)
    A[0, 2] = -300.0
    near = nll_and_gradients(packing, E, A, tags)
    A[0, 2] = -np.inf
    for one, other in zip(near[:3], nll_and_gradients(packing, E, A, tags)[:3], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gold_tags_through_a_forbidden_transition_cost_infinity_with_finite_gradients(dtype):
    packing, E, A, _ = random_chains(np.random.default_rng(13), (3, 2), 2)
    E, A = E.astype(dtype), A.astype(dtype)
    A[0, 1] = -np.inf
    tags = to_packed(packing, [np.array([0, 1, 1]), np.array([1, 1])])
    nll, dE, dA, _ = nll_and_gradients(packing, E, A, tags)
    assert nll[0] == np.inf
    assert 0 < nll[1] < np.inf
    assert np.isfinite(dE).all()
    assert np.isfinite(dA).all()
    assert dA[0, 1] == 0
    expected = one_by_one(packing, E.astype(float), A.astype(float), tags, np.ones(2))
    np.testing.assert_allclose(dE, expected[1], atol=1e-5)
    np.testing.assert_allclose(dA, expected[2], atol=1e-5)


def test_no_path_at_all_costs_infinity_without_nan_and_leaves_other_sentences_alone():
    packing, E, A, tags = random_chains(np.random.default_rng(14), (2, 1, 5), 3)
    nll, dE, *_ = nll_and_gradients(packing, E, A, tags)
    forbidden = np.full_like(A, -np.inf)
    nowhere = nll_and_gradients(packing, E, forbidden, tags)
    assert nowhere[0].tolist() == [np.inf, pytest.approx(nll[1]), np.inf]
    assert not nowhere[2].any()
    assert np.isfinite(nowhere[1]).all()
    E[packing.rows[-2]] = -np.inf  # a token of the last sentence that allows no tag
    after = nll_and_gradients(packing, E, A, tags)
    assert after[0][2] == np.inf
    np.testing.assert_allclose(after[0][:2], nll[:2], rtol=1e-12)
    for ours, before in zip(
        by_sentence(packing, after[1])[:2], by_sentence(packing, dE)[:2], strict=True
    ):
        np.testing.assert_allclose(ours, before, atol=1e-12)
    for array in after[1:3]:
        assert np.isfinite(array).all()


# ---- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("lengths", RAGGED.values(), ids=RAGGED)
def test_gradient_rows_of_emissions_sum_to_zero_and_transitions_too(lengths, space, force):
    packing, E, A, tags = random_chains(np.random.default_rng(15), lengths, 5)
    force(space)
    nll, dE, dA, _ = nll_and_gradients(packing, E, A, tags)
    np.testing.assert_allclose(dE.sum(axis=1), 0, atol=1e-13)
    assert dA.sum() == pytest.approx(0, abs=1e-12)
    assert (nll > 0).all()
    probabilities = dE + np.eye(5)[tags]
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1 + 1e-13


@pytest.mark.parametrize("space", SPACES)
def test_constant_added_to_the_emissions_of_a_token_changes_nothing(space, force):
    packing, E, A, tags = random_chains(np.random.default_rng(16), (4, 2, 1), 3)
    force(space)
    before = nll_and_gradients(packing, E, A, tags)
    added = np.array([0.0, 7.5, -300.0, 2.0, 1e4, -1e4, 1.0])[:, None]
    after = nll_and_gradients(packing, E + added, A, tags)
    for one, other in zip(before[:3], after[:3], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)
    after = nll_and_gradients(packing, E, A + 37.0, tags)
    for one, other in zip(before[:3], after[:3], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-11)


@pytest.mark.parametrize("space", SPACES)
def test_reversed_sentences_with_transposed_transitions_are_the_same_chains(space, force):
    packing, E, A, tags = random_chains(np.random.default_rng(17), RAGGED["mixed"], 4)
    force(space)
    turned_E, turned_tags = (
        to_packed(packing, [part[::-1] for part in by_sentence(packing, array)])
        for array in (E, tags)
    )
    nll, dE, dA, _ = nll_and_gradients(packing, E, A, tags)
    turned = nll_and_gradients(packing, turned_E, np.ascontiguousarray(A.T), turned_tags)
    np.testing.assert_allclose(turned[0], nll, atol=1e-12)
    for one, other in zip(by_sentence(packing, turned[1]), by_sentence(packing, dE), strict=True):
        np.testing.assert_allclose(one[::-1], other, atol=1e-13)
    np.testing.assert_allclose(turned[2].T, dA, atol=1e-13)


def test_order_of_the_sentences_permutes_the_results():
    lengths = RAGGED["mixed"]
    packing, E, A, tags = random_chains(np.random.default_rng(18), lengths, 30)
    nll, dE, dA, _ = nll_and_gradients(packing, E, A, tags)
    order = np.random.default_rng(1).permutation(len(lengths))
    moved = packed_rows([lengths[k] for k in order])
    moved_E, moved_tags = (
        to_packed(moved, [by_sentence(packing, array)[k] for k in order]) for array in (E, tags)
    )
    after = nll_and_gradients(moved, moved_E, A, moved_tags)
    np.testing.assert_allclose(after[0], nll[order], rtol=1e-13)
    for place, k in enumerate(order):
        np.testing.assert_allclose(
            by_sentence(moved, after[1])[place], by_sentence(packing, dE)[k], atol=1e-14
        )
    np.testing.assert_allclose(after[2], dA, atol=1e-13)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("m", [3, 30])
def test_gradients_are_added_and_inputs_untouched(m, space, force):
    packing, E, A, tags = random_chains(np.random.default_rng(19), (3, 1, 2), m)
    force(space)
    _, dE, dA, _ = nll_and_gradients(packing, E, A, tags)
    copies = E.copy(), A.copy(), tags.copy()
    _, cache = crf_forward(E, A, tags, packing.offsets)
    buffers = np.full_like(E, 0.5), np.full_like(A, -2.0)
    crf_backward(*buffers, np.ones(3), cache)
    np.testing.assert_allclose(buffers[0], dE + 0.5, atol=1e-14)
    np.testing.assert_allclose(buffers[1], dA - 2.0, atol=1e-14)
    for array, copy in zip((E, A, tags), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("space", SPACES)
def test_sentence_without_upstream_gradient_receives_exactly_nothing(space, force):
    packing, E, A, tags = random_chains(np.random.default_rng(20), (4, 3, 3), 4)
    force(space)
    dnll = np.array([0.7, 0.0, 1.0])  # packed order is the list's here
    _, dE, _, _ = nll_and_gradients(packing, E, A, tags, dnll)
    assert not by_sentence(packing, dE)[1].any()
    assert by_sentence(packing, dE)[0].any()


def test_one_tag_leaves_no_choice():
    packing, E, A, tags = random_chains(np.random.default_rng(21), RAGGED["mixed"], 1)
    nll, dE, dA, _ = nll_and_gradients(packing, E, A, tags)
    np.testing.assert_allclose(nll, 0, atol=1e-13)
    np.testing.assert_allclose(dE, 0, atol=1e-14)
    np.testing.assert_allclose(dA, 0, atol=1e-13)


@pytest.mark.parametrize("m", [7, 121])
def test_float32_stays_within_2e_5_of_float64(m):
    rng = np.random.default_rng(22)
    packing, E, A, tags = random_chains(rng, (60, 41, 41, 8), m)
    dnll = rng.random(4)
    single = nll_and_gradients(
        packing, E.astype(np.float32), A.astype(np.float32), tags, dnll.astype(np.float32)
    )
    assert single[3]
    exact = one_by_one(packing, E, A, tags, dnll)
    np.testing.assert_allclose(single[0], exact[0], rtol=1e-6)
    for ours, theirs in zip(single[1:3], exact[1:], strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


# ---- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "given"), [([0, 3], r"\[0, 3\]"), ([-1, 0], r"\[-1, 0\]"), ([9, 9], r"\[9, 9\]")]
)
def test_tags_outside_the_tag_set_name_the_range_wanted_and_given(tags, given):
    with pytest.raises(ValueError, match=rf"tags must lie in \[0, 3\), got {given}; .*tag set"):
        crf_forward(np.zeros((2, 3)), np.zeros((3, 3)), np.array(tags), np.array([0, 1, 2]))


def test_emissions_and_transitions_of_different_tag_sets_name_both_sizes():
    with pytest.raises(ValueError, match=r"got \(1, 3\) and \(4, 4\)"):
        crf_forward(np.zeros((1, 3)), np.zeros((4, 4)), np.array([0]), np.array([0, 1]))


@pytest.mark.parametrize(
    ("E", "A", "tags", "offsets", "named"),
    [
        ((2, 3), (3, 3), 1, [0, 1, 2], "tags must be one a token"),
        ((2, 3), (4, 4), 2, [0, 1, 2], "emissions must be"),
        ((2, 3), (3, 4), 2, [0, 1, 2], "transitions"),
        ((2, 3), (3, 3), 2, [0, 1, 3], "offsets must end at"),
        ((2, 3), (3, 3), 2, [], "offsets must end at"),
    ],
)
def test_shapes_that_do_not_fit_never_reach_a_kernel(E, A, tags, offsets, named):
    steps = np.array(offsets, dtype=np.int64)
    with pytest.raises(ValueError, match=named):
        crf_forward(np.zeros(E), np.zeros(A), np.zeros(tags, dtype=np.int64), steps)
    if "tags" not in named:
        with pytest.raises(ValueError, match=named):
            crf_viterbi(np.zeros(E), np.zeros(A), steps)


def test_the_likelihood_of_a_certain_path_keeps_its_digits_over_ten_thousand_tokens():
    rng = np.random.default_rng(5)
    E = rng.uniform(-1e4, 1e4, (10_000, 3))
    A = rng.uniform(-1e4, 1e4, (3, 3))
    offsets = np.arange(10_001)
    best, _ = crf_viterbi(E, A, offsets)
    nll, _ = crf_forward(E, A, best, offsets)
    # a constant added to a token's emissions changes nothing; these make both totals small
    gold = E[np.arange(10_000), best]
    gold[1:] += A[best[:-1], best[1:]]
    expected = reference.nll_forward(E - gold[:, None], A, best)
    assert nll[0] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("offsets", [[0], [0, 0]])
def test_a_batch_without_sentences_has_no_losses_and_sends_nothing_back(offsets) -> None:
    """Kernels read `offsets[1]`: compiled ones, beyond the end of `[0]`, whatever stands there."""
    E, A, tags = np.zeros((0, 3)), np.ones((3, 3)), np.zeros(0, np.int64)
    for scaled_space in (True, False):
        nll, cache = crf_forward(E, A, tags, np.array(offsets), in_scaled_space=scaled_space)
        assert nll.shape == (0,)
        assert cache.offsets.tolist() == [0, 0]
        dA = np.zeros((3, 3))
        crf_backward(np.zeros((0, 3)), dA, np.zeros(0), cache)
        assert not dA.any()
    best, scores = crf_viterbi(E, A, np.array(offsets))
    assert (best.shape, scores.shape) == ((0,), (0,))
