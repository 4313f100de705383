"""Corpora of every format read by one function: documents, their cutting, findings and repairs."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from ladtl_np.corpus.findings import FindingsError
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.read import format_of, read_corpus
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError, UsageError

CHARACTERS = {"tokens": "characters", "sentences": "whole"}
SPACES = {"tokens": "spaces", "sentences": "whole"}


def read(tmp_path: Path, *records: Any, name: str = "in.jsonl", **options: Any) -> Corpus:
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() + b"\n" for r in records]
    path = tmp_path / name
    path.write_bytes(b"".join(lines))
    return read_corpus(path, ReadOptions(**options), name=name)


def findings_of(tmp_path: Path, *records: Any, show_text: bool = False, **options: Any) -> str:
    with pytest.raises(FindingsError) as caught:
        read(tmp_path, *records, **options)
    return caught.value.told(show_text=show_text)


def test_labels_become_tags(tmp_path: Path) -> None:
    record = {"id": 7, "text": "in New York", "label": [[3, 11, "LOC"]]}
    corpus = read(tmp_path, record, **SPACES)
    (sentence,) = corpus
    assert (sentence.tokens, sentence.tags) == (("in", "New", "York"), ("O", "B-LOC", "E-LOC"))
    assert (sentence.line, corpus.scheme, len(corpus.sha256)) == (1, "BIOES", 64)


def test_chinese_is_cut_into_characters_and_others_into_words(tmp_path: Path) -> None:
    (chinese,) = read(tmp_path, {"text": "患者无CT", "label": []})
    assert chinese.tokens == ("患", "者", "无", "C", "T")
    (english,) = read(tmp_path, {"text": "no fever, (x)", "label": []})
    assert english.tokens == ("no", "fever", ",", "(", "x", ")")
    (chosen,) = read(tmp_path, {"text": "no fever,", "label": []}, tokens="spaces")
    assert chosen.tokens == ("no", "fever,")


def test_documents_are_cut_into_sentences_and_remembered(tmp_path: Path) -> None:
    records = [
        {"text": "No pain. No fever.\nNow well", "label": []},
        {"text": "Well", "label": []},
    ]
    corpus = read(tmp_path, *records)
    assert [len(sentence) for sentence in corpus] == [3, 3, 2, 1]
    assert corpus.documents == (0, 3)
    assert len(read(tmp_path, *records, sentences="lines")) == 3
    assert len(read(tmp_path, *records, sentences="whole")) == 2


def test_no_sentence_ends_within_an_entity(tmp_path: Path) -> None:
    record = {"text": "Seen by St. Mary. Well", "label": [[8, 16, "ORG"]]}
    assert all("B-ORG" not in s.tags[-1:] for s in read(tmp_path, record))


def test_documents_without_a_token_are_left_out_and_counted(tmp_path: Path) -> None:
    corpus = read(tmp_path, {"text": "ab", "label": []}, {"text": " ", "label": []})
    assert len(corpus) == 1
    assert [str(remark) for remark in corpus.remarks] == [
        "in.jsonl: 1 document without a token left out"
    ]
    assert "no document" in findings_of(tmp_path, b"\n")


def test_text_without_labels_is_untagged_or_left_out_and_counted(tmp_path: Path) -> None:
    assert "need an empty list" in findings_of(tmp_path, {"text": "abc"})
    corpus = read(tmp_path, {"text": "abc"}, {"text": "abc", "label": []})
    assert len(corpus) == 1
    assert [str(remark) for remark in corpus.remarks] == [
        "in.jsonl: 1 document without annotation left out"
    ]
    (sentence,) = read(tmp_path, {"text": "abc"}, tag_column=None)
    assert sentence.tags is None


def test_wrong_labels_do_not_matter_where_text_is_untagged(tmp_path: Path) -> None:
    for label in ([[0, 99, "X"]], [["x", 1, "X"]], "nonsense"):
        (sentence,) = read(tmp_path, {"text": "abc", "label": label}, tag_column=None)
        assert (sentence.tokens, sentence.tags) == (("abc",), None)


@pytest.mark.parametrize(
    ("label", "what"),
    [
        ([[0, 2, "X"], [1, 3, "X"]], "white space"),
        ([[0, 4, "X"], [1, 2, "Y"]], "overlaps"),
        ([[0, 2, "X"], [0, 2, "Y"]], "overlaps"),
        ([[2, 0, "X"]], "empty or reversed"),
        ([[1, 1, "X"]], "empty or reversed"),
        ([[0, 99, "X"]], "leaves the text of 9 characters"),
        ([[-1, 2, "X"]], "leaves the text"),
        ([[2, 4, "X"]], "white space"),
        ([[0, 1, ""]], "no proper type"),
        ([[0, 1, "X\t"]], "no proper type"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(tmp_path: Path, label: Any, what: str) -> None:
    records = ({"text": "ok", "label": []}, {"id": "p-1", "text": "ab cdefgh", "label": label})
    message = findings_of(tmp_path, *records, **CHARACTERS)
    assert message.startswith("in.jsonl:2: ")
    assert what in message
    assert "p-1" not in message  # an id may be that of a patient
    shown = findings_of(tmp_path, *records, show_text=True, **CHARACTERS)
    assert shown.endswith(" (here: document p-1)") or "proper type" in shown


def test_repairs_and_overlaps_are_remarks(tmp_path: Path) -> None:
    record = {"text": "no chest pain", "label": [[2, 8, "X"], [3, 13, "Y"]]}
    corpus = read(tmp_path, record, repair=True, overlaps="longest")
    assert [sentence.tags for sentence in corpus] == [("O", "B-Y", "E-Y")]
    (remark,) = corpus.remarks
    assert (remark.kind, remark.count) == ("repairs", 2)
    assert "in.jsonl:1 (entity 2..8 is 3..8 now)" in str(remark)


def test_fragments_and_ends_are_as_chosen(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/a.txt").write_text("left and right knee", encoding="utf-8")
    (tmp_path / "b/a.ann").write_text("T1\tPart 0 4;15 19\tleft knee\n", encoding="utf-8")
    with pytest.raises(FindingsError, match=r"b/a\.ann:1: "):
        read_corpus(tmp_path / "b")
    joined = read_corpus(tmp_path / "b", ReadOptions(fragments="join"))
    assert joined.sentences[0].tags == ("B-Part", "I-Part", "I-Part", "E-Part")
    split = read_corpus(tmp_path / "b", ReadOptions(fragments="split"))
    assert split.sentences[0].tags == ("S-Part", "O", "O", "S-Part")
    record = {"text": "ab", "entities": [{"label": "X", "start_pos": 0, "end_pos": 1}]}
    (inclusive,) = read(tmp_path, record, ends="inclusive")
    assert inclusive.tags == ("S-X",)


def test_the_hash_of_a_folder_is_of_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("knee", encoding="utf-8")
    (tmp_path / "a.ann").write_text("", encoding="utf-8")
    one = read_corpus(tmp_path).sha256
    (tmp_path / "annotation.conf").write_text("[entities]\n", encoding="utf-8")
    assert read_corpus(tmp_path).sha256 == one
    (tmp_path / "a.ann").write_text("T1\tX 0 4\tknee\n", encoding="utf-8")
    assert read_corpus(tmp_path).sha256 != one


def test_types_of_documents_are_renamed(tmp_path: Path) -> None:
    record = {"text": "ab", "label": [[0, 2, "X"]]}
    assert read(tmp_path, record, rename={"X": "Y"}).sentences[0].tags == ("S-Y",)
    path = tmp_path / "in.jsonl"
    with pytest.raises(DataError, match="no entity type fits 'Z'"):
        read_corpus(path, ReadOptions(rename={"Z": "Y"}), require_renames=True)


def test_formats_are_told_or_chosen(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("a\tO\n", encoding="utf-8")
    assert format_of(path, ReadOptions()).name == "conll"
    assert format_of(path, ReadOptions(format="jsonl")).name == "jsonl"
    with pytest.raises(UsageError, match="no format html is read"):
        format_of(path, ReadOptions(format="html"))
    with pytest.raises(UsageError, match="is no folder; brat wants a folder"):
        format_of(path, ReadOptions(format="brat"))
    with pytest.raises(UsageError, match="is a folder; jsonl is a file"):
        format_of(tmp_path, ReadOptions(format="jsonl"))


def test_limits_of_findings_are_those_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "ab", "label": [[0, 9, "X"]]}\n' * 50)
    for limit in (20, 30):
        with pytest.raises(FindingsError) as caught:
            read_corpus(path, limit=limit)
        assert len(caught.value.findings) == limit
    with pytest.raises(FindingsError) as caught:
        read_corpus(path, limit=100)
    assert len(caught.value.findings) == 50


def test_messages_hold_no_text_of_the_data(tmp_path: Path) -> None:
    canary = "canary7c1"
    for record in (
        {"text": canary, "label": [[0, 99, "X"]]},
        {"text": canary, "label": [[canary, 1, "X"]]},
        {"text": [canary]},
        f'{{"text": "{canary}" {canary}'.encode(),
    ):
        assert canary not in findings_of(tmp_path, record)


def test_findings_survive_the_way_between_processes(tmp_path: Path) -> None:
    with pytest.raises(FindingsError) as caught:
        read(tmp_path, b"{\n", b"[]\n")
    copy = pickle.loads(pickle.dumps(caught.value))  # as process pools do with errors
    assert str(copy) == str(caught.value)
    assert copy.findings == caught.value.findings
