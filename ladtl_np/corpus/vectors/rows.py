"""Rows of word-vector files: text (word2vec, GloVe, fastText) and word2vec's binary format.

Rows are yielded unparsed, so that a file of millions of words costs little where few are wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.limits import MIB, VECTOR_LINE_BYTES

__all__ = ["MAX_DIMENSION", "VectorRow", "binary_rows", "text_rows"]

MAX_DIMENSION = 100_000
MAX_WORD = 100_000  # bytes

_HEADER = re.compile(rb"(\d{1,18}) (\d{1,18})")
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf)", re.IGNORECASE)


class VectorRow(NamedTuple):
    """One word of a file and its values, still as bytes."""

    line: int
    """1-based line, or word in a binary file"""
    word: bytes
    values: list[bytes] | bytes
    """numerals, or little-endian float32"""

    @property
    def width(self) -> int:
        """Number of values."""
        return len(self.values) // (4 if isinstance(self.values, bytes) else 1)

    def parse(self) -> NDArray[np.float32] | None:
        """Return the values, None where one of them is not a number."""
        if isinstance(self.values, bytes):
            return np.frombuffer(self.values, "<f4").astype(np.float32)
        if not all(map(_NUMBER.fullmatch, self.values)):
            return None
        with np.errstate(over="ignore"):
            return np.array([float(value) for value in self.values]).astype(np.float32)


def text_rows(stream: BinaryIO, findings: Findings, dimension: int | None) -> Iterator[VectorRow]:
    """Yield the rows of a text file: word, then its values, split at U+0020 from the right.

    A first line of two whole numbers is the header ``count dimension``.
    """
    promised = None
    given, rows, number = dimension, 0, 0
    width = 0
    for number, raw in enumerate(iter(partial(stream.readline, VECTOR_LINE_BYTES + 1), b""), 1):
        if len(raw) > VECTOR_LINE_BYTES:
            what = f"a line of more than {VECTOR_LINE_BYTES // MIB} MiB"
            findings.fail(number, what, "binary files must end in .bin or .bin.gz")
        line = raw.rstrip(b"\r\n").rstrip(b" ")
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
            header = _HEADER.fullmatch(line)
            if header and given != 1:
                promised, width = int(header[1]), int(header[2])
                _check_dimension(width, given, findings)
                continue
        if not line:
            continue
        if not width:
            width = _trailing_numbers(line)
            _check_dimension(width, given, findings)
        rows += 1
        row = _text_row(number, line, width)
        if row is None:
            findings.add(
                number,
                f"wanted a word and {width} values parted by single spaces, found "
                f"{line.count(b' ') + 1} fields",
                "is the file damaged, or its first line not like the others?",
            )
        else:
            yield row
    if not rows:
        findings.add(0, "no vector in it", "is it the right file, and complete?")
    if promised is not None and rows < promised:
        findings.add(
            number,
            f"the file ends after {rows} words where its first line promises {promised}",
            "is the download complete?",
        )


def _trailing_numbers(line: bytes) -> int:
    fields = line.rsplit(b" ", MAX_DIMENSION + 1)[1:]
    count = 0
    while count < len(fields) and _NUMBER.fullmatch(fields[-1 - count]):
        count += 1
    return count


def _check_dimension(found: int, wanted: int | None, findings: Findings) -> None:
    if not 1 <= found <= MAX_DIMENSION:
        findings.fail(
            1,
            f"{found} values a word",
            "wanted lines of a word and its values, parted by single spaces; "
            "binary files must end in .bin or .bin.gz",
        )
    if wanted is not None and found != wanted:
        findings.fail(
            1,
            f"vectors of {found} values where {wanted} were wanted",
            "set the model's embedding size to the file's, or take another file",
        )


def _text_row(number: int, line: bytes, width: int) -> VectorRow | None:
    """Cut a line into word and values, None if their number is wrong."""
    spaces = line.count(b" ")
    if spaces < width:
        return None
    word, *values = line.rsplit(b" ", width)
    # A word may hold spaces (GloVe has some), but not be a word and one value too many.
    surplus = word.split(b" ")[1:]
    if not word or (surplus and all(map(_NUMBER.fullmatch, surplus))):
        return None
    return VectorRow(number, word, values)


def binary_rows(stream: BinaryIO, findings: Findings, dimension: int | None) -> Iterator[VectorRow]:
    """Yield the rows of a word2vec binary file: header line, then word, space, float32 values."""
    header = _HEADER.fullmatch(stream.readline(100).rstrip())
    if not header:
        findings.fail(1, "no header of two whole numbers", "is it a word2vec binary file?")
    promised, width = int(header[1]), int(header[2])
    _check_dimension(width, dimension, findings)
    if not promised:
        findings.add(0, "no vector in it", "is it the right file, and complete?")
    for number in range(1, promised + 1):
        word = _binary_word(stream)
        values = stream.read(4 * width)
        if word is None or len(values) < 4 * width:
            findings.add(
                0,
                f"the file ends or breaks off in word {number} of {promised}",
                "is the download complete, and a word2vec binary file?",
            )
            return
        yield VectorRow(number, word, values)


def _binary_word(stream: BinaryIO) -> bytes | None:
    letters = bytearray()
    while (letter := stream.read(1)) != b" ":
        if not letter or len(letters) > MAX_WORD:
            return None
        letters += letter
    return bytes(letters).lstrip(b"\n")
