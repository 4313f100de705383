"""Laws of the embedding layer: lookup, dropout, and the gradient of the rows in use."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.layers.embedding import dropout_mask, embedding_backward, embedding_forward
from ladtl_np.reference import embedding as reference


def case(N, V=7, D=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(V, D)), rng.integers(0, V, size=N), rng.normal(size=(N, D)), rng


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize(("N", "V", "D"), [(1, 1, 1), (1, 7, 5), (40, 3, 2), (9, 500, 130)])
def test_equals_the_readable_twin(N, V, D, masked):
    table, words, dX, rng = case(N, V, D)
    mask = rng.choice([0.0, 2.0], size=(N, D)) if masked else None
    np.testing.assert_array_equal(
        embedding_forward(table, words, mask), reference.embedding_forward(words, table, mask)
    )
    rows, values = embedding_backward(dX, words, mask)
    dtable = np.zeros_like(table)
    dtable[rows] = values
    expected = reference.embedding_backward(dX, words, table, mask)
    np.testing.assert_allclose(dtable, expected, rtol=1e-12, atol=1e-13)


def test_gradient_holds_exactly_the_distinct_words_rising():
    _, _, dX, _ = case(6)
    rows, values = embedding_backward(dX, np.array([5, 2, 5, 0, 2, 5]), None)
    assert rows.tolist() == [0, 2, 5]
    np.testing.assert_array_equal(values[0], dX[3])
    np.testing.assert_allclose(values[2], dX[[0, 2, 5]].sum(axis=0), rtol=1e-15)


def test_order_of_the_tokens_changes_only_rounding():
    table, words, dX, rng = case(30)
    order = rng.permutation(30)
    rows, values = embedding_backward(dX, words, None)
    moved_rows, moved = embedding_backward(dX[order], words[order], None)
    np.testing.assert_array_equal(rows, moved_rows)
    np.testing.assert_allclose(values, moved, atol=1e-14)
    np.testing.assert_array_equal(
        embedding_forward(table, words[order], None), embedding_forward(table, words, None)[order]
    )


def test_dropped_values_are_zero_and_send_back_nothing():
    table, words, dX, _ = case(4)
    mask = np.full(dX.shape, 2.0)
    mask[1] = 0.0
    words[:] = [0, 1, 2, 3]
    X = embedding_forward(table, words, mask)
    assert not X[1].any()
    np.testing.assert_array_equal(X[0], 2 * table[0])
    _, values = embedding_backward(dX, words, mask)
    assert not values[1].any()


def test_mask_of_ones_is_no_dropout():
    table, words, dX, _ = case(9)
    ones = np.ones_like(dX)
    plain, masked = (embedding_forward(table, words, mask) for mask in (None, ones))
    np.testing.assert_array_equal(plain, masked)
    for one, other in zip(
        embedding_backward(dX, words, None), embedding_backward(dX, words, ones), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_result_is_a_copy_that_leaves_the_table_alone():
    table, words, _, _ = case(3)
    before = table.copy()
    embedding_forward(table, words, None)[:] = 7.0
    np.testing.assert_array_equal(table, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dropout", [0.25, 0.5])
def test_mask_keeps_the_expected_value(dropout, dtype):
    mask = dropout_mask(np.random.default_rng(0), (200, 300), dropout, dtype)
    assert mask.dtype == dtype
    kept = mask > 0
    np.testing.assert_allclose(mask[kept], 1 / (1 - dropout), rtol=1e-6)
    assert kept.mean() == pytest.approx(1 - dropout, abs=0.01)  # 5 standard deviations


def test_mask_of_both_dtypes_drops_the_same_values_from_the_same_generator():
    masks = [dropout_mask(np.random.default_rng(1), (9, 9), 0.5, d) for d in (np.float32, float)]
    np.testing.assert_array_equal(*masks)


def test_no_dropout_has_no_mask_and_draws_nothing():
    rng = np.random.default_rng(2)
    state = rng.bit_generator.state
    assert dropout_mask(rng, (2, 3), 0.0, np.float32) is None
    assert rng.bit_generator.state == state


@pytest.mark.parametrize(("words", "given"), [([0, 7], r"\[0, 7\]"), ([-1, 3], r"\[-1, 3\]")])
def test_words_outside_the_table_name_the_range_wanted_and_given(words, given):
    table, _, _, _ = case(1)
    with pytest.raises(ValueError, match=rf"words must lie in \[0, 7\), got {given}; .*vocabulary"):
        embedding_forward(table, np.array(words), None)


def test_float32_stays_float32():
    table, words, dX, rng = case(5)
    mask = rng.choice([0.0, 2.0], size=dX.shape).astype(np.float32)
    assert embedding_forward(table.astype(np.float32), words, mask).dtype == np.float32
    assert embedding_backward(dX.astype(np.float32), words, mask).values.dtype == np.float32
