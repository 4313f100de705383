"""Entities that two methods tag differently, put together by their terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ladtl_np.corpus.schemes import Span, spans
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.report.term_counts import Ways, of_characters
from ladtl_np.report.term_list import Term

__all__ = ["WAYS", "Differing", "differing_terms", "otherwise"]

WAYS = {
    "longer": "within longer entities",
    "split": "in parts",
    "another": "as another type",
}
"""How a term may be annotated otherwise: fields of `Ways`, and what to call them."""


@dataclass(slots=True)
class Differing:
    """The entities of one term in a test corpus, under two methods.

    Attributes
    ----------
    entities
        All of them.
    right
        Those that each method tags with their boundaries and type.
    differing
        Those that the methods tag differently: the spans that overlap them are not the same.
    right_differing
        Of these, those that each method tags right.
    """

    entities: int = 0
    right: list[int] = field(default_factory=lambda: [0, 0])
    differing: int = 0
    right_differing: list[int] = field(default_factory=lambda: [0, 0])


def differing_terms(gold: Corpus, first: Corpus, second: Corpus) -> dict[Term, Differing]:
    """Count every term of the gold entities; the corpora have the same sentences and scheme."""
    joint = "" if of_characters(gold) else " "
    found: dict[Term, Differing] = {}
    for sentence, *guesses in zip(gold, first, second, strict=True):
        tagged = [spans(guess.tags or (), gold.scheme) for guess in guesses]
        for span in spans(sentence.tags or (), gold.scheme):
            start, end, kind = span
            term = Term(joint.join(sentence.tokens[start:end]), kind)
            counts = found.setdefault(term, Differing())
            counts.entities += 1
            seen = [_overlapping(span, each) for each in tagged]
            differ = seen[0] != seen[1]
            counts.differing += differ
            for side, each in enumerate(seen):
                counts.right[side] += span in each
                counts.right_differing[side] += differ and span in each
    return found


def _overlapping(span: Span, others: Sequence[Span]) -> list[Span]:
    return [other for other in others if other[0] < span[1] and span[0] < other[1]]


def otherwise(ways: Ways) -> str:
    """The most frequent way in which a term is annotated otherwise, "" where it mostly is not."""
    counts = {name: getattr(ways, name) for name in WAYS}
    if sum(counts.values()) <= ways.same:
        return ""
    return max(counts, key=lambda name: counts[name])
