from __future__ import annotations

import contextlib
import io
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.cutting.profile import TokenMode
from ladtl_np.corpus.findings import FindingsError
from ladtl_np.corpus.formats.jsonl import (
    Document,
    format_document,
    iterate_jsonl,
    write_jsonl,
)
from ladtl_np.corpus.raw import tokenise
from ladtl_np.corpus.schemes import Span, spans, spans_to_tags


def read(*records: Any, mode: TokenMode = "characters", **options: Any) -> list[Document]:
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() + b"\n" for r in records]
    return list(iterate_jsonl(lines, mode, "in.jsonl", **options))


def findings_of(*records: Any, show_text: bool = False, **options: Any) -> str:
    with pytest.raises(FindingsError) as caught:
        read(*records, **options)
    return caught.value.told(show_text=True) if show_text else str(caught.value)


def test_labels_become_spans_of_tokens() -> None:
    (document,) = read({"id": 7, "text": "in New York", "label": [[3, 11, "LOC"]]}, mode="spaces")
    assert document.spans == ((1, 3, "LOC"),)
    assert document.id == 7
    sentence = document.sentence()
    assert sentence.tokens == ("in", "New", "York")
    assert sentence.tags == ("O", "B-LOC", "E-LOC")


def test_labels_may_be_called_labels_and_stand_in_any_order() -> None:
    (document,) = read({"text": "abc", "labels": [[2, 3, "Y"], [0, 2, "X"]], "meta": {"a": [1]}})
    assert document.spans == ((0, 2, "X"), (2, 3, "Y"))


def test_text_without_labels_is_untagged_or_refused() -> None:
    (document,) = read({"text": "abc"})
    assert document.spans is None
    assert document.sentence().tags is None
    assert "need an empty list" in findings_of({"text": "abc"}, need_labels=True)


def test_line_ends_inside_a_text_are_white_space() -> None:
    (document,) = read({"text": "a\r\nb", "label": [[0, 4, "X"]]})
    assert document.raw.tokens == ("a", "b")
    assert document.raw.character_spans(document.spans or ()) == [(0, 4, "X")]


@pytest.mark.parametrize(
    ("label", "what"),
    [
        ([[0, 2, "X"], [1, 3, "X"]], "overlaps"),
        ([[0, 4, "X"], [1, 2, "Y"]], "overlaps"),
        ([[0, 2, "X"], [0, 2, "Y"]], "overlaps"),
        ([[2, 0, "X"]], "empty or reversed"),
        ([[1, 1, "X"]], "empty or reversed"),
        ([[0, 99, "X"]], "leaves the text of 9 characters"),
        ([[-1, 2, "X"]], "leaves the text"),
        ([[0, 3, "X"]], "white space"),
        ([[2, 4, "X"]], "white space"),
        ([[0, 1, ""]], "no proper type"),
        ([[0, 1, "X\t"]], "no proper type"),
    ],
)
def test_offsets_that_do_not_fit_are_refused_with_their_line(label: Any, what: str) -> None:
    document = {"id": "p-1", "text": "ab cdefgh", "label": label}
    message = findings_of({"text": "ok"}, document)
    assert message.startswith("in.jsonl:2: entity ")
    assert what in message
    assert "p-1" not in message  # an id may be that of a patient
    shown = findings_of({"text": "ok"}, document, show_text=True)
    assert shown.endswith(" (here: document p-1)")


def test_a_span_may_not_split_a_word() -> None:
    record = {"text": "Newark", "label": [[0, 3, "LOC"]]}
    assert read(record)[0].spans == ((0, 3, "LOC"),)
    assert "inside a token" in findings_of(record, mode="spaces")


def test_offsets_in_utf16_units_are_suspected_where_they_differ() -> None:
    assert "UTF-16" in findings_of({"text": "😀病", "label": [[2, 4, "X"]]})
    assert "UTF-16" not in findings_of({"text": "病病", "label": [[2, 4, "X"]]})


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"7", b"nul", b'{"text": 1}', b"{}", b'{"text": "\\ud800"}', b"[" * 50_000,
     b'{"text": "a", "label": [[0, 1]]}', b'{"text": "a", "label": [[0.0, 1, "X"]]}',
     b'{"text": "a", "label": [[true, 1, "X"]]}', b'{"text": "a", "id": [1]}',
     b'{"text": "a", "label": [[0, ' + b"9" * 5000 + b', "X"]]}',
     b'{"text": "a", "label": [], "labels": []}']
)  # fmt: skip
def test_what_is_no_document_is_a_finding(line: bytes) -> None:
    assert findings_of(line).startswith("in.jsonl:1: ")


def test_messages_hold_no_text_of_the_data() -> None:
    canary = "canary7c1"
    for record in (
        {"text": canary, "label": [[0, 99, "X"]]},
        {"text": canary, "label": [[canary, 1, "X"]]},
        {"text": [canary]},
        f'{{"text": "{canary}" {canary}'.encode(),
    ):
        assert canary not in findings_of(record)


def test_findings_survive_the_way_between_processes() -> None:
    with pytest.raises(FindingsError) as caught:
        read(b"{", b"[]")
    copy = pickle.loads(pickle.dumps(caught.value))  # as process pools do with errors
    assert str(copy) == str(caught.value)
    assert copy.findings == caught.value.findings


def test_untagged_documents_are_written_with_an_empty_list() -> None:
    stream = io.StringIO()
    write_jsonl(stream, [Document(tokenise("a\u2028", "characters"))])
    assert stream.getvalue() == '{"text":"a\\u2028","label":[]}\n'


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    data=st.data(),
    identity=st.none() | st.integers(-9, 9) | st.text("a1", max_size=3),
)
def test_documents_round_trip(text: str, data: st.DataObject, identity: int | str | None) -> None:
    raw = tokenise(text, "characters")
    tags = data.draw(st.lists(st.sampled_from(["O", "B-X", "I-X"]), min_size=len(raw),
                              max_size=len(raw)))  # fmt: skip
    found = spans(tags, "IOB2")
    line = format_document(text, raw.character_spans(found), identity)
    assert "\n" not in line
    (document,) = read(line.encode())
    assert (document.raw.text, document.id) == (text, identity)
    assert list(document.spans or ()) == found
    if raw.tokens:
        assert document.sentence("IOB2").tags == spans_to_tags(found, len(raw), "IOB2")


@given(data=st.binary(max_size=40), label=st.lists(
    st.tuples(st.integers(-2, 6), st.integers(-2, 6), st.sampled_from(["X", "", " "])), max_size=3
))  # fmt: skip
def test_any_bytes_and_offsets_give_documents_or_findings(data: bytes, label: list[Span]) -> None:
    for lines in ([data], [json.dumps({"text": "a b😀", "label": label}).encode()]):
        with contextlib.suppress(FindingsError):
            for document in iterate_jsonl(lines, "characters", "s"):
                found = document.raw.character_spans(document.spans or ())
                assert [tuple(span) for span in sorted(label)] == found or lines == [data]
