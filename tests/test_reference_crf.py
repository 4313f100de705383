"""Laws and hazards of the reference CRF."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ladtl_np.reference import crf

LENGTHS_AND_TAGS = [(1, 1), (1, 3), (2, 2), (3, 4), (4, 3), (6, 2)]


def chain(T: int, m: int, *, seed: int = 0, scale: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=(T, m)), scale * rng.normal(size=(m, m))


def with_forbidden(T: int, m: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Forbid about a third of the transitions, never the step from a tag to the next one."""
    E, A = chain(T, m, seed=seed)
    forbidden = np.random.default_rng(seed).random((m, m)) < 0.4
    forbidden[np.arange(m), (np.arange(m) + 1) % m] = False
    A[forbidden] = -np.inf
    return E, A


@pytest.mark.parametrize(("T", "m"), LENGTHS_AND_TAGS)
@pytest.mark.parametrize("build", [lambda T, m: chain(T, m), lambda T, m: with_forbidden(T, m, 3)])
def test_equals_enumeration(T, m, build):
    E, A = build(T, m)
    assert crf.log_partition(E, A) == pytest.approx(oracles.enumerated_log_partition(E, A))
    unary, pairwise = crf.marginals(E, A)
    unary_oracle, pairwise_oracle = oracles.enumerated_marginals(E, A)
    np.testing.assert_allclose(unary, unary_oracle, atol=1e-14)
    np.testing.assert_allclose(pairwise, pairwise_oracle, atol=1e-14)
    tags, score = crf.viterbi(E, A)
    tags_oracle, score_oracle = oracles.enumerated_viterbi(E, A)
    assert tags.tolist() == tags_oracle
    assert score == pytest.approx(score_oracle)


def test_probabilities_of_all_sequences_sum_to_one():
    E, A = chain(4, 3)
    total = sum(math.exp(crf.log_likelihood(E, A, np.array(p))) for p in oracles.paths(4, 3))
    assert total == pytest.approx(1, abs=1e-14)


@settings(max_examples=60, deadline=None)
@given(T=st.integers(1, 12), m=st.integers(1, 6), seed=st.integers(0, 999), scale=st.floats(0, 30))
def test_marginals_sum_to_one_and_agree_with_each_other(T, m, seed, scale):
    E, A = chain(T, m, seed=seed, scale=scale)
    unary, pairwise = crf.marginals(E, A)
    np.testing.assert_allclose(unary.sum(axis=1), 1, atol=1e-13)
    np.testing.assert_allclose(pairwise.sum(axis=1), unary[:-1].sum(axis=0), atol=1e-11)
    np.testing.assert_allclose(pairwise.sum(axis=0), unary[1:].sum(axis=0), atol=1e-11)


@settings(max_examples=60, deadline=None)
@given(T=st.integers(1, 12), m=st.integers(1, 6), seed=st.integers(0, 999))
def test_gradient_rows_of_emissions_sum_to_zero(T, m, seed):
    E, A = chain(T, m, seed=seed)
    tags = np.random.default_rng(seed).integers(0, m, size=T)
    dE, dA = crf.nll_backward(1.0, E, A, tags)
    np.testing.assert_allclose(dE.sum(axis=1), 0, atol=1e-13)
    assert dA.sum() == pytest.approx(0, abs=1e-12)


def test_constant_added_to_the_emissions_of_a_token_changes_nothing():
    E, A = chain(4, 3)
    tags = np.array([2, 0, 1, 1])
    moved = E + np.array([0.0, 7.5, -300.0, 2.0])[:, None]
    assert crf.nll_forward(moved, A, tags) == pytest.approx(crf.nll_forward(E, A, tags))
    for before, after in zip(
        crf.nll_backward(1.0, E, A, tags), crf.nll_backward(1.0, moved, A, tags), strict=True
    ):
        np.testing.assert_allclose(after, before, atol=1e-12)
    assert crf.viterbi(moved, A)[0].tolist() == crf.viterbi(E, A)[0].tolist()


