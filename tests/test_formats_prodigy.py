"""What is written for Prodigy."""

from __future__ import annotations

import json

from format_cases import annotated, read_bytes
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.formats import jsonl, prodigy


def test_spans_name_their_first_and_last_token() -> None:
    document = Document("No chest pain.", ((3, 13, "Sign"),), 7, tokens=((0, 2), (3, 8), (9, 13)))
    (line,) = prodigy.write([document])
    found = json.loads(line)
    assert (found["text"], found["id"]) == (document.text, 7)
    span = {"start": 3, "end": 13, "label": "Sign", "token_start": 1, "token_end": 2}
    assert found["spans"] == [span]
    assert [(one["text"], one["id"], one["ws"]) for one in found["tokens"]] == [
        ("No", 0, True),
        ("chest", 1, True),
        ("pain", 2, False),
    ]
    assert "answer" not in found


def test_without_tokens_there_are_offsets_alone() -> None:
    (line,) = prodigy.write([Document("ab", ((0, 1, "X"),))])
    assert line == '{"text":"ab","spans":[{"start":0,"end":1,"label":"X"}]}\n'
    (line,) = prodigy.write([Document(" ", (), tokens=())])
    assert line == '{"text":" ","spans":[],"tokens":[]}\n'
    assert list(prodigy.write([Document("ab")])) == ['{"text":"ab"}\n']
    assert list(prodigy.write([Document("ab", ())])) == ['{"text":"ab","spans":[]}\n']


@given(st.lists(annotated(), max_size=3))
def test_what_is_written_reads_as_the_same(documents: list[Document]) -> None:
    again = read_bytes(jsonl.read, "".join(prodigy.write(documents)))
    assert [(d.text, d.entities, d.id) for d in again] == [
        (d.text, d.entities, d.id) for d in documents
    ]
