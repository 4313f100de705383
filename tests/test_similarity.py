"""Laws and oracles of the similarities that weigh source sentences; docs/math/similarity.md."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from ladtl_np.training.similarity import (
    cross_entropy_similarity,
    gaussian_similarity,
    ngram_probabilities,
    polynomial_similarity,
)

V, D = 7, 5


def gaussian_by_median(source, target, table):
    """With the median distance for its width."""
    return gaussian_similarity(source, target, table, 0.0)


VECTORS = [polynomial_similarity, gaussian_by_median]


def rows(*sentences):
    return [np.array(sentence, np.int64) for sentence in sentences]


def random_sentences(rng, count, vocabulary=V, longest=8):
    lengths = rng.integers(1, longest + 1, size=count)
    return [rng.integers(0, vocabulary, size=length) for length in lengths]


def case(seed=0, source=30, target=9):
    rng = np.random.default_rng(seed)
    return (
        random_sentences(rng, source),
        random_sentences(rng, target),
        rng.normal(size=(V, D)),
        rng,
    )


def similarities(source, target, table):
    yield polynomial_similarity(source, target, table)
    yield gaussian_similarity(source, target, table, 0.0)
    yield gaussian_similarity(source, target, table, 0.3)
    for order in (1, 2, 4):
        yield cross_entropy_similarity(source, target, len(table), order)


def witten_bell(target, vocabulary, order):
    """The recursive definition, word for word; symbols are rows, 'start' and 'end'."""
    grams, followers = Counter(), {}
    for words in target:
        symbols = ["start"] * (order - 1) + [int(word) for word in words] + ["end"]
        for place in range(order - 1, len(symbols)):
            for k in range(order):
                history = tuple(symbols[place - k : place])
                grams[history, symbols[place]] += 1
                followers.setdefault(history, Counter())[symbols[place]] += 1

    def probability(symbol, history):
        shorter = probability(symbol, history[1:]) if history else 1 / (vocabulary + 1)
        if history not in followers:
            return shorter
        count, different = followers[history].total(), len(followers[history])
        return (grams[history, symbol] + different * shorter) / (count + different)

    return probability


def slow_probabilities(source, target, vocabulary, order):
    probability, found = witten_bell(target, vocabulary, order), []
    for words in source:
        symbols = ["start"] * (order - 1) + [int(word) for word in words] + ["end"]
        for place in range(order - 1, len(symbols)):
            found.append(probability(symbols[place], tuple(symbols[place - order + 1 : place])))
    return found


# ---------------------------------------------------------------- mean word vectors


def test_polynomial_by_hand():
    table = np.array([[1.0, 0.0], [0.0, 1.0], [-3.0, 0.0], [0.0, 0.0]])
    # v_IN = (3, 1) / 4 from four tokens in sentences of unequal lengths
    weights = polynomial_similarity(
        rows([0], [1, 1], [0, 1], [2], [3], [0, 0, 0, 2]), rows([0, 0, 0], [1]), table
    )
    np.testing.assert_allclose(weights, [0.9, 0.1, 0.8, 0.9, 0.0, 0.0], rtol=1e-15)
    assert weights[4] == weights[5] == 0.0  # zero vectors


def test_gaussian_by_hand():
    table = np.array([[0.0], [4.0], [5.0], [9.0]])
    source, target = rows([0], [1], [2], [3]), rows([0, 0], [1, 1])  # v_IN = 2
    np.testing.assert_allclose(  # distances 2, 2, 3, 7
        gaussian_similarity(source, target, table, 2.0),
        np.exp([-0.5, -0.5, -9 / 8, -49 / 8]),
        rtol=1e-15,
    )
    expected = np.exp(-0.5 * np.square(np.array([2, 2, 3, 7]) / 2.5))  # the median
    np.testing.assert_allclose(
        gaussian_similarity(source, target, table, 0.0), expected, rtol=1e-15
    )


@pytest.mark.parametrize("similarity", VECTORS)
def test_equals_the_plain_formula(similarity):
    source, target, table, _ = case(1)
    centre = table[np.concatenate(target)].mean(axis=0)
    means = [table[words].mean(axis=0) for words in source]
    distances = [math.dist(mean, centre) for mean in means]
    if similarity is polynomial_similarity:
        expected = [(v @ centre) ** 2 / (v @ v) / (centre @ centre) for v in means]
    else:
        expected = [math.exp(-(d**2) / (2 * np.median(distances) ** 2)) for d in distances]
    np.testing.assert_allclose(similarity(source, target, table), expected, rtol=1e-12)


@pytest.mark.parametrize("factor", [-1.0, 1e-3, -250.0])
def test_squared_cosine_does_not_see_sign_or_length_of_the_vectors(factor):
    source, target, table, _ = case(2)
    expected = polynomial_similarity(source, target, table)
    np.testing.assert_allclose(
        polynomial_similarity(source, target, factor * table), expected, rtol=1e-12, atol=1e-15
    )


def test_median_width_makes_the_gaussian_free_of_scale_and_place():
    source, target, table, rng = case(3)
    moved = 40.0 * table + rng.normal(size=D)
    np.testing.assert_allclose(
        gaussian_similarity(source, target, moved, 0.0),
        gaussian_similarity(source, target, table, 0.0),
        rtol=1e-10,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sentence_like_the_whole_target_has_weight_1(dtype):
    source, target, table, rng = case(4)
    alike = rng.permutation(np.concatenate(target))
    table = table.astype(dtype)
    for weights in (
        polynomial_similarity([alike, *source], target, table),
        gaussian_similarity([alike, *source], target, table, 0.0),
        gaussian_similarity([alike], target, table, 0.0),  # its own distance would be the median
        gaussian_similarity([alike, *source], target, table, 1e-9),
    ):
        assert weights[0] == pytest.approx(1.0, abs=1e-14)
        assert (weights[1:] < 1.0).all()


@pytest.mark.parametrize("width", [0.0, 1e-200, 0.2, 50.0])
def test_gaussian_falls_with_the_distance(width):
    source, target, table, _ = case(5)
    centre = table[np.concatenate(target)].mean(axis=0)
    distance = [math.dist(table[words].mean(axis=0), centre) for words in source]
    weights = gaussian_similarity(source, target, table, width)
    assert (np.diff(weights[np.argsort(distance)]) <= 0).all()


def test_median_distance_has_weight_of_one_standard_deviation():
    source, target, table, _ = case(6, source=31)
    weights = gaussian_similarity(source, target, table, 0.0)
    assert np.median(weights) == pytest.approx(math.exp(-0.5), rel=1e-12)


def test_vectors_without_any_difference_give_no_scale_and_weight_1():
    source, target, table, _ = case(7)
    assert (gaussian_similarity(source, target, np.ones_like(table), 0.0) == 1.0).all()
    assert (gaussian_similarity(source, target, np.zeros_like(table), 0.0) == 1.0).all()
    assert (polynomial_similarity(source, target, np.zeros_like(table)) == 0.0).all()


def test_random_vectors_only_compare_word_histograms():
    source, target, _, rng = case(8)
    table = rng.uniform(-1, 1, size=(V, 40_000))  # chance cosines of about 1/200
    np.testing.assert_allclose(
        polynomial_similarity(source, target, table),
        polynomial_similarity(source, target, np.eye(V)),
        atol=0.03,
    )


# ---------------------------------------------------------------- n-gram model


def test_unigrams_by_hand():
    # symbols 0, 0, 1, end: c = 4, t = 3, below it 1/4 for each of 0, 1, 2 and the end
    p = ngram_probabilities(rows([0, 1, 2]), rows([0, 0, 1]), 3, order=1)
    np.testing.assert_allclose(p, np.array([2.75, 1.75, 0.75, 1.75]) / 7, rtol=1e-15)


def test_bigrams_by_hand():
    # target: start 0 1 end, start 0 end
    below = np.array([2 + 3 / 4, 1 + 3 / 4, 0 + 3 / 4, 2 + 3 / 4]) / (5 + 3)  # 0, 1, 2, end
    p = ngram_probabilities(rows([0, 1, 2, 0]), rows([0, 1], [0]), 3, 2)
    expected = [
        (2 + below[0]) / (2 + 1),  # 0 after start
        (1 + 2 * below[1]) / (2 + 2),  # 1 after 0
        (0 + below[2]) / (1 + 1),  # 2 after 1
        below[0],  # 0 after 2, which the target never has
        (1 + 2 * below[3]) / (2 + 2),  # end after 0
    ]
    np.testing.assert_allclose(p, expected, rtol=1e-15)


def test_cross_entropy_is_scaled_between_the_extremes():
    source, target = rows([0, 1], [2], [0]), rows([0, 1], [0])
    p = slow_probabilities(source, target, 3, 2)
    entropy = [-sum(map(math.log, p[a:b])) / (b - a) for a, b in ((0, 3), (3, 5), (5, 7))]
    assert max(entropy) == entropy[1]
    assert min(entropy) == entropy[2]
    weights = cross_entropy_similarity(source, target, 3, 2)
    middle = (entropy[1] - entropy[0]) / (entropy[1] - entropy[2])
    np.testing.assert_allclose(weights, [middle, 0.0, 1.0], rtol=1e-14)
    assert weights[1:].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("order", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("vocabulary", [1, V, 10**6])
def test_equals_the_recursive_definition(order, vocabulary):
    rng = np.random.default_rng(order)
    source, target = (random_sentences(rng, count, min(vocabulary, V)) for count in (20, 12))
    if vocabulary > V:
        source.append(np.array([vocabulary - 1, 0, vocabulary - 1, vocabulary - 1]))
    np.testing.assert_allclose(
        ngram_probabilities(source, target, vocabulary, order),
        slow_probabilities(source, target, vocabulary, order),
        rtol=1e-12,
    )


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_after_any_history_sum_to_1(order):
    rng = np.random.default_rng(10 + order)
    target = random_sentences(rng, 12, V - 2)  # two words are never seen
    histories = [*random_sentences(rng, 20, V), np.array([V - 1, V - 2, V - 1, V - 1])]
    for history in histories:
        source = [np.append(history, word) for word in range(V)]
        p = ngram_probabilities(source, target, V, order).reshape(V, -1)  # the word is last but one
        end = ngram_probabilities([history], target, V, order)[-1]
        assert p[:, -2].sum() + end == pytest.approx(1.0, rel=1e-12)
        assert (p > 0).all()


def test_a_sentence_of_the_target_is_likelier_than_one_of_unseen_words():
    target = rows([0, 1, 2], [0, 2, 1], [1, 0])
    weights = cross_entropy_similarity(rows([0, 1, 2], [2, 1, 0], [3, 4, 5]), target, V, 2)
    assert weights[0] == 1.0 > weights[1] > weights[2] == 0.0


@pytest.mark.parametrize("source", [rows([0, 1]), rows([0, 1], [0, 1]), rows([3, 4, 5], [5, 3, 4])])
def test_equal_cross_entropies_have_weight_1(source):
    target = rows([0], [1])
    assert cross_entropy_similarity(source, target, V, 2).tolist() == [1.0] * len(source)


def test_seen_sentences_are_likelier_in_a_large_corpus():
    rng = np.random.default_rng(12)
    source = np.split(rng.integers(0, 5_000, size=300_000), np.arange(40, 300_000, 40))
    weights = cross_entropy_similarity(source, source[:500], 5_000, order=3)
    assert weights.shape == (7_500,)
    assert weights[:500].min() > weights[500:].max()  # only these were seen


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_float64_between_0_and_1(seed):
    source, target, table, _ = case(seed)
    for number, weights in enumerate(similarities(source, target, table.astype(np.float32))):
        assert weights.dtype == np.float64
        assert weights.shape == (len(source),)
        assert weights.min() >= 0.0
        assert weights.max() <= 1.0
        if number >= 3:
            assert (weights.min(), weights.max()) == (0.0, 1.0)


def test_permuted_sentences_have_permuted_weights():
    source, target, table, rng = case(13)
    order = rng.permutation(len(source))
    moved_target = [target[n] for n in rng.permutation(len(target))]
    for before, after in zip(
        similarities(source, target, table),
        similarities([source[n] for n in order], moved_target, table),
        strict=True,
    ):
        np.testing.assert_allclose(after, before[order], rtol=1e-12, atol=1e-13)


def test_order_of_the_words_matters_to_ngrams_only():
    source, target, table, rng = case(14)
    shuffled = [rng.permutation(words) for words in source]
    one, other = (list(similarities(sentences, target, table)) for sentences in (source, shuffled))
    for n in range(4):  # means and unigrams
        np.testing.assert_allclose(one[n], other[n], rtol=1e-11, atol=1e-13)
    assert np.abs(one[4] - other[4]).max() > 0.01


def test_inputs_stay_as_they_were():
    source, target, table, _ = case(15)
    copies = [words.copy() for words in (*source, *target)], table.copy()
    list(similarities(source, target, table))
    assert all(map(np.array_equal, (*source, *target), copies[0]))
    np.testing.assert_array_equal(table, copies[1])


def test_no_source_sentences_have_no_weights():
    _, target, table, _ = case(16)
    for weights in similarities([], target, table):
        assert weights.shape == (0,)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (rows([0]), [], "at least one target sentence"),
        (rows([0]), rows([0], []), "a target sentence has no tokens; drop empty sentences"),
        (rows([], [0]), rows([0]), "a source sentence has no tokens; drop empty sentences"),
        (rows([0, V]), rows([0]), rf"words of the source must lie in \[0, {V}\), got \[0, {V}\]"),
        (rows([0]), rows([1, -1]), rf"words of the target must lie in \[0, {V}\), got \[-1, 1\]"),
    ],
)
def test_unusable_sentences_are_named(source, target, message):
    table = np.ones((V, D))
    for call in (
        lambda: polynomial_similarity(source, target, table),
        lambda: gaussian_similarity(source, target, table, 0.0),
        lambda: cross_entropy_similarity(source, target, V, 2),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -2e38])
@pytest.mark.parametrize("similarity", VECTORS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vectors_in_use_must_be_finite(similarity, value, dtype):
    table = np.ones((V, D), dtype)
    table[3, 1] = value
    assert similarity(rows([0, 1]), rows([2]), table)[0] == pytest.approx(1.0)  # without row 3
    for source, target in ((rows([0, 3]), rows([2])), (rows([2]), rows([0], [3]))):
        with pytest.raises(ValueError, match=r"must be finite.*row 3"):
            similarity(source, target, table)


@pytest.mark.parametrize("width", [-1.0, np.inf, np.nan])
def test_width_must_be_a_finite_number(width):
    with pytest.raises(ValueError, match="width"):
        gaussian_similarity(rows([0]), rows([1]), np.ones((V, D)), width)


@pytest.mark.parametrize("order", [0, -1])
def test_order_must_be_at_least_1(order):
    with pytest.raises(ValueError, match=f"order must be at least 1, got {order}"):
        cross_entropy_similarity(rows([0]), rows([1]), V, order)
