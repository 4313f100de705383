"""spaCy's DocBin: many documents in one file, tokens and tags as numbers, strings by their hashes.

The file is unpacked and read here, within limits; spaCy (extra ``spacy``) tells the numbers of its
attributes, the hashes of strings, and writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np

from ladtl_np.corpus.document import Bounds, Document
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.docbin_file import (
    DamagedError,
    Flags,
    Table,
    for_each,
    table_of,
    unpacked,
)
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.schemes import Span
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import UsageError

__all__ = ["read", "write_bytes"]

_INSIDE, _BEGIN = 1, 3  # of ENT_IOB; 2 is outside, 0 not annotated
_WHITE = " \t\r\n"  # parts tokens, here as in text; spaCy has it as tokens too
_NOTHING = (b"", b"\x80", b"\x90")  # what spaCy writes where a document has no groups of spans


def read(
    stream: BinaryIO, options: ReadOptions, findings: Findings, tally: Tally
) -> Iterator[Document]:
    """Yield the documents of a DocBin with their tokens, and sentences and entities if there are.

    Tokens of nothing but white space are part of the text only. A document of which no token says
    whether it belongs to an entity is unannotated.

    Parameters
    ----------
    stream
        A file opened in binary mode.
    options
        None matters here.
    findings
        Takes what is wrong, with the number of the document as line.
    tally
        Filled with counts of what is left out.

    Raises
    ------
    UsageError
        If spaCy is not installed.
    FindingsError
        With everything wrong in the file, up to a limit.
    """
    strings_of = _spacy().strings.StringStore
    try:
        found = unpacked(stream)
        table = table_of(found)
        flags = for_each(found.flags, len(table.lengths), Flags)
        for name, raw in (("document labels", found.cats), ("groups of spans", found.span_groups)):
            given = for_each(raw, len(table.lengths), Any if name == "document labels" else bytes)
            if count := sum(bool(one) and one not in _NOTHING for one in given):
                tally.left_out[name] += count
    except DamagedError as error:
        findings.fail(0, f"not a DocBin: {error}", "is it a .spacy file, and complete?")
    strings = strings_of(found.strings)
    ends = np.cumsum(table.lengths, dtype=np.int64)
    for number, end in enumerate(ends.tolist(), 1):
        rows = slice(end - int(table.lengths[number - 1]), end)
        unknown = bool(flags) and flags[number - 1].has_unknown_spaces
        try:
            document = _document(table, rows, number, strings, unknown, tally)
            if options.tag_column is None:
                document = replace(document, entities=None)
        except DamagedError as error:
            findings.add(number, f"document {number}: {error}", "is the file damaged?")
            continue
        if not findings:
            yield document
    findings.raise_any()


def write_bytes(documents: Iterable[Document]) -> bytes:
    """Return a DocBin of documents.

    What stands between tokens beside a space becomes tokens of its own, as spaCy has it. Ids have
    no place in it.

    Raises
    ------
    UsageError
        If spaCy is not installed.
    ValueError
        If a document has no tokens, or an entity does not end where tokens do, or overlaps another.
    """
    spacy = _spacy()
    vocab = spacy.vocab.Vocab()
    attributes = ("ORTH", "ENT_IOB", "ENT_TYPE", "SENT_START")
    packed = spacy.tokens.DocBin(attrs=attributes)
    for number, document in enumerate(documents, 1):
        packed.add(_doc(spacy, vocab, document, f"document {number}"))
    return bytes(packed.to_bytes())


def _spacy() -> Any:
    try:
        import spacy.tokens
        import spacy.vocab
    except ImportError as error:
        raise UsageError(
            f"DocBin files need spaCy ({error}): pip install 'ladtl-np[spacy]'"
        ) from error
    return spacy


def _document(
    table: Table, rows: slice, number: int, strings: Any, unknown: bool, tally: Tally
) -> Document:
    parts: list[str] = []
    bounds: list[Bounds] = []
    at = 0
    last = rows.stop - rows.start - 1
    for place, (word, space) in enumerate(zip(table.words[rows], table.spaces[rows], strict=True)):
        token = _string(strings, word)
        if not token:
            raise DamagedError(f"token {place + 1} is empty")
        bounds.append((at, at + len(token)))
        parts.append(token + " " * (place < last if unknown else bool(space)))
        at += len(parts[-1])
    text = "".join(parts)
    white = {n for n, (start, end) in enumerate(bounds) if not text[start:end].strip(_WHITE)}
    if white:
        tally.left_out["tokens of white space"] += len(white)
    return Document(
        text,
        _entities(table, rows, bounds, strings, tally),
        line=number,
        tokens=tuple(pair for n, pair in enumerate(bounds) if n not in white),
        sentences=_sentences(table, rows, bounds),
    )


def _string(strings: Any, number: np.uint64) -> str:
    try:
        return str(strings[int(number)])
    except KeyError:
        raise DamagedError("a string that the file does not hold") from None


def _sentences(table: Table, rows: slice, bounds: Sequence[Bounds]) -> tuple[int, ...] | None:
    """Offsets of the sentences; None where no token but the first says whether it starts one."""
    if table.starts is None or not table.starts[rows][1:].any():
        return None
    found = np.flatnonzero(table.starts[rows] == 1).tolist()
    return tuple(sorted({0} | {bounds[place][0] for place in found}))


def _entities(
    table: Table, rows: slice, bounds: Sequence[Bounds], strings: Any, tally: Tally
) -> tuple[Span, ...] | None:
    if table.iob is None or table.kinds is None:
        return None
    codes, kinds = table.iob[rows].tolist(), table.kinds[rows].tolist()
    if not any(codes):
        return None if codes else ()
    if missing := codes.count(0):
        tally.left_out["tokens that nobody annotated"] += missing
    found: list[Span] = []
    before = 0
    for (start, end), code, kind in zip(bounds, codes, kinds, strict=True):
        if code > _BEGIN:
            raise DamagedError("a tag that is none")
        inside = code in (_INSIDE, _BEGIN) and kind != 0  # without a type: kept free of entities
        if inside and code == _INSIDE and kind == before:
            found[-1] = (found[-1][0], end, found[-1][2])
        elif inside:
            found.append((start, end, _string(strings, kind)))
        before = kind if inside else 0
    return tuple(found)


def _doc(spacy: Any, vocab: Any, document: Document, name: str) -> Any:
    if document.tokens is None:
        raise ValueError(f"{name} has no tokens; cut its text first")
    words, spaces, starts = _words(document.text, document.tokens)
    first = {start: place for place, start in enumerate(starts)}
    last = {start + len(words[place]): place for start, place in first.items()}
    sentence_starts = None
    if document.sentences is not None:
        opened = set(np.searchsorted(starts, document.sentences).tolist())
        sentence_starts = [place in opened for place in range(len(words))]
    doc = spacy.tokens.Doc(vocab, words=words, spaces=spaces, sent_starts=sentence_starts)
    if document.entities is None:
        return doc
    spans, before = [], 0
    for start, end, kind in sorted(document.entities):
        if start not in first or end not in last or not before <= start < end:
            raise ValueError(f"{name}: entity {start}..{end} ends within a token, or overlaps")
        spans.append(spacy.tokens.Span(doc, first[start], last[end] + 1, label=kind))
        before = end
    doc.set_ents(spans, default="outside")
    return doc


def _words(text: str, bounds: Sequence[Bounds]) -> tuple[list[str], list[bool], list[int]]:
    """Cut a text as spaCy does: words, whether one space follows each, and their offsets."""
    words: list[str] = []
    spaces: list[bool] = []
    starts: list[int] = []
    at = 0
    for start, end in (*bounds, (len(text), len(text))):
        gap = text[at:start]
        if gap.startswith(" ") and words:
            spaces[-1], gap = True, gap[1:]
        for piece, place in ((gap, start - len(gap)), (text[start:end], start)):
            if piece:
                words.append(piece)
                spaces.append(False)
                starts.append(place)
        at = end
    return words, spaces, starts
