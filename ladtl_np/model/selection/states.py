"""Where a model's encoder puts sentences: the mean of their tokens' hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from ladtl_np.arrays.packing import pack
from ladtl_np.layers.bilstm import bilstm_forward
from ladtl_np.model.batches import batches_of
from ladtl_np.model.decoding import BATCH_TOKENS, Decoder
from ladtl_np.shapes import Floats

__all__ = ["MOST_TOKENS", "mean_states"]

MOST_TOKENS = 4_096
"""Of a longer sentence so many tokens, from its start, say what it is like."""


def mean_states(decoder: Decoder, sentences: Sequence[Sequence[str]]) -> Floats:
    """Mean hidden state of each sentence, docs/selection.md (5).

    Parameters
    ----------
    decoder
        Whose network and vocabulary read them.
    sentences
        Tokens of each; none is empty.

    Returns
    -------
    (n, 2H)
        In the network's dtype.
    """
    network, workers = decoder.network, decoder.workers
    lengths = np.array([min(len(tokens), MOST_TOKENS) for tokens in sentences], np.int64)
    H = len(network.weights["forward.U"])
    means = np.empty((len(sentences), 2 * H), network.embedding.dtype)
    for numbers in batches_of(lengths, BATCH_TOKENS):
        of_batch = lengths[numbers]
        tokens = chain.from_iterable(sentences[n][:MOST_TOKENS] for n in numbers)
        table, words = decoder.inputs(list(tokens))
        packing = pack(of_batch)
        packed = np.empty_like(words)
        packed[packing.rows] = words
        with workers.memory.frame():
            hidden, _ = bilstm_forward(table[packed], network.weights, packing.offsets, workers)
            starts = np.cumsum(of_batch) - of_batch
            sums = np.add.reduceat(hidden[packing.rows], starts, axis=0)
        means[numbers] = sums / of_batch[:, None]
    return means
