"""Pretrained word vectors: only the rows that a vocabulary uses are kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.lines import display_name, open_input
from ladtl_np.corpus.vectors.rows import VectorRow, binary_rows, text_rows
from ladtl_np.corpus.vectors.unpacking import unpacked
from ladtl_np.corpus.vocabulary import UNKNOWN, digits_to_zero

__all__ = ["VectorReport", "load_vectors"]


@dataclass(frozen=True, slots=True)
class VectorReport:
    """What was found in a file of vectors.

    Attributes
    ----------
    found
        Words that have a vector now.
    missing
        Words that have none.
    dimension
        Values of each vector.
    exact, lower, zeros
        Words found as they are, in lower case, and with their digits written as 0.
    rows
        Vectors in the file.
    duplicates
        Further vectors of a word in use; the first one counts.
    undecodable
        Rows whose word is not UTF-8; no word can be looked up in them.
    """

    found: int
    missing: int
    dimension: int
    exact: int
    lower: int
    zeros: int
    rows: int
    duplicates: int
    undecodable: int


class _Wanted:
    """Forms under which words are looked up, and the best vector so far of each word."""

    def __init__(self, words: Sequence[str]) -> None:
        self.forms: dict[bytes, list[tuple[int, int]]] = {}  # form: (row, rank) of its words
        self.vectors: dict[int, NDArray[np.float32]] = {}
        self.rank: dict[int, int] = {}
        for row, word in enumerate(words):
            if word == UNKNOWN:
                continue
            forms = (word, word.lower(), digits_to_zero(word), digits_to_zero(word.lower()))
            for form in dict.fromkeys(forms):
                rank = min(forms.index(form), 2)
                self.forms.setdefault(form.encode("utf-8", "surrogatepass"), []).append((row, rank))

    def take(self, form: bytes, vector: NDArray[np.float32]) -> None:
        """Give the vector to every word that has none under a better form."""
        for row, rank in self.forms[form]:
            if rank < self.rank.get(row, 9):
                self.rank[row] = rank
                self.vectors[row] = vector


def load_vectors(
    path: str | PathLike[str], words: Sequence[str], *, dimension: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32], VectorReport]:
    """Read the vectors of the given words.

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

    Returns
    -------
    rows
        (K,) positions in `words` of those that were found, rising.
    matrix
        (K, D) their vectors, float32, C-contiguous.
    report
        Counts.

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
    wanted = _Wanted(words)
    done: set[bytes] = set()
    count = duplicates = undecodable = width = 0
    with _opened(path, name) as stream:
        reader = binary_rows if fspath(path).endswith((".bin", ".bin.gz")) else text_rows
        for row in reader(stream, findings, dimension):
            count += 1
            width = width or row.width
            undecodable += not _is_utf8(row.word)
            if row.word in done:
                duplicates += 1
            elif row.word in wanted.forms:
                done.add(row.word)
                _use(row, wanted, findings)
    findings.raise_any()
    rows = np.array(sorted(wanted.vectors), np.int64)
    matrix = np.zeros((len(rows), width), np.float32)
    for place, row_number in enumerate(rows.tolist()):
        matrix[place] = wanted.vectors[row_number]
    ranks = list(wanted.rank.values())
    asked = sum(word != UNKNOWN for word in words)
    report = VectorReport(
        found=len(rows),
        missing=asked - len(rows),
        dimension=width,
        exact=ranks.count(0),
        lower=ranks.count(1),
        zeros=ranks.count(2),
        rows=count,
        duplicates=duplicates,
        undecodable=undecodable,
    )
    return rows, matrix, report


def _use(row: VectorRow, wanted: _Wanted, findings: Findings) -> None:
    vector = row.parse()
    if vector is None:
        findings.add(row.line, "a value that is not a number", "is the file damaged?")
    elif not np.isfinite(vector).all():
        findings.add(row.line, "a value that is not finite in float32", "is the file damaged?")
    else:
        wanted.take(row.word, vector)


def _is_utf8(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True


@contextlib.contextmanager
def _opened(path: str | PathLike[str], name: str) -> Iterator[BinaryIO]:
    """Open a file, unpacking gzip by its suffix."""
    with open_input(path) as stream:
        if not fspath(path).endswith(".gz"):
            yield stream
            return
        with unpacked(stream, name) as inner:
            yield inner
