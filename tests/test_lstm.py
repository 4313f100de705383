"""Laws and hazards of the packed BiLSTM, and its equality with the readable twin."""

from __future__ import annotations

import numpy as np
import pytest
from shapes_at_random import RAGGED, by_sentence, packed_rows, to_packed

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.layers.bilstm import DIRECTIONS, bilstm_backward, bilstm_forward
from ladtl_np.reference import lstm as reference

ONE_WORKER = Workers()
SIZES = ((1, 1), (3, 2), (5, 17))


def random_weights(rng: np.random.Generator, D: int, H: int, scale: float = 0.7):
    shapes = {"W": (D, 4 * H), "U": (H, 4 * H), "b": (4 * H,)}
    return {
        f"{direction}.{part}": scale * rng.normal(size=shape)
        for direction in DIRECTIONS
        for part, shape in shapes.items()
    }


def case(lengths, D=3, H=2, seed=0):
    rng = np.random.default_rng(seed)
    packing = packed_rows(lengths)
    X = [rng.normal(size=(T, D)) for T in lengths]
    dhidden = [rng.normal(size=(T, 2 * H)) for T in lengths]
    return packing, X, dhidden, random_weights(rng, D, H)


def run(packing, X, dhidden, weights, workers=ONE_WORKER):
    """Hidden states and dX of each sentence, and the weight gradients."""
    packed_X, packed_dhidden = to_packed(packing, X), to_packed(packing, dhidden)
    gradients = {name: np.zeros_like(array) for name, array in weights.items()}
    hidden, cache = bilstm_forward(packed_X, weights, packing.offsets, workers)
    dX = bilstm_backward(gradients, packed_dhidden, cache, weights, workers)
    return by_sentence(packing, hidden), by_sentence(packing, dX), gradients


def reference_weights(weights):
    return [
        reference.LstmWeights(*(weights[f"{direction}.{part}"] for part in "WUb"))
        for direction in DIRECTIONS
    ]


@pytest.mark.parametrize(("D", "H"), SIZES)
@pytest.mark.parametrize("lengths", RAGGED.values(), ids=RAGGED)
def test_packed_batch_equals_its_sentences_one_by_one(lengths, D, H):
    packing, X, dhidden, weights = case(lengths, D, H)
    hidden, dX, gradients = run(packing, X, dhidden, weights)
    directions = reference_weights(weights)
    expected = {name: np.zeros_like(array) for name, array in weights.items()}
    for x, dh, ours, our_dx in zip(X, dhidden, hidden, dX, strict=True):
        theirs, caches = reference.bilstm_forward(x, *directions)
        their_dx, *their_dweights = reference.bilstm_backward(dh, caches, x, *directions)
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(our_dx, their_dx, rtol=1e-10, atol=1e-12)
        for direction, parts in zip(DIRECTIONS, their_dweights, strict=True):
            for part, gradient in parts._asdict().items():
                expected[f"{direction}.{part}"] += gradient
    for name, gradient in expected.items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("lengths", RAGGED.values(), ids=RAGGED)
def test_reversed_sentences_under_swapped_weights_swap_the_directions(lengths):
    packing, X, dhidden, weights = case(lengths)
    H = 2
    swapped = {
        name.replace("forward", "x").replace("backward", "forward").replace("x", "backward"): array
        for name, array in weights.items()
    }
    hidden, dX, gradients = run(packing, X, dhidden, weights)
    turned = run(
        packing,
        [x[::-1] for x in X],
        [np.roll(dh[::-1], H, axis=1) for dh in dhidden],
        {name: swapped[name] for name in weights},
    )
    for before, after in zip(hidden, turned[0], strict=True):
        np.testing.assert_allclose(np.roll(after[::-1], H, axis=1), before, atol=1e-14)
    for before, after in zip(dX, turned[1], strict=True):
        np.testing.assert_allclose(after[::-1], before, atol=1e-13)
    for part in "WUb":
        for one, other in (DIRECTIONS, DIRECTIONS[::-1]):
            np.testing.assert_allclose(
                turned[2][f"{one}.{part}"], gradients[f"{other}.{part}"], atol=1e-13
            )


def test_order_of_the_sentences_permutes_the_results():
    lengths = RAGGED["mixed"]
    packing, X, dhidden, weights = case(lengths)
    hidden, dX, gradients = run(packing, X, dhidden, weights)
    order = np.random.default_rng(1).permutation(len(lengths))
    moved = run(
        packed_rows([lengths[k] for k in order]),
        [X[k] for k in order],
        [dhidden[k] for k in order],
        weights,
    )
    for place, k in enumerate(order):
        np.testing.assert_allclose(moved[0][place], hidden[k], atol=1e-14)
        np.testing.assert_allclose(moved[1][place], dX[k], atol=1e-13)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(moved[2][name], gradient, atol=1e-13)


