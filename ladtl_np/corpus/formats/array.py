"""A JSON list of records in one file, in the dialects of `records`; and what other lists share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NoReturn

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.documents import parse_json
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats import jsonl
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.records import Records
from ladtl_np.corpus.limits import ANNOTATION_BYTES, LINE_BYTES, MIB, NESTING
from ladtl_np.corpus.lines import decoded
from ladtl_np.corpus.tally import Tally

__all__ = ["elements", "read", "write", "written"]

_WHITE = " \t\r\n"
_LEAD = re.compile(r"[ \t\r\n]*+\[")
# Strings and brackets; every alternative matches without going back, so the time is linear.
_TOKENS = re.compile(r'"(?>[^"\\]+|\\.)*+"?|[\[\]{}]', re.DOTALL)


def read(
    stream: BinaryIO, options: ReadOptions, findings: Findings, tally: Tally
) -> Iterator[Document]:
    """Yield the documents of a JSON list; after the first finding, look for more of them.

    Parameters
    ----------
    stream
        A file opened in binary mode, of at most `ANNOTATION_BYTES`.
    options
        How to read: `encoding` and `ends` matter here.
    findings
        Takes what is wrong.
    tally
        Filled with counts of what is no error.

    Raises
    ------
    FindingsError
        With everything wrong in the file, up to a limit.
    """
    records = Records(options, findings, tally)
    for number, line, record in elements(stream, options, findings, tally):
        document = records.document(record, line, f"record {number}: ")
        if document is not None and not findings:
            yield document
    findings.raise_any()


def write(documents: Iterable[Document]) -> Iterator[str]:
    """Write documents as a JSON list of what `jsonl` writes, one a line."""
    return written(line.removesuffix("\n") for line in jsonl.write(documents))


def written(records: Iterable[str]) -> Iterator[str]:
    """Put records that are JSON into a list, one a line."""
    lead = "[\n"
    for record in records:
        yield lead + record
        lead = ",\n"
    yield "[]\n" if lead == "[\n" else "\n]\n"


def elements(
    stream: BinaryIO, options: ReadOptions, findings: Findings, tally: Tally
) -> Iterator[tuple[int, int, Any]]:
    """Yield the elements of a JSON list with their numbers and the lines at which they start.

    One of them at a time is held as objects, and each may be as long as a line of JSONL. In a file
    of one line, an element's number stands for its line.

    Raises
    ------
    FindingsError
        If it is no list of objects and lists, or too large.
    """
    content = stream.read(ANNOTATION_BYTES + 1)
    if len(content) > ANNOTATION_BYTES:
        what = f"more than {ANNOTATION_BYTES // MIB} MiB"
        findings.fail(0, what, "write JSONL, one document a line, which may be of any size")
    text = decoded(content, options.encoding, findings, tally)
    if text is None:
        return
    has_lines = text.find("\n", 0, len(text.rstrip())) >= 0
    at, line = 0, 1
    for number, (start, end) in enumerate(_cut(text, findings), 1):
        line += text.count("\n", at, start)
        at = start
        place = line if has_lines else number
        try:
            yield number, place, parse_json(text[start:end], Any)
        except ValueError as error:
            findings.add(place, f"element {number} is not JSON: {error}", "is the file damaged?")


def _cut(text: str, findings: Findings) -> Iterator[tuple[int, int]]:
    """Yield where the elements of a list start and end, without parsing them."""

    def refuse(place: int, what: str, cure: str = "is the file complete?") -> NoReturn:
        findings.fail(text.count("\n", 0, place) + 1, f"not a JSON list: {what}", cure)

    lead = _LEAD.match(text)
    if lead is None:
        refuse(0, "it starts with something else than [", "is the format right?")
    at, start, depth, parted = lead.end(), 0, 0, ""
    for token in _TOKENS.finditer(text, at):
        mark, place = token[0][0], token.start()
        if depth == 0:
            closes = mark == "]"
            if text[at:place].strip(_WHITE) != ("" if closes else parted) or mark in '"}':
                refuse(place, "elements are objects or lists, with commas between them")
            if closes:
                if text[place + 1 :].strip(_WHITE):
                    refuse(place, "something stands behind it")
                return
            start = place
        if token.end() - start > LINE_BYTES:
            refuse(start, f"an element of more than {LINE_BYTES // MIB} million characters")
        if mark in "[{":
            depth += 1
            if depth > NESTING:
                refuse(place, f"nested more than {NESTING} deep")
        elif mark in "]}":
            depth -= 1
            if depth == 0:
                at, parted = token.end(), ","
                yield start, at
    refuse(len(text), "it has no end")
