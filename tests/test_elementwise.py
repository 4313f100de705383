"""Accuracy of the vectorising exp, sigmoid and tanh, and their values where a dtype ends."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.kernels._jit import kernel
from ladtl_np.kernels.algebra.elementwise import exp, sigmoid, tanh

DTYPES = [np.float32, np.float64]


@kernel
def exp_of_all(out, x):
    for k in range(x.size):
        out[k] = exp(x[k])


@kernel
def sigmoid_of_all(out, x):
    for k in range(x.size):
        out[k] = sigmoid(x[k])


@kernel
def tanh_of_all(out, x):
    for k in range(x.size):
        out[k] = tanh(x[k])


def computed(function, x):
    out = np.full_like(x, 99.0)
    with np.errstate(all="ignore"):  # only uncompiled, where these are NumPy's
        function(out, x)
    return out


def exact(function, x):
    with np.errstate(all="ignore"):
        return function(x.astype(np.longdouble))


def exact_sigmoid(x):
    return 1 / (1 + np.exp(-x))


def grid(low: float, high: float, dtype: type) -> np.ndarray:
    """An even grid, both ends' neighbours, and magnitudes down to the smallest."""
    tiny = np.geomspace(np.finfo(dtype).tiny, 1.0, 400)
    x = np.concatenate([np.linspace(low, high, 20_001), tiny, -tiny, [0.0, -0.0]])
    x = x.astype(dtype)
    return x[(x >= low) & (x <= high)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_is_right_to_three_units_in_the_last_place_wherever_the_result_is_normal(dtype):
    bound = {np.float32: (-87.32, 88.71), np.float64: (-708.38, 709.77)}[dtype]
    x = grid(*bound, dtype)
    relative = abs(computed(exp_of_all, x) / exact(np.exp, x) - 1)
    assert relative.max() <= 3 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("function", "oracle"), [(sigmoid_of_all, exact_sigmoid), (tanh_of_all, np.tanh)]
)
def test_sigmoid_and_tanh_are_right_to_the_absolute_precision_of_the_dtype(function, oracle, dtype):
    x = grid(-40.0, 40.0, dtype)
    assert abs(computed(function, x) - exact(oracle, x)).max() <= 2 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_overflows_to_infinity_and_underflows_to_zero(dtype):
    limits = np.finfo(dtype)
    low, high = np.log(limits.tiny), np.log(limits.max)
    over = np.array([np.inf, limits.max, 1e4, high * 1.01], dtype)
    under = np.array([-np.inf, -limits.max, -1e4, low * 1.2], dtype)
    assert np.isposinf(computed(exp_of_all, over)).all()
    assert (computed(exp_of_all, under) == 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_gives_way_to_its_limits_only_within_a_hundredth_of_the_ends_of_the_dtype(dtype):
    limits = np.finfo(dtype)
    low, high = float(np.log(limits.tiny)), float(np.log(limits.max))
    x = np.linspace(high - 0.05, high + 0.05, 4001).astype(dtype)
    ours = computed(exp_of_all, x)
    right = abs(ours / exact(np.exp, x) - 1) <= 3 * limits.eps
    assert (right | (np.isposinf(ours) & (x > high - 0.01))).all()
    x = np.linspace(low - 0.05, low + 0.05, 4001).astype(dtype)
    ours = computed(exp_of_all, x)
    right = abs(ours / exact(np.exp, x) - 1) <= 3 * limits.eps
    assert (right | ((ours < limits.tiny) & (x < low + 0.01))).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [exp_of_all, sigmoid_of_all, tanh_of_all])
def test_nan_stays_nan_also_among_numbers(function, dtype):
    x = np.linspace(-3, 3, 37).astype(dtype)  # more than a vector register and a remainder
    x[[0, 8, 36]] = np.nan
    np.testing.assert_array_equal(np.isnan(computed(function, x)), np.isnan(x))


@pytest.mark.parametrize("function", [exp_of_all, sigmoid_of_all, tanh_of_all])
def test_nan_stays_nan_whatever_else_its_bits_hold(function):
    singles = np.uint32(0x7FC00000) | (np.uint32(1) << np.arange(22, dtype=np.uint32))
    doubles = np.uint64(0x7FF8 << 48) | (np.uint64(1) << np.arange(51, dtype=np.uint64))
    for x in (singles.view(np.float32), doubles.view(np.float64)):
        assert np.isnan(x).all()
        assert np.isnan(computed(function, x)).all()
        assert np.isnan(computed(function, -x)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_and_tanh_reach_their_limits_at_infinity_and_far_before(dtype):
    far = np.array([np.inf, np.finfo(dtype).max, 1e4], dtype)
    np.testing.assert_array_equal(computed(sigmoid_of_all, far), 1)
    np.testing.assert_array_equal(computed(sigmoid_of_all, -far), 0)
    np.testing.assert_array_equal(computed(tanh_of_all, far), 1)
    np.testing.assert_array_equal(computed(tanh_of_all, -far), -1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_at_zero_and_bounds_hold_exactly(dtype):
    zero = np.array([0.0, -0.0], dtype)
    np.testing.assert_array_equal(computed(exp_of_all, zero), 1)
    np.testing.assert_array_equal(computed(sigmoid_of_all, zero), dtype(0.5))
    np.testing.assert_array_equal(computed(tanh_of_all, zero), 0)
    x = grid(-40.0, 40.0, dtype)
    s, t = computed(sigmoid_of_all, x), computed(tanh_of_all, x)
    assert s.min() >= 0
    assert s.max() <= 1
    assert abs(t).max() <= 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [exp_of_all, sigmoid_of_all, tanh_of_all])
def test_place_in_a_vector_register_does_not_change_a_value(function, dtype):
    x = np.random.default_rng(0).normal(size=61).astype(dtype)
    whole = computed(function, x)
    for k in (0, 7, 31, 60):
        assert computed(function, x[k : k + 1])[0] == whole[k]
    np.testing.assert_array_equal(computed(function, x[5:]), whole[5:])
