"""A JSON list of records in one file, in the dialects of `records`; and what other lists share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import msgspec

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.documents import parse_json
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats import jsonl
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.records import Records
from ladtl_np.corpus.limits import ANNOTATION_BYTES, MIB
from ladtl_np.corpus.lines import decoded
from ladtl_np.corpus.tally import Tally
from ladtl_np.printable import shown

__all__ = ["elements", "read", "write", "written"]

_BYTE = re.compile(r"\(byte ([0-9]+)\)")


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

    The list is cut before its elements are parsed, so one of them at a time is held as objects. In
    a file of one line, an element's number stands for its line.

    Raises
    ------
    FindingsError
        If it is no list, or too large.
    """
    content = stream.read(ANNOTATION_BYTES + 1)
    if len(content) > ANNOTATION_BYTES:
        what = f"more than {ANNOTATION_BYTES // MIB} MiB"
        findings.fail(0, what, "write JSONL, one document a line, which may be of any size")
    text = decoded(content, options.encoding, findings, tally)
    if text is None:
        return
    content = text.encode("utf-8")
    try:
        cut = msgspec.json.decode(content, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        byte = _BYTE.search(str(error))
        line = content.count(b"\n", 0, int(byte[1])) + 1 if byte else 0
        findings.fail(line, f"not a JSON list: {shown(str(error), 200)}", "is the file complete?")
    at, end, line, lines = 0, 0, 1, content.rstrip().count(b"\n") + 1
    for number, raw in enumerate(cut, 1):
        element = bytes(raw)
        start = content.index(element, end)  # nothing but white space and a comma lies between
        line += content.count(b"\n", at, start)
        at, end = start, start + len(element)
        place = line if lines > 1 else number
        try:
            yield number, place, parse_json(element.decode("utf-8"), Any)
        except ValueError as error:
            findings.add(place, f"element {number} is not JSON: {error}", "is the file damaged?")
