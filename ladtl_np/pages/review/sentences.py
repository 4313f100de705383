"""Documents as the sentences that a person reviews one by one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ladtl_np.corpus.document import Bounds, Document
from ladtl_np.corpus.schemes import Span

__all__ = ["ReviewSentence", "sentences_of"]


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


def sentences_of(document: Document, name: str) -> Iterator[ReviewSentence]:
    """Yield the sentences of a document that have tokens.

    A sentence is as certain as its least probable entity. One without entities is not known to be
    certain; `dataclasses.replace` sets a better measure where there is one.

    Parameters
    ----------
    document
        With its tokens; one sentence where it tells none.
    name
        What it is called on the page.

    Raises
    ------
    ValueError
        If it has no tokens, or an entity that does not end where tokens do, overlaps another one,
        or reaches into the next sentence.
    """
    if document.tokens is None:
        raise ValueError("a document that is reviewed wants tokens")
    starts = [start for start, _ in document.tokens]
    places = sorted({bisect_left(starts, place) for place in (0, *(document.sentences or ()))})
    bounds = [*(place for place in places if place < len(starts)), len(starts)]
    for number, (first, end) in enumerate(pairwise(bounds), 1):
        yield _sentence(document, name, number, first, end)


def _sentence(document: Document, name: str, number: int, first: int, end: int) -> ReviewSentence:
    assert document.tokens is not None
    tokens = document.tokens[first:end]
    start, last = tokens[0][0], tokens[-1][1]
    found = [
        (span, place)
        for place, span in enumerate(document.entities or ())
        if start <= span[0] < last
    ]
    found.sort()
    begins = {a: n for n, (a, _) in enumerate(tokens)}
    ends = {b: n for n, (_, b) in enumerate(tokens, 1)}
    try:
        entities = tuple((begins[a], ends[b], kind) for (a, b, kind), _ in found)
    except KeyError:
        raise ValueError(f"sentence {number}: an entity that ends within a token") from None
    if any(one[1] > other[0] for one, other in pairwise(entities)):
        raise ValueError(f"sentence {number}: entities that overlap")
    probable = document.probabilities
    probabilities = None if probable is None else tuple(probable[place] for _, place in found)
    return ReviewSentence(
        name,
        number,
        document.text[start:last],
        tuple((a - start, b - start) for a, b in tokens),
        entities,
        probabilities,
        min(probabilities) if probabilities else None,
    )
