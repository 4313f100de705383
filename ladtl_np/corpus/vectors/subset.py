"""The rows of a large file of vectors that given words use, and its first ones, as a small file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.lines import display_name
from ladtl_np.corpus.vectors.file_words import FirstWords
from ladtl_np.corpus.vectors.loading import Wanted
from ladtl_np.corpus.vectors.rows import VectorRow
from ladtl_np.corpus.vectors.scanning import Scanned, VectorReport, VectorScan
from ladtl_np.errors import DataError
from ladtl_np.printable import LONG, shown

__all__ = ["Subset", "vector_subset", "vector_text"]

_AT_ONCE = 1 << 20  # bytes of lines


class Subset(NamedTuple):
    """What a small file of vectors has of a large one.

    Attributes
    ----------
    words
        Rows of it.
    used
        Those among them that the given words are looked up in.
    first
        Those among them that are of the first ones.
    unwritable
        Words left out because the text format cannot hold them.
    ways
        How each of the given words is found, as in `corpus.vectors.forms`.
    report
        On the large file.
    """

    words: int
    used: int
    first: int
    unwritable: int
    ways: NDArray[np.int8]
    report: VectorReport


class _Kept:
    """Collects lines in a file that has no name, as their number has to stand before them."""

    def __init__(self, lines: IO[bytes], words: Sequence[str], first: FirstWords) -> None:
        self._lines, self._first = lines, first
        self._wanted = Wanted((), words)
        self.words = self.used = self.unwritable = 0

    def wants(self, form: bytes, word: str | None) -> bool:
        """Whether a row is one that is used, or one of the first."""
        return word is not None and (form in self._wanted.forms or self._first.wants(word))

    def add(self, found: Scanned) -> None:
        form, word = found.row.word, found.word or ""
        if not form or b"\n" in form:  # which a binary file can have
            self.unwritable += 1
            return
        if form in self._wanted.forms:
            self._wanted.take(form, found.vector)
            self.used += 1
        if self._first.wants(word):
            self._first.count()
        self._lines.write(_line(found.row, found.vector))
        self.words += 1

    @property
    def ways(self) -> NDArray[np.int8]:
        """How each word is found."""
        return self._wanted.ways


def vector_subset(
    path: str | PathLike[str], words: Sequence[str], first: FirstWords, lines: IO[bytes]
) -> Subset:
    """Copy the rows of a file that are looked up for some words, and its first ones.

    They stay in the file's order, numerals of text as they stand. Training that looks up no other
    words finds the same vectors in either file. Memory depends on the words and on the rows that
    are kept, not on the file.

    Parameters
    ----------
    path
        The file, in a format of `VectorScan`.
    words
        Words as they are looked up, in their normal form.
    first
        Which first words are kept.
    lines
        Where the rows are written to, without the first line ``count dimension``.

    Raises
    ------
    UsageError, DataError
        As for `VectorScan`; also if no row is kept, or vectors have one value.
    """
    kept = _Kept(lines, words, first)
    scan = VectorScan(path, kept.wants)
    for found in scan:
        kept.add(found)
    name = shown(display_name(path), LONG)
    if scan.report.dimension == 1:
        raise DataError(
            f"{name}: vectors of one value, which a first line of two numbers could be as well; "
            "take a file of larger vectors"
        )
    if not kept.words:
        raise DataError(
            f"{name}: none of its words is used; are they in the language and the form of the "
            "corpora, and is --tokens what the vectors were trained on?"
        )
    return Subset(kept.words, kept.used, first.counted, kept.unwritable, kept.ways, scan.report)


def vector_text(
    path: str | PathLike[str],
    words: Sequence[str],
    first: FirstWords,
    put: Callable[[str], None],
) -> Subset:
    """Write `vector_subset` as word2vec's text format, the line ``count dimension`` first.

    Parameters
    ----------
    path, words, first
        As for `vector_subset`.
    put
        Writes some lines.
    """
    with tempfile.TemporaryFile() as lines:
        found = vector_subset(path, words, first, lines)
        put(f"{found.words} {found.report.dimension}\n")
        lines.seek(0)
        for some in _pieces(lines):
            put(some)
    return found


def _pieces(lines: IO[bytes]) -> Iterator[str]:
    while some := lines.readlines(_AT_ONCE):
        yield b"".join(some).decode()


def _line(row: VectorRow, vector: NDArray[np.float32]) -> bytes:
    if isinstance(row.values, bytes):
        return row.word + b" " + " ".join(map(str, vector)).encode() + b"\n"
    return b" ".join((row.word, *row.values)) + b"\n"
