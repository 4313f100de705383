from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.vocabulary import UNKNOWN, Vocabulary, digits_to_zero


def corpus(*sentences: str) -> Corpus:
    return Corpus("test", tuple(Sentence(tuple(text.split(" "))) for text in sentences))


def build(corpora: list[Corpus], **options: Any) -> Vocabulary:
    """Words as they are written, all of them, unless the options say otherwise."""
    plain = {"lower": False, "digits_to_zero": False, "min_count": 1}
    return Vocabulary.build(corpora, **{**plain, **options})


def test_words_stand_by_falling_count_then_code_point() -> None:
    vocabulary = build([corpus("b a b", "c"), corpus("é Z a")])
    assert vocabulary.words == (UNKNOWN, "a", "b", "Z", "c", "é")
    assert vocabulary.singleton.tolist() == [False, False, False, True, True, True]


def test_the_order_of_sentences_and_corpora_does_not_matter() -> None:
    one = build([corpus("b a", "c a")], extra_words={"x", "y", "z"})
    two = build([corpus("c a"), corpus("b a")], extra_words=["z", "y", "x"])
    assert one.to_state() == two.to_state()


def test_rare_words_are_left_out_and_extra_ones_held() -> None:
    vocabulary = build([corpus("a a b c")], min_count=2, extra_words=["c", "d", "a"])
    assert vocabulary.words == (UNKNOWN, "a", "c", "d")
    assert vocabulary.singleton.tolist() == [False, False, True, False]


def test_counts_are_those_of_the_normalised_words() -> None:
    vocabulary = build([corpus("B1 b２ x")], lower=True, digits_to_zero=True, extra_words=["Y9"])
    assert vocabulary.words == (UNKNOWN, "b0", "x", "y0")
    assert vocabulary.encode(["B7", "X", "y5", "q"]).tolist() == [1, 2, 3, 0]


def test_every_decimal_digit_becomes_zero_and_nothing_else() -> None:
    assert digits_to_zero("a1２٣²½Ⅷ〇") == "a000²½Ⅷ〇"


def test_unknown_tokens_and_the_unknown_word_itself_are_row_0() -> None:
    vocabulary = build([corpus(f"{UNKNOWN} a")])
    assert vocabulary.words == (UNKNOWN, "a")
    rows = vocabulary.encode(["z", "a", UNKNOWN])
    assert rows.tolist() == [0, 1, 0]
    assert rows.dtype == np.int64
    assert vocabulary.encode([]).shape == (0,)


def test_only_singletons_are_replaced_at_the_given_rate() -> None:
    vocabulary = build([corpus("a a b")])
    rows = np.tile(vocabulary.encode(["a", "b"]), 5000)
    before = rows.copy()
    replaced = vocabulary.replace_singletons(rows, np.random.default_rng(1), 0.25)
    assert (rows == before).all()
    assert (replaced[::2] == 1).all()
    assert abs((replaced[1::2] == 0).mean() - 0.25) < 0.03
    assert set(replaced[1::2].tolist()) == {0, 2}
    same = vocabulary.replace_singletons(rows, np.random.default_rng(1), 0.25)
    assert (same == replaced).all()
    assert (vocabulary.replace_singletons(rows, np.random.default_rng(1), 0) == rows).all()


def test_as_many_numbers_are_drawn_whatever_the_words() -> None:
    vocabulary = build([corpus("a a b")])
    after = []
    for token in "ab":
        rng = np.random.default_rng(0)
        vocabulary.replace_singletons(vocabulary.encode([token] * 3), rng, 0.5)
        after.append(rng.random())
    assert after[0] == after[1]


@given(
    sentences=st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
                                min_size=1), max_size=4),
    lower=st.booleans(),
    zero=st.booleans(),
)  # fmt: skip
def test_the_state_survives_json(sentences: list[list[str]], lower: bool, zero: bool) -> None:
    text = Corpus("t", tuple(Sentence(tuple(tokens)) for tokens in sentences))
    one = build([text], lower=lower, digits_to_zero=zero)
    two = Vocabulary.from_state(json.loads(json.dumps(one.to_state())))
    assert two.to_state() == one.to_state()
    for sentence in text:
        rows = two.encode(sentence.tokens)
        assert (rows == one.encode(sentence.tokens)).all()
        assert all(row > 0 or one.normalise(token) == UNKNOWN
                   for row, token in zip(rows, sentence.tokens, strict=True))  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"words": []}, {"words": ["a"]}, {"words": [UNKNOWN, "a", "a"]}, {"words": "ab"},
     {"words": [UNKNOWN, 1]}, {"lower": 1}, {"singletons": [9]}, {"singletons": [-1]},
     {"singletons": [True]}, {"singletons": None}]
)  # fmt: skip
def test_a_damaged_state_is_refused(change: dict[str, Any]) -> None:
    state = build([corpus("a b")]).to_state()
    with pytest.raises(ValueError, match="vocabulary"):
        Vocabulary.from_state({**state, **change})
    with pytest.raises(ValueError, match="lacks"):
        Vocabulary.from_state({"words": [UNKNOWN]})


def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="min_count"):
        build([], min_count=0)
    with pytest.raises(ValueError, match="probability"):
        Vocabulary((UNKNOWN,), lower=False, digits_to_zero=False).replace_singletons(
            np.zeros(1, np.int64), np.random.default_rng(0), 1.5
        )
    with pytest.raises(ValueError, match="singleton"):
        Vocabulary((UNKNOWN,), lower=False, digits_to_zero=False, singleton=np.zeros(3, np.bool_))
