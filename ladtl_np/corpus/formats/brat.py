r"""Folders of brat: ``name.txt`` with the text, ``name.ann`` with one annotation a line.

``T1\tTYPE 0 5\ttext`` is an entity; offsets count code points of the file, line ends as they stand
there, and ends are exclusive. ``0 5;10 15`` are fragments. brat parts an entity at line ends, so
fragments with nothing but a line end between them are one.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from ladtl_np.corpus.document import Bounds, Document
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.offsets import doubts
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.limits import ANNOTATION_BYTES, MIB
from ladtl_np.corpus.lines import decoded
from ladtl_np.corpus.schemes import Span
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import UsageError
from ladtl_np.printable import LONG, shown

__all__ = ["read_folder", "write_files"]

_LEFT_OUT = {
    "R": "relations",
    "E": "events",
    "A": "attributes",
    "M": "attributes",
    "N": "normalizations",
    "#": "notes",
    "*": "equivalences",
}
# Offsets of up to 18 digits: larger ones are no file's.
_PLACE = re.compile(r"(\S+) ([0-9]{1,18} [0-9]{1,18}(?:;[0-9]{1,18} [0-9]{1,18})*)")
_SPACES = str.maketrans("\t\r\n", "   ")  # as the text of an entity shows them
_LINE_ENDS = re.compile(r"[ \t]*[\r\n][ \t\r\n]*")
_PIECES = re.compile(r"[^\r\n]+")


def read_folder(
    folder: Path, options: ReadOptions, findings: Findings, tally: Tally
) -> Iterator[Document]:
    """Yield the documents of a folder and the folders in it, in the order of their names.

    A text without annotations is an unannotated document. The id of a document is the name of its
    file without the ending. After the first finding no more
    documents are yielded; the rest is read for further findings.

    Parameters
    ----------
    folder
        The folder.
    options
        How to read: `encoding` and `fragments` matter here.
    findings
        Takes what is wrong.
    tally
        Filled with counts of what is left out: relations, events, attributes, notes, ...

    Raises
    ------
    UsageError
        If it is no folder that can be read.
    FindingsError
        With everything wrong in the files, up to a limit.
    """
    texts, annotations = _files(folder, tally)
    for name in sorted(annotations - texts):
        findings.add(
            0, "annotations without a text", f"add {shown(name, LONG)}.txt", file=f"{name}.ann"
        )
    for name in sorted(texts):
        text = _text(folder, f"{name}.txt", options, findings, tally)
        if text is None:
            continue
        entities: tuple[Span, ...] | None = None
        if name in annotations and options.tag_column is not None:
            lines = _text(folder, f"{name}.ann", options, findings, tally)
            if lines is None:
                continue
            entities = _Annotations(text, f"{name}.ann", options, findings, tally).read(lines)
        if not findings:
            yield Document(text, entities, name, 1, f"{name}.txt")
    if not texts and not findings:
        findings.add(0, "no .txt file in the folder", "is it a folder of brat?")
    findings.raise_any()


def write_files(document: Document, name: str) -> dict[str, str]:
    """Return the files of a document by their names: its text, and its entities if it has any.

    Line ends stand in the text as they are to be written. The probabilities of entities are notes
    on them.

    Raises
    ------
    ValueError
        If brat's files cannot hold an entity: it is empty or leaves the text, or its type is empty
        or holds white space; or the text holds NUL.
    """
    text = document.text
    if "\0" in text:
        raise ValueError("a text with a NUL cannot be written as brat's; write JSONL instead")
    # Readers take a byte order mark from the start, so one that is data is written twice.
    files = {f"{name}.txt": "\ufeff" * text.startswith("\ufeff") + text}
    if document.entities is not None:
        lines = [
            f"T{number}\t{_written(text, *span)}\n"
            for number, span in enumerate(document.entities, 1)
        ]
        lines += [
            f"#{number}\tAnnotatorNotes T{number}\t{probability:.4f}\n"
            for number, probability in enumerate(document.probabilities or (), 1)
        ]
        files[f"{name}.ann"] = "".join(lines)
    return files


def _written(text: str, start: int, end: int, kind: str) -> str:
    if not 0 <= start < end <= len(text) or not kind or kind.split() != [kind]:
        raise ValueError(
            f"entity {start}..{end} cannot be written as brat's: it is empty or leaves the text, "
            "or its type is empty or holds white space; write JSONL instead"
        )
    places = [(start, end)]
    if not {text[start], text[end - 1]} & {"\r", "\n"}:
        places = [
            (start + piece.start(), start + piece.end())
            for piece in _PIECES.finditer(text[start:end])
        ]
    offsets = ";".join(f"{first} {last}" for first, last in places)
    return f"{kind} {offsets}\t{_covered(text, places)}"


def _covered(text: str, places: Sequence[Bounds]) -> str:
    return " ".join(text[start:end] for start, end in places).translate(_SPACES)


def _files(folder: Path, tally: Tally) -> tuple[set[str], set[str]]:
    """Find texts and annotations: their paths from the folder, without the suffix."""
    found: dict[str, set[str]] = {".txt": set(), ".ann": set()}

    def fail(error: OSError) -> None:
        name = shown(str(error.filename or folder), LONG)
        raise UsageError(f"{name} cannot be read: {error.strerror}") from None

    try:
        folder.stat()
    except ValueError:  # a NUL, or half a character
        raise UsageError(f"{shown(str(folder), LONG)}: no folder can have this name") from None
    except OSError as error:
        fail(error)
    for where, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            stem, suffix = os.path.splitext(name)
            if name.startswith("."):
                continue
            if suffix in found:
                found[suffix].add(os.path.relpath(os.path.join(where, stem), folder))
            elif suffix != ".conf":
                tally.left_out["other files"] += 1
    return found[".txt"], found[".ann"]


def _text(
    folder: Path, file: str, options: ReadOptions, findings: Findings, tally: Tally
) -> str | None:
    """Read a file; None after a finding."""
    path = folder / file
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            findings.add(0, "no regular file", "remove it", file=file)
            return None
        with path.open("rb") as stream:
            content = stream.read(ANNOTATION_BYTES + 1)
    except OSError as error:
        findings.add(0, f"cannot be read: {error.strerror}", "may you read it?", file=file)
        return None
    if len(content) > ANNOTATION_BYTES:
        what = f"more than {ANNOTATION_BYTES // MIB} MiB"
        findings.add(0, what, "is it a text? part it", file=file)
        return None
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        findings.add(line, "a NUL byte", "is this a text file, or one in UTF-16?", file=file)
        return None
    return decoded(content, options.encoding, findings, tally, file=file)


class _Annotations:
    """Reads the annotations of one text."""

    def __init__(
        self, text: str, file: str, options: ReadOptions, findings: Findings, tally: Tally
    ) -> None:
        self._text, self._file = text, file
        self._fragments = options.fragments
        self._findings, self._tally = findings, tally
        self._seen: dict[str, int] = {}

    def read(self, lines: str) -> tuple[Span, ...]:
        """Return the entities in the order of their lines; what is wrong is a finding."""
        found: list[Span] = []
        for number, line in enumerate(lines.split("\n"), 1):
            line = line.removesuffix("\r")
            if line.startswith("T"):
                found += self._entity(number, line)
            elif line[:1] in _LEFT_OUT:
                self._tally.left_out[_LEFT_OUT[line[0]]] += 1
            elif line.strip():
                self._add(
                    number,
                    "a line that starts with none of T, R, E, A, M, N, # and *",
                    "is it an annotation file of brat?",
                )
        return tuple(found)

    def _add(self, line: int, what: str, cure: str, value: str | None = None) -> None:
        self._findings.add(line, what, cure, value, file=self._file)

    def _entity(self, number: int, line: str) -> list[Span]:
        cells = line.split("\t", 2)
        place = _PLACE.fullmatch(cells[1]) if len(cells) == 3 else None
        if place is None:
            self._add(number, "not an entity", "wanted T1, a tab, TYPE START END, a tab, the text")
            return []
        first = self._seen.setdefault(cells[0], number)
        if first != number:
            self._add(number, f"the id of line {first} again", "give each entity an id", cells[0])
            return []
        pairs = [pair.split(" ") for pair in place[2].split(";")]
        places = [(int(start), int(end)) for start, end in pairs]
        told = f"entity {shown(place[2].replace(' ', '..'), 100)}"
        before = 0
        for start, end in places:
            if not before <= start < end <= len(self._text):
                what = f"{told} is empty, out of order or leaves the text of {len(self._text)}"
                self._add(number, f"{what} characters", self._cure())
                return []
            before = end
        if _covered(self._text, places) != cells[2].translate(_SPACES):
            self._add(number, f"{told} covers another text than it says", self._cure(), cells[2])
            return []
        return self._chosen(number, told, self._joined_at_line_ends(places), place[1])

    def _chosen(self, number: int, told: str, places: list[Bounds], kind: str) -> list[Span]:
        if len(places) == 1 or self._fragments == "split":
            return [(start, end, kind) for start, end in places]
        if self._fragments == "join":
            return [(places[0][0], places[-1][1], kind)]
        what = f"{told} has {len(places)} fragments"
        self._add(
            number, what, "choose fragments (--fragments, fragments=join or split), or mend it"
        )
        return []

    def _joined_at_line_ends(self, places: list[Bounds]) -> list[Bounds]:
        joined = places[:1]
        for start, end in places[1:]:
            if _LINE_ENDS.fullmatch(self._text, joined[-1][1], start):
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        return joined

    def _cure(self) -> str:
        return "offsets count characters from 0, the end is exclusive" + doubts(self._text)
