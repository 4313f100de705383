"""JSON lines: one text a line with its entities as character offsets, as doccano has it.

``{"id": 7, "text": "...", "label": [[start, end, "TYPE"], ...]}``. Offsets count code points from
0, `end` is exclusive. Other dialects are read as well, see `corpus.formats.records`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, BinaryIO

import msgspec

from ladtl_np.corpus.document import Certainty, Document, Identity
from ladtl_np.corpus.documents import parse_json
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.records import Records
from ladtl_np.corpus.lines import numbered_lines
from ladtl_np.corpus.schemes import Span
from ladtl_np.corpus.tally import Tally
from ladtl_np.printable import escaped_json

__all__ = ["DIGITS", "Part", "parts_of", "read", "write"]

DIGITS = 6
"""Decimal places of probabilities and entropies."""


class Part(msgspec.Struct):
    """A token or a sentence: its first code point, and the one after its last."""

    start: int
    end: int


class _Way(msgspec.Struct):
    probability: float
    label: list[Span]


class _Sentence(msgspec.Struct, omit_defaults=True):
    start: int
    end: int
    probability: float
    entropy: float
    nbest: list[_Way] = []


class _Output(msgspec.Struct, omit_defaults=True):
    text: str
    label: list[Span] | None = None
    id: Identity = None
    probabilities: list[float] | None = None
    sentences: list[_Sentence] | None = None
    tokens: list[Part] | None = None
    sents: list[Part] | None = None


def read(
    stream: BinaryIO, options: ReadOptions, findings: Findings, tally: Tally
) -> Iterator[Document]:
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


def write(documents: Iterable[Document]) -> Iterator[str]:
    """Write documents as doccano has them, one line each; unannotated ones without label.

    Tokens and sentences that are known stand beside, as spaCy has them; and so does how sure a
    tagger is: `probabilities` has a number for each entity of `label`.
    """
    for document in documents:
        entities, probabilities = _sorted(document)
        tokens, sentences = parts_of(document)
        sure = None
        if document.certainties is not None:
            sure = [_certainty(one) for one in document.certainties]
        known = document.text, entities, document.id, probabilities, sure
        output = _Output(*known, tokens, sentences)
        yield escaped_json(msgspec.json.encode(output).decode()) + "\n"


def _sorted(document: Document) -> tuple[list[Span] | None, list[float] | None]:
    """Entities by their places, and their probabilities."""
    entities, given = document.entities, document.probabilities
    if entities is None:
        return None, None
    if given is None:
        return sorted(entities), None
    pairs = sorted(zip(entities, given, strict=True))
    return [span for span, _ in pairs], [round(p, DIGITS) for _, p in pairs]


def _certainty(of: Certainty) -> _Sentence:
    best = [_Way(round(way.probability, DIGITS), sorted(way.entities)) for way in of.best]
    sums = round(of.probability, DIGITS), round(of.entropy, DIGITS)
    return _Sentence(of.start, of.end, *sums, best)


def parts_of(document: Document) -> tuple[list[Part] | None, list[Part] | None]:
    """Tokens and sentences of a document, each None where it is not known."""
    tokens = sentences = None
    if document.tokens is not None:
        tokens = [Part(*one) for one in document.tokens]
    if document.sentences is not None:
        sentences = [Part(*one) for one in pairwise((*document.sentences, len(document.text)))]
    return tokens, sentences
