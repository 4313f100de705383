from __future__ import annotations

import sys
import zlib
from typing import Any

import msgspec
import numpy as np
import pytest
from format_cases import findings_of, read_bytes
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.formats import docbin
from ladtl_np.corpus.raw import tokenise
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import UsageError

spacy = pytest.importorskip("spacy", reason="spaCy is not installed: 'ladtl-np[spacy]'")
from spacy.tokens import Doc, DocBin, Span  # noqa: E402
from spacy.vocab import Vocab  # noqa: E402


def read(data: bytes, *, tally: Tally | None = None) -> list[Document]:
    return read_bytes(docbin.read, data, tally=tally)


def packed(*docs: Any, **options: Any) -> bytes:
    return bytes(DocBin(docs=docs, **options).to_bytes())


def changed(data: bytes, **changes: Any) -> bytes:
    """A file with some of its parts replaced."""
    table = msgspec.msgpack.decode(zlib.decompress(data))
    table = {key: value for key, value in (table | changes).items() if value is not None}
    return zlib.compress(msgspec.msgpack.encode(table))


def sample() -> Any:
    words = ["New", "York", ",", "\n", "😀", "病"]
    doc = Doc(Vocab(), words, [True, False, False, False, True, False],
              sent_starts=[True, False, False, False, True, False])  # fmt: skip
    doc.set_ents([Span(doc, 0, 2, label="GPE"), Span(doc, 4, 5, label="X"),
                  Span(doc, 5, 6, label="X")])  # fmt: skip
    return doc


def test_what_spacy_writes_is_read() -> None:
    tally = Tally()
    blank = Doc(Vocab(), ["a", "b"], [True, False])
    assert read(packed(sample(), blank), tally=tally) == [
        Document(
            "New York,\n😀 病",
            ((0, 8, "GPE"), (10, 11, "X"), (12, 13, "X")),
            line=1,
            tokens=((0, 3), (4, 8), (8, 9), (10, 11), (12, 13)),
            sentences=(0, 10),
        ),
        Document("a b", None, line=2, tokens=((0, 1), (2, 3))),
    ]
    assert tally.left_out == {"tokens of white space": 1}


def test_entities_follow_iob() -> None:
    doc = sample()
    codes = [1, 1, 2, 0, 1, 3]  # opened by an inside tag; missing; inside, then begin
    table = doc.to_array(["ORTH", "ENT_IOB", "ENT_TYPE"])
    table[:, 1] = codes
    data = changed(packed(doc, attrs=["ENT_IOB", "ENT_TYPE"]), tokens=table.tobytes())
    tally = Tally()
    (document,) = read(data, tally=tally)
    assert document.entities == ((0, 8, "GPE"), (10, 11, "X"), (12, 13, "X"))
    assert tally.left_out["tokens that nobody annotated"] == 1
    table[:, 1] = [3, 1, 2, 2, 3, 1]
    (document,) = read(changed(data, tokens=table.tobytes()))
    assert document.entities == ((0, 8, "GPE"), (10, 13, "X"))
    table[4, 2] = 0  # kept free of entities: begin without a type
    (document,) = read(changed(data, tokens=table.tobytes()))
    assert document.entities == ((0, 8, "GPE"), (12, 13, "X"))


def test_documents_without_columns_of_entities_are_unannotated() -> None:
    (document,) = read(packed(sample(), attrs=["TAG"]))
    assert (document.entities, document.sentences) == (None, None)


def test_unknown_spaces_stand_between_tokens() -> None:
    doc = Doc(Vocab(), ["a", "b"])
    assert doc.has_unknown_spaces
    assert read(packed(doc))[0].text == "a b"


def test_what_has_no_place_here_is_counted() -> None:
    doc = sample()
    doc.spans["x"] = [Span(doc, 0, 1, label="Y")]
    doc.cats = {"good": 1.0}
    tally = Tally()
    read(packed(doc, sample(), store_user_data=True), tally=tally)
    assert tally.left_out["groups of spans"] == tally.left_out["document labels"] == 1


def test_spacy_reads_what_is_written() -> None:
    document = Document(
        " a  b.\n\n病",
        ((1, 2, "X"), (8, 9, "ORG")),
        tokens=((1, 2), (4, 5), (5, 6), (8, 9)),
        sentences=(0, 8),
    )
    vocab = Vocab()
    data = docbin.write_bytes([document, Document("c", None, tokens=((0, 1),))])
    assert data == docbin.write_bytes([document, Document("c", None, tokens=((0, 1),))])
    doc, other = DocBin().from_bytes(data).get_docs(vocab)
    assert doc.text == document.text
    assert [token.text for token in doc] == [" ", "a", " ", "b", ".", "\n\n", "病"]
    assert [(e.start_char, e.end_char, e.label_) for e in doc.ents] == list(document.entities or ())
    assert [sentence.start_char for sentence in doc.sents] == [0, 8]
    assert (other.text, other.has_annotation("ENT_IOB")) == ("c", False)


