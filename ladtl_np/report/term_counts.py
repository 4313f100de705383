"""Where terms stand in a tagged corpus, and whether they are annotated as one entity there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from ladtl_np.corpus.schemes import Span, spans
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.report.term_list import Term

__all__ = ["Place", "TermIndex", "Ways", "of_characters", "places"]

Place = tuple[int, Span]
"""Number of a sentence, and a span in it."""
CHARACTERS = 0.9
"""Share of tokens of one character from which on a corpus is one of characters.

Segmented Chinese has about one half, English a fifth.
"""
_WORD, _SENTENCE = "\0", "\n"  # no token and no term holds them


def of_characters(corpus: Corpus) -> bool:
    """Whether the tokens of a corpus are characters, but for some longer ones."""
    singles = sum(len(token) == 1 for sentence in corpus for token in sentence.tokens)
    return singles >= CHARACTERS * corpus.token_count


def places(corpus: Corpus) -> set[Place]:
    """All entities of a corpus, as conlleval reads its tags."""
    return {
        (number, span)
        for number, sentence in enumerate(corpus)
        for span in spans(sentence.tags or (), corpus.scheme)
    }


class Ways(NamedTuple):
    """How the occurrences of a term are annotated.

    Attributes
    ----------
    same
        As one entity of the term's type.
    longer
        Within a longer entity.
    split
        In parts: entities overlap it, and none of them holds the whole.
    another
        As one entity of another type.
    none
        Not at all.
    """

    same: int = 0
    longer: int = 0
    split: int = 0
    another: int = 0
    none: int = 0


class TermIndex:
    """A tagged corpus as one text, in which terms are found.

    Where tokens are characters, a term is the tokens that make it up when they are put together,
    spaces left out on both sides. Where they are words, it is the words that single spaces part.
    Either way it starts and ends where tokens do, within one sentence.

    Parameters
    ----------
    corpus
        The corpus; its entities are read as conlleval reads them.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._characters = of_characters(corpus)
        self._starts: set[int] = set()
        self._ends: set[int] = set()
        self._entities: dict[tuple[int, int], Place] = {}
        joint, here, lines = self._joint, 0, []
        for number, sentence in enumerate(corpus):
            tokens = [self._bare(token) for token in sentence.tokens]
            starts = [*accumulate((len(t) + len(joint) for t in tokens), initial=here)]
            ends = [start + len(token) for start, token in zip(starts, tokens, strict=False)]
            self._starts.update(starts)
            self._ends.update(ends)
            for span in spans(sentence.tags or (), corpus.scheme):
                self._entities[starts[span[0]], ends[span[1] - 1]] = (number, span)
            lines.append(joint.join(tokens))
            here += len(lines[-1]) + 1
        self._text = _SENTENCE.join(lines)
        self._bounds = sorted(self._entities)
        self.kinds = frozenset(kind for _, (_, _, kind) in self._entities.values())

    @property
    def _joint(self) -> str:
        return "" if self._characters else _WORD

    def _bare(self, text: str) -> str:
        return text.replace(" ", "") if self._characters else text

    def find(self, term: Term) -> tuple[list[Place], int]:
        """Find a term, occurrences that overlap each other among them.

        Returns
        -------
        tuple
            The entities that are the term, and how often its text stands there otherwise: split,
            part of a longer entity, of another type, or without annotation.
        """
        found: list[Place] = []
        others = 0
        for start, end in self._occurrences(term.text):
            place = self._entities.get((start, end))
            if place is not None and term.kind in ("", place[1][2]):
                found.append(place)
            else:
                others += 1
        return found, others

    def ways(self, term: Term) -> Ways:
        """How each occurrence of a term is annotated; a type that no entity has counts as any."""
        kind = term.kind if term.kind in self.kinds else ""
        counts = dict.fromkeys(Ways._fields, 0)
        for start, end in self._occurrences(term.text):
            counts[self._way(start, end, kind)] += 1
        return Ways(**counts)

    def _way(self, start: int, end: int, kind: str) -> str:
        place = self._entities.get((start, end))
        if place is not None:
            return "same" if kind in ("", place[1][2]) else "another"
        after = bisect_left(self._bounds, (end,))  # the first entity that starts behind it
        if not after or self._bounds[after - 1][1] <= start:
            return "none"
        first, last = self._bounds[after - 1]
        return "longer" if first <= start and end <= last else "split"

    def _occurrences(self, text: str) -> Iterator[tuple[int, int]]:
        wanted = self._joint.join(map(self._bare, text.split(" ")))
        start = self._text.find(wanted)
        while start >= 0:
            end = start + len(wanted)
            if start in self._starts and end in self._ends:
                yield start, end
            start = self._text.find(wanted, start + 1)
