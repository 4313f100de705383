"""Dialects of JSON records, one a line or in a list."""

from __future__ import annotations

import contextlib
import json
from io import BytesIO
from typing import Any

import pytest
from format_cases import annotated, findings_of, read_bytes
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.findings import Findings, FindingsError
from ladtl_np.corpus.formats import array, jsonl
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.limits import NESTING
from ladtl_np.corpus.tally import Tally


def lines(*records: Any) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def one(record: Any, **options: Any) -> Document:
    (document,) = read_bytes(jsonl.read, lines(record), **options)
    (same,) = read_bytes(array.read, json.dumps([record]), **options)
    assert same == document
    return document


def finding(*records: Any, **options: Any) -> str:
    return findings_of(jsonl.read, lines(*records), **options)


TEXT = "in 😀 New York"
FOUND = ((5, 13, "LOC"),)

EXCLUSIVE = {
    "doccano, label": {"text": TEXT, "label": [[5, 13, "LOC"]]},
    "doccano, labels": {"text": TEXT, "labels": [[5, 13, "LOC"]], "Comments": []},
    "doccano, relations": {
        "text": TEXT,
        "entities": [{"id": 1, "label": "LOC", "start_offset": 5, "end_offset": 13}],
        "relations": [],
    },
    "doccano, objects": {"text": TEXT, "label": [{"start": 5, "end": 13, "label": "LOC"}]},
    "spaCy, ents": {"text": TEXT, "ents": [{"start": 5, "end": 13, "label": "LOC"}]},
    "spaCy, triples": {"text": TEXT, "entities": [[5, 13, "LOC"]]},
    "spaCy, pair": [TEXT, {"entities": [[5, 13, "LOC"]]}],
    "Prodigy": {
        "text": TEXT,
        "spans": [{"start": 5, "end": 13, "label": "LOC", "token_start": 2, "token_end": 3}],
        "label": "the question",
        "answer": "accept",
    },
}


@pytest.mark.parametrize("record", EXCLUSIVE.values(), ids=EXCLUSIVE)
def test_dialects_with_exclusive_ends(record: Any) -> None:
    assert one(record) == Document(TEXT, tuple((5, 13, k) for *_, k in FOUND), None, 1)
    assert one(record, ends="inclusive").entities == ((5, 14, "LOC"),)


def test_cluener_has_inclusive_ends_and_the_texts_of_entities() -> None:
    record = {
        "text": "叶老桂在北京",
        "label": {"name": {"叶老桂": [[0, 2]]}, "loc": {"北京": [[4, 5]]}},
    }
    assert one(record).entities == ((0, 3, "name"), (4, 6, "loc"))
    message = finding(record, ends="exclusive")
    assert "in:1: entity 0..2 covers another text than the file says" in message
    assert "ends were taken for exclusive" in message
    assert "叶" not in message


@pytest.mark.parametrize("key", ["entities", "entity_list"])
@pytest.mark.parametrize("covered", ["entity", "text"])
def test_texts_of_entities_tell_whether_ends_are_inclusive(key: str, covered: str) -> None:
    def record(end: int) -> Any:
        entity = {"label_type": "病", "start_pos": 1, "end_pos": end, covered: "胃炎"}
        return {"originalText": "患胃炎", key: [entity]}

    assert one(record(2)).entities == ((1, 3, "病"),)
    assert one(record(3)).entities == ((1, 3, "病"),)
    assert one(record(3), ends="exclusive").entities == ((1, 3, "病"),)
    found = finding(record(2), record(3))
    assert "in:2: entity 1..3 covers another text" in found
    assert "choose ends" in finding(record(1))
    both = record(2)
    both[key] += record(3)[key]
    assert "1 entities whose texts have exclusive ends, 1 inclusive" in finding(both)


def test_an_entity_of_one_character_tells_it_too() -> None:
    entity = {"type": "X", "start_pos": 1, "end_pos": 1, "entity": "b"}
    assert one({"text": "abc", "entity_list": [entity]}).entities == ((1, 2, "X"),)


