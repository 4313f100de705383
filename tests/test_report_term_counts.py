"""Where the terms of a user's list stand in a corpus, and how the list is read."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from term_cases import by_hand, corpus_of

from ladtl_np.corpus.findings import FindingsError
from ladtl_np.corpus.schemes import spans_to_tags
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.report.term_counts import TermIndex, of_characters
from ladtl_np.report.term_list import Term, read_terms

CANARY = "Zq7canary"


def counted(corpus: Corpus, text: str, kind: str = "") -> tuple[int, int]:
    found, others = TermIndex(corpus).find(Term(text, kind))
    return len(found), others


@st.composite
def corpora(draw: st.DrawFn) -> Corpus:
    """Sentences of few different tokens, so that terms are frequent, with any entities."""
    tokens = st.sampled_from(draw(st.sampled_from([["a", "b"], ["aa", "ab", "b", "a"]])))
    sentences = []
    for words in draw(st.lists(st.lists(tokens, min_size=1, max_size=8), min_size=1, max_size=5)):
        cuts = draw(st.lists(st.integers(0, len(words)), max_size=6, unique=True).map(sorted))
        found = [
            (start, end, draw(st.sampled_from(["X", "Y"])))
            for start, end in pairwise(cuts)
            if draw(st.booleans())
        ]
        tags = spans_to_tags(found, len(words), "BIOES")
        sentences.append(Sentence(tuple(words), tags))
    return Corpus("c", tuple(sentences))


@given(corpora(), st.sampled_from("a aa ab aba a_a ab_b a_ab".split()), st.sampled_from(["", "X"]))
@settings(deadline=None, max_examples=300)
def test_counts_are_those_of_every_run_of_tokens(corpus: Corpus, text: str, kind: str) -> None:
    text = text.replace("_", " ")
    assert counted(corpus, text, kind) == by_hand(corpus, text, kind)


def test_a_term_stands_at_the_start_and_the_end_of_a_sentence_and_never_across_two() -> None:
    corpus = corpus_of("[ab:X]c[ab:X]", "cca", "bcc")
    assert counted(corpus, "ab") == (2, 0)
    assert counted(corpus_of("on [New York:X]", "New", "York was [New York:X]"), "New York") == (
        2,
        0,
    )


def test_occurrences_that_overlap_each_count() -> None:
    assert counted(corpus_of("[aa:X]a"), "aa") == (1, 1)
    assert counted(corpus_of("[ababa:X]"), "aba") == (0, 2)


def test_split_longer_and_missing_annotations_are_otherwise() -> None:
    corpus = corpus_of("[ab:X][cd:X]", "[abcde:X]", "abcd", "[abcd:X]", "[abcd:Y]")
    assert counted(corpus, "abcd") == (2, 3)
    assert counted(corpus, "abcd", "X") == (1, 4)
    assert counted(corpus, "abcd", "Z") == (0, 5)


def test_a_corpus_of_characters_may_hold_some_longer_tokens() -> None:
    plain = corpus_of("x" * 30)
    mixed = Sentence(("查", "CT", "片"), ("O", "B-Exam", "E-Exam"))
    corpus = Corpus("c", (*plain, mixed))
    assert of_characters(corpus)
    assert counted(corpus, "CT片") == counted(corpus, "CT 片") == (1, 0)
    assert counted(corpus, "T片") == (0, 0)  # starts within a token


def test_spaces_between_characters_are_left_out() -> None:
    tags = ("O", "B-Exam", "I-Exam", "E-Exam", "O", "O", "O", "O")
    corpus = Corpus("c", (Sentence((" ", "片", " ", "查", " ", "片", "查", " "), tags),))
    assert counted(corpus, "片查") == counted(corpus, "片 查") == (1, 1)
    assert counted(corpus, "查片") == (0, 1)
    assert counted(corpus, "片") == (0, 2)


def test_words_are_compared_one_by_one() -> None:
    corpus = corpus_of("he met [New York:X] fans to get her", "in [NewYork:X] together again")
    assert counted(corpus, "New York") == counted(corpus, "NewYork") == (1, 0)
    assert counted(corpus, "together") == (0, 1)
    assert counted(corpus, "York") == (0, 1)
    assert counted(corpus, "new york") == (0, 0)


@pytest.mark.parametrize("wide", ["\u3000", "\u00a0", "\u2028", "\x0b"])
def test_white_space_but_the_space_is_data(wide: str, tmp_path: Path) -> None:
    path = tmp_path / "terms.txt"
    path.write_text(f"{wide}\na{wide}b\tX\n", "utf-8")
    terms = read_terms(path)
    assert terms == [Term(wide), Term(f"a{wide}b", "X")]
    tokens = ("a", wide, "b", *"cccccccc")
    corpus = Corpus("c", (Sentence(tokens, ("B-X", "I-X", "E-X", *["O"] * 8)),))
    assert [counted(corpus, *term) for term in terms] == [(0, 1), (1, 0)]


# --- the list


def test_a_list_has_terms_types_comments_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "terms.txt"
    path.write_bytes("\ufeff# mine\r\n甲乙\tDrug\r\n\r\n \t\nNew York\n甲乙".encode())
    assert read_terms(path) == [Term("甲乙", "Drug"), Term("New York"), Term("甲乙")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"a\n{CANARY}\tX\ty\n", "t.txt:2: 2 tabs"),
        (f"{CANARY}\nb\n{CANARY}\n", "t.txt:3: the term of line 1 again"),
        (f"{CANARY}\tX\n{CANARY}\tX\n", "t.txt:2: the term of line 1 again"),
        ("\tDrug\n", "t.txt:1: no term before the tab"),
        (f"{CANARY}\t\n", "t.txt:1: no type after the tab"),
        (f"{CANARY}\t X\n", "t.txt:1: white space around a type"),
        (f"{CANARY} \n", "t.txt:1: a space at the start or end"),
        (f"{CANARY}  b\n", "t.txt:1: a space at the start or end"),
        (f"a\n{CANARY}\xff".encode("latin-1"), "t.txt:2: not UTF-8 at byte offset 11"),
        (f"{CANARY}\0\n", "t.txt:1: a NUL byte"),
        ("", "t.txt: there is no term in it"),
        ("# nothing\n\n", "t.txt: there is no term in it"),
    ],
)
def test_what_is_wrong_in_a_list_has_its_line(
    text: str | bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.txt").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(FindingsError) as caught:
        read_terms("t.txt")
    assert str(caught.value).startswith(message)
    assert CANARY not in str(caught.value)
