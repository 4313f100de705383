"""The list of terms that a user wants to see in a report."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import NamedTuple

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.lines import display_name, numbered_lines, open_input

__all__ = ["Term", "read_terms"]


class Term(NamedTuple):
    """A term as it stands in the text, and the type of its entities, "" for any."""

    text: str
    kind: str = ""


def read_terms(path: str | PathLike[str]) -> list[Term]:
    """Read a list of terms: one a line, in UTF-8, perhaps with a tab and a type behind it.

    Blank lines and lines that start with ``#`` are skipped. Nothing is cut off a line but its end:
    U+3000 and U+00A0 are part of a term.

    Raises
    ------
    UsageError
        If the file cannot be opened.
    FindingsError
        With all that is wrong in it, by line.
    """
    name = display_name(path)
    findings = Findings(name)
    first: dict[Term, int] = {}
    with open_input(path) as stream:
        for number, term in _terms(numbered_lines(stream, findings), findings):
            if term in first:
                findings.add(number, f"the term of line {first[term]} again", "remove one of them")
            first.setdefault(term, number)
    findings.raise_any()
    if not first:
        findings.fail(0, "there is no term in it", "write one term a line")
    return list(first)


def _terms(lines: Iterator[tuple[int, str]], findings: Findings) -> Iterator[tuple[int, Term]]:
    """Yield the terms of good lines; what is wrong with the others is noted."""
    for number, line in lines:
        if line.startswith("#") or not line.strip(" \t"):
            continue
        text, *kinds = line.split("\t")
        if len(kinds) > 1:
            findings.add(number, f"{len(kinds)} tabs", "write a term, and at most a tab and a type")
        elif not text.strip(" "):
            findings.add(number, "no term before the tab", "write a term, a tab and its type")
        elif kinds and (not kinds[0] or kinds[0] != kinds[0].strip()):
            what = "no type after the tab" if not kinds[0].strip() else "white space around a type"
            findings.add(number, what, "write a term, a tab and its type, and nothing else")
        elif "" in text.split(" "):
            cure = "words are parted by single spaces, and nothing stands around a term"
            findings.add(number, "a space at the start or end of a term, or two in a row", cure)
        else:
            yield number, Term(text, *kinds)
