"""How far apart a trained model leaves the two domains, label by label.    docs/math/mmd.md (13)"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.layers.mmd import RowPair, label_rows, mmd_forward
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES, evenly_spaced
from ladtl_np.model.network import Network
from ladtl_np.objective.batching import EncodedSentence, two_domain_batch
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.runs.manifest import LabelMmd
from ladtl_np.shapes import Floats, Integers
from ladtl_np.training.prepared import Prepared

__all__ = ["MOST_ROWS", "MOST_SENTENCES", "label_mmds"]

MOST_SENTENCES = 500
"""At most so many training sentences of each domain are encoded, evenly spaced."""
MOST_ROWS = 1_000
"""At most so many tokens of a label and domain are compared, evenly spaced."""
_CHUNK = 50  # sentences of each domain that are encoded at a time


def label_mmds(network: Network, prepared: Prepared, workers: Workers) -> list[LabelMmd]:
    """Squared MMD of every matched label over the training sentences, without dropout.

    The variances are always the reference ones, whatever the run was trained with, so that the
    methods can be compared. Where sentences are sampled, they are the same for every method.

    Parameters
    ----------
    network
        Of a method that trains both domains together.
    prepared
        Training sentences of both domains, and which labels match.
    workers
        Threads, and the memory that is used.

    Returns
    -------
    list of LabelMmd
        In the order of the source's tags; a label that either sample lacks is left out, and there
        is none where the method has no source.
    """
    if prepared.source_tags is None or not prepared.source:
        return []
    with single_threaded_blas():
        hidden, source, target = _encoded(network, prepared, workers)
        rows = np.arange(len(hidden))
        first, second = rows[: source.size], rows[source.size :]
        pairs = [
            RowPair(
                pair.label,
                evenly_spaced(pair.source, MOST_ROWS),
                evenly_spaced(pair.target, MOST_ROWS),
            )
            for pair in label_rows(first, source, second, target, prepared.objective.matched)
        ]
        workers.memory.reuse()
        values, _ = mmd_forward(hidden, pairs, [REFERENCE_VARIANCES] * len(pairs), workers)
    places = prepared.objective.matched
    return [
        LabelMmd(
            prepared.source_tags.tags[places[0][pair.label]],
            prepared.target_tags.tags[places[1][pair.label]],
            int(pair.source.size),
            int(pair.target.size),
            float(value),
        )
        for pair, value in zip(pairs, values, strict=True)
    ]


def _encoded(
    network: Network, prepared: Prepared, workers: Workers
) -> tuple[Floats, Integers, Integers]:
    """Hidden states of the sampled sentences, the source's first, and the tags of each domain."""
    both = [_some(prepared.source), _some(prepared.target)]
    hidden: tuple[list[Floats], list[Floats]] = ([], [])
    tags: tuple[list[Integers], list[Integers]] = ([], [])
    for start in range(0, max(map(len, both)), _CHUNK):
        parts = [sentences[start : start + _CHUNK] for sentences in both]
        batch = two_domain_batch(parts[0], parts[1], prepared.spelled)
        workers.memory.reuse()
        H, _ = encoder_forward(network, batch, None, workers)
        for side, half in enumerate((batch.source, batch.target)):
            hidden[side].append(H[half.rows])  # a copy: H lies in memory that the next one reuses
            tags[side].append(half.tags)
    return (
        np.concatenate([*hidden[0], *hidden[1]]),
        np.concatenate(tags[0]),
        np.concatenate(tags[1]),
    )


def _some(sentences: Sequence[EncodedSentence]) -> list[EncodedSentence]:
    numbers = evenly_spaced(np.arange(len(sentences)), MOST_SENTENCES)
    return [sentences[n] for n in numbers.tolist()]