def test_nan_of_one_sentence_reaches_no_other():
    lengths = RAGGED["mixed"]
    packing, X, dhidden, weights = case(lengths)
    hidden, dX, _ = run(packing, X, dhidden, weights)
    X[1][3] = np.nan
    poisoned, poisoned_dX, _ = run(packing, X, dhidden, weights)
    assert np.isnan(poisoned[1]).any()
    for k in set(range(len(lengths))) - {1}:
        np.testing.assert_allclose(poisoned[k], hidden[k], atol=1e-14)
        np.testing.assert_allclose(poisoned_dX[k], dX[k], atol=1e-13)


def test_sentence_of_one_token_is_the_same_in_both_directions():
    packing, X, dhidden, weights = case((1, 1, 1))
    for part in "WUb":
        weights[f"backward.{part}"] = weights[f"forward.{part}"]
    hidden, _, gradients = run(packing, X, dhidden, weights)
    for h in hidden:
        np.testing.assert_array_equal(h[:, :2], h[:, 2:])
    assert not gradients["forward.U"].any()  # no state came before
    assert not gradients["backward.U"].any()


def test_gradients_are_added():
    packing, X, dhidden, weights = case(RAGGED["mixed"])
    _, _, once = run(packing, X, dhidden, weights)
    packed_X = to_packed(packing, X)
    twice = {name: np.zeros_like(array) for name, array in weights.items()}
    for _ in range(2):
        _, cache = bilstm_forward(packed_X, weights, packing.offsets, ONE_WORKER)
        bilstm_backward(twice, to_packed(packing, dhidden), cache, weights, ONE_WORKER)
    for name, gradient in once.items():
        np.testing.assert_allclose(twice[name], 2 * gradient, rtol=1e-14, atol=1e-14)


def test_backward_leaves_inputs_states_and_upstream_gradient_untouched():
    packing, X, dhidden, weights = case(RAGGED["mixed"])
    packed_X, upstream = to_packed(packing, X), to_packed(packing, dhidden)
    _, cache = bilstm_forward(packed_X, weights, packing.offsets, ONE_WORKER)
    cells = [direction.cell for direction in cache.directions]
    read = [packed_X, upstream, *weights.values(), cache.output, *cells]
    before = [array.copy() for array in read]
    gradients = {name: np.zeros_like(array) for name, array in weights.items()}
    bilstm_backward(gradients, upstream, cache, weights, ONE_WORKER)
    for array, copy in zip(read, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saturated_gates_stay_finite(dtype):
    packing, X, dhidden, weights = case((4, 2, 1))
    X = [1e4 * x.astype(dtype) for x in X]
    dhidden = [dh.astype(dtype) for dh in dhidden]
    weights = {name: array.astype(dtype) for name, array in weights.items()}
    with np.errstate(over="ignore"):  # only uncompiled, where exp is NumPy's
        hidden, dX, gradients = run(packing, X, dhidden, weights)
    for array in (*hidden, *dX, *gradients.values()):
        assert array.dtype == dtype
        assert np.isfinite(array).all()
    assert max(abs(h).max() for h in hidden) <= 1


def test_float32_stays_within_1e_5_of_float64():
    packing, X, dhidden, weights = case((40, 25, 25, 3), D=8, H=6)
    double = run(packing, X, dhidden, weights)
    single = run(
        packing,
        [x.astype(np.float32) for x in X],
        [dh.astype(np.float32) for dh in dhidden],
        {name: array.astype(np.float32) for name, array in weights.items()},
    )
    for ours, exact in zip(single[:2], double[:2], strict=True):
        for one, other in zip(ours, exact, strict=True):
            assert one.dtype == np.float32
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    for name, exact in double[2].items():
        bound = 1e-5 * abs(exact).max()
        np.testing.assert_allclose(single[2][name], exact, rtol=1e-5, atol=bound, err_msg=name)


def test_two_threads_give_the_same_bytes_as_one():
    packing, X, dhidden, weights = case(RAGGED["mixed"], D=16, H=20)
    with single_threaded_blas():
        one, two = (run(packing, X, dhidden, weights, Workers(n)) for n in (1, 2))
    for a, b in zip((*one[0], *one[1]), (*two[0], *two[1]), strict=True):
        assert a.tobytes() == b.tobytes()
    for name, gradient in one[2].items():
        assert gradient.tobytes() == two[2][name].tobytes()


def test_inputs_of_wrong_width_name_both_widths():
    packing, X, _, weights = case((2,), D=3)
    with pytest.raises(ValueError, match=r"inputs have 2 columns, the BiLSTM wants 3"):
        bilstm_forward(to_packed(packing, X)[:, :2], weights, packing.offsets, ONE_WORKER)
