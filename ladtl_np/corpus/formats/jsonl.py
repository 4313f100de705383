"""JSONL in and out: one text a line with its entities as character offsets, as doccano has it.

``{"id": 7, "text": "...", "label": [[start, end, "TYPE"], ...]}``. Offsets count code points from
0, `end` is exclusive. The key ``labels`` is read like ``label``; other keys are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO, TextIO

import msgspec

from ladtl_np.corpus import document as annotated
from ladtl_np.corpus.cutting.profile import TokenMode
from ladtl_np.corpus.documents import parse_json
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.records import Records
from ladtl_np.corpus.limits import INTEGER_BITS, TYPE_CHARACTERS
from ladtl_np.corpus.lines import numbered_lines
from ladtl_np.corpus.raw import RawLine, tokenise
from ladtl_np.corpus.schemes import Span, spans_to_tags
from ladtl_np.corpus.sentence import Sentence
from ladtl_np.corpus.tally import Tally
from ladtl_np.printable import escaped_json, shown

__all__ = [
    "Document",
    "format_document",
    "iterate_jsonl",
    "read",
    "write",
    "write_jsonl",
]

Identity = int | str | None


class _Record(msgspec.Struct):
    """One line as it stands."""

    text: str
    id: Identity = None
    label: list[Span] | None = None
    labels: list[Span] | None = None


class _Part(msgspec.Struct):
    start: int
    end: int


class _Output(msgspec.Struct, omit_defaults=True):
    text: str
    label: list[Span] | None = None
    id: Identity = None
    tokens: list[_Part] | None = None
    sents: list[_Part] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One text with its entities.

    Attributes
    ----------
    raw
        The text and its tokens.
    spans
        Entities as spans of tokens, in order; None in a document without labels.
    id
        The document's id, if it has one.
    """

    raw: RawLine
    spans: tuple[Span, ...] | None = None
    id: Identity = None

    def sentence(self, scheme: str = "BIOES") -> Sentence:
        """Return the document as a sentence; it must have a token."""
        tags = None
        if self.spans is not None:
            tags = spans_to_tags(self.spans, len(self.raw), scheme)
        return Sentence(self.raw.tokens, tags, self.raw.line)


def read(
    stream: BinaryIO, options: ReadOptions, findings: Findings, tally: Tally
) -> Iterator[annotated.Document]:
    """Yield the documents of a binary stream one at a time; blank lines are passed over.

    The dialects are those of `corpus.formats.records`. After the first finding no more documents
    are yielded; the rest is read for further findings.

    Parameters
    ----------
    stream
        A file opened in binary mode.
    options
        How to read: `encoding` and `ends` matter here.
    findings
        Takes what is wrong.
    tally
        Filled with counts of what is no error.

    Raises
    ------
    FindingsError
        With everything wrong in the stream, up to a limit.
    """
    records = Records(options, findings, tally)
    for number, line in numbered_lines(stream, findings, encoding=options.encoding, tally=tally):
        if not line.strip(" \t"):
            continue
        try:
            record = parse_json(line, Any)
        except ValueError as error:
            findings.add(number, f"not JSON: {error}", "wanted one document a line")
            continue
        document = records.document(record, number)
        if document is not None and not findings:
            yield document
    findings.raise_any()


def write(documents: Iterable[annotated.Document]) -> Iterator[str]:
    """Write documents as doccano has them, one line each; unannotated ones without label.

    Tokens and sentences that are known stand beside, as spaCy has them.
    """
    for document in documents:
        entities = None if document.entities is None else list(document.entities)
        output = _Output(
            text=document.text,
            label=entities,
            id=document.id,
            tokens=None if document.tokens is None else [_Part(*one) for one in document.tokens],
            sents=_sentences(document),
        )
        yield escaped_json(msgspec.json.encode(output).decode()) + "\n"


def _sentences(document: annotated.Document) -> list[_Part] | None:
    if document.sentences is None:
        return None
    return [_Part(*one) for one in pairwise((*document.sentences, len(document.text)))]


