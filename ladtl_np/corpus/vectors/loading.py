"""Pretrained word vectors: only the rows that a vocabulary uses are kept."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.vectors.file_words import FileWords
from ladtl_np.corpus.vectors.forms import MISSING, forms_of
from ladtl_np.corpus.vectors.scanning import VectorReport, VectorScan
from ladtl_np.corpus.vocabulary import UNKNOWN
from ladtl_np.shapes import Floats, Integers

__all__ = ["Vectors", "Wanted", "load_vectors"]


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


class Wanted:
    """Forms under which words are looked up, and the best vector so far of each word.

    Parameters
    ----------
    words
        Words whose vectors are kept.
    asked
        Words of which only is kept how they are found.

    Attributes
    ----------
    forms
        Rows of `words`, then of `asked`, that each form stands for, and in which way.
    vectors
        Best vector so far, by row.
    ways
        How each word is found, as in `corpus.vectors.forms`.
    """

    def __init__(self, words: Sequence[str], asked: Sequence[str]) -> None:
        self.forms: dict[bytes, list[tuple[int, int]]] = {}
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


def load_vectors(
    path: str | PathLike[str],
    words: Sequence[str],
    *,
    dimension: int | None = None,
    asked: Sequence[str] = (),
    more: FileWords | None = None,
) -> Vectors:
    """Read the vectors of the given words, in one pass over the file.

    The file is in a format of `VectorScan`. Each word is looked up as it is, then in lower case,
    then with its digits written as 0 (as it is, and in lower case).

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
    UsageError, DataError
        As for `VectorScan`.
    """
    wanted = Wanted(words, asked)

    def further(word: str | None) -> bool:
        return more is not None and word is not None and more.wants(word)

    scan = VectorScan(path, lambda form, word: form in wanted.forms or further(word), dimension)
    for row, word, vector in scan:
        if row.word in wanted.forms:
            wanted.take(row.word, vector)
        if more is not None and word is not None and more.wants(word):
            more.add(word, vector)
    report = scan.report
    return Vectors(*wanted.matrix(report.dimension), report, wanted.ways)
