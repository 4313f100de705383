"""Sums of Gaussians as one polynomial: as exact as exponentials, whatever the list of variances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_mmd import assert_equals_twin, fast, samples

from ladtl_np.kernels._jit import kernel
from ladtl_np.kernels.mmd_gaussians import (
    COEFFICIENTS,
    NODES,
    SPREAD,
    UNDERFLOW,
    gaussian_sums,
    to_unit,
    wide_sums,
)
from ladtl_np.layers.mmd_variances import LARGEST_VARIANCE, MEDIAN_FACTORS, REFERENCE_VARIANCES

LISTS = {
    "reference": REFERENCE_VARIANCES,
    "median": tuple(17.0 * factor for factor in MEDIAN_FACTORS),
    "single": (10.0,),
    "twice the same": (10.0, 10.0),
    "duplicates": (3.0, 20.0, 3.0, 20.0, 3.0),
    "nearly twice": (10.0, 20.001, 40.003),
    "largest and smallest": (LARGEST_VARIANCE, 1e-20, 1e-20, LARGEST_VARIANCE, 5.0),
    "falling": tuple(reversed(REFERENCE_VARIANCES)),
}
lists = pytest.mark.parametrize("variances", LISTS.values(), ids=LISTS)
RANGES = (
    (0.0, 1e-39),
    (0.0, 1e-6),
    (0.1, 0.4),
    (1.0, 30.0),
    (33.0, 71.0),
    (25.0, 25.0),
    (5.0, 4e3),
)


@kernel
def computed(k, g, d, half_inverse, low, high):
    """Number of terms, and of Gaussians by themselves."""
    terms, narrow = np.empty((2, COEFFICIENTS), d.dtype), np.empty_like(half_inverse)
    scratch = np.empty((2, NODES)), np.empty((2, COEFFICIENTS))
    needed, count = wide_sums(terms, narrow, *scratch, half_inverse, low, high)
    scale, shift = to_unit(low, high)
    dtype = d.dtype.type
    least = dtype(low)
    gaussian_sums(k, g, d, terms, needed, narrow[:count], least, dtype(scale), dtype(shift))
    return needed, count


def sums(variances, d, low, high, dtype=np.float64):
    k, g = np.full((2, d.size), np.nan, dtype)
    half_inverse = (0.5 / np.array(variances)).astype(dtype)
    found = computed(k, g, d.astype(dtype), half_inverse, low, high)
    return k, g, *found


def exact(variances, d):
    h = 0.5 / np.array(variances)[:, None]
    each = np.exp(-d * h)
    return each.sum(axis=0), (2 * h * each).sum(axis=0)


def largest_error(found, wanted):
    """Of each sum, as a share of its largest value; what underflows is left out of it."""
    return [abs(a - b).max() / max(b.max(), 1e-25) for a, b in zip(found, wanted, strict=True)]


@lists
@pytest.mark.parametrize(("low", "high"), RANGES)
def test_the_sums_are_those_of_the_exponentials(variances, low, high):
    d = np.concatenate([np.linspace(low, high, 301), [high]])
    k, g, _, _ = sums(variances, d, low, high)
    assert max(largest_error((k, g), exact(variances, d))) < 1e-14


@lists
@pytest.mark.parametrize(("low", "high"), RANGES)
def test_float32_is_no_less_exact_than_an_exponential_of_each(variances, low, high):
    d = np.random.default_rng(0).uniform(low, high, 500).astype(np.float32)
    d = np.clip(d, np.float32(low), np.float32(high))
    wanted = exact(variances, d.astype(np.float64))
    h = (0.5 / np.array(variances)).astype(np.float32)[:, None]
    each = np.exp(-d * h)
    one_by_one = np.zeros((2, d.size), np.float32)
    for k, width in zip(each, h, strict=True):
        one_by_one += np.stack([k, k * (width + width)])
    ours = largest_error(sums(variances, d, low, high, np.float32)[:2], wanted)
    theirs = largest_error(one_by_one, wanted)
    assert max(np.array(ours) - 2 * np.array(theirs)) < np.finfo(np.float32).eps


@settings(max_examples=60, deadline=None)
@given(
    variances=st.lists(st.floats(1e-4, 1e6), min_size=1, max_size=12),
    low=st.floats(0.0, 100.0),
    width=st.floats(0.0, 1e3),
)
def test_any_list_over_any_distances(variances, low, width):
    d = np.linspace(low, low + width, 37)
    k, g, _, _ = sums(variances, d, low, low + width)
    assert max(largest_error((k, g), exact(variances, d))) < 1e-13


def test_a_gaussian_is_a_term_an_exponential_or_nothing():
    low, high = 2.0, 10.0
    wide, narrow, gone = (high - low) / (2 * SPREAD), 0.9, low / (2.1 * UNDERFLOW)
    d = np.linspace(low, high, 9)
    assert sums((narrow, gone), d, low, high)[2:] == (0, 1)
    assert sums((narrow, wide, gone), d, low, high)[2:] == (0, 2)  # one is not worth a polynomial
    needed, count = sums((wide, narrow, gone, 2 * wide), d, low, high)[2:]
    assert (needed, count) == (COEFFICIENTS, 1)
    assert sums((wide, narrow, 2 * wide), d, low, high, np.float32)[2:] == (15, 1)
    assert sums((2 * wide, narrow, 4 * wide), d, low, high, np.float32)[2:] == (10, 1)
    assert sums((1e6, 1e7), d, low, high, np.float32)[2:] == (5, 0)
    k, g, needed, count = sums((gone,), d, low, high)
    assert (needed, count) == (0, 0)
    assert not k.any()
    assert not g.any()


def test_distances_that_are_no_numbers_stay_so():
    d = np.array([1.0, np.nan, 2.0])
    for high in (2.0, np.nan):
        k, _, _, _ = sums((10.0, 20.0, 30.0), d, 1.0, high)
        np.testing.assert_array_equal(np.isnan(k[1]), True)
        assert np.isfinite(k[[0, 2]]).all()


# ---- the whole MMD -------------------------------------------------------------------------------


@lists
@pytest.mark.parametrize(("S", "R"), [(9, 7), (30, 31), (90, 100)])
@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_every_list_equals_the_twin(variances, S, R, scale):
    X, Z = samples(S, R, seed=1)
    assert_equals_twin(scale * X, scale * Z, variances)


def test_near_pairs_among_wide_gaussians_are_left_to_differences():
    X, Z = samples(40, 30, width=4, seed=2)
    X[7], X[20], Z[4] = X[3], X[3] + 1e-3, X[9]
    Z[29] = Z[28] = Z[27]  # the last rows of the last block
    assert_equals_twin(X, Z, (0.3, 5.0, 10.0, 25.0, 1e3))
    X[:], Z[:] = X[0], X[0]  # no other pair is left
    value, dX, dZ = fast(X, Z, (5.0, 10.0, 25.0, 1e3))
    assert value == pytest.approx(0, abs=1e-12)
    assert not dX.any()
    assert not dZ.any()
