"""Documents to sentences of tokens: entities that end where tokens do, or findings and repairs.

Offsets of tools end at white space, within words, over each other. Nothing of that is mended in
silence: without `ReadOptions.repair` and `ReadOptions.overlaps` it is a finding, and with them each
change is told.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ladtl_np.corpus.document import Bounds, Document
from ladtl_np.corpus.entities import (
    fits,
    overlapping,
    trimmed,
    widened,
    without_overlaps,
    wrong,
)
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.raw import RawLine
from ladtl_np.corpus.schemes import Span, spans_to_tags
from ladtl_np.corpus.sentence import Sentence
from ladtl_np.corpus.tally import Tally
from ladtl_np.printable import shown

__all__ = ["Aligned", "Cutter", "align"]

_OFFSETS = "offsets count characters from 0, the end is exclusive"
_UTF16 = "; were they counted in UTF-16 units, where this text has two for some characters?"
_REPAIR = (
    "repair (--repair, repair=true) trims and widens such entities and tells each change; was the "
    "text changed after it was annotated?"
)
_OVERLAPS = (
    "overlaps (--overlaps, overlaps=longest or first) keeps one of them and tells the others"
)


@dataclass(frozen=True, slots=True)
class Cutter:
    """How texts are cut.

    Attributes
    ----------
    words
        Bounds of the tokens of a text.
    sentences
        Number of each sentence's first token, for a text, the bounds of its tokens, and spans of
        code points that no sentence may part.
    """

    words: Callable[[str], Sequence[Bounds]]
    sentences: Callable[[str, Sequence[Bounds], Sequence[Bounds]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Aligned:
    """A document and its tokens.

    Attributes
    ----------
    document
        The document.
    bounds
        First code point and last + 1 of each token.
    spans
        Entities as spans of tokens, in order; None in a document without annotation.
    starts
        First token of each sentence; none in a document without tokens.
    """

    document: Document
    bounds: tuple[Bounds, ...]
    spans: tuple[Span, ...] | None
    starts: tuple[int, ...]

    def tokens(self, start: int = 0, end: int | None = None) -> tuple[str, ...]:
        """Tokens of a part of the document."""
        text = self.document.text
        return tuple(text[first:last] for first, last in self.bounds[start:end])

    def ranges(self) -> Iterator[tuple[int, int]]:
        """First token and last + 1 of each sentence."""
        return pairwise((*self.starts, len(self.bounds)))

    def sentences(self, scheme: str = "BIOES") -> Iterator[Sentence]:
        """Yield the sentences, with their tags in a scheme."""
        for start, end in self.ranges():
            tags = None
            if self.spans is not None:
                first = bisect_left(self.spans, start, key=_start)
                last = bisect_left(self.spans, end, key=_start)
                inside = [(a - start, b - start, kind) for a, b, kind in self.spans[first:last]]
                tags = spans_to_tags(inside, end - start, scheme)
            yield Sentence(self.tokens(start, end), tags, self.document.line)

    def fitted(self, *, tokens: bool = False) -> Document:
        """The document with entities that end where tokens do; with the tokens if asked for."""
        found = self.document
        if tokens:
            starts = tuple(self.bounds[first][0] for first in self.starts[1:])
            found = replace(found, tokens=self.bounds, sentences=(0, *starts))
        if self.spans is None:
            return found
        entities = [(self.bounds[a][0], self.bounds[b - 1][1], kind) for a, b, kind in self.spans]
        if tuple(entities) != found.entities:  # what was said of others does not hold for these
            found = replace(found, probabilities=None, certainties=None)
        return replace(found, entities=tuple(entities))

    def parts(self) -> Iterator[Document]:
        """A document for each sentence, from its first token to its last."""
        fitted = self.fitted()
        for start, end in self.ranges():
            first, last = self.bounds[start][0], self.bounds[end - 1][1]
            entities = None
            if fitted.entities is not None:
                entities = tuple(
                    (a - first, b - first, kind)
                    for a, b, kind in fitted.entities
                    if first <= a < last
                )
            tokens = None
            if fitted.tokens is not None:
                tokens = tuple((a - first, b - first) for a, b in fitted.tokens[start:end])
            yield Document(
                fitted.text[first:last],
                entities,
                fitted.id,
                fitted.line,
                fitted.file,
                tokens,
            )

    def raw(self) -> RawLine:
        """The whole document as one text with tokens."""
        starts = tuple(start for start, _ in self.bounds)
        return RawLine(self.document.text, self.tokens(), self.document.line, starts)


def align(
    document: Document, cutter: Cutter, options: ReadOptions, findings: Findings, tally: Tally
) -> Aligned | None:
    """Cut a document, and turn its entities into spans of tokens.

    Parameters
    ----------
    document
        The document. Its own tokens and sentences are kept.
    cutter
        How to cut where it has none.
    options
        What may be repaired.
    findings
        Where that is said which may not.
    tally
        Where changes are told.

    Returns
    -------
    Aligned or None
        None after a finding.
    """
    bounds = document.tokens if document.tokens is not None else tuple(cutter.words(document.text))
    spans: tuple[Span, ...] | None = None
    whole: list[Bounds] = []
    if document.entities is not None:
        found = _entities(document, document.entities, bounds, options, findings, tally)
        if found is None:
            return None
        first = {start: token for token, (start, _) in enumerate(bounds)}
        last = {end: token for token, (_, end) in enumerate(bounds, 1)}
        spans = tuple((first[start], last[end], kind) for start, end, kind in found)
        whole = [(start, end) for start, end, _ in found]
    return Aligned(document, bounds, spans, _starts(document, bounds, whole, cutter))


def _starts(
    document: Document, bounds: Sequence[Bounds], whole: Sequence[Bounds], cutter: Cutter
) -> tuple[int, ...]:
    """First token of each sentence; a sentence of the file that parts an entity is none."""
    if not bounds:
        return ()
    if document.sentences is None:
        return tuple(cutter.sentences(document.text, bounds, whole))
    places = {bisect_left(bounds, offset, key=_start) for offset in document.sentences}
    inside = {
        token
        for start, end in whole
        for token in range(
            bisect_right(bounds, start, key=_start), bisect_left(bounds, end, key=_start)
        )
    }
    return tuple(sorted({0} | {place for place in places - inside if place < len(bounds)}))


def _entities(
    document: Document,
    entities: Sequence[Span],
    bounds: Sequence[Bounds],
    options: ReadOptions,
    findings: Findings,
    tally: Tally,
) -> list[Span] | None:
    """Entities that end where tokens do and do not overlap, in order; None after a finding."""
    told = _Told(document, findings, tally)
    kept: list[Span] = []
    sound = True
    for span in entities:
        problem, cure = wrong(span, len(document.text)), ""
        if not problem and not fits(span, bounds):
            if options.repair:
                mended = widened(trimmed(span, document.text), bounds)
                told.change(span, mended)
                if mended[0] < mended[1]:
                    kept.append(mended)
                continue
            problem, cure = "starts or ends inside a token or at white space", told.repair()
        elif not problem and options.repair:
            mended = trimmed(span, document.text)
            if mended != span and fits(mended, bounds):
                told.change(span, mended)
                span = mended
        if problem:
            told.finding(span, problem, cure or told.offsets())
            sound = False
        else:
            kept.append(span)
    kept, left = _parted(kept, options, told)
    return kept if sound and not left else None


def _parted(kept: list[Span], options: ReadOptions, told: _Told) -> tuple[list[Span], bool]:
    """Entities without overlaps; whether some are left that overlap."""
    over = overlapping(kept)
    if not over:
        return sorted(kept), False
    if options.overlaps == "refuse":
        for span in over:
            told.finding(span, "overlaps the one before it", _OVERLAPS)
        return kept, True
    kept, left = without_overlaps(kept, options.overlaps)
    for span in left:
        told.change(span, None)
    return kept, False


class _Told:
    """Says what is wrong with a document's entities, and what was changed."""

    def __init__(self, document: Document, findings: Findings, tally: Tally) -> None:
        self._document, self._findings, self._tally = document, findings, tally
        self._id = None if document.id is None else f"document {document.id}"
        self._wide: bool | None = None

    def offsets(self) -> str:
        """What is usual of offsets."""
        return _OFFSETS + self._utf16()

    def repair(self) -> str:
        """What to do about an entity that does not fit tokens."""
        return _REPAIR + self._utf16()

    def _utf16(self) -> str:
        """A suspicion; many entities may be wrong, so the text is looked at once."""
        if self._wide is None:
            self._wide = any(ord(character) > 0xFFFF for character in self._document.text)
        return _UTF16 * self._wide

    def finding(self, span: Span, problem: str, cure: str) -> None:
        place, document = shown(f"{span[0]}..{span[1]}"), self._document
        self._findings.add(
            document.line, f"entity {place} {problem}", cure, self._id, file=document.file
        )

    def change(self, span: Span, mended: Span | None) -> None:
        start, end, _ = span
        document = self._document
        if mended is None:
            what = f"entity {start}..{end} overlaps one that is kept; left out"
        elif mended[0] == mended[1]:
            what = f"entity {start}..{end} holds no token; left out"
        else:
            what = f"entity {start}..{end} is {mended[0]}..{mended[1]} now"
        self._tally.change(document.line, what, file=document.file)


def _start(span: Sequence[int] | Span) -> int:
    return int(span[0])
