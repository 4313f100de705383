"""Laws of the exact divergence of two CRFs, its twin, and its bound by the parameters' distance."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import oracles
import pytest
from objectives import objective_of
from shapes_at_random import by_sentence, random_batch, random_chains, random_network

from ladtl_np.layers.crf import crf_viterbi
from ladtl_np.layers.divergence import (
    divergence_backward,
    divergence_forward,
    divergence_source_backward,
)
from ladtl_np.layers.parameter_transfer import parameter_transfer_forward
from ladtl_np.objective import loss_and_gradients
from ladtl_np.reference import divergence as reference

M = 3
LENGTHS = (3, 1, 4)


def two_chains(seed: int, scale: float = 1.5):
    rng = np.random.default_rng(seed)
    packing, E_s, A_s, _ = random_chains(rng, LENGTHS, M, scale)
    _, E_t, A_t, _ = random_chains(rng, LENGTHS, M, scale)
    return packing, (E_s, A_s, E_t, A_t)


@pytest.mark.parametrize("seed", range(3))
def test_equals_enumeration_and_the_readable_twin(seed) -> None:
    packing, (E_s, A_s, E_t, A_t) = two_chains(seed)
    halves = zip(by_sentence(packing, E_s), by_sentence(packing, E_t), strict=True)
    each = [(E, A_s, F, A_t) for E, F in halves]
    enumerated = [oracles.enumerated_kl(*chains) for chains in each]
    twin = [reference.divergence_forward(*chains) for chains in each]
    np.testing.assert_allclose(twin, enumerated, rtol=1e-10)
    value, _ = divergence_forward(E_s, A_s, E_t, A_t, packing.offsets)
    assert value == pytest.approx(np.mean(enumerated), rel=1e-10)


def test_is_zero_between_equal_distributions_and_positive_between_others() -> None:
    packing, (E_s, A_s, E_t, A_t) = two_chains(3)
    # a constant added to the scores of a token changes no probability
    moved = E_s + np.random.default_rng(4).normal(size=(len(E_s), 1))
    value, cache = divergence_forward(E_s, A_s, moved, A_s, packing.offsets)
    assert value == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(cache.dE, 0.0, atol=1e-12)
    forth, _ = divergence_forward(E_s, A_s, E_t, A_t, packing.offsets)
    back, _ = divergence_forward(E_t, A_t, E_s, A_s, packing.offsets)
    assert forth > 0.1
    assert back > 0.1
    assert forth != pytest.approx(back, rel=1e-3)


def test_the_gradient_is_the_target_s_marginals_minus_the_source_s() -> None:
    packing, (E_s, A_s, E_t, A_t) = two_chains(5)
    _, cache = divergence_forward(E_s, A_s, E_t, A_t, packing.offsets)
    halves = zip(by_sentence(packing, E_s), by_sentence(packing, E_t), strict=True)
    for (E, F), dE in zip(halves, by_sentence(packing, cache.dE), strict=True):
        marginals = [oracles.enumerated_marginals(E, A_s), oracles.enumerated_marginals(F, A_t)]
        np.testing.assert_allclose(dE, (marginals[1][0] - marginals[0][0]) / 3, atol=1e-12)
    np.testing.assert_allclose(cache.dE.sum(axis=1), 0.0, atol=1e-12)


def test_the_source_s_gradient_is_a_covariance() -> None:
    """Cov([y_t = j], g) over all paths, with g the difference of the two scores of a path."""
    packing, (E_s, A_s, E_t, A_t) = two_chains(11)
    _, cache = divergence_forward(E_s, A_s, E_t, A_t, packing.offsets)
    dE, dA = np.zeros_like(E_s), np.zeros_like(A_s)
    divergence_source_backward(dE, dA, 3.0, cache)
    halves = zip(by_sentence(packing, E_s), by_sentence(packing, E_t), strict=True)
    expected_dA = np.zeros_like(dA)
    for (E, F), found in zip(halves, by_sentence(packing, dE), strict=True):
        probabilities = oracles.path_probabilities(E, A_s)
        g = {y: oracles.path_score(E - F, A_s - A_t, y) for y in probabilities}
        mean = sum(p * g[y] for y, p in probabilities.items())
        expected = np.zeros_like(E)
        for y, p in probabilities.items():
            expected[np.arange(len(E)), y] += p * (g[y] - mean)
            for pair in pairwise(y):
                expected_dA[pair] += p * (g[y] - mean)
        np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(dA, expected_dA, atol=1e-12)


def test_extreme_scores_give_finite_gradients() -> None:
    packing, (E_s, A_s, E_t, A_t) = two_chains(12)
    _, cache = divergence_forward(1e3 * E_s, 1e3 * A_s, E_t, A_t, packing.offsets)
    dE, dA = np.zeros_like(E_s), np.zeros_like(A_s)
    divergence_source_backward(dE, dA, 1.0, cache)
    assert np.isfinite(dE).all()
    assert np.isfinite(dA).all()


def bound_constant(hidden) -> float:
    """Of the bound by the parameters' distance, docs/math/parameter_transfer.md (10)."""
    return float(np.linalg.norm(hidden, axis=1).sum()) ** 2 + (len(hidden) - 1) ** 2


