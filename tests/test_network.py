"""Laws of the model's sizes, its random start and its copies."""

from __future__ import annotations

import numpy as np
import pytest
from shapes_at_random import START, architecture_of

from ladtl_np.model.network import EMBEDDING, SOURCE, TARGET, from_named, initialise

SIZES = {"vocabulary": 30, "embedding": 6, "hidden": 5, "source_tags": 4, "target_tags": 7}


def start(seed=0, dtype=np.float64, **changed):
    return initialise(
        architecture_of(**{**SIZES, **changed}), np.random.default_rng(seed), START, dtype
    )


@pytest.mark.parametrize("bias", [True, False])
def test_shapes_follow_from_the_sizes(bias):
    network = start(emission_bias=bias)
    V, D, H, m_s, m_t = SIZES.values()
    expected = {EMBEDDING: (V, D)}
    for direction in ("forward", "backward"):
        expected |= {f"{direction}.W": (D, 4 * H), f"{direction}.U": (H, 4 * H)}
        expected |= {f"{direction}.b": (4 * H,)}
    for head, m in ((SOURCE, m_s), (TARGET, m_t)):
        expected |= {f"{head}.W": (2 * H, m), f"{head}.A": (m, m)}
        expected |= {f"{head}.b": (m,)} if bias else {}
    assert {name: array.shape for name, array in network.named().items()} == expected


def test_domain_without_tags_has_no_head():
    network = start(source_tags=0)
    assert list(network.architecture.heads()) == [TARGET]
    assert not any(name.startswith(SOURCE) for name in network.named())


def test_forget_gates_start_open_and_all_other_biases_at_zero():
    network, H = start(emission_bias=True), SIZES["hidden"]
    for direction in ("forward", "backward"):
        bias = network.weights[f"{direction}.b"]
        assert (bias[H : 2 * H] == 1).all()
        assert not np.delete(bias, np.s_[H : 2 * H]).any()
    assert not network.weights[f"{SOURCE}.b"].any()


def test_weights_stay_within_their_bounds_and_fill_them():
    network = start(hidden=40, embedding=50, source_tags=30)
    D, H = 50, 40
    bounds = {
        "forward.W": np.sqrt(6 / (D + H)),
        "backward.U": np.sqrt(6 / (H + H)),
        f"{SOURCE}.W": np.sqrt(6 / (2 * H + 30)),
        EMBEDDING: np.sqrt(3 / D),
    }
    for name, bound in bounds.items():
        largest = abs(network.named()[name]).max()
        assert 0.9 * bound < largest <= bound, name
    norms = np.square(network.embedding).sum(axis=1)
    assert norms.mean() == pytest.approx(1, abs=0.1)
    assert abs(network.weights[f"{SOURCE}.A"]).max() < 0.06


def test_head_with_as_many_tags_as_the_gates_have_columns_starts_within_the_same_bound():
    network = start(hidden=5, source_tags=20)  # 4 H tags
    assert abs(network.weights[f"{SOURCE}.W"]).max() <= np.sqrt(6 / (10 + 20))


def test_same_seed_gives_the_same_model_and_another_seed_another():
    one, same, other = start(1), start(1), start(2)
    np.testing.assert_array_equal(one.weights.flat, same.weights.flat)
    np.testing.assert_array_equal(one.embedding, same.embedding)
    assert (one.embedding != other.embedding).all()
    assert (one.weights["forward.W"] != one.weights["backward.W"]).all()


def test_draws_do_not_depend_on_the_dtype():
    double, single = start(3, np.float64), start(3, np.float32)
    for name, array in double.named().items():
        assert single.named()[name].dtype == np.float32
        np.testing.assert_array_equal(single.named()[name], array.astype(np.float32))


def test_named_arrays_are_the_models_own_and_copies_are_not():
    network = start()
    copy, single = network.copy(), network.astype(np.float32)
    network.named()["forward.W"][0, 0] = 99.0
    network.named()[EMBEDDING][0, 0] = 99.0
    assert network.weights.flat.max() == 99
    assert network.embedding[0, 0] == 99
    for other in (copy, single):
        assert other.weights.flat.max() < 99
        assert other.embedding.max() < 99


def test_model_rebuilt_from_its_named_arrays_is_an_equal_copy():
    network = start(emission_bias=True)
    rebuilt = from_named(network.architecture, network.named())
    assert list(rebuilt.named()) == list(network.named())
    for name, array in network.named().items():
        np.testing.assert_array_equal(rebuilt.named()[name], array)
        assert not np.shares_memory(rebuilt.named()[name], array)
