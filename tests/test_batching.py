"""Laws of the packed layout: nothing padded, nothing lost, halves packed like batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes_at_random import RAGGED

from ladtl_np.arrays.packing import pack
from ladtl_np.objective.batching import EncodedSentence, domain_batch

lengths_of_a_batch = st.lists(st.integers(1, 9), min_size=1, max_size=12)


def encoded(lengths, start):
    """Sentences whose word and tag numbers tell where each token came from."""
    sentences = []
    for number, T in enumerate(lengths):
        words = start + 1000 * number + np.arange(T)
        sentences.append(EncodedSentence(words, words + 7))
    return sentences


def looped_layout(sentences):
    """Packed words, and the sentences' ranks, token by token."""
    ranked = sorted(range(len(sentences)), key=lambda k: -sentences[k].words.size)  # stable
    longest = sentences[ranked[0]].words.size if ranked else 0
    words, offsets = [], [0]
    for t in range(longest):
        active = [k for k in ranked if sentences[k].words.size > t]
        words += [sentences[k].words[t] for k in active]
        offsets.append(len(words))
    return words, offsets, ranked


@pytest.mark.parametrize("lengths", RAGGED.values(), ids=RAGGED)
def test_layout_equals_one_token_at_a_time(lengths):
    sentences = encoded(lengths, 0)
    packing = pack(np.array(lengths))
    words, offsets, ranked = looped_layout(sentences)
    assert packing.order.tolist() == ranked
    assert packing.offsets.tolist() == offsets
    values = np.concatenate([s.words for s in sentences])
    packed = np.empty_like(values)
    packed[packing.rows] = values
    assert packed.tolist() == words
    assert (packing.sentences, packing.tokens) == (len(lengths), sum(lengths))


@settings(max_examples=60, deadline=None)
@given(lengths=lengths_of_a_batch)
def test_every_token_has_a_row_of_its_own_and_no_row_is_padding(lengths):
    packing = pack(np.array(lengths))
    assert sorted(packing.rows.tolist()) == list(range(sum(lengths)))
    widths = np.diff(packing.offsets)
    assert (np.diff(widths) <= 0).all()
    assert (widths > 0).all()


@settings(max_examples=60, deadline=None)
@given(
    source=st.lists(st.integers(1, 9), max_size=8),
    target=st.lists(st.integers(1, 9), max_size=8),
)
def test_each_half_of_a_batch_is_a_packed_layout_of_its_own(source, target):
    if not source and not target:
        return
    halves = encoded(source, 0), encoded(target, 500_000)
    batch = domain_batch(halves)
    words, offsets, _ = looped_layout([*halves[0], *halves[1]])
    assert batch.words.tolist() == words
    assert batch.offsets.tolist() == offsets
    rows = np.concatenate([batch.source.rows, batch.target.rows])
    assert sorted(rows.tolist()) == list(range(batch.words.size))
    for half, sentences in zip((batch.source, batch.target), halves, strict=True):
        assert half.sentences == len(sentences)
        assert (np.diff(half.rows) > 0).all()
        half_words, half_offsets, _ = looped_layout(sentences)
        assert batch.words[half.rows].tolist() == half_words
        assert half.offsets.tolist() == half_offsets
        assert half.tags.tolist() == [word + 7 for word in half_words]


def test_no_sentences_pack_to_nothing():
    packing = pack(np.empty(0, np.int64))
    assert (packing.sentences, packing.tokens, packing.offsets.tolist()) == (0, 0, [0])


@pytest.mark.parametrize("lengths", [[0], [3, 0, 1], [2, -1]])
def test_empty_sentences_are_refused_with_the_cure(lengths):
    with pytest.raises(ValueError, match="at least one token; drop empty sentences"):
        pack(np.array(lengths))


def test_batch_without_sentences_is_refused():
    with pytest.raises(ValueError, match="at least one sentence"):
        domain_batch([[], []])


@pytest.mark.parametrize(("words", "tags"), [([1, 2, 3], [0, 1]), ([1], []), ([1], [2, 3])])
def test_words_and_tags_of_unequal_length_are_refused_with_the_sentence(words, tags):
    good = EncodedSentence(np.array([4, 5]), np.array([2, 3]))
    bad = EncodedSentence(np.array(words), np.array(tags, dtype=np.int64))
    with pytest.raises(ValueError, match="sentence 1 has"):
        domain_batch([[good, bad], [good]])
