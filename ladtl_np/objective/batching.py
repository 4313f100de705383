"""Mini-batches with sentences of every domain in one packed layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from ladtl_np.arrays.packing import Packing, pack, step_offsets
from ladtl_np.arrays.spelling import Spellings, pack_spellings
from ladtl_np.shapes import Floats, Integers

__all__ = ["Batch", "EncodedSentence", "Half", "domain_batch"]


class EncodedSentence(NamedTuple):
    """A sentence as row numbers, and how much it counts."""

    words: Integers  # (T,) rows of the embedding table
    tags: Integers  # (T,) tags of the sentence's own domain
    weight: float = 1.0  # of its likelihood in the mini-batch's mean
    spellings: Integers | None = None  # (T,) numbers of the tokens' spellings, where they are used
    line: int = 0  # of its corpus's file, or its number, by which messages name it


@dataclass(frozen=True, slots=True)
class Half:
    """The sentences of one domain inside a batch; a packed layout of its own.

    Attributes
    ----------
    rows
        (N_d,) the batch's rows that belong to this domain, rising.
    offsets
        (T_d + 1,) steps of the half's own packed layout; its row n is the batch's row ``rows[n]``.
    tags
        (N_d,) gold tags in that layout.
    sentences
        Number of sentences B_d.
    weights
        (B_d,) weight of each sentence's likelihood, longest sentence first.
    """

    rows: Integers
    offsets: Integers
    tags: Integers
    sentences: int
    weights: Floats


@dataclass(frozen=True, slots=True)
class Batch:
    """One packed batch with sentences of every domain; a domain's part may be empty.

    Attributes
    ----------
    words
        (N,) rows of the embedding table.
    offsets
        (T + 1,) steps of the packed layout.
    halves
        Each domain's part, the target's last.
    spellings, place
        The batch's distinct spellings, and (N,) which of them each token has, in packed order; None
        where characters are not used.
    compared
        What `objective.mmd` has found of the batch's labels, by the objective that it was for.
    """

    words: Integers
    offsets: Integers
    halves: tuple[Half, ...]
    spellings: Spellings | None = None
    place: Integers | None = None
    compared: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def sources(self) -> tuple[Half, ...]:
        """The part of each source; none where a batch is the target's alone."""
        return self.halves[:-1]

    @property
    def source(self) -> Half:
        """The only source's part, or the first one's."""
        return self.sources[0]

    @property
    def target(self) -> Half:
        """The target's part."""
        return self.halves[-1]

    def unweighted(self) -> Batch:
        """The same sentences, each with weight 1."""
        halves = (replace(half, weights=np.ones(half.sentences)) for half in self.halves)
        return replace(self, halves=tuple(halves))


def domain_batch(
    domains: Iterable[Sequence[EncodedSentence]], spelled: Sequence[Integers] | None = None
) -> Batch:
    """Pack sentences of several domains together, so that the encoder sees one batch.

    Parameters
    ----------
    domains
        Sentences of each source, then the target's; all but one may have none.
    spelled
        Character rows of each number that ``EncodedSentence.spellings`` holds; None where
        characters are not used.
    """
    parts = list(domains)
    sentences = [sentence for part in parts for sentence in part]
    if not sentences:
        raise ValueError("a batch needs at least one sentence")
    for number, (words, tags, _, written, _) in enumerate(sentences):
        if words.shape != tags.shape:
            raise ValueError(
                f"sentence {number} has {words.size} words and {tags.size} tags; give one for each"
            )
        if written is not None and written.shape != words.shape:
            raise ValueError(
                f"sentence {number} has {words.size} words and {written.size} spellings; "
                "give one for each"
            )
    packing = pack(np.array([s.words.size for s in sentences], dtype=np.int64))
    packed_words = _scatter(packing, [s.words for s in sentences])
    packed_tags = _scatter(packing, [s.tags for s in sentences])
    sizes = [sum(sentence.words.size for sentence in part) for part in parts]
    domain = np.empty(packing.tokens, dtype=np.int64)
    domain[packing.rows] = np.repeat(np.arange(len(parts)), sizes)
    spellings: Spellings | None = None
    place: Integers | None = None
    if spelled is not None:
        numbers = _scatter(packing, [_spellings(sentence) for sentence in sentences])
        distinct, place = np.unique(numbers, return_inverse=True)
        spellings = pack_spellings([spelled[number] for number in distinct])
    return Batch(
        words=packed_words,
        offsets=packing.offsets,
        halves=tuple(
            _half(np.flatnonzero(domain == number), packed_tags, part)
            for number, part in enumerate(parts)
        ),
        spellings=spellings,
        place=place,
    )


def _spellings(sentence: EncodedSentence) -> Integers:
    if sentence.spellings is None:
        raise ValueError("a sentence has no spellings; encode it with the model's alphabet")
    return sentence.spellings


def _scatter(packing: Packing, parts: Sequence[Integers]) -> Integers:
    """Concatenate per-sentence values and bring them into packed order."""
    values = np.empty(packing.tokens, dtype=np.int64)
    values[packing.rows] = np.concatenate(parts)
    return values


def _half(rows: Integers, tags: Integers, sentences: Sequence[EncodedSentence]) -> Half:
    # Leaving sentences out of a packed layout keeps the order of the others, so the rows that
    # remain are the packed layout of the half, and only the steps' widths change.
    lengths = np.array([s.words.size for s in sentences], dtype=np.int64)
    weights = np.array([s.weight for s in sentences], dtype=np.float64)
    longest_first = np.argsort(-lengths, kind="stable")
    return Half(rows, step_offsets(lengths), tags[rows], len(sentences), weights[longest_first])
