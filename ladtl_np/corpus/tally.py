"""What readers meet that is no error, counted so that nothing goes unseen.

A `Tally` is filled while a file is read. As `Remark`s its counts are told by every command alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ladtl_np.corpus.findings import Finding
from ladtl_np.printable import counted

__all__ = ["Remark", "Tally"]

PLACES = 5  # changes and tags whose places a remark lists


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a corpus that is no error, and that its user should know.

    Attributes
    ----------
    kind
        What it is about, as a short name that stays the same.
    corpus
        The corpus.
    count
        How often it was met.
    what
        All in words, the count among them; no text of the data.
    cure
        What to do about it, "" for nothing.
    places
        The first places, as ``file:line``.
    """

    kind: str
    corpus: str
    count: int
    what: str
    cure: str = ""
    places: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.corpus}: {self.told}"

    @property
    def told(self) -> str:
        """All but the corpus, in words."""
        where = ""
        if self.places:
            where = f": {', '.join(self.places)}{', ...' * (self.count > len(self.places))}"
        cure = f"; {self.cure}" if self.cure else ""
        return f"{self.what}{where}{cure}"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(slots=True)
class Tally:
    """Counts of one input.

    Attributes
    ----------
    lines
        Lines read.
    crlf
        Lines that end at CRLF; neither 0 nor `lines` means mixed endings.
    bom
        Whether a byte order mark was removed from the start.
    unfinished
        Whether the last line has no line end.
    docstart
        Blocks of one ``-DOCSTART-`` line that were left out.
    documents
        Sentences read before each mark of a new document.
    white_blank
        Blank lines that hold spaces or tabs.
    tokenless
        Documents without a token that were left out.
    left_out
        What a reader leaves out, such as relations, by its name in the plural.
    changes
        What was changed in entities, each with its place.
    """

    lines: int = 0
    crlf: int = 0
    bom: bool = False
    unfinished: bool = False
    docstart: int = 0
    documents: list[int] = field(default_factory=list)
    white_blank: int = 0
    tokenless: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    changes: list[Finding] = field(default_factory=list)

    def change(self, line: int, what: str, *, file: str = "") -> None:
        """Note a change of an entity."""
        self.changes.append(Finding(line, what, "", file=file))

    def remarks(self, name: str) -> tuple[Remark, ...]:
        """Say what was met in the input of this name."""
        return tuple(self._remarks(name))

    def _remarks(self, name: str) -> Iterator[Remark]:
        if self.docstart:
            what = f"{counted(self.docstart, '-DOCSTART- blocks')} left out"
            yield Remark("docstart", name, self.docstart, what)
        if 0 < self.crlf < self.lines - self.unfinished:
            what = f"{self.crlf:,} of {self.lines:,} lines end at CRLF, the others at LF"
            yield Remark("line-ends", name, self.crlf, what)
        if self.tokenless:
            what = f"{counted(self.tokenless, 'documents')} without a token left out"
            yield Remark("tokenless", name, self.tokenless, what)
        for things, count in self.left_out.items():
            yield Remark(f"left-out {things}", name, count, f"{counted(count, things)} left out")
        if self.changes:
            count = len(self.changes)
            what = f"{count:,} {'entity was' if count == 1 else 'entities were'} changed"
            yield Remark("repairs", name, count, what, places=_places(self.changes, name))


def _places(findings: Sequence[Finding], name: str) -> tuple[str, ...]:
    return tuple(f"{one.place(name)} ({one.what})" for one in findings[:PLACES])
