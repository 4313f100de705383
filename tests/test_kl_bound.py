"""Steps of the proof that bounds the divergence, docs/math/parameter_transfer.md (11) to (20)."""

from __future__ import annotations

import math

import numpy as np
import oracles
import pytest

from ladtl_np.audit.equations.paths import Paths
from ladtl_np.reference.crf import log_partition
from ladtl_np.reference.divergence import divergence_forward


def two_chains(seed: int, size: float = 1.0) -> tuple[oracles.Array, ...]:
    rng = np.random.default_rng(seed)
    E, A, DE, DA = (rng.normal(size=shape) for shape in ((4, 3), (3, 3), (4, 3), (3, 3)))
    return E, A, E - size * DE, A - size * DA


def moments(E: oracles.Array, A: oracles.Array, d: oracles.Array) -> tuple[float, float]:
    p = np.exp(Paths(E, A).log_p)
    mean = float(p @ d)
    return mean, float(p @ (d - mean) ** 2)


@pytest.mark.parametrize("seed", range(4))
def test_the_divergence_is_the_integral_of_the_variance_between_the_chains(seed: int) -> None:
    E_s, A_s, E_t, A_t = two_chains(seed)
    d = Paths(E_s - E_t, A_s - A_t).scores
    kl = divergence_forward(E_s, A_s, E_t, A_t)
    mean, _ = moments(E_s, A_s, d)
    log_mean = math.log(float(np.exp(Paths(E_s, A_s).log_p) @ np.exp(-d)))
    assert kl == pytest.approx(mean + log_mean, rel=1e-12)  # (11)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    total = 0.0
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        E, A = (1 - node) * E_s + node * E_t, (1 - node) * A_s + node * A_t  # (12)
        mean, variance = moments(E, A, d)
        assert variance <= (d.max() - mean) * (mean - d.min())  # (15)
        assert variance <= (d.max() - d.min()) ** 2 / 4
        total += weight * (1 - node) * variance
    assert kl == pytest.approx(total, rel=1e-9)  # (14)
    assert 0 <= kl <= (d.max() - d.min()) ** 2 / 8  # (16)


def test_derivatives_of_the_logarithm_are_mean_and_variance() -> None:
    E_s, A_s, E_t, A_t = two_chains(5)
    d = Paths(E_s - E_t, A_s - A_t).scores

    def psi(x: float) -> float:
        return log_partition((1 - x) * E_s + x * E_t, (1 - x) * A_s + x * A_t) - log_partition(
            E_s, A_s
        )

    for x in (0.0, 0.4, 1.0):
        mean, variance = moments((1 - x) * E_s + x * E_t, (1 - x) * A_s + x * A_t, d)
        assert (psi(x + 1e-4) - psi(x - 1e-4)) / 2e-4 == pytest.approx(-mean, rel=1e-6)
        curve = (psi(x + 1e-3) - 2 * psi(x) + psi(x - 1e-3)) / 1e-6
        assert curve == pytest.approx(variance, rel=1e-4)  # (13)


def test_a_constant_difference_has_no_divergence_though_parameters_differ() -> None:
    """One vector on every column of W, one number on all of A: L_p is not 0."""
    E_s, A_s, _, _ = two_chains(6)
    E_t, A_t = E_s + np.arange(4.0)[:, None], A_s + 0.7
    assert divergence_forward(E_s, A_s, E_t, A_t) == pytest.approx(0.0, abs=1e-12)
    d = Paths(E_s - E_t, A_s - A_t).scores
    assert np.ptp(d) == pytest.approx(0.0, abs=1e-12)


def test_an_eighth_is_the_smallest_factor() -> None:
    """Two tags of equal scores, one token, d = +-delta."""
    for delta in (1.0, 0.1, 0.01):
        E_s, A, E_t = np.zeros((1, 2)), np.zeros((2, 2)), np.array([[-delta, delta]])
        kl = divergence_forward(E_s, A, E_t, A)
        assert kl == pytest.approx(math.log(math.cosh(delta)), rel=1e-7)
        ratio = kl / ((2 * delta) ** 2 / 8)
        assert 1 - delta**2 / 6 <= ratio < 1


def test_the_printed_bound_is_the_larger_one_near_equal_chains() -> None:
    """Lemma A.2 goes with the distance, the divergence with its square."""
    near, far = (divergence_forward(*two_chains(7, size)) for size in (1e-3, 1e-2))
    assert far / near == pytest.approx(100.0, rel=0.05)


@pytest.mark.parametrize("size", [0.1, 1.0, 10.0])
def test_the_range_bounds_the_divergence_as_well(size: float) -> None:
    E_s, A_s, E_t, A_t = two_chains(8, size)
    d = Paths(E_s - E_t, A_s - A_t).scores
    kl = divergence_forward(E_s, A_s, E_t, A_t)
    assert kl <= d.max() - d.min() <= 2 * np.abs(d).max()  # (19)
