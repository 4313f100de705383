"""Sentences as chains: hidden states and scores of every head, as training computes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.packing import pack
from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.layers.linear import affine_forward
from ladtl_np.layers.projection import projection_forward
from ladtl_np.model.network import Network
from ladtl_np.objective.batching import EncodedSentence, domain_batch
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.shapes import Floats, Integers

__all__ = ["Chain", "chain_of", "hidden_states", "of_matched", "one_sentence"]

_TOGETHER = 32  # sentences in a batch of the encoder


class Chain(NamedTuple):
    """Scores of one sentence under one head."""

    E: Floats  # (T, m)
    A: Floats  # (m, m)


def hidden_states(
    network: Network,
    sentences: Sequence[EncodedSentence],
    spelled: Sequence[Integers] | None,
) -> Iterator[Floats]:
    """Hidden states (T, 2H) of each sentence, from packed batches and without dropout."""
    workers = Workers()
    for first in range(0, len(sentences), _TOGETHER):
        some = sentences[first : first + _TOGETHER]
        packing = pack(np.array([sentence.words.size for sentence in some]))
        with single_threaded_blas(), workers.memory.frame():
            hidden, _ = encoder_forward(network, domain_batch([[], some], spelled), None, workers)
            ordered = hidden[packing.rows].copy()  # the workers' memory is used again
        ends = np.cumsum([sentence.words.size for sentence in some])
        yield from np.split(ordered, ends[:-1])


def chain_of(network: Network, head: str, H: Floats) -> Chain:
    """Scores of a sentence with hidden states H (T, 2H) under a head."""
    weights, crf = network.weights, network.architecture.crf_of(head)
    P = projection_forward(H, network.projection(head))
    return Chain(
        affine_forward(P, weights[f"{crf}.W"], weights.get(f"{crf}.b")), weights[f"{crf}.A"]
    )


def of_matched(chain: Chain, tags: Integers) -> Chain:
    """The same chain over some tags only, in their order; the sequences of others are left out."""
    return Chain(
        np.ascontiguousarray(chain.E[:, tags]), np.ascontiguousarray(chain.A[np.ix_(tags, tags)])
    )


def one_sentence(T: int) -> Integers:
    """Offsets of the packed layout that holds one sentence of T tokens."""
    return np.arange(T + 1)