@pytest.mark.parametrize("T", [1, 2, 4])
def test_the_constant_bounds_the_difference_of_every_path(T) -> None:
    rng = np.random.default_rng(7)
    hidden, dW, dA = rng.uniform(-1, 1, (T, 4)), rng.normal(size=(4, M)), rng.normal(size=(M, M))
    for W, A in ((dW, dA), (dW, 0.0 * dA), (0.0 * dW, dA), (1.0 + 0.0 * dW, 0.0 * dA)):
        distance = float((W**2).sum() + (A**2).sum())
        for y in oracles.paths(T, M):
            # every difference against what the path makes of the sentence          (8), (9)
            of_W, of_A = np.zeros_like(dW), np.zeros_like(dA)
            for t, tag in enumerate(y):
                of_W[:, tag] += hidden[t]
            for pair in pairwise(y):
                of_A[pair] += 1.0
            d = oracles.path_score(hidden @ W, A, y)
            assert d == pytest.approx(float((of_W * W).sum() + (of_A * A).sum()), abs=1e-12)
            bracket = float((of_W**2).sum() + (of_A**2).sum())
            assert d**2 <= bracket * distance * (1 + 1e-12)
            assert bracket <= bound_constant(hidden) * (1 + 1e-12)


@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_stays_below_the_exact_spread_and_below_the_distance_of_the_parameters(scale) -> None:
    """KL <= (b - a)^2 / 8 <= c_1 / 2 L_p, for one sentence scored by two heads."""
    rng = np.random.default_rng(6)
    network = random_network(rng, source_tags=M, target_tags=M, scale=scale)
    weights, T = network.weights, 5
    hidden, offsets = rng.uniform(-1, 1, size=(T, 4)), np.arange(T + 1)
    scores = [(hidden @ weights[f"{d}_crf.W"], weights[f"{d}_crf.A"]) for d in ("source", "target")]
    (E_s, A_s), (E_t, A_t) = scores
    value, _ = divergence_forward(E_s, A_s, E_t, A_t, offsets)
    _, largest = crf_viterbi(E_s - E_t, A_s - A_t, offsets)
    _, smallest = crf_viterbi(E_t - E_s, A_t - A_s, offsets)
    spread = float(largest[0] + smallest[0])
    same = np.arange(M), np.arange(M)
    c_1 = bound_constant(hidden)
    assert 0.0 <= value <= spread**2 / 8 <= c_1 / 2 * parameter_transfer_forward(weights, same)


def test_float32_agrees_with_float64() -> None:
    packing, chains = two_chains(7)
    exact, _ = divergence_forward(*chains, packing.offsets)
    single, _ = divergence_forward(*(part.astype(np.float32) for part in chains), packing.offsets)
    assert single == pytest.approx(exact, rel=1e-5)


def test_different_tags_are_refused() -> None:
    packing, (E_s, A_s, E_t, A_t) = two_chains(8)
    with pytest.raises(ValueError, match="same tags"):
        divergence_forward(E_s, A_s, E_t[:, :2], A_t[:2, :2], packing.offsets)
    rng = np.random.default_rng(9)
    network = random_network(rng)  # 3 and 4 tags
    objective = objective_of(matched=(np.arange(3), np.arange(3)), parameter_transfer="kl")
    with pytest.raises(ValueError, match="every tag"):
        loss_and_gradients(network, random_batch(rng, network, (2,), (2,)), objective)


def test_no_divergence_sends_nothing_to_the_source_head() -> None:
    rng = np.random.default_rng(10)
    network = random_network(rng, target_tags=3)
    batch = random_batch(rng, network, (2, 3), (4,))
    same = np.array([0, 2, 1]), np.array([0, 1, 2])
    found = {}
    for w_param in (0.0, 0.5):
        objective = objective_of(matched=same, w_mmd=0.0, w_param=w_param, parameter_transfer="kl")
        found[w_param] = loss_and_gradients(network, batch, objective)[1]
    for name, gradient in found[0.0].items():
        changed = not np.array_equal(gradient, found[0.5][name])
        assert changed == (not name.startswith("source_crf")), name


def test_a_batch_without_tokens_has_no_divergence_and_sends_nothing_back() -> None:
    nothing, A, dA = np.zeros((0, 3)), np.zeros((3, 3)), np.zeros((3, 3))
    value, cache = divergence_forward(nothing, A, nothing, A + 1.0, np.zeros(2, np.int64))
    assert value == 0.0
    divergence_source_backward(nothing, dA, 1.0, cache)
    divergence_backward(nothing, dA, 1.0, cache)
    assert not dA.any()