@pytest.mark.parametrize(
    "document",
    [
        Document("ab"),
        Document("ab", ((0, 1, "X"),), tokens=((0, 2),)),
        Document("a b", ((0, 1, "X"), (0, 3, "X")), tokens=((0, 1), (2, 3))),
        Document("a b", ((2, 1, "X"),), tokens=((0, 1), (2, 3))),
    ],
)
def test_what_it_cannot_hold_is_not_written(document: Document) -> None:
    with pytest.raises(ValueError, match="document 1"):
        docbin.write_bytes([document])


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"attrs": []}, "no column of words"),
        ({"attrs": [65]}, "differ in number"),
        ({"tokens": b"1234"}, "half a number"),
        ({"lengths": b"123"}, "half a number"),
        ({"lengths": np.array([7], "<i4").tobytes()}, "differ in number"),
        ({"lengths": np.array([-1, 7], "<i4").tobytes()}, "differ in number"),
        ({"spaces": b"\0"}, "differ in number"),
        ({"strings": ["a"]}, "document 1: a string that the file does not hold"),
        ({"strings": [1]}, "Expected `str`"),
        ({"flags": []}, "one element for each document"),
        ({"flags": {}}, "one element for each document"),
        ({"flags": [{"has_unknown_spaces": 3}]}, "Expected `bool`"),
        ({"cats": [{}] * 20}, "one element for each document"),
        ({"cats": [{}] * 70_000}, "one element for each document"),
        ({"tokens": None}, "missing required field"),
    ],
)
def test_damage_is_a_finding(changes: dict[str, Any], what: str) -> None:
    message = findings_of(docbin.read, changed(packed(sample()), **changes))
    assert what in message
    assert "York" not in message


def test_strange_numbers_are_findings_of_their_document() -> None:
    doc = sample()
    table = doc.to_array(["ORTH", "ENT_IOB", "ENT_TYPE"])
    data = packed(doc, attrs=["ENT_IOB", "ENT_TYPE"])
    for place, value, what in (((0, 0), 0, "token 1 is empty"), ((1, 1), 4, "a tag that is none")):
        other = table.copy()
        other[place] = value
        message = findings_of(docbin.read, changed(data, tokens=other.tobytes()))
        assert message == f"in:1: document 1: {what}; is the file damaged?"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "ends too early"),
        (b"{}", "cannot be unpacked"),
        (zlib.compress(b""), "truncated"),
        (zlib.compress(b"\x91" * 9999), "Expected `object`"),
        (zlib.compress(b"\x81\xa1x" * 9999), "recursion"),
        (zlib.compress(b"\0" * (65 << 20)), "unpacks to more than 64 MiB"),
    ],
)
def test_what_is_no_docbin_is_a_finding(data: bytes, what: str) -> None:
    message = findings_of(docbin.read, data)
    assert message.startswith("in: not a DocBin: ")
    assert what in message


def test_a_file_that_is_cut_short_is_a_finding() -> None:
    data = packed(sample())
    assert "ends too early" in findings_of(docbin.read, data[: len(data) // 2])


def test_without_spacy_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy.tokens", None)
    for call in (lambda: read(b""), lambda: docbin.write_bytes([])):
        with pytest.raises(UsageError, match=r"pip install 'ladtl-np\[spacy\]'"):
            call()


@st.composite
def cut(draw: st.DrawFn) -> Document:
    """A document of tokens whose entities end where they do."""
    text = draw(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("a \n\u3000病"),
                        max_size=12))  # fmt: skip
    raw = tokenise(text, draw(st.sampled_from(["characters", "spaces"])))
    bounds = tuple(zip(raw.starts, raw.ends, strict=True))
    entities, at = [], 0
    while at < len(bounds):
        end = draw(st.integers(at, len(bounds)))
        if end > at:
            kind = draw(st.sampled_from(["X", "ORG", "病 a"]))
            entities.append((bounds[at][0], bounds[end - 1][1], kind))
        at = end + 1
    places = sorted({bounds[n][0] for n in draw(st.sets(st.integers(1, 99))) if n < len(bounds)})
    sentences = (0, *places) if places else None
    annotated = draw(st.booleans()) or not text
    return Document(
        text, tuple(entities) if annotated else None, tokens=bounds, sentences=sentences
    )


@given(st.lists(cut(), max_size=3))
def test_what_is_written_reads_as_the_same(documents: list[Document]) -> None:
    again = read(docbin.write_bytes(documents))
    for one, other in zip(again, documents, strict=True):
        assert (one.text, one.entities, one.tokens) == (other.text, other.entities, other.tokens)
        assert one.sentences == other.sentences