def test_reversed_sentence_with_transposed_transitions_is_the_same_chain():
    E, A = chain(5, 3)
    unary, pairwise = crf.marginals(E, A)
    unary_reversed, pairwise_reversed = crf.marginals(E[::-1], A.T)
    np.testing.assert_allclose(unary_reversed[::-1], unary, atol=1e-14)
    np.testing.assert_allclose(pairwise_reversed.T, pairwise, atol=1e-14)


def test_forbidden_transitions_give_finite_gradients_zero_where_forbidden():
    E, A = with_forbidden(4, 4, seed=5)
    assert np.isneginf(A).any()
    E[2, 1] = -np.inf
    tags = crf.viterbi(E, A)[0]
    assert np.isfinite(crf.nll_forward(E, A, tags))
    dE, dA = crf.nll_backward(1.0, E, A, tags)
    assert np.isfinite(dE).all()
    assert np.isfinite(dA).all()
    assert dE[2, 1] == 0
    assert (dA[np.isneginf(A)] == 0).all()


def test_forbidden_gold_sequence_costs_infinity_with_finite_gradients():
    E, A = chain(3, 2)
    A[0, 1] = -np.inf
    tags = np.array([0, 1, 1])
    assert crf.nll_forward(E, A, tags) == math.inf
    dE, dA = crf.nll_backward(1.0, E, A, tags)
    assert np.isfinite(dE).all()
    assert dA[0, 1] == 0


@pytest.mark.parametrize("T", [2, 5])
def test_no_possible_sequence_gives_minus_infinity_and_no_nan(T):
    E, A = chain(T, 2)[0], np.full((2, 2), -np.inf)
    tags = np.zeros(T, np.int64)
    assert crf.log_partition(E, A) == -math.inf
    assert crf.nll_forward(E, A, tags) == math.inf
    assert crf.viterbi(E, A)[1] == -math.inf
    unary, pairwise = crf.marginals(E, A)
    assert not unary.any()
    assert not pairwise.any()
    dE, dA = crf.nll_backward(1.0, E, A, tags)
    assert np.isfinite(dE).all()
    assert not dA.any()


@pytest.mark.parametrize("seed", range(8))
def test_ties_go_to_the_lowest_tag_from_the_last_token_back(seed):
    rng = np.random.default_rng(seed)
    E, A = rng.integers(0, 2, size=(5, 3)) * 1.0, rng.integers(0, 2, size=(3, 3)) * 1.0
    assert crf.viterbi(E, A)[0].tolist() == oracles.enumerated_viterbi(E, A)[0]


def test_scores_of_ten_thousand_and_as_many_tokens_stay_right():
    rng = np.random.default_rng(2)
    E = rng.uniform(-1e4, 1e4, size=(10_000, 2))
    E[::7] *= 1e-4  # tokens that leave a choice
    A = np.array([[0.3, -1e4], [1e4, -0.2]])
    log_Z, unary, pairwise = oracles.exact_chain(E, A)
    assert crf.log_partition(E, A) == pytest.approx(float(log_Z), rel=1e-14)
    ours = crf.marginals(E, A)
    np.testing.assert_allclose(ours[0], unary, atol=1e-10)
    np.testing.assert_allclose(ours[1], pairwise, rtol=1e-10, atol=1e-8)


def test_long_sentence_of_ordinary_scores_stays_right():
    E, A = chain(10_000, 2, seed=4)
    log_Z, unary, pairwise = oracles.exact_chain(E, A)
    assert crf.log_partition(E, A) == pytest.approx(float(log_Z), rel=1e-14)
    ours = crf.marginals(E, A)
    np.testing.assert_allclose(ours[0], unary, atol=1e-12)
    np.testing.assert_allclose(ours[1], pairwise, rtol=1e-12)
    single = crf.marginals(E.astype(np.float32), A.astype(np.float32))
    np.testing.assert_allclose(single[0], unary, atol=1e-5)


def test_best_path_of_ten_thousand_tokens_equals_exact_arithmetic():
    rng = np.random.default_rng(3)
    E, A = rng.uniform(-1e4, 1e4, size=(10_000, 3)), rng.uniform(-1e4, 1e4, size=(3, 3))
    delta = [Fraction(e) for e in E[0].tolist()]
    a = [[Fraction(score) for score in row] for row in A.tolist()]
    for row in E[1:].tolist():
        delta = [Fraction(row[j]) + max(delta[i] + a[i][j] for i in range(3)) for j in range(3)]
    tags, score = crf.viterbi(E, A)
    assert score == pytest.approx(float(max(delta)), rel=1e-15)
    assert crf.sequence_score(E, A, tags) == score


