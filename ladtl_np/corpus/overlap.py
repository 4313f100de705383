"""Sentences that stand in one corpus more than once, or in two; counts, never text of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ladtl_np.corpus.sentence import Corpus

__all__ = ["Overlap", "overlaps", "repeated"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of one file stands in another.

    Attributes
    ----------
    file
        The file whose sentences are looked up.
    within
        The file in which they are looked for.
    sentences
        Sentences of `file` whose tokens are all those of a sentence of `within`.
    share
        The same as a share of the sentences of `file`.
    """

    file: str
    within: str
    sentences: int
    share: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def repeated(corpus: Corpus) -> int:
    """Count the sentences whose tokens all stood in an earlier sentence of the corpus."""
    return len(corpus) - len({sentence.tokens for sentence in corpus})


def overlaps(corpora: Sequence[Corpus]) -> list[Overlap]:
    """Look up the sentences of each file in all others."""
    known = [{sentence.tokens for sentence in corpus} for corpus in corpora]
    found = []
    for place, corpus in enumerate(corpora):
        for other, within in enumerate(corpora):
            if place != other:
                count = sum(sentence.tokens in known[other] for sentence in corpus)
                found.append(Overlap(corpus.name, within.name, count, count / len(corpus)))
    return found
