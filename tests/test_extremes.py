"""The largest and the smallest number of a row, wherever it stands and however long the row is."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.kernels._jit import kernel
from ladtl_np.kernels.algebra import extremes

DTYPES = [np.float32, np.float64]


@kernel
def largest(x):
    return extremes.largest(x)


@kernel
def sign_or_least(x):
    return extremes.sign_or_least(x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("negative", [False, True])
def test_the_largest_is_found_at_every_place(dtype, negative):
    rng = np.random.default_rng(0)
    for size in range(1, 14):
        for place in range(size):
            x = (rng.random(size) - negative).astype(dtype)
            x[place] = 2 - 2 * negative
            assert largest(x) == x.max() == x[place]
    assert largest(np.full(5, -np.inf, dtype)) == -np.inf


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_smallest_is_found_where_none_is_negative_and_a_negative_one_elsewhere(dtype):
    rng = np.random.default_rng(1)
    for size in range(1, 14):
        for place in range(size):
            x = 1 + rng.random(size).astype(dtype)
            for least in (0.5, 0.0):
                x[place] = least
                assert sign_or_least(x) == least
            x[place] = -0.25
            assert sign_or_least(x) < 0