def test_dtype_of_the_input_is_kept():
    E, A = (array.astype(np.float32) for array in chain(4, 3))
    tags = np.array([0, 1, 2, 0])
    for result in (*crf.marginals(E, A), *crf.nll_backward(0.5, E, A, tags)):
        assert result.dtype == np.float32
    assert crf.nll_forward(E, A, tags) == pytest.approx(
        crf.nll_forward(E.astype(float), A.astype(float), tags), rel=1e-6
    )


@settings(max_examples=20, deadline=None)
@given(T=st.integers(1, 5), m=st.integers(1, 3), seed=st.integers(0, 999))
def test_kl_by_marginals_equals_enumeration_and_keeps_its_bound(T, m, seed):
    E_p, A_p = chain(T, m, seed=seed)
    E_q, A_q = chain(T, m, seed=seed + 1000)
    E_d, A_d = E_p - E_q, A_p - A_q
    unary, pairwise = crf.marginals(E_p, A_p)
    # docs/math/parameter_transfer.md (6) and (7)
    expectation = np.vdot(unary, E_d) + np.vdot(pairwise, A_d)
    kl = expectation - crf.log_partition(E_p, A_p) + crf.log_partition(E_q, A_q)
    assert kl == pytest.approx(oracles.enumerated_kl(E_p, A_p, E_q, A_q), abs=1e-12)
    spread = crf.viterbi(E_d, A_d)[1] + crf.viterbi(-E_d, -A_d)[1]
    assert kl <= spread**2 / 8 + 1e-12


def scaled_chain(E: np.ndarray, A: np.ndarray) -> tuple[float, dict[str, np.ndarray]]:
    """Follow docs/math/crf.md (14)-(18): log Z and every intermediate array."""
    T, m = E.shape
    e, a = np.exp(E - E.max(axis=1, keepdims=True)), np.exp(A - A.max())
    alpha, beta, c = np.empty((T, m)), np.ones((T, m)), np.empty(T)
    for t in range(T):
        row = e[t] * (alpha[t - 1] @ a if t else 1.0)
        c[t] = row.sum()
        alpha[t] = row / c[t]
    weighted = np.empty((T, m))
    for t in reversed(range(T)):
        if t < T - 1:
            beta[t] = a @ weighted[t + 1]
        weighted[t] = e[t] * beta[t] / c[t]
    log_Z = np.log(c).sum() + E.max(axis=1).sum() + (T - 1) * A.max()
    pairwise = a * (alpha[:-1].T @ weighted[1:])
    return log_Z, {"alpha": alpha, "beta": beta, "weighted": weighted, "pairwise": pairwise}


@settings(max_examples=80, deadline=None)
@given(T=st.integers(1, 8), m=st.integers(1, 5), seed=st.integers(0, 999), scale=st.floats(0, 40))
def test_scaled_space_equals_log_space_and_keeps_its_bounds(T, m, seed, scale):
    E, A = chain(T, m, seed=seed, scale=scale)
    range_E, range_A = np.ptp(E, axis=1), np.ptp(A)
    log_Z, found = scaled_chain(E, A)
    assert log_Z == pytest.approx(crf.log_partition(E, A), rel=1e-12, abs=1e-11)
    unary, pairwise = crf.marginals(E, A)
    np.testing.assert_allclose(found["alpha"] * found["beta"], unary, atol=1e-11)
    np.testing.assert_allclose(found["pairwise"], pairwise, atol=1e-11)
    lowest = -(range_E + range_A) - math.log(m) - 1e-9
    assert (np.log(found["alpha"]).min(axis=1) >= lowest).all()  # (19)
    assert (abs(np.log(found["beta"])) <= range_A + 1e-9).all()  # (20)
    weighted = np.log(found["weighted"][1:])
    assert (weighted.min(axis=1) >= lowest[1:]).all()  # (21)
    assert (weighted <= range_A + 1e-9).all()  # (21)