def test_ends_are_asked_for_where_nothing_tells_them() -> None:
    entity = {"label_type": "X", "start_pos": 0, "end_pos": 1, "overlap": 0}
    record = {"originalText": "ab", "entities": [entity]}
    message = finding({"originalText": "a", "entities": []}, record)
    assert message == (
        "in:2: nothing tells whether the ends of entities are inclusive; choose ends (--ends, "
        "ends=exclusive or inclusive)"
    )
    assert one(record, ends="exclusive").entities == ((0, 1, "X"),)
    assert one(record, ends="inclusive").entities == ((0, 2, "X"),)


def test_utf16_is_suspected_where_it_makes_a_difference() -> None:
    spans = [{"start": 3, "end": 4, "label": "X", "text": "病"}]
    assert "UTF-16" in finding({"text": "😀a病b", "spans": spans})
    assert "UTF-16" not in finding({"text": "aab病", "spans": [spans[0] | {"start": 2, "end": 3}]})


def test_tokens_and_sentences_are_handed_on() -> None:
    record = {
        "text": " Hi. Yo",
        "ents": [],
        "sents": [{"start": 1, "end": 4}, {"start": 5, "end": 7}],
        "tokens": [{"id": n, "start": s, "end": e} for n, (s, e) in enumerate([(1, 4), (5, 7)])],
    }
    assert one(record) == Document(
        " Hi. Yo", (), None, 1, tokens=((1, 4), (5, 7)), sentences=(0, 5)
    )
    for wrong in ([(1, 4), (3, 7)], [(1, 9)], [(2, 2)], [(-1, 2)], [(5, 7), (1, 4)]):
        record["tokens"] = [{"start": s, "end": e} for s, e in wrong]
        assert "of tokens is empty, out of order or leaves the text" in finding(record)
    record["tokens"] = ["Hi", "Yo"]  # words, as other tools have them, tell no places
    assert one(record).tokens is None


def test_what_is_left_out_is_counted() -> None:
    tally = Tally()
    records = [
        {"text": "a", "spans": [], "answer": "accept"},
        {"text": "b", "answer": "accept"},
        {"text": "c", "answer": "reject"},
        {"text": "d", "spans": [], "answer": "ignore"},
    ]
    found = read_bytes(jsonl.read, lines(*records), tally=tally)
    assert [(d.text, d.entities, d.line) for d in found] == [("a", (), 1), ("b", (), 2)]
    assert tally.left_out == {"rejected documents": 1, "ignored documents": 1}
    tally = Tally()
    record = {"text": "a", "label": [], "relations": [{}, {}], "Comments": ["x"], "cats": ["y"]}
    read_bytes(jsonl.read, lines(record), tally=tally)
    assert tally.left_out == {"relations": 2, "comments": 1, "document labels": 1}


def test_documents_without_annotation_fit_every_dialect() -> None:
    records = [{"text": "a", "id": "p-1"}, {"text": "b", "labels": [[0, 1, "X"]]}, {"text": "c",
               "label": None}, {"text": "d", "spans": []}]  # fmt: skip
    found = read_bytes(jsonl.read, lines(*records))
    assert [d.entities for d in found] == [None, ((0, 1, "X"),), None, ()]
    assert found[0].id == "p-1"


