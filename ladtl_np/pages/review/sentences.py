"""Documents as the sentences that a person reviews one by one."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, repeat
from typing import Literal

from ladtl_np.corpus.document import Bounds, Document
from ladtl_np.corpus.schemes import Span

__all__ = ["MEASURES", "Measure", "ReviewSentence", "sentences_of"]

Measure = Literal["span", "sentence", "entropy"]
MEASURES: dict[Measure, str] = {
    "span": "probability of its least probable span, or that it has none",
    "sentence": "probability of all its tags together",
    "entropy": "one over the perplexity of its tag sequences",
}
"""How certain a tagger is of a sentence, 0 to 1."""


@dataclass(frozen=True, slots=True)
class ReviewSentence:
    """A sentence with tokens and entities.

    Attributes
    ----------
    document
        Name of its document.
    number
        Its number in there, from 1.
    text
        From its first token to its last.
    tokens
        Bounds of the tokens in code points of `text`.
    entities
        First token, last + 1, and type of each entity, in order; they do not overlap.
    probabilities
        How probable each entity is; None where that is not known.
    certainty
        How certain the tagger is of the whole sentence, 0 to 1; None where that is not known.
    """

    document: str
    number: int
    text: str
    tokens: tuple[Bounds, ...]
    entities: tuple[Span, ...] = ()
    probabilities: tuple[float, ...] | None = None
    certainty: float | None = None

    @property
    def id(self) -> str:
        """Document and number; what an export is told by."""
        return f"{self.document}#{self.number}"


def sentences_of(document: Document, name: str, by: Measure = "span") -> Iterator[ReviewSentence]:
    """Yield the sentences of a document that have tokens.

    Parameters
    ----------
    document
        With its tokens; one sentence where it tells none.
    name
        What it is called on the page.
    by
        How certain a sentence is, see `MEASURES`. Where the document does not tell that of whole
        sentences, one without entities has no certainty.

    Raises
    ------
    ValueError
        If it has no tokens, or an entity that does not end where tokens do, overlaps another one,
        or reaches into the next sentence.
    """
    if document.tokens is None:
        raise ValueError("a document that is reviewed wants tokens")
    tokens = document.tokens
    places = {bisect_left(tokens, place, key=_first) for place in (0, *(document.sentences or ()))}
    bounds = [*sorted(place for place in places if place < len(tokens)), len(tokens)]
    spans = document.entities or ()
    given: Iterable[float | None] = document.probabilities or repeat(None, len(spans))
    entities = sorted(zip(spans, given, strict=True), key=_start)
    for number, (first, end) in enumerate(pairwise(bounds), 1):
        start, last = tokens[first][0], tokens[end - 1][1]
        inside = slice(*(bisect_left(entities, place, key=_start) for place in (start, last)))
        found = ReviewSentence(
            name,
            number,
            document.text[start:last],
            tuple((a - start, b - start) for a, b in tokens[first:end]),
            _aligned([span for span, _ in entities[inside]], tokens[first:end], number),
        )
        probabilities = tuple(p for _, p in entities[inside] if p is not None)
        if document.probabilities is not None:
            found = replace(found, probabilities=probabilities)
        yield replace(found, certainty=_certainty(document, start, probabilities, by))


def _first(bounds: Bounds) -> int:
    return bounds[0]


def _start(entity: tuple[Span, float | None]) -> int:
    return entity[0][0]


def _aligned(spans: Sequence[Span], tokens: Sequence[Bounds], number: int) -> tuple[Span, ...]:
    """Entities of a sentence in its tokens."""
    begins = {a: n for n, (a, _) in enumerate(tokens)}
    ends = {b: n for n, (_, b) in enumerate(tokens, 1)}
    try:
        entities = tuple((begins[a], ends[b], kind) for a, b, kind in spans)
    except KeyError:
        raise ValueError(f"sentence {number}: an entity that ends within a token") from None
    if any(one[1] > other[0] for one, other in pairwise(entities)):
        raise ValueError(f"sentence {number}: entities that overlap")
    return entities


def _certainty(
    document: Document, start: int, probabilities: Sequence[float], by: Measure
) -> float | None:
    """How certain the sentence is that begins at a code point."""
    if by == "span" and probabilities:
        return min(probabilities)
    known = document.certainties or ()
    at = bisect_right(known, start, key=lambda one: one.start)
    if not at:
        return None
    return math.exp(-known[at - 1].entropy) if by == "entropy" else known[at - 1].probability
