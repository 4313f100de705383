"""Further laws of the character BiLSTM: twin at random shapes, backward laws, memory, hazards."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes_at_random import RAGGED, random_batch, random_network

from ladtl_np.arrays.spelling import pack_spellings
from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.vocabulary import UNKNOWN
from ladtl_np.layers.bilstm import DIRECTIONS
from ladtl_np.layers.characters import (
    characters_backward,
    characters_forward,
    join_backward,
    join_forward,
)
from ladtl_np.model.network import EMBEDDING
from ladtl_np.objective import Objective, loss_and_gradients
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.reference import characters as reference
from ladtl_np.reference.lstm import LstmWeights

ONE_WORKER = Workers()
SIZES = ((1, 1, 1), (6, 3, 2), (40, 5, 17))


def case(lengths, C=6, Dc=3, Hc=2, seed=0):
    """Words of the given lengths, upstream gradient and weights."""
    rng = np.random.default_rng(seed)
    words = [rng.integers(0, C, size=length) for length in lengths]
    shapes = {"embedding": (C, Dc)}
    for direction in DIRECTIONS:
        for part, shape in {"W": (Dc, 4 * Hc), "U": (Hc, 4 * Hc), "b": (4 * Hc,)}.items():
            shapes[f"{direction}.{part}"] = shape
    weights = {f"characters.{name}": 0.7 * rng.normal(size=s) for name, s in shapes.items()}
    return words, rng.normal(size=(len(words), 2 * Hc)), weights


def run(words, dF, weights, workers=ONE_WORKER):
    """Final states of each word, and the gradients of all parameters."""
    gradients = {name: np.zeros_like(array) for name, array in weights.items()}
    F, cache = characters_forward(pack_spellings(words), weights, workers)
    characters_backward(gradients, dF, cache, weights, workers)
    return F, gradients


def twin(words, dF, weights):
    """The same, one word at a time."""
    gradients = {name: np.zeros_like(array) for name, array in weights.items()}
    table, states = weights["characters.embedding"], []
    directions = [
        LstmWeights(*(weights[f"characters.{direction}.{part}"] for part in "WUb"))
        for direction in DIRECTIONS
    ]
    for word, df in zip(words, dF, strict=True):
        f, cache = reference.characters_forward(word, table, *directions)
        states.append(f)
        dtable, *dweights = reference.characters_backward(df, cache, word, table, *directions)
        gradients["characters.embedding"] += dtable
        for direction, parts in zip(DIRECTIONS, dweights, strict=True):
            for part, gradient in parts._asdict().items():
                gradients[f"characters.{direction}.{part}"] += gradient
    return np.array(states), gradients


def swapped(arrays):
    """The arrays of each direction under the names of the other."""
    turned = {"forward": "backward", "backward": "forward"}
    names = (".".join(turned.get(part, part) for part in name.split(".")) for name in arrays)
    return dict(zip(names, arrays.values(), strict=True))


@pytest.mark.parametrize(("C", "Dc", "Hc"), SIZES)
@pytest.mark.parametrize("lengths", RAGGED.values(), ids=RAGGED)
def test_packed_words_equal_the_twin_one_by_one(lengths, C, Dc, Hc):
    words, dF, weights = case(lengths, C, Dc, Hc)
    F, gradients = run(words, dF, weights)
    expected_F, expected = twin(words, dF, weights)
    np.testing.assert_allclose(F, expected_F, rtol=1e-10, atol=1e-13)
    for name, gradient in expected.items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("lengths", RAGGED.values(), ids=RAGGED)
def test_float32_stays_float32_and_near_its_twin(lengths):
    words, dF, weights = case(lengths, 40, 5, 17)
    weights = {name: array.astype(np.float32) for name, array in weights.items()}
    F, gradients = run(words, dF.astype(np.float32), weights)
    expected_F, expected = twin(words, dF.astype(np.float32), weights)
    assert F.dtype == np.float32
    np.testing.assert_allclose(F, expected_F, rtol=1e-5, atol=1e-5)
    for name, gradient in expected.items():
        bound = 1e-5 * max(1.0, abs(gradient).max())
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-5, atol=bound, err_msg=name)


def test_twin_keeps_float32():
    words, dF, weights = case((3,))
    weights = {name: array.astype(np.float32) for name, array in weights.items()}
    directions = [
        LstmWeights(*(weights[f"characters.{direction}.{part}"] for part in "WUb"))
        for direction in DIRECTIONS
    ]
    table = weights["characters.embedding"]
    f, cache = reference.characters_forward(words[0], table, *directions)
    dtable, dforward, dbackward = reference.characters_backward(
        dF[0].astype(np.float32), cache, words[0], table, *directions
    )
    assert {a.dtype for a in (f, dtable, *dforward, *dbackward)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("lengths", RAGGED.values(), ids=RAGGED)
def test_words_read_backwards_swap_the_gradients_of_the_directions(lengths):
    words, dF, weights = case(lengths)
    F, gradients = run(words, dF, weights)
    turned_F, turned = run(
        [word[::-1] for word in words],
        np.roll(dF, 2, axis=1),
        {name: swapped(weights)[name] for name in weights},
    )
    np.testing.assert_allclose(np.roll(turned_F, 2, axis=1), F, atol=1e-14)
    for name, gradient in swapped(turned).items():
        np.testing.assert_allclose(gradient, gradients[name], atol=1e-13, err_msg=name)


def test_repeated_words_get_the_sum_of_their_gradients():
    words, _, weights = case((1, 2, 4))
    place = np.array([2, 0, 2, 2, 1, 0])
    rng = np.random.default_rng(1)
    X, djoined = rng.normal(size=(place.size, 3)), rng.normal(size=(place.size, 7))
    F, each = run([words[u] for u in place], djoined[:, 3:], weights)
    dF = np.zeros((3, 4))
    dX = join_backward(dF, djoined, place, 3)
    distinct_F, distinct = run(words, dF, weights)
    np.testing.assert_allclose(join_forward(X, distinct_F, place), np.hstack([X, F]), atol=1e-15)
    np.testing.assert_array_equal(dX, djoined[:, :3])
    assert dX.flags.c_contiguous
    for name, gradient in each.items():
        np.testing.assert_allclose(distinct[name], gradient, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_number_of_threads_gives_the_same_bytes(dtype):
    words, dF, weights = case(RAGGED["mixed"] * 8, 40, 16, 20)
    weights = {name: array.astype(dtype) for name, array in weights.items()}
    with single_threaded_blas():
        runs = [run(words, dF.astype(dtype), weights, Workers(n)) for n in (1, 2, 4)]
    for F, gradients in runs[1:]:
        assert F.tobytes() == runs[0][0].tobytes()
        for name, gradient in gradients.items():
            assert gradient.tobytes() == runs[0][1][name].tobytes(), name


def test_gradients_are_added():
    words, dF, weights = case(RAGGED["mixed"])
    _, once = run(words, dF, weights)
    twice = {name: np.zeros_like(array) for name, array in weights.items()}
    for _ in range(2):
        _, cache = characters_forward(pack_spellings(words), weights, ONE_WORKER)
        characters_backward(twice, dF, cache, weights, ONE_WORKER)
    for name, gradient in once.items():
        np.testing.assert_allclose(twice[name], 2 * gradient, rtol=1e-13, atol=1e-14)


def test_cache_and_states_outlive_what_is_taken_between_the_passes():
    words, dF, weights = case(RAGGED["mixed"], 40, 5, 17)
    expected_F, expected = run(words, dF, weights)
    workers = Workers()
    for _ in range(3):  # from the second round on everything lies in one block
        workers.memory.reuse()
        gradients = {name: np.zeros_like(array) for name, array in weights.items()}
        F, cache = characters_forward(pack_spellings(words), weights, workers)
        with workers.memory.frame():
            workers.memory.empty(50_000, np.float64).fill(np.nan)
        workers.memory.empty(50_000, np.float64).fill(np.nan)
        characters_backward(gradients, dF, cache, weights, workers)
        np.testing.assert_array_equal(F, expected_F)
        for name, gradient in expected.items():
            np.testing.assert_array_equal(gradients[name], gradient)


def test_word_of_one_character_is_the_same_in_both_directions():
    words, dF, weights = case((1, 1, 1))
    for part in "WUb":
        weights[f"characters.backward.{part}"] = weights[f"characters.forward.{part}"]
    F, gradients = run(words, dF, weights)
    np.testing.assert_array_equal(F[:, :2], F[:, 2:])
    assert not gradients["characters.forward.U"].any()
    assert not gradients["characters.backward.U"].any()


@pytest.mark.parametrize("lengths", RAGGED.values(), ids=RAGGED)
def test_first_and_last_name_the_ends_of_each_word(lengths):
    words = np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1])
    spellings = pack_spellings(words)
    assert sorted(spellings.characters) == list(range(sum(lengths)))
    assert spellings.characters[spellings.first].tolist() == [word[0] for word in words]
    assert spellings.characters[spellings.last].tolist() == [word[-1] for word in words]
    assert spellings.offsets.tolist()[-1] == sum(lengths)


@pytest.mark.parametrize("dropped", ["words", "characters"])
def test_what_dropout_takes_away_of_the_inputs_is_neither_seen_nor_moved(dropped):
    rng = np.random.default_rng(3)
    sizes = {"characters": 4, "character_embedding": 2, "character_hidden": 2}
    network = random_network(rng, **sizes)
    batch = random_batch(rng, network, (4, 2), (3, 1, 1))
    D = network.architecture.embedding
    mask = np.full((batch.words.size, D + 4), 2.0)
    mask[:, slice(0, D) if dropped == "words" else slice(D, None)] = 0.0
    same = np.arange(3), np.arange(3)
    _, found = loss_and_gradients(network, batch, Objective.la_dtl(same), dropout_mask=mask)
    hidden = encoder_forward(network, batch, mask, Workers())[0].copy()
    for name, moved in (("words", [EMBEDDING]), ("characters", ["characters.embedding"])):
        assert (name == dropped) == (not any(found[each].any() for each in moved))
        other = network.copy()
        other.named()[moved[0]][...] += 1.0
        seen = encoder_forward(other, batch, mask, Workers())[0]
        assert (name == dropped) == np.array_equal(seen, hidden)


def test_no_word_at_all():
    _, _, weights = case(())
    F, gradients = run([], np.zeros((0, 4)), weights)
    assert F.shape == (0, 4)
    assert not any(gradient.any() for gradient in gradients.values())


def test_word_without_characters_is_refused():
    with pytest.raises(ValueError, match="word 1 has no characters"):
        pack_spellings([np.array([1]), np.array([], np.int64)])


def test_character_outside_the_table_is_refused():
    _, _, weights = case((1,))
    with pytest.raises(ValueError, match=r"\[0, 6\), got \[6, 6\].*alphabet"):
        characters_forward(pack_spellings([np.array([6])]), weights, ONE_WORKER)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(st.lists(TEXT, min_size=1, max_size=6), st.booleans())
def test_the_alphabet_survives_json_and_knows_its_corpus(tokens, lower):
    one = Characters.build([Corpus("t", (Sentence(tuple(tokens)),))], lower=lower, min_count=1)
    two = Characters.from_state(json.loads(json.dumps(one.to_state())))
    assert two.to_state() == one.to_state()
    for token in tokens:
        rows = two.spell(token)
        assert rows.dtype == np.int64
        assert rows.size
        assert (rows > 0).all()
        assert (rows == one.spell(token)).all()


def test_the_order_of_sentences_and_corpora_does_not_matter():
    sentences = [Sentence(("ab", "c")), Sentence(("cb",))]
    one = Characters.build([Corpus("t", tuple(sentences))], lower=False, min_count=1)
    two = Characters.build(
        [Corpus("t", (s,)) for s in reversed(sentences)], lower=False, min_count=1
    )
    assert (
        one.to_state() == two.to_state() == {"characters": [UNKNOWN, "b", "c", "a"], "lower": False}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"characters": []},
        {"characters": ["a"]},
        {"characters": [UNKNOWN, "a", "a"]},
        {"characters": "ab"},
        {"characters": [UNKNOWN, 1]},
        {"characters": [UNKNOWN, ""]},
        {"characters": [UNKNOWN, "ab"]},
        {"characters": None},
        {"lower": 1},
    ],
)
def test_a_damaged_state_is_refused(change):
    state = Characters.build(
        [Corpus("t", (Sentence(("a",)),))], lower=False, min_count=1
    ).to_state()
    with pytest.raises(ValueError, match="alphabet"):
        Characters.from_state({**state, **change})
