from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from format_cases import annotated, findings_of, read_bytes
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.findings import FindingsError
from ladtl_np.corpus.formats import label_studio
from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.tally import Tally

TEXT = "in 😀 New York"


def region(start: Any = 5, end: Any = 13, text: Any = "New York", labels: Any = ("LOC",)) -> Any:
    return {"start": start, "end": end, "text": text, "labels": list(labels)}


def labels(**value: Any) -> Any:
    names = {"id": "x", "from_name": "ner", "to_name": "text", "type": "labels"}
    return names | {"value": region(**value)}


def task(*results: Any, data: Any = None, **more: Any) -> Any:
    data = {"text": TEXT, "source": "a"} if data is None else data
    return {"data": data, "annotations": [{"id": 3, "result": list(results)}]} | more


def read(*tasks: Any, tally: Tally | None = None, **options: Any) -> list[Document]:
    return read_bytes(label_studio.read, json.dumps(list(tasks)), tally=tally, **options)


def finding(*tasks: Any, **options: Any) -> str:
    return findings_of(label_studio.read, json.dumps(list(tasks)), **options)


def test_regions_become_entities() -> None:
    one = task(labels(), labels(start=0, end=2, text="in", labels=["A", "B"]), id=7)
    assert read(one, task(), task(data={"note": "病"})) == [
        Document(TEXT, ((5, 13, "LOC"), (0, 2, "A"), (0, 2, "B")), 7, 1),
        Document(TEXT, (), None, 2),
        Document("病", (), None, 3),
    ]
    without = task(labels(text=None))
    assert read(without, ends="inclusive")[0].entities == ((5, 14, "LOC"),)


def test_what_marks_no_text_is_counted() -> None:
    one = task(
        labels(), {"type": "relation", "from_id": "x", "to_id": "x"}, {"type": "choices"},
        {"type": "textarea"}, predictions=[{}, {}],
    )  # fmt: skip
    one["annotations"].append({"was_cancelled": True, "result": [labels()]})
    tally = Tally()
    assert read(one, tally=tally)[0].entities == ((5, 13, "LOC"),)
    assert tally.left_out == {
        "relations": 1, "results that mark no text": 2, "predictions": 2, "cancelled annotations": 1
    }  # fmt: skip


def test_tasks_without_annotations_are_unannotated() -> None:
    cancelled = [{"was_cancelled": True, "result": []}]
    tasks = ({"data": {"text": "a"}}, task(annotations=[]), task(annotations=cancelled))
    assert [d.entities for d in read(*tasks)] == [None, None, None]


def test_older_versions_say_completions() -> None:
    one = {"data": {"text": TEXT}, "completions": [{"result": [labels()]}]}
    assert read(one)[0].entities == ((5, 13, "LOC"),)


def test_json_min() -> None:
    one = {"id": 1, "text": TEXT, "ner": [region()], "annotator": 1, "annotation_id": 2}
    empty = {"id": 2, "text": "a", "annotation_id": 3, "created_at": "2024", "sentiment": "good"}
    unannotated = {"id": 3, "text": "b"}
    assert [d.entities for d in read(one, empty, unannotated)] == [((5, 13, "LOC"),), (), None]
    assert "task 2: the id of task 1 again; keep one annotation" in finding(one, one)
    assert "2 lists of regions" in finding(one | {"other": [region()]})
    assert "a region without labels" in finding({"text": "a", "label": [{"start": 0, "end": 1}]})


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ([7], "not an object"),
        ({}, "data with 0 texts"),
        (task(data="x"), "data is no object"),
        (task(data={"a": "x", "b": "y"}), "data with 2 texts, none of them under the key text"),
        (task(annotations={}), "annotations is no list"),
        (task(annotations=[1]), "something else than objects"),
        (task(annotations=[{}, {}]), "2 annotations of one text"),
        (task(annotations=[{"result": 1}]), "result is no list"),
        (task(1), "a result that is no object"),
        (task({"type": 1}), "a result that is no object"),
        (task({"type": "labels"}), "a region that is no object"),
        (task({"type": "hypertextlabels", "value": {}}), "labels of something else"),
        (task(labels(start="5")), "a start is no integer"),
        (task(labels(end=1 << 70)), "an end has more than 64 bits"),
        (task(labels(labels=[])), "a region without labels"),
        (task(labels(labels=[1])), "a region without labels"),
        (task(labels(text=1)), "a region whose text is none"),
        (task(labels(text="York")), "entity 5..13 covers another text"),
        (task(labels(start=6, end=14)), "UTF-16"),
        (task(labels(), data={"text": "a\r\nb"}), "CRLF"),
        (task(id=[1]), "an id that is neither"),
    ],
)
def test_findings_name_task_and_line(wrong: Any, what: str) -> None:
    data = json.dumps([task(), wrong], indent=1)
    line = 1 + json.dumps([task()], indent=1).count("\n")
    message = findings_of(label_studio.read, data)
    assert message.startswith(f"in:{line}: task 2: ")
    assert what in message
    assert "York" not in message


@pytest.mark.parametrize(
    "data", [b"{}", b"[", b"", b"[" * 9999, b"\xff", b"[[]]", b"[null]", b'["\\ud800"]', b"[\0]"]
)
def test_hostile_bytes_are_findings(data: bytes) -> None:
    assert findings_of(label_studio.read, data).startswith("in")


def test_documents_are_written_as_tasks() -> None:
    documents = [Document("a\u202e", ((0, 1, "X"),), 4), Document("b")]
    text = "".join(label_studio.write(documents))
    assert "\\u202e" in text
    first, second = json.loads(text)
    assert first["id"] == 4
    assert first["annotations"][0]["result"][0] == {
        "id": "e1", "from_name": "label", "to_name": "text", "type": "labels",
        "value": {"start": 0, "end": 1, "text": "a", "labels": ["X"]},
    }  # fmt: skip
    assert second == {"data": {"text": "b"}, "annotations": []}
    for span in ((0, 0, "X"), (0, 2, "X"), (-1, 1, "X")):
        with pytest.raises(ValueError, match="is empty or leaves the text"):
            list(label_studio.write([Document("a", (span,))]))


@given(st.lists(annotated(), max_size=3, unique_by=lambda d: d if d.id is None else d.id))
def test_what_is_written_reads_as_the_same(documents: list[Document]) -> None:
    text = "".join(label_studio.write(documents))
    again = read_bytes(label_studio.read, text)
    assert [(d.text, d.entities, d.id) for d in again] == [
        (d.text, d.entities, d.id) for d in documents
    ]


@given(st.binary(max_size=40))
def test_any_bytes_give_documents_or_findings(data: bytes) -> None:
    with contextlib.suppress(FindingsError):
        read_bytes(label_studio.read, data)


def test_its_columns_are_read_as_columns(tmp_path: Any) -> None:
    path = tmp_path / "export.conll"
    path.write_text("-DOCSTART- -X- O\nNew -X- _ B-LOC\nYork -X- _ I-LOC\n\n! -X- _ O\n\n", "utf-8")
    corpus = read_conll(path, ReadOptions())
    assert [s.tokens for s in corpus] == [("New", "York"), ("!",)]
