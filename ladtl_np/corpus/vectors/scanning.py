"""One pass over a file of vectors: its format, its words, its hash, and what is wrong in it."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable, Iterator
from os import PathLike, fspath
from pathlib import PurePath
from typing import BinaryIO, NamedTuple, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.lines import display_name, open_input
from ladtl_np.corpus.vectors.coverage import Count
from ladtl_np.corpus.vectors.rows import VectorRow, binary_rows, text_rows
from ladtl_np.corpus.vectors.unpacking import unpacked

__all__ = ["Scanned", "VectorReport", "VectorScan"]

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


class Scanned(NamedTuple):
    """A row that was wanted: as it stands in the file, its word (None: no UTF-8), its values."""

    row: VectorRow
    word: str | None
    vector: NDArray[np.float32]


class VectorScan:
    """The wanted rows of a file, each word once: the first row of a word counts.

    The file is in text format (word2vec, GloVe, fastText ``.vec``), or in word2vec's binary format
    if its name ends in ``.bin``; with ``.gz`` behind, it is unpacked while it is read. The number
    of values is checked in all rows, the values in those that are wanted.

    Parameters
    ----------
    path
        The file.
    wanted
        Whether a row is wanted, by its word as bytes, and as text where it is UTF-8. It is asked
        once for every row whose word was not wanted before.
    dimension
        Values that a vector must have, None to take the file's.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        wanted: Callable[[bytes, str | None], bool],
        dimension: int | None = None,
    ) -> None:
        self._path, self._wanted, self._dimension = path, wanted, dimension
        self._name = display_name(path)
        self._done: set[bytes] = set()
        self._duplicates, self._undecodable = _Seen(), _Seen()
        self._rows = self._width = 0
        self._sha256 = ""

    def __iter__(self) -> Iterator[Scanned]:
        """Read the file to its end; then `report` is whole.

        Raises
        ------
        UsageError
            If the path cannot be opened.
        DataError
            With everything wrong in the file, up to a limit: a wrong number of values, values that
            are not finite numbers, a file that is cut off.
        """
        findings = Findings(self._name)
        with open_input(self._path) as raw:
            hashed = _Hashed(raw)
            with _unpacked(hashed, self._path, self._name) as stream:
                binary = fspath(self._path).endswith((".bin", ".bin.gz"))
                reader = binary_rows if binary else text_rows
                for row in reader(stream, findings, self._dimension):
                    found = self._scanned(row, findings)
                    if found is not None:
                        yield found
            self._sha256 = hashed.hexdigest()
        findings.raise_any()

    def _scanned(self, row: VectorRow, findings: Findings) -> Scanned | None:
        """A row with its values, None where it is not wanted or has none."""
        self._rows += 1
        self._width = self._width or row.width
        word = _decoded(row.word)
        if word is None:
            self._undecodable.add(row)
        if row.word in self._done:
            self._duplicates.add(row)
            return None
        if not self._wanted(row.word, word):
            return None
        self._done.add(row.word)
        vector = _values(row, findings)
        return None if vector is None else Scanned(row, word, vector)

    @property
    def report(self) -> VectorReport:
        """What was found, once the file has been read."""
        return VectorReport(
            name=PurePath(self._name).name,
            sha256=self._sha256,
            dimension=self._width,
            rows=self._rows,
            duplicates=self._duplicates.count,
            first_duplicate=self._duplicates.first,
            undecodable=self._undecodable.count,
            first_undecodable=self._undecodable.first,
        )


class _Seen:
    """Counts rows that are met and not used, with the line of the first."""

    def __init__(self) -> None:
        self.count = self.first = 0

    def add(self, row: VectorRow) -> None:
        self.count += 1
        self.first = self.first or row.line


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
