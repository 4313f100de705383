from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus import hashing
from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.hashing import HashKey
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.vocabulary import UNKNOWN, Vocabulary, digits_to_zero
from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.model.vocabulary_key import VARIABLE, chosen_key, read_key, read_or_make_key


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
    one = build([corpus("b a", "c a")])
    two = build([corpus("c a"), corpus("b a")])
    assert one.to_state() == two.to_state()


def test_rare_words_are_left_out() -> None:
    vocabulary = build([corpus("a a b c")], min_count=2)
    assert vocabulary.words == (UNKNOWN, "a")


def test_further_words_stand_last_in_their_own_order() -> None:
    vocabulary = build([corpus("a b")], lower=True).extended(["z", "d"])
    assert vocabulary.words == (UNKNOWN, "a", "b", "z", "d")
    assert vocabulary.singleton.tolist() == [False, True, True, False, False]
    assert vocabulary.encode(["D", "B"]).tolist() == [4, 2]


def test_counts_are_those_of_the_normalised_words() -> None:
    vocabulary = build([corpus("B1 b２ x")], lower=True, digits_to_zero=True)
    assert vocabulary.words == (UNKNOWN, "b0", "x")
    assert vocabulary.encode(["B7", "X", "q"]).tolist() == [1, 2, 0]


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


# ---- hashed --------------------------------------------------------------------------------------

KEY = HashKey(bytes(range(32)))


def test_a_hashed_vocabulary_finds_the_words_of_its_plain_twin() -> None:
    plain = build([corpus("B1 b２ b2 x x <unk>")], lower=True, digits_to_zero=True)
    hashed, order = plain.hashed(KEY)
    tokens = ["B7", "X", "q", "b00", UNKNOWN, "\ud800"]
    assert [order[row] for row in hashed.encode(tokens)] == plain.encode(tokens).tolist()
    known = [row > 0 for row in plain.encode(tokens)]
    assert [hashed.knows(t) for t in tokens] == [plain.knows(t) for t in tokens] == known
    assert (hashed.lower, hashed.digits_to_zero) == (True, True)


def test_hashes_depend_on_the_key_and_on_what_is_hashed() -> None:
    other = HashKey(bytes(32))
    again = hashlib.blake2b(b"a", digest_size=16, key=KEY.secret, person=b"word")
    assert KEY.hash("a", "word") == again.hexdigest()  # which models on disk depend on
    found = {KEY.hash("a", "word"), KEY.hash("a", "character"), KEY.hash("b", "word"), KEY.check}
    found |= {other.hash("a", "word"), other.check}
    assert len(found) == 6
    assert all(re.fullmatch("[0-9a-f]{32}", text) for text in found)


def test_the_order_of_hashed_rows_tells_nothing_of_counts() -> None:
    words = " ".join(f"w{n} " * n for n in range(1, 40)).split()
    plain = build([corpus(*words)])
    hashed, order = plain.hashed(KEY)
    assert list(hashed.words[1:]) == sorted(hashed.words[1:])
    assert sorted(order.tolist()) == list(range(len(plain)))
    assert order[0] == 0
    assert not hashed.singleton.any()
    assert not any(word in str(hashed.to_state()) for word in plain.words)


def test_a_state_of_hashes_survives_json_and_needs_its_key() -> None:
    plain = build([corpus("a b c")])
    hashed, _ = plain.hashed(KEY)
    read = Vocabulary.from_state(json.loads(json.dumps(hashed.to_state())))
    assert read.words == hashed.words
    with pytest.raises(UsageError, match="--vocabulary-key"):
        read.encode(["a"])
    with pytest.raises(UsageError, match="another one"):
        read.opened(HashKey(bytes(32)))
    assert (read.opened(KEY).encode(["a", "c", "z"]) == hashed.encode(["a", "c", "z"])).all()
    assert plain.opened(KEY) is plain


@pytest.mark.parametrize(
    "change",
    [{"hashes": "ab"}, {"hashes": ["a"]}, {"hashes": [1]}, {"key_check": None}, {"lower": 0},
     {"hashes": ["0" * 32] * 2}, {"hashes": ["A" * 32]}]
)  # fmt: skip
def test_a_damaged_state_of_hashes_is_refused(change: dict[str, Any]) -> None:
    state = build([corpus("a b")]).hashed(KEY)[0].to_state()
    with pytest.raises(ValueError, match="vocabulary"):
        Vocabulary.from_state({**state, **change})


def test_an_alphabet_is_hashed_as_words_are() -> None:
    plain = Characters.build([corpus("ab b", "Bc")], lower=False, min_count=1)
    hashed, order = plain.hashed(KEY)
    assert [order[row] for row in hashed.spell("cabZ")] == plain.spell("cabZ").tolist()
    state = json.loads(json.dumps(hashed.to_state()))
    read = Characters.from_state(state)
    assert (read.opened(KEY).spell("cab") == hashed.spell("cab")).all()
    with pytest.raises(UsageError, match="--vocabulary-key"):
        read.spell("a")
    for change in ({"hashes": ["a"]}, {"hashes": 1}, {"key_check": 1}):
        with pytest.raises(ValueError, match="alphabet"):
            Characters.from_state({**state, **change})
    assert plain.opened(KEY) is plain


def test_rare_characters_are_left_out() -> None:
    assert Characters.build([corpus("ab b", "bc a")], lower=False, min_count=2).characters == (
        UNKNOWN,
        "b",
        "a",
    )


def test_the_memory_of_a_look_up_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_REMEMBERED", 4)
    vocabulary, _ = build([corpus("a b")]).hashed(KEY)
    vocabulary.encode([f"w{n}" for n in range(50)] + ["a"])
    assert 0 < len(vocabulary.index) <= 4
    assert (
        vocabulary.encode(["a", "b", "w1", "w2", "w3", "w4", "a"]).tolist()[0::6]
        == [vocabulary.encode(["a"])[0]] * 2
    )


# ---- the key's file ------------------------------------------------------------------------------


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "words.key"
    before = os.umask(0)
    try:
        key = read_or_make_key(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make_key(path).secret == read_key(path).secret == key.secret
    assert [entry.name for entry in tmp_path.iterdir()] == ["words.key"]
    assert key.secret.hex() not in repr(key)
    assert read_or_make_key(tmp_path / "other.key").secret != key.secret


def test_a_key_of_another_process_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes between the look and the making."""
    path = tmp_path / "words.key"
    path.write_text(KEY.to_text(), "ascii")
    monkeypatch.setattr(os.path, "lexists", lambda place: False)
    assert read_or_make_key(path).secret == KEY.secret
    assert [entry.name for entry in tmp_path.iterdir()] == ["words.key"]


@pytest.mark.parametrize(
    "content", [b"", b"secret", b"0" * 63, b"g" * 64, b"\xff" * 64, b"0" * 9999]
)
def test_what_is_no_key_is_refused_and_not_repeated(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "words.key"
    path.write_bytes(content)
    for read in (read_key, read_or_make_key):
        with pytest.raises(UsageError, match="not a vocabulary key") as caught:
            read(path)
        assert "secret" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_key_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match="no such vocabulary key"):
            read_key(path)
    with pytest.raises(LadtlError, match=r"no/words\.key"):
        read_or_make_key(tmp_path / "no" / "words.key")
    monkeypatch.delenv(VARIABLE, raising=False)
    assert chosen_key(None) is None
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    with pytest.raises(UsageError, match="no such vocabulary key"):
        chosen_key(None)
