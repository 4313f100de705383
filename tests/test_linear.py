"""Laws of the emission scores E = H W + b."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.layers.linear import affine_backward, affine_forward
from ladtl_np.reference import linear as reference


def case(N, K, m, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (N, K), (K, m), (m,), (N, m)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("N", "K", "m"), [(1, 1, 1), (1, 4, 3), (7, 2, 5), (150, 9, 130)])
def test_equals_the_readable_twin(N, K, m, bias):
    X, W, b, dP = case(N, K, m)
    b = b if bias else None
    np.testing.assert_allclose(
        affine_forward(X, W, b), reference.affine_forward(X, W, b), rtol=1e-12, atol=1e-12
    )
    dW, db = np.zeros_like(W), np.zeros(m) if bias else None
    dX = affine_backward(dW, db, dP, X, W)
    expected = reference.affine_backward(dP, X, W)
    for ours, theirs in zip((dX, dW, db), expected, strict=True):
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
    assert dX.flags.c_contiguous


def test_gradients_are_added_and_inputs_untouched():
    X, W, b, dP = case(4, 3, 2)
    copies = [array.copy() for array in (X, W, b, dP)]
    dW, db = np.ones_like(W), np.full_like(b, -2.0)
    affine_backward(dW, db, dP, X, W)
    np.testing.assert_allclose(dW, 1 + X.T @ dP)
    np.testing.assert_allclose(db, dP.sum(axis=0) - 2)
    for array, copy in zip((X, W, b, dP), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_tag_without_upstream_gradient_receives_nothing():
    X, W, b, dP = case(6, 3, 4)
    dP[:, 2] = 0
    dW, db = np.full_like(W, 0.125), np.full_like(b, 0.125)
    affine_backward(dW, db, dP, X, W)
    assert (dW[:, 2] == 0.125).all()
    assert db[2] == 0.125


def test_float32_stays_within_1e_5_of_float64_in_its_own_dtype():
    X, W, b, dP = case(50, 40, 9)
    single = [array.astype(np.float32) for array in (X, W, b, dP)]
    P = affine_forward(*single[:3])
    dW, db = np.zeros_like(single[1]), np.zeros_like(single[2])
    dX = affine_backward(dW, db, single[3], single[0], single[1])
    exact = affine_forward(X, W, b), *reference.affine_backward(dP, X, W)
    for ours, theirs in zip((P, dX, dW, db), exact, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * abs(theirs).max())
