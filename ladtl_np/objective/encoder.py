"""From words to hidden states and back: embeddings, dropout, the BiLSTM of both domains."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.parameters import Parameters, RowGradient
from ladtl_np.arrays.spelling import Spellings
from ladtl_np.arrays.workers import Workers
from ladtl_np.layers.bilstm import BilstmCache, bilstm_backward, bilstm_forward
from ladtl_np.layers.characters import (
    CharactersCache,
    characters_backward,
    characters_forward,
    join_backward,
    join_forward,
)
from ladtl_np.layers.embedding import check_mask, embedding_backward, embedding_forward
from ladtl_np.model.network import Network
from ladtl_np.objective.batching import Batch
from ladtl_np.shapes import Floats, Integers

__all__ = ["EncoderCache", "encoder_backward", "encoder_forward"]


class EncoderCache(NamedTuple):
    """What encoder_backward needs; written by encoder_forward, valid until the next batch."""

    batch: Batch
    dropout_mask: Floats | None
    characters: CharactersCache | None
    bilstm: BilstmCache


def encoder_forward(
    network: Network, batch: Batch, dropout_mask: Floats | None, workers: Workers
) -> tuple[Floats, EncoderCache]:
    """Hidden states (N, 2H) of a packed batch.

    Parameters
    ----------
    network
        Embeddings, characters where it has them, and BiLSTM.
    batch
        Words in packed order, with their spellings where the network reads characters.
    dropout_mask
        (N, D + 2Hc) factors for the word BiLSTM's inputs; None is no dropout.
    workers
        Threads, and the memory that the result lies in.
    """
    empty, table = workers.memory.empty, network.embedding
    characters = None
    if not network.architecture.characters:
        X = embedding_forward(table, batch.words, dropout_mask, empty)
    else:
        spellings, place = _spelled(batch)
        F, characters = characters_forward(spellings, network.weights, workers)
        X = join_forward(embedding_forward(table, batch.words, None, empty), F, place, empty)
        if dropout_mask is not None:
            check_mask(dropout_mask, X)
            X *= dropout_mask
    hidden, bilstm = bilstm_forward(X, network.weights, batch.offsets, workers)
    return hidden, EncoderCache(batch, dropout_mask, characters, bilstm)


def encoder_backward(
    gradients: Parameters, dhidden: Floats, cache: EncoderCache, network: Network, workers: Workers
) -> RowGradient:
    """Add to the BiLSTMs' gradients, given dhidden (N, 2H); returns the word embeddings'."""
    weights, batch, mask = network.weights, cache.batch, cache.dropout_mask
    dX = bilstm_backward(gradients, dhidden, cache.bilstm, weights, workers)
    if cache.characters is None:
        return embedding_backward(dX, batch.words, mask)
    if mask is not None:
        dX *= mask
    spellings, place = _spelled(batch)
    width = 2 * network.architecture.character_hidden
    dF = np.zeros((spellings.last.size, width), dX.dtype)
    dX = join_backward(dF, dX, place, network.architecture.embedding)
    characters_backward(gradients, dF, cache.characters, weights, workers)
    return embedding_backward(dX, batch.words, None)


def _spelled(batch: Batch) -> tuple[Spellings, Integers]:
    if batch.spellings is None or batch.place is None:
        raise ValueError("this network reads characters; give domain_batch the spellings")
    return batch.spellings, batch.place
