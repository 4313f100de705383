"""Pretrained word vectors: only the rows that a vocabulary uses are kept."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterator, Sequence
from os import PathLike, fspath
from pathlib import PurePath
from typing import BinaryIO, NamedTuple, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.lines import display_name, open_input
from ladtl_np.corpus.vectors.coverage import Count
from ladtl_np.corpus.vectors.file_words import FileWords
from ladtl_np.corpus.vectors.forms import MISSING, forms_of
from ladtl_np.corpus.vectors.rows import VectorRow, binary_rows, text_rows
from ladtl_np.corpus.vectors.unpacking import unpacked
from ladtl_np.corpus.vocabulary import UNKNOWN
from ladtl_np.shapes import Floats, Integers

__all__ = ["VectorReport", "Vectors", "load_vectors"]

_BUFFER = 1 << 17


class VectorReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a file of vectors.

    Attributes
    ----------
    name
        The file's, without its folder.
    sha256
        Of its bytes as they lie there, packed or not.
    dimension
        Values of each vector.
    rows
        Vectors in the file.
    duplicates, first_duplicate
        Further vectors of a word in use, of which the first one counts; the line of the first such
        row (its number in a binary file), 0 if there is none.
    undecodable, first_undecodable
        Rows whose word is not UTF-8, so that no word can be looked up in them; the line of the
        first.
    """

    name: str
    sha256: str
    dimension: Count
    rows: Count
    duplicates: Count
    first_duplicate: Count
    undecodable: Count
    first_undecodable: Count


class Vectors(NamedTuple):
    """The vectors of some words.

    Attributes
    ----------
    rows
        (K,) positions of those words that were found, rising.
    matrix
        (K, D) their vectors, float32, C-contiguous.
    report
        Counts.
    ways
        How each word was found, as in `forms`, and after these each word that was only asked for.
    """

    rows: Integers
    matrix: Floats
    report: VectorReport
    ways: NDArray[np.int8]


class _Wanted:
    """Forms under which words are looked up, and the best vector so far of each word."""

    def __init__(self, words: Sequence[str], asked: Sequence[str]) -> None:
        self.forms: dict[bytes, list[tuple[int, int]]] = {}  # form: (row, way) of its words
        self.vectors: dict[int, NDArray[np.float32]] = {}
        self.ways = np.full(len(words) + len(asked), MISSING, np.int8)
        self._kept = len(words)
        for row, word in enumerate((*words, *asked)):
            if word == UNKNOWN:
                continue
            for form, way in forms_of(word):
                self.forms.setdefault(form.encode("utf-8", "surrogatepass"), []).append((row, way))

    def take(self, form: bytes, vector: NDArray[np.float32]) -> None:
        """Give the vector to every word that has none under a better form."""
        for row, way in self.forms[form]:
            if way < self.ways[row] or self.ways[row] == MISSING:
                self.ways[row] = way
                if row < self._kept:
                    self.vectors[row] = vector

    def matrix(self, width: int) -> tuple[Integers, Floats]:
        """Positions of the words that were found, and their vectors."""
        rows = np.array(sorted(self.vectors), np.int64)
        matrix = np.zeros((len(rows), width), np.float32)
        for place, row in enumerate(rows.tolist()):
            matrix[place] = self.vectors[row]
        return rows, matrix


class _Seen:
    """Counts rows that are met and not used, with the line of the first."""

    def __init__(self) -> None:
        self.count = self.first = 0

    def add(self, row: VectorRow) -> None:
        self.count += 1
        self.first = self.first or row.line


def load_vectors(
    path: str | PathLike[str],
    words: Sequence[str],
    *,
    dimension: int | None = None,
    asked: Sequence[str] = (),
    more: FileWords | None = None,
) -> Vectors:
    """Read the vectors of the given words, in one pass over the file.

    The file is in text format (word2vec, GloVe, fastText ``.vec``), or in word2vec's binary format
    if its name ends in ``.bin``; with ``.gz`` behind, it is unpacked while it is read. Each word is
    looked up as it is, then in lower case, then with its digits written as 0 (as it is, and in
    lower case). The number of values is checked in all rows, the values in those in use.

    Parameters
    ----------
    path
        The file.
    words
        Words to look for, such as ``vocabulary.words``; `UNKNOWN` is passed over.
    dimension
        Values that a vector must have, None to take the file's.
    asked
        Words of which no more is wanted than how they are found.
    more
        Collects the file's own words.

    Raises
    ------
    UsageError
        If the path cannot be opened.
    DataError
        With everything wrong in the file, up to a limit: a wrong number of values, values that are
        not finite numbers, a file that is cut off.
    """
    name = display_name(path)
    findings = Findings(name)
    wanted = _Wanted(words, asked)
    done: set[bytes] = set()
    duplicates, undecodable = _Seen(), _Seen()
    count = width = 0
    with open_input(path) as raw:
        hashed = _Hashed(raw)
        with _unpacked(hashed, path, name) as stream:
            reader = binary_rows if fspath(path).endswith((".bin", ".bin.gz")) else text_rows
            for row in reader(stream, findings, dimension):
                count += 1
                width = width or row.width
                word = _decoded(row.word)
                if word is None:
                    undecodable.add(row)
                if row.word in done:
                    duplicates.add(row)
                    continue
                looked_for = row.word in wanted.forms
                further = more if more and word is not None and more.wants(word) else None
                if not looked_for and further is None:
                    continue
                done.add(row.word)
                vector = _values(row, findings)
                if vector is None:
                    continue
                if looked_for:
                    wanted.take(row.word, vector)
                if further is not None and word is not None:
                    further.add(word, vector)
        sha256 = hashed.hexdigest()
    findings.raise_any()
    report = VectorReport(
        name=PurePath(name).name,
        sha256=sha256,
        dimension=width,
        rows=count,
        duplicates=duplicates.count,
        first_duplicate=duplicates.first,
        undecodable=undecodable.count,
        first_undecodable=undecodable.first,
    )
    return Vectors(*wanted.matrix(width), report, wanted.ways)


def _values(row: VectorRow, findings: Findings) -> NDArray[np.float32] | None:
    """The vector of a row in use; None, and a finding, where it is none."""
    vector = row.parse()
    if vector is None:
        findings.add(row.line, "a value that is not a number", "is the file damaged?")
    elif not np.isfinite(vector).all():
        findings.add(row.line, "a value that is not finite in float32", "is the file damaged?")
    else:
        return vector
    return None


def _decoded(word: bytes) -> str | None:
    try:
        return word.decode()
    except UnicodeDecodeError:
        return None


class _Hashed(io.RawIOBase):
    """A binary stream whose bytes are hashed while they are read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._hash = stream, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        content = self._stream.read1(len(buffer))  # type: ignore[attr-defined]
        self._hash.update(content)
        buffer[: len(content)] = content
        return len(content)

    def hexdigest(self) -> str:
        """Read what is left, and return the hash of all."""
        while content := self._stream.read(_BUFFER):
            self._hash.update(content)
        return self._hash.hexdigest()


@contextlib.contextmanager
def _unpacked(raw: _Hashed, path: str | PathLike[str], name: str) -> Iterator[BinaryIO]:
    """Buffer a stream, unpacking gzip by the file's suffix."""
    stream = cast(BinaryIO, io.BufferedReader(raw, _BUFFER))
    if not fspath(path).endswith(".gz"):
        yield stream
        return
    with unpacked(stream, name) as inner:
        yield inner