def iterate_jsonl(
    stream: Iterable[bytes],
    mode: TokenMode,
    name: str,
    *,
    need_labels: bool = False,
    labels: bool = True,
    tally: Tally | None = None,
) -> Iterator[Document]:
    """Yield the documents of a binary stream one at a time; blank lines are passed over.

    After the first finding no more documents are yielded; the rest is read for further findings.

    Parameters
    ----------
    stream
        Lines as bytes, such as a file opened in binary mode.
    mode
        How texts are cut into tokens.
    name
        Name of the stream in messages.
    need_labels
        Whether a document without labels is an error.
    labels
        Whether labels are read; otherwise they may stand anywhere.
    tally
        Filled with counts of what is no error.

    Raises
    ------
    FindingsError
        With everything wrong in the stream, up to a limit.
    """
    findings = Findings(name)
    for number, line in numbered_lines(stream, findings, tally=tally):
        if not line.strip(" \t"):
            continue
        document = _parse(number, line, mode, need_labels, labels, findings)
        if document is not None and not findings:
            yield document
    findings.raise_any()


def _parse(
    number: int,
    line: str,
    mode: TokenMode,
    need_labels: bool,
    read_labels: bool,
    findings: Findings,
) -> Document | None:
    try:
        record = parse_json(line, _Record)
    except ValueError as error:
        findings.add(number, f"not a document: {error}", 'wanted {"text": "...", "label": [...]}')
        return None
    if isinstance(record.id, int) and record.id.bit_length() > INTEGER_BITS:
        what = f"an id of more than {INTEGER_BITS} bits"
        findings.add(number, what, "write long ids as text, in quotes")
        return None
    if record.label is not None and record.labels is not None:
        findings.add(number, "both label and labels", "keep one of the two keys")
        return None
    labels = record.labels if record.label is None else record.label
    raw = tokenise(record.text, mode, number)
    if labels is None or not read_labels:
        if need_labels:
            findings.add(number, "no label", "documents without entities need an empty list")
        return Document(raw, None, record.id)
    spans = _token_spans(raw, labels, record.id, findings)
    return None if spans is None else Document(raw, spans, record.id)


def _token_spans(
    raw: RawLine, labels: list[Span], identity: Identity, findings: Findings
) -> tuple[Span, ...] | None:
    """Turn character offsets into spans of tokens; None if one of them is refused."""
    document = None if identity is None else f"document {identity}"
    cure = "offsets count characters from 0, the end is exclusive"
    if any(ord(character) > 0xFFFF for character in raw.text):
        cure += "; were they counted in UTF-16 units, where this text has two for some characters?"
    first = {start: token for token, start in enumerate(raw.starts)}
    last = {end: token for token, end in enumerate(raw.ends, 1)}
    spans: list[Span] = []
    before = 0
    for start, end, kind in sorted(labels):
        if end <= start:
            wrong = "is empty or reversed"
        elif start < 0 or end > len(raw.text):
            wrong = f"leaves the text of {len(raw.text)} characters"
        elif start < before:
            wrong = "overlaps the one before it"
        elif start not in first or end not in last:
            wrong = "starts or ends inside a token or at white space"
        elif not kind or kind != kind.strip() or not kind.isprintable():
            wrong = "has no proper type"
        elif len(kind) > TYPE_CHARACTERS:
            wrong = f"has a type of more than {TYPE_CHARACTERS:,} characters"
        else:
            spans.append((first[start], last[end], kind))
            before = end
            continue
        place = shown(f"{start}..{end}")
        findings.add(raw.line, f"entity {place} {wrong}", cure, document)
    return tuple(spans) if len(spans) == len(labels) else None


def format_document(text: str, spans: Iterable[Span], identity: Identity = None) -> str:
    """Write one document as a line of JSON without a line end; spans are character offsets."""
    output = _Output(text=text, label=sorted(spans), id=identity)
    return escaped_json(msgspec.json.encode(output).decode())


def write_jsonl(stream: TextIO, documents: Iterable[Document]) -> None:
    """Write documents one at a time, each ended by LF; those without labels get an empty list."""
    for document in documents:
        spans = document.raw.character_spans(document.spans or ())
        stream.write(format_document(document.raw.text, spans, document.id) + "\n")
