"""The order of training sentences: whole passes, whatever the size of a mini-batch."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.training.passes import Passes


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
