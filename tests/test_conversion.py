"""Columns to documents and back: the same tokens, sentences and entities."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from corpora import corpus_path
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ladtl_np.commands.support.converting import format_to, write
from ladtl_np.commands.support.held import hold
from ladtl_np.corpus.conversion import (
    column_lines,
    documents_of,
    gap_of,
    joined,
    sentence_groups,
)
from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.registry import FORMATS
from ladtl_np.corpus.schemes import spans, spans_to_tags
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import DataError


def test_characters_stand_together_and_words_apart() -> None:
    assert gap_of([Sentence(("胸", "痛"))]) == ""
    assert gap_of([Sentence(("chest", "pain"))]) == " "


def corpus(*rows: str, scheme: str = "IOB2", documents: tuple[int, ...] = ()) -> Corpus:
    sentences = []
    for number, row in enumerate(rows):
        tokens, tags = zip(*[word.rsplit("/", 1) for word in row.split()], strict=True)
        sentences.append(Sentence(tokens, tags, number + 1))
    return Corpus("a", tuple(sentences), scheme, documents=documents)


def test_a_document_holds_its_sentences_on_lines() -> None:
    three = corpus("a/O pain/B-X", "x/B-Y y/I-Y", "z/O", documents=(0, 2))
    first, second = documents_of(three)
    assert first.text == "a pain\nx y"
    assert first.entities == ((2, 6, "X"), (7, 10, "Y"))
    assert first.tokens == ((0, 1), (2, 6), (7, 8), (9, 10))
    assert (first.sentences, first.line, second.line) == ((0, 7), 1, 3)
    assert second.text == "z"


def test_sentences_are_grouped_where_no_documents_are_told() -> None:
    three = corpus("a/O", "b/O", "c/O")
    assert [one.text for one in documents_of(three)] == ["a", "b", "c"]
    assert [one.text for one in documents_of(three, 2)] == ["a\nb", "c"]
    before = Corpus("a", three.sentences, "IOB2", documents=(1,))  # none begins with a mark
    assert [one.text for one in documents_of(before, 2)] == ["a", "b\nc"]


def test_one_mark_at_the_start_tells_no_documents() -> None:
    three = corpus("a/O", "b/O", "c/O", documents=(0,))
    assert [one.text for one in documents_of(three, 2)] == ["a\nb", "c"]
    groups = sentence_groups(three, whole=True)
    assert [len(group) for group in groups] == [1, 1, 1]
    assert joined(three, groups[1:]).documents == ()


@pytest.mark.parametrize("name", ["there.conll", "there.conllu"])
def test_documents_of_columns_are_the_same_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "aa b\\nc", "label": []}\n{"text": "d", "label": [[0, 1, "X"]]}\n')
    write(hold(str(path), ReadOptions()), format_to(name, None), str(tmp_path / name), None, None)
    again = hold(str(tmp_path / name), ReadOptions()).as_documents(1)
    assert [(one.text, one.entities) for one in again] == [
        ("aa b\nc", ()),
        ("d", ((0, 1, "X"),)),
    ]


def test_untagged_columns_become_documents_without_annotation() -> None:
    (one,) = documents_of(Corpus("a", (Sentence(("x",)),)))
    assert one.entities is None


def test_documents_are_marked_where_any_has_several_sentences() -> None:
    assert "".join(column_lines(corpus("a/O", "b/O", documents=(0, 1)), "IOB2")) == (
        "a\tO\n\nb\tO\n\n"
    )
    marked = "".join(column_lines(corpus("a/O", "b/O", "c/O", documents=(0, 2)), "IOB2"))
    assert marked.startswith("-DOCSTART-\tO\n\na\tO\n\nb\tO\n\n-DOCSTART-\tO\n\nc\tO\n")


def test_tags_stay_in_their_scheme_and_are_entities_in_another() -> None:
    odd = corpus("a/I-X b/I-X")
    assert "".join(column_lines(odd, "IOB2")) == "a\tI-X\nb\tI-X\n\n"
    assert "".join(column_lines(odd, "BIOES")) == "a\tB-X\nb\tE-X\n\n"


def test_what_columns_cannot_hold_is_told_with_its_line() -> None:
    with pytest.raises(DataError, match="a:7: token 1 cannot be written in columns"):
        list(column_lines(Corpus("a", (Sentence(("x\ty",), ("O",), 7),)), "BIOES"))


def test_groups_are_documents_again_when_they_are_joined() -> None:
    three = corpus("a/O", "b/O", "c/O", documents=(0, 2))
    groups = sentence_groups(three, whole=True)
    assert [len(group) for group in groups] == [2, 1]
    assert joined(three, groups[::-1]).documents == (0, 1)
    assert [len(group) for group in sentence_groups(three, whole=False)] == [1, 1, 1]
    plain = corpus("a/O", "b/O")
    assert joined(plain, sentence_groups(plain, whole=True)).documents == ()


def through(path: Path, folder: Path, options: dict[str, Any], plain: bool) -> bytes:
    """Columns to JSONL, to brat, and back to columns."""
    mode = {"tokens": "characters" if plain else "spaces", "sentences": "lines"}
    steps = [(path, "a.jsonl", options), (folder / "a.jsonl", "brat", mode)]
    steps.append((folder / "brat", "back.conll", mode))
    scheme = read_conll(path, ReadOptions(**options)).scheme
    for source, name, reading in steps:
        found = FORMATS["brat"] if name == "brat" else format_to(name, None)
        write(hold(str(source), ReadOptions(**reading)), found, str(folder / name), scheme, 10**6)
    return (folder / "back.conll").read_bytes()


TOKENS = st.text(
    st.one_of(
        st.sampled_from('é\u0301\u3000\u200d👩\ufeff\u0600"\\'),
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=" "),
    ),
    min_size=1,
    max_size=4,
).filter(lambda token: token != "-DOCSTART-" and not token.startswith("\ufeff"))


@st.composite
def legal(draw: st.DrawFn) -> Corpus:
    """A corpus whose tags are legal, with documents or without."""
    scheme = draw(st.sampled_from(["IOB1", "IOB2", "BIOES", "BILOU", "BMES"]))
    tokens = draw(st.sampled_from([TOKENS, st.sampled_from("胸痛😀\u3000a")]))
    rows = draw(st.lists(st.lists(tokens, min_size=1, max_size=6), min_size=1, max_size=5))
    sentences = []
    for row in rows:
        cuts = sorted(draw(st.sets(st.integers(0, len(row)), max_size=4)))
        kinds = [draw(st.sampled_from(["A", "geo-loc", "手术", ""])) for _ in cuts[1:]]
        found = [(a, b, kind) for a, b, kind in zip(cuts, cuts[1:], kinds, strict=False) if kind]
        sentences.append(Sentence(tuple(row), spans_to_tags(found, len(row), scheme)))
    starts = draw(st.sets(st.integers(0, len(rows) - 1)))
    documents = tuple(sorted({0} | starts)) if draw(st.booleans()) else ()
    return Corpus("a", tuple(sentences), scheme, documents=documents)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(legal())
def test_columns_to_jsonl_to_brat_and_back_are_identical(tmp_path: Path, drawn: Corpus) -> None:
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    content = "".join(column_lines(drawn, drawn.scheme)).encode("utf-8")
    path = tmp_path / "a.conll"
    path.write_bytes(content)
    plain = all(len(token) == 1 for sentence in drawn for token in sentence.tokens)
    options = {"delimiter": "tab", "scheme": drawn.scheme}
    back = through(path, tmp_path, options, plain)
    if b"-DOCSTART-" in content or len(drawn) == 1:
        assert back == content
    one, other = (
        read_conll(path, ReadOptions(**options)),
        read_conll(tmp_path / "back.conll", ReadOptions(**options)),
    )
    assert [(s.tokens, s.tags) for s in one] == [(s.tokens, s.tags) for s in other]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_ends_of_lines_do_not_matter(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.conll"
    path.write_bytes(f"chest\tB-X{end}pain\tI-X{end}{end}x\tO{end}".encode())
    assert through(path, tmp_path, {}, False) == b"chest\tB-X\npain\tI-X\n\nx\tO\n\n".replace(
        b"chest", b"-DOCSTART-\tO\n\nchest", 1
    )


WORDS = {"token_column": 0, "delimiter": "space"}
CORPORA = {
    "conll2003_en/eng.testa": WORDS,
    "conll2003_en/eng.testb": WORDS,
    "conll2003_en/eng.train": WORDS,
    "twitter_ner/ritter2011/train.txt": {},
    "twitter_ner/ritter2011/dev.txt": {},
    "twitter_ner/ritter2011/test.txt": {},
    "twitter_ner/wnut16/test": {},
    "weibo/orig/weiboNER_2nd_conll.train": {"position_digits": True},
    "weibo/ladtl_merged/eval_train": {},
    "sighan_msra/paper_split/test.txt": {},
    "ccks2017_clinical/departments_70_15_15/neurology/train.txt": {},
    "ccks2017_clinical/departments_70_15_15/respiratory/test.txt": {},
    "ccks2017_clinical/split_70_15_15/general/train.txt": {},
}


@pytest.mark.corpora
@pytest.mark.parametrize("name", CORPORA)
def test_real_corpora_come_back_identical(tmp_path: Path, name: str) -> None:
    path, options = corpus_path(*name.split("/")), CORPORA[name]
    gold = read_conll(path, ReadOptions(**options))
    plain = all(len(token) == 1 for sentence in gold for token in sentence.tokens)
    through(path, tmp_path, options, plain)
    back = read_conll(tmp_path / "back.conll", ReadOptions(delimiter="tab", scheme=gold.scheme))
    assert [s.tokens for s in back] == [s.tokens for s in gold]
    assert [spans(s.tags or (), gold.scheme) for s in back] == [
        spans(s.tags or (), gold.scheme) for s in gold
    ]
