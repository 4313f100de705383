"""Terms that the domains annotate differently: found, counted, and shown only where asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke, write_corpus
from hypothesis import given, settings
from hypothesis import strategies as st
from term_cases import corpus_of

from ladtl_np.corpus.formats.conll import read_conll, write_conll
from ladtl_np.corpus.schemes import spans, spans_to_tags
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.pages import Section
from ladtl_np.report import build_report, study_of
from ladtl_np.report.term_counts import TermIndex, Ways
from ladtl_np.report.term_differences import differing_terms, otherwise
from ladtl_np.report.term_list import Term
from ladtl_np.runs.folder import RunFolder
from ladtl_np.runs.found import find_runs

SOURCE = corpus_of(
    *["[甲乙丙:Drug]丁"] * 3,  # 甲乙 within longer entities
    *["[丁:Sign][戊:Sign]丙"] * 2,  # 丁戊 in parts
    "[丁戊:Drug]丙",
    *["[己:Sign]丁"] * 2,  # 己 as another type
    "[庚:Drug]庚",
)
TARGET = corpus_of(*["[甲乙:Drug]己"] * 4, "[丁戊:Drug][己:Drug]")
TEST = corpus_of("[甲乙:Drug]丙", "[甲乙:Drug]丁", "[丁戊:Drug]己", "丁[己:Drug]", "[庚:Drug]丁")
OURS = TEST
OTHER = corpus_of("[甲乙丙:Drug]", "[甲乙:Drug]丁", "[丁:Sign][戊:Sign]己", "丁[己:Sign]", "庚丁")
KINDS = st.sampled_from("XY")
Runs = Callable[..., Path]


def test_ways_are_told_apart() -> None:
    index = TermIndex(SOURCE)
    assert index.ways(Term("甲乙", "Drug")) == Ways(longer=3)
    assert index.ways(Term("丁戊", "Drug")) == Ways(same=1, split=2)
    assert index.ways(Term("己", "Drug")) == Ways(another=2)
    assert index.ways(Term("己", "Other")) == Ways(same=2)  # a type that is not there
    assert index.ways(Term("庚", "Drug")) == Ways(same=1, none=1)
    assert index.ways(Term("丙丁", "Drug")) == Ways(split=3)  # an end of an entity is in it
    assert index.ways(Term("辛", "Drug")) == Ways()


@st.composite
def tagged(draw: st.DrawFn) -> Corpus:
    sentences = []
    for words in draw(
        st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=8), min_size=1, max_size=4)
    ):
        cuts = draw(st.lists(st.integers(0, len(words)), max_size=6, unique=True).map(sorted))
        found = [
            (*cut, draw(st.sampled_from("XY"))) for cut in pairwise(cuts) if draw(st.booleans())
        ]
        sentences.append(Sentence(tuple(words), spans_to_tags(found, len(words), "BIOES")))
    return Corpus("c", tuple(sentences))


def ways_by_hand(corpus: Corpus, text: str, kind: str) -> Ways:
    """The same by looking at every entity at every place."""
    counts = dict.fromkeys(Ways._fields, 0)
    for sentence in corpus:
        found = spans(sentence.tags or (), "BIOES")
        for start in range(len(sentence) - len(text) + 1):
            end = start + len(text)
            if "".join(sentence.tokens[start:end]) != text:
                continue
            over = [span for span in found if span[0] < end and start < span[1]]
            whole = [span for span in over if span[0] <= start and end <= span[1]]
            if whole and whole[0][:2] == (start, end):
                way = "same" if whole[0][2] == kind else "another"
            else:
                way = "longer" if whole else "split" if over else "none"
            counts[way] += 1
    return Ways(**counts)


@given(tagged(), st.sampled_from("a aa ab aba".split()))
@settings(deadline=None, max_examples=200)
def test_ways_are_those_of_every_place(corpus: Corpus, text: str) -> None:
    kinds = {kind for sentence in corpus for *_, kind in spans(sentence.tags or (), "BIOES")}
    if "X" in kinds:
        assert TermIndex(corpus).ways(Term(text, "X")) == ways_by_hand(corpus, text, "X")


def test_entities_are_put_together_by_term_and_held_against_both_methods() -> None:
    found = differing_terms(TEST, OURS, OTHER)
    first = found[Term("甲乙", "Drug")]
    assert (first.entities, first.right, first.differing) == (2, [2, 1], 1)
    assert first.right_differing == [1, 0]
    assert [found[Term(text, "Drug")].differing for text in ("丁戊", "己", "庚")] == [1, 1, 1]
    assert all(not each.differing for each in differing_terms(TEST, OTHER, OTHER).values())
    both_wrong = [corpus_of("甲乙丙"), corpus_of("[甲:Drug]乙丙")]
    (counts,) = differing_terms(corpus_of("[甲乙:Drug]丙"), *both_wrong).values()
    assert (counts.differing, counts.right_differing) == (1, [0, 0])
    words = corpus_of("a [New York:City] b", "c")
    assert list(differing_terms(words, words, words)) == [Term("New York", "City")]


def test_otherwise_is_what_stands_there_more_often_than_the_entity_itself() -> None:
    assert otherwise(Ways(same=2, longer=1, split=1)) == ""
    assert otherwise(Ways(same=1, longer=1, split=1)) == "longer"
    assert otherwise(Ways(same=1, split=2, another=3, none=50)) == "another"
    assert otherwise(Ways(none=9)) == ""


@pytest.fixture
def make_runs(tmp_path: Path) -> Runs:
    """Runs of two methods on the corpora above, seed by seed."""

    def make_runs(predicted: dict[str, list[Corpus]], **files: Corpus) -> Path:
        data: list[dict[str, Any]] = []
        for role, corpus in ({"source": SOURCE, "target": TARGET, "test": TEST} | files).items():
            path = write_corpus(tmp_path / f"{role}.txt", corpus)
            sha256 = read_conll(path).sha256
            data.append({"role": role, "name": path, "scheme": "BIOES", "sha256": sha256})
        side = {"overall": {"gold": 1, "predicted": 1, "correct": 1, "f1": 0.5}}
        results = {"test.txt": {"conlleval": side, "strict": side}}
        for method, guesses in predicted.items():
            for seed, guess in enumerate(guesses):
                told = {"method": method, "results": results}
                told["data"] = data[1:] if method == "non-transfer" else data
                with RunFolder(tmp_path / "e" / "A-to-B" / method / str(seed)) as folder:
                    folder.write_text("config.toml", f"seed = {seed}\n")
                    folder.write_manifest(told, [])
                    with (folder.path / "predictions-test.txt").open("w", encoding="utf-8") as out:
                        test = files.get("test", TEST)
                        write_conll(out, test, [sentence.tags or () for sentence in guess])
        return tmp_path / "e"

    return make_runs


BOTH = {"la-dtl": [OURS, OURS], "joint-training": [OTHER, OURS]}


def section_of(place: Path, differing: int | None) -> Section | None:
    report = build_report(study_of(find_runs([place])), differing=differing)
    return next((section for section in report.sections if section.key == "differing"), None)


def texts(section: Section | None, table: int = 0) -> list[list[str]]:
    assert section is not None
    return [[cell.text for cell in row] for row in section.tables[table].rows]


def test_counts_hold_no_text_and_terms_are_shown_where_they_are_asked_for(make_runs: Runs) -> None:
    place = make_runs(BOTH)
    assert section_of(place, None) is None
    counts = section_of(place, 0)
    # under the second seed nothing differs
    half = ["0.50 (0–1)", "0.50 (0–1)", "0"]
    assert texts(counts) == [
        ["A → B", "within longer entities", "1", *half],
        ["A → B", "in parts", "1", *half],
        ["A → B", "as another type", "1", *half],
        ["A → B", "as the target, or not at all", "1", *half],
    ]
    assert counts is not None
    assert len(counts.tables) == 1
    assert not any(character in json.dumps(counts.to_json()) for character in ("甲", "\\u7532"))
    shown = section_of(place, 2)
    assert texts(shown) == texts(counts)
    assert shown is not None
    assert shown.tables[1].header[3:8] == [f"source: {name}" for name in Ways._fields]
    assert texts(shown, 1) == [
        ["丁戊", "Drug", "A → B", "1", "0", "2", "0", "0", "1", "0", "1", "1", "0.50 (0–1)"],
        ["己", "Drug", "A → B", "0", "0", "0", "2", "0", "1", "0", "1", "1", "0.50 (0–1)"],
    ]
    assert [table.name for table in shown.tables] == ["differing-1", "differing-terms-1"]
    assert len(texts(section_of(place, 9), 1)) == 3


def test_a_method_without_a_source_is_compared_by_the_source_of_the_other(make_runs: Runs) -> None:
    section = section_of(make_runs({"la-dtl": [OURS], "non-transfer": [OTHER]}), 1)
    assert texts(section)[0][1:] == ["within longer entities", "1", "1", "1", "0"]


@pytest.mark.parametrize(
    ("predicted", "says"),
    [
        ({"la-dtl": [OURS]}, "scores of two"),
        ({"la-dtl": [OURS], "joint-training": []}, "scores of two"),
    ],
)
def test_what_cannot_be_compared_is_said(make_runs: Runs, predicted: Any, says: str) -> None:
    section = section_of(make_runs(predicted), 3)
    assert section is not None
    assert says in section.missing
    assert not section.tables


def test_corpora_that_have_changed_are_left_out(make_runs: Runs, tmp_path: Path) -> None:
    place = make_runs(BOTH)
    write_corpus(tmp_path / "source.txt", TARGET)
    section = section_of(place, 3)
    assert section is not None
    assert "has changed since the run" in section.missing


def test_the_command_shows_terms_escaped_and_only_with_the_option(
    make_runs: Runs, invoke: Invoke, tmp_path: Path
) -> None:
    test, other = corpus_of("[<b>:Drug]丙"), corpus_of("[<b>丙:Drug]")
    files = {"source": corpus_of("[<b>丙:Drug]"), "target": test, "test": test}
    place, out = make_runs({"la-dtl": [test], "joint-training": [other]}, **files), tmp_path / "p"
    assert invoke("report", place, "--out", out, "--differing", 0).exit_code == 0
    assert "<td>1</td>" in out.read_text("utf-8")
    assert "&lt;b&gt;" not in out.read_text("utf-8")
    result = invoke("report", place, "--out", out, "--overwrite", "--differing", 1)
    assert result.exit_code == 0, result.stderr
    page = out.read_text("utf-8")
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
