"""Hidden states of a sample of both domains' training sentences, token by token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.packing import pack
from ladtl_np.arrays.workers import Workers
from ladtl_np.layers.mmd import RowPair, label_rows
from ladtl_np.layers.mmd_variances import evenly_spaced
from ladtl_np.model.network import Network
from ladtl_np.objective.batching import EncodedSentence, domain_batch
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.shapes import Floats, Integers

__all__ = ["MOST_ROWS", "MOST_SENTENCES", "HiddenRows", "hidden_rows"]

MOST_SENTENCES = 500
"""At most so many training sentences of each domain are encoded, evenly spaced."""
MOST_ROWS = 1_000
"""At most so many tokens of a label and domain are compared, evenly spaced."""
_CHUNK = 50  # sentences of each domain that are encoded at a time


class HiddenRows(NamedTuple):
    """Hidden states of some sentences' tokens, the source's first.

    Attributes
    ----------
    hidden
        (N, 2H) a row for each token.
    source_tags, target_tags
        Gold tags of the N_s rows of the source, and of the N_t that follow.
    sentence
        (N,) number of the sentence that a row is from; no two domains share one.
    """

    hidden: Floats
    source_tags: Integers
    target_tags: Integers
    sentence: Integers

    def pairs(self, matched: tuple[Integers, Integers]) -> tuple[RowPair, ...]:
        """Rows of each matched tag that both domains hold, at most `MOST_ROWS` of either."""
        rows = np.arange(len(self.hidden))
        first, second = rows[: self.source_tags.size], rows[self.source_tags.size :]
        return tuple(
            RowPair(
                pair.label,
                evenly_spaced(pair.source, MOST_ROWS),
                evenly_spaced(pair.target, MOST_ROWS),
            )
            for pair in label_rows(first, self.source_tags, second, self.target_tags, matched)
        )


def hidden_rows(
    network: Network,
    source: Sequence[EncodedSentence],
    target: Sequence[EncodedSentence],
    spelled: Sequence[Integers] | None,
    workers: Workers,
) -> HiddenRows:
    """Encode at most `MOST_SENTENCES` sentences of either domain, without dropout.

    Parameters
    ----------
    network
        Whose encoder reads them; float32 or float64.
    source, target
        Of either domain; neither is empty. Where they are sampled, the sample is the same for every
        network.
    spelled
        Character rows of each distinct word; None where characters are not read.
    workers
        Threads, and the memory that is used.
    """
    both = [_some(source), _some(target)]
    hidden: tuple[list[Floats], list[Floats]] = ([], [])
    tags: tuple[list[Integers], list[Integers]] = ([], [])
    numbers: tuple[list[Integers], list[Integers]] = ([], [])
    for start in range(0, max(map(len, both)), _CHUNK):
        parts = [sentences[start : start + _CHUNK] for sentences in both]
        batch = domain_batch([parts[0], parts[1]], spelled)
        workers.memory.reuse()
        H, _ = encoder_forward(network, batch, None, workers)
        for side, half in enumerate((batch.source, batch.target)):
            hidden[side].append(H[half.rows])  # a copy: H lies in memory that the next one reuses
            tags[side].append(half.tags)
            numbers[side].append(start + side * len(both[0]) + _sentences(parts[side]))
    return HiddenRows(
        np.concatenate([*hidden[0], *hidden[1]]),
        np.concatenate(tags[0]),
        np.concatenate(tags[1]),
        np.concatenate([*numbers[0], *numbers[1]]),
    )


def _sentences(part: Sequence[EncodedSentence]) -> Integers:
    """Which sentence each row of a half's packed layout is from."""
    lengths = np.array([sentence.words.size for sentence in part], np.int64)
    packing = pack(lengths)
    numbers = np.empty(packing.tokens, np.int64)
    numbers[packing.rows] = np.repeat(np.arange(len(part)), lengths)
    return numbers


def _some(sentences: Sequence[EncodedSentence]) -> list[EncodedSentence]:
    numbers = evenly_spaced(np.arange(len(sentences)), MOST_SENTENCES)
    return [sentences[n] for n in numbers.tolist()]