def test_a_file_has_one_dialect() -> None:
    message = finding(EXCLUSIVE["doccano, label"], EXCLUSIVE["Prodigy"])
    assert message.startswith(
        "in:2: entities as Prodigy has them, where line 1 has those of doccano"
    )
    entities = [[0, 1, "X"], {"start_offset": 0, "end_offset": 1, "label": "X"}]
    assert "several forms" in finding({"text": "a", "entities": entities})


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"text": "a", "label": [], "labels": []}, "both label and labels"),
        ({"text": "a", "label": [], "spans": []}, "both label and spans"),
        ({"text": "a", "originalText": "a"}, "both text and originalText"),
        ({"texts": "a"}, "no text"),
        ({"text": None}, "text is no text"),
        ([1, 2], "neither an object nor a pair"),
        ([1, {}], "text is no text"),
        ("a", "neither an object nor a pair"),
        ({"text": "a", "id": [1]}, "an id that is neither"),
        ({"text": "a", "id": True}, "an id that is neither"),
        ({"text": "a", "id": 1 << 63}, "an id of more than 64 bits"),
        ({"text": "a", "label": "X"}, "label is no list"),
        ({"text": "a", "label": ["X"]}, "an entity in label that is neither"),
        ({"text": "a", "label": [[0, 1]]}, "an entity in label with 2 values"),
        ({"text": "a", "label": [[0.0, 1, "X"]]}, "a start is no integer"),
        ({"text": "a", "label": [[0, True, "X"]]}, "an end is no integer"),
        ({"text": "a", "label": [[0, 1 << 63, "X"]]}, "an end has more than 64 bits"),
        ({"text": "a", "label": [[0, 1, 7]]}, "whose type is no text"),
        ({"text": "a", "ents": [{"start": 0, "end": 1}]}, "whose type is no text"),
        ({"text": "a", "ents": [{"start": 0, "label": "X"}]}, "without start and end"),
        ({"text": "a", "ents": [{"start": 0, "start_pos": 0, "end": 1}]}, "without start and end"),
        ({"text": "a", "ents": [{"start": 0, "end": 1, "label": "X", "text": 1}]}, "whose text is"),
        ({"text": "a", "label": {"X": 1}}, "no object of texts and places"),
        ({"text": "a", "label": {"X": {"a": 1}}}, "no list of places"),
        ({"text": "a", "label": {"X": {"a": [[1]]}}}, "not two offsets"),
        ({"text": "a", "spans": [], "answer": ["x"]}, "none of accept, reject, ignore"),
        ({"text": "a", "tokens": [{"start": "0"}]}, "a start is no integer"),
    ],
)
def test_what_is_no_document_is_a_finding_with_its_line(record: Any, what: str) -> None:
    message = finding({"text": "good"}, record, {"text": 1})
    first, second = message.split("\n")
    assert first.startswith("in:2: not a document: ")
    assert what in first
    assert "wanted" in first
    assert second.startswith("in:3: ")
    listed = findings_of(array.read, json.dumps([{"text": "good"}, record], indent=1))
    expected = ": record 2: not a document: " if record != "a" else "not a JSON list"
    assert expected in listed


@pytest.mark.parametrize("module", [jsonl, array])
def test_documents_come_up_to_the_first_finding(module: Any) -> None:
    records = [json.dumps({"text": text}) for text in ("a", 1, "b", 2)]
    data = "\n".join(records) if module is jsonl else f"[{','.join(records)}]"
    seen = []
    with pytest.raises(FindingsError) as caught:  # noqa: PT012
        findings = Findings("in")
        for document in module.read(BytesIO(data.encode()), ReadOptions(), findings, Tally()):
            seen.append(document.text)
    assert seen == ["a"]
    assert len(caught.value.findings) == 2


HOSTILE = [
    b"{", b"nul", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5000, b'"\\ud800"', b"NaN", b"1e999",
    b'{"text": "a\xff"}', b'{"text": "a\0"}', b"\xff\xfe{\0}\0", b'{"text": "' + b"a" * 99,
]  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE)
def test_hostile_bytes_are_findings(data: bytes) -> None:
    assert findings_of(jsonl.read, data).startswith("in:1: ")
    for whole in (data, b"[" + data + b"]", b"[{},\n" + data + b"]"):
        assert findings_of(array.read, whole).startswith("in")


def test_messages_hold_no_text_of_the_data() -> None:
    canary = "canary7c1"
    for record in (
        {"text": canary, "label": [[0, canary, "X"]]},
        {"text": canary, "label": {canary: 1}},
        {"text": canary, "label": {"X": {canary: [[0, 1]]}}},
        {"text": canary, "id": [canary]},
        {canary: canary},
        {"text": canary, "spans": [], "answer": canary},
    ):
        assert canary not in finding(record)


