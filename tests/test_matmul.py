"""The product of register tiles equals NumPy's at every edge of its tiles."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from ladtl_np.kernels._jit import kernel
from ladtl_np.kernels.algebra.matmul import (
    DEPTH,
    PACKING_ROWS,
    max_plus,
    multiply,
    multiply_packed,
    pack,
)

SHAPES = [
    *((rows, 17, 5) for rows in range(1, 14)),
    *((3, columns, 4) for columns in (1, 7, 8, 9, 15, 16, 17, 31, 33, 47, 48, 49, 63, 64, 65, 129)),
    *((7, 20, inner) for inner in (1, 2, DEPTH - 1, DEPTH, DEPTH + 1, 2 * DEPTH + 3)),
    (128, 121, 200),
    *((PACKING_ROWS + more, 70, DEPTH + 9) for more in (-1, 0, 5)),
]


@kernel
def product(out, A, B, add):
    multiply(out, A, B, add)


@kernel
def product_of_packed(out, A, B, first, add):
    multiply_packed(out, A, pack(B), first, add)


@kernel
def largest_of_sums(out, A, B):
    max_plus(out, A, pack(B))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[0] < 128], ids=str)
def test_where_plus_is_max_and_times_is_plus_it_is_the_largest_sum(dtype, shape):
    rows, columns, inner = shape
    rng = np.random.default_rng(rows + columns + inner)
    A = rng.normal(size=(rows, inner)).astype(dtype)
    B = rng.normal(size=(inner, columns)).astype(dtype)
    A[rng.random(A.shape) < 0.2] = -np.inf
    frame = np.full((rows + 2, columns), np.nan, dtype)
    out = frame[1:-1]
    largest_of_sums(out, A, B)
    np.testing.assert_array_equal(out, (A[:, :, None] + B[None]).max(axis=1))
    assert np.isnan(frame[[0, -1]]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_it_equals_numpy_and_writes_nothing_else(dtype, shape, layout):
    rows, columns, inner = shape
    rng = np.random.default_rng(rows + columns + inner)
    A = rng.normal(size=(rows, inner)).astype(dtype)
    B = rng.normal(size=(inner, columns)).astype(dtype)
    if layout == "columns":
        A = np.asfortranarray(A)
    frame = np.full((rows + 2, columns), np.nan, dtype)
    out = frame[1:-1]
    product(out, A, B, False)
    exact = A.astype(np.float64) @ B.astype(np.float64)
    tolerance = 4 * inner * np.finfo(dtype).eps
    np.testing.assert_allclose(out, exact, rtol=tolerance, atol=tolerance * np.sqrt(inner))
    product(out, A, B, True)
    np.testing.assert_allclose(out, 2 * exact, rtol=tolerance, atol=2 * tolerance * np.sqrt(inner))
    assert np.isnan(frame[[0, -1]]).all()


def test_infinities_and_nan_stay_where_they_belong():
    A = np.ones((3, 2))
    A[0, 0], A[1, 1] = np.inf, np.nan
    out = np.zeros((3, 5))
    with np.errstate(invalid="ignore"):
        product(out, A, np.ones((2, 5)), False)
    assert np.isposinf(out[0]).all()
    assert np.isnan(out[1]).all()
    assert (out[2] == 2).all()


def test_nothing_to_sum_is_zero_and_adding_it_changes_nothing():
    out = np.full((2, 3), 7.0)
    product(out, np.ones((2, 0)), np.ones((0, 3)), True)
    assert (out == 7).all()


@pytest.mark.parametrize("columns", [1, 15, 64, 65, 130])
@pytest.mark.parametrize("first", [0, 3])
def test_a_packed_factor_gives_the_same_bytes(columns, first):
    rng = np.random.default_rng(columns)
    A, B = rng.normal(size=(11, 7)), rng.normal(size=(12, columns))
    for add in (True, False):
        plain, packed, turned = (np.ones((11, columns)) for _ in range(3))
        product(plain, A, B[first : first + 7], add)
        product_of_packed(packed, A, B, first, add)
        product_of_packed(turned, A, np.asfortranarray(B), first, add)
        np.testing.assert_array_equal(packed, turned)
        np.testing.assert_allclose(packed, plain, rtol=1e-14)
        if not numba.config.DISABLE_JIT:
            np.testing.assert_array_equal(packed, plain)
