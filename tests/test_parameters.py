"""Laws of the named arrays over one flat buffer."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.arrays.parameters import Parameters

SHAPES = {"b": (3,), "a": (2, 4), "empty": (0, 5), "one": (1, 1)}


def test_every_name_is_a_view_of_the_flat_buffer_in_the_order_of_the_shapes():
    parameters = Parameters(SHAPES, np.float64)
    assert list(parameters) == list(SHAPES)
    assert parameters.shapes == SHAPES
    assert len(parameters) == 4
    parameters.flat[:] = np.arange(12)
    np.testing.assert_array_equal(parameters["b"], [0, 1, 2])
    np.testing.assert_array_equal(parameters["a"], [[3, 4, 5, 6], [7, 8, 9, 10]])
    parameters["one"][0, 0] = -1
    assert parameters.flat[-1] == -1
    for array in parameters.values():
        assert array.flags.c_contiguous
        assert array.size == 0 or np.shares_memory(array, parameters.flat)


def test_views_cover_the_buffer_without_overlap():
    parameters = Parameters(SHAPES, np.float64)
    for array in parameters.values():
        array += 1
    np.testing.assert_array_equal(parameters.flat, 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zeros_and_copies_have_their_own_memory(dtype):
    parameters = Parameters(SHAPES, dtype)
    parameters.flat[:] = 2.5
    zeros, copy = parameters.zeros_like(), parameters.astype(np.float32)
    assert zeros.flat.dtype == dtype
    assert copy.flat.dtype == np.float32
    assert zeros.shapes == copy.shapes == SHAPES
    assert not zeros.flat.any()
    np.testing.assert_array_equal(copy.flat, 2.5)
    copy["b"][:] = 0
    zeros["b"][:] = 7
    np.testing.assert_array_equal(parameters["b"], 2.5)


def test_unknown_names_are_missing_as_in_any_mapping():
    parameters = Parameters(SHAPES, np.float64)
    assert parameters.get("c") is None
    assert "c" not in parameters
    with pytest.raises(KeyError):
        parameters["c"]


def test_no_parameters_at_all_is_an_empty_buffer():
    assert Parameters({}, np.float32).flat.shape == (0,)


def test_embeddings_come_last_and_are_not_regularised():
    parameters = Parameters({"a": (2,), "x.embedding": (3, 1)}, np.float64)
    assert parameters.regularised.size == 2
    with pytest.raises(ValueError, match=r"must come last, got the order x\.embedding, a"):
        Parameters({"x.embedding": (3, 1), "a": (2,)}, np.float64)
