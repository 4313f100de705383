"""Sentences of a corpus chosen by their numbers, such as those that were annotated so far."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from os import PathLike

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.lines import display_name, numbered_lines, open_input
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError
from ladtl_np.printable import LONG, shown

__all__ = ["Chosen", "numbers_text", "read_chosen", "take"]

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_WANTED = "write one sentence number a line, counted from 1"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Numbers of a corpus's sentences, as a file lists them.

    Attributes
    ----------
    name
        The file.
    numbers
        From 1, in the file's order, none of them twice.
    sha256
        Hash of the file's bytes.
    """

    name: str
    numbers: tuple[int, ...]
    sha256: str = ""


def read_chosen(path: str | PathLike[str]) -> Chosen:
    """Read a file of sentence numbers, one a line; blank lines are passed over.

    Raises
    ------
    UsageError
        If it cannot be opened.
    DataError
        If a line is no number from 1 on, a number stands there twice, or there is none.
    """
    name = display_name(path)
    with open_input(path) as stream:
        content = stream.read()
    findings, first_at = Findings(name), dict[int, int]()
    for line, text in numbered_lines(BytesIO(content), findings):
        text = text.strip(" \t")
        if not text:
            continue
        if not _NUMBER.fullmatch(text):
            findings.add(line, "not a sentence number", _WANTED, text)
            continue
        number = int(text)
        before = first_at.setdefault(number, line)
        if before != line:
            findings.add(line, f"sentence {number:,}, as in line {before:,}", "name it once")
    findings.raise_any()
    if not first_at:
        raise DataError(f"{shown(name, LONG)}: no sentence is chosen; {_WANTED}")
    return Chosen(name, tuple(first_at), sha256(content).hexdigest())


def take(corpus: Corpus, chosen: Chosen) -> Corpus:
    """The chosen sentences, in the corpus's order; name and hash stay those of the corpus.

    Raises
    ------
    DataError
        If a number is larger than the corpus has sentences.
    """
    largest = max(chosen.numbers)
    if largest > len(corpus):
        raise DataError(
            f"{shown(chosen.name, LONG)}: sentence {largest:,} is chosen, and "
            f"{shown(corpus.name, LONG)} has {len(corpus):,}; was it chosen from another file?"
        )
    rows = sorted(chosen.numbers)
    return replace(corpus, sentences=tuple(corpus.sentences[row - 1] for row in rows))


def numbers_text(numbers: Iterable[int]) -> str:
    """Write sentence numbers as `read_chosen` reads them."""
    return "".join(f"{number}\n" for number in numbers)
