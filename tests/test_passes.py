"""The order of training sentences: whole passes, whatever the size of a mini-batch."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.objective.terms import SourceTie
from ladtl_np.options.config import parse_config
from ladtl_np.options.methods import METHODS
from ladtl_np.training.passes import BalancedPasses, Passes, source_passes

OUT, B, IN, S, X = range(5)  # labels of the source; the target's are 10 more
MATCHED = [(label, label + 10) for label in (OUT, B, IN, S)]


def passes(count: int, seed: int = 0) -> Passes:
    sentences = [EncodedSentence(np.array([n]), np.array([0])) for n in range(count)]
    return Passes(sentences, np.random.default_rng(seed))


def numbers(taken: list[EncodedSentence]) -> list[int]:
    return [int(sentence.words[0]) for sentence in taken]


@pytest.mark.parametrize("size", [1, 3, 7, 10, 21])
def test_mini_batches_are_cut_from_one_shuffled_pass_after_the_other(size):
    rng = np.random.default_rng(0)
    expected = [int(n) for _ in range(9) for n in rng.permutation(7)]
    own = passes(7)
    seen = [n for _ in range(42 // size) for n in numbers(own.take(size))]
    assert seen == expected[: len(seen)]
    assert own.order.tolist() == expected[len(seen) :][: own.order.size]
    assert own.order.size < 7


def test_without_sentences_nothing_is_taken_and_no_chance_used():
    own = passes(0)
    assert own.take(3) == []
    assert own.rng.random() == np.random.default_rng(0).random()


def encoded(number: int, *tags: int) -> EncodedSentence:
    return EncodedSentence(np.full(len(tags), number), np.array(tags))


def target(*tags: int) -> list[EncodedSentence]:
    return [encoded(0, tag + 10) for tag in tags]


def corpus() -> list[EncodedSentence]:
    """40 sentences without entities; B in 40, 41, 42, I in 42, S in 43 twice, X in 44."""
    plain = [encoded(n, OUT, OUT) for n in range(40)]
    held = [encoded(40, B, OUT), encoded(41, B, OUT), encoded(42, B, IN), encoded(43, S, S)]
    return [*plain, *held, encoded(44, X)]


def balanced(sentences: list[EncodedSentence] | None = None, seed: int = 0) -> BalancedPasses:
    orders = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    given = corpus() if sentences is None else sentences
    return BalancedPasses(given, orders[0], MATCHED, orders[1])


def ordinary(count: int, seed: int = 0) -> list[int]:
    return numbers(Passes(corpus(), np.random.default_rng(seed)).take(count))


def test_a_label_of_the_target_is_met_by_the_next_sentence_that_holds_it():
    start = ordinary(3)
    assert not {40, 41, 42, 43} & set(start)
    drawn = numbers(balanced().take_beside(5, target(S)))
    assert drawn == [*start[:3], 43, ordinary(4)[3]]


def test_the_sources_rarest_label_comes_first_and_half_of_the_sentences_at_most_are_chosen():
    own = balanced()
    assert list(own.labels) == [IN, S, B, OUT]  # 1, 2, 3 and 82 tokens
    # I comes with a B, so B needs no sentence of its own
    start = ordinary(6)
    assert numbers(own.take_beside(8, target(B, IN, S))) == [*start[:4], 42, 43, *start[4:]]
    assert numbers(balanced().take_beside(3, target(B, IN, S)))[2:] == [42]
    assert numbers(balanced().take_beside(1, target(IN))) == ordinary(1)


def test_what_is_held_already_or_unmatched_is_not_drawn_for():
    assert numbers(balanced().take_beside(6, target(OUT))) == ordinary(6)
    assert numbers(balanced().take_beside(6, target(X))) == ordinary(6)
    assert numbers(balanced().take_beside(6, [])) == ordinary(6)


def test_each_label_has_a_pass_of_its_own_over_its_sentences():
    own = balanced()
    drawn = [numbers(own.take_beside(4, target(B)))[2] for _ in range(6)]
    chosen = [n for n in drawn if n in (40, 41, 42)]
    for start in range(0, len(chosen) - 2, 3):
        assert sorted(chosen[start : start + 3]) == [40, 41, 42]
    assert len(chosen) >= 3


def test_a_label_that_the_source_never_has_is_passed_over():
    without = [sentence for sentence in corpus() if S not in sentence.tags]
    own = balanced(without)
    assert S in own.labels
    assert len(own.take_beside(6, target(S, IN))) == 6


def test_without_a_source_nothing_is_taken():
    assert balanced([]).take_beside(5, target(B)) == []


@pytest.mark.parametrize("method", METHODS)
def test_only_methods_with_an_mmd_balance(method):
    config = parse_config({"method": method, "training": {"batches": "label-balanced"}})
    rows = tuple(np.array(labels) for labels in zip(*MATCHED, strict=True))
    mu = np.array([1.0, 1.0, 0.0, 1.0])
    found = source_passes(config, corpus(), SourceTie(rows, mu), *np.random.default_rng(0).spawn(2))
    # a label that the MMD leaves out is not drawn for
    expected = [S, B, OUT] if METHODS[method].mmd != "none" else []
    assert list(found.labels) == expected