def test_elements_of_a_list_are_told_by_their_lines_or_numbers() -> None:
    data = '[\n {"text": "a"},\n\n {"text": 1},\n  {\n"text": "b"}, {},[]]\n'
    message = findings_of(array.read, data)
    assert [line.split(" not ")[0] for line in message.split("\n")] == [
        "in:4: record 2:", "in:6: record 4:", "in:6: record 5:"
    ]  # fmt: skip
    documents = read_bytes(array.read, '[\n {"text": "a"},\n  {\n"text": "b"}]')
    assert [d.line for d in documents] == [2, 3]
    documents = read_bytes(array.read, '[\n{"text": "a"},\n{"text": "a"}]')
    assert [d.line for d in documents] == [2, 3]
    documents = read_bytes(array.read, '[{"text": "a"}, {"text": "a"}]\n')
    assert [d.line for d in documents] == [1, 2]


@pytest.mark.parametrize(
    "data",
    ["{}", "[", "[{}", "[{}}", "[}", "[1, 2]", "[1", "7", "", "[]x", "[{},]", "[,{}]", "[{} {}]",
     "[{},,{}]", '["a"]', '[{}, "a"]', "[{}, null]", "[[]", '[{"a": "]"}']
)  # fmt: skip
def test_what_is_no_list_of_records_is_a_finding(data: str) -> None:
    assert "not a JSON list" in findings_of(array.read, f"\n{data}").split("\n")[-1]


def test_lists_that_go_too_deep_are_told_before_their_end_is_looked_for() -> None:
    deep = "[" * NESTING
    assert "not a document" in findings_of(array.read, f"[{deep}{']' * NESTING}]")
    assert "not a JSON list: nested more than 32 deep" in findings_of(array.read, f"[[{deep}")


def test_an_element_may_be_as_long_as_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    data = '[{"text": "aaaaaaaaa"}, {"text": "[]{}\\"]"}]'
    monkeypatch.setattr(array, "LINE_BYTES", 21)
    assert [d.text for d in read_bytes(array.read, data)] == ["a" * 9, '[]{}"]']
    monkeypatch.setattr(array, "LINE_BYTES", 20)
    assert "an element of more than" in findings_of(array.read, data)


def test_encodings_and_byte_order_marks() -> None:
    tally = Tally()
    data = '[{"text": "病"}]'
    assert read_bytes(array.read, b"\xef\xbb\xbf" + data.encode(), tally=tally)[0].text == "病"
    assert tally.bom
    assert read_bytes(array.read, data.encode("gb18030"), encoding="gb18030")[0].text == "病"
    assert "not UTF-8 at byte offset 12" in findings_of(array.read, b'[\n{"text": "\xff')
    assert "UTF-16 byte order mark" in findings_of(array.read, data.encode("utf-16"))


def test_a_list_may_not_be_larger_than_what_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array, "ANNOTATION_BYTES", 20)
    assert read_bytes(array.read, '[{"text": "aaaaaa"}]')
    assert "write JSONL" in findings_of(array.read, '[{"text": "aaaaaaa"}]')


@given(st.lists(annotated(), max_size=3))
def test_what_is_written_reads_as_the_same(documents: list[Document]) -> None:
    for module in (jsonl, array):
        text = "".join(module.write(documents))
        assert not set(text) & set("\r\t\x07\x7f\u2028\u202e\x1b")
        again = read_bytes(module.read, text)
        assert [(d.text, d.entities, d.id) for d in again] == [
            (d.text, d.entities and tuple(sorted(d.entities)), d.id) for d in documents
        ]
        assert "".join(module.write(again)) == text


pieces = st.sampled_from(
    ['{"text": "a😀b", "spans": [{"start": 0, "end": 1, "label": "X"}]}', '"text"', '"label"', "[",
     "]", "{", "}", ":", ",", "0", "1", '"X"', '"start_pos"', '"end_pos"', '"ents"', "\n", "null"]
)  # fmt: skip


@given(st.binary(max_size=40) | st.lists(pieces, max_size=12).map("".join))
def test_any_bytes_give_documents_or_findings(data: bytes | str) -> None:
    for module in (jsonl, array):
        with contextlib.suppress(FindingsError):
            found = read_bytes(module.read, data)
            assert all(isinstance(document.text, str) for document in found)
