"""From words to hidden states and back: embeddings, dropout, the BiLSTM of both domains."""

from __future__ import annotations

from typing import NamedTuple

from ladtl_np.batching import Batch
from ladtl_np.layers.bilstm import BilstmCache, bilstm_backward, bilstm_forward
from ladtl_np.layers.embedding import embedding_backward, embedding_forward
from ladtl_np.network import Network
from ladtl_np.parameters import Parameters, RowGradient
from ladtl_np.shapes import Floats
from ladtl_np.workers import Workers

__all__ = ["EncoderCache", "encoder_backward", "encoder_forward"]


class EncoderCache(NamedTuple):
    """What encoder_backward needs; written by encoder_forward, valid until the next batch."""

    batch: Batch
    dropout_mask: Floats | None
    bilstm: BilstmCache


def encoder_forward(
    network: Network, batch: Batch, dropout_mask: Floats | None, workers: Workers
) -> tuple[Floats, EncoderCache]:
    """Hidden states (N, 2H) of a packed batch.

    Parameters
    ----------
    network
        Embeddings and BiLSTM.
    batch
        Words in packed order.
    dropout_mask
        (N, D) factors for the inputs; None is no dropout.
    workers
        Threads, and the memory that the result lies in.
    """
    X = embedding_forward(network.embedding, batch.words, dropout_mask, workers.memory.empty)
    hidden, bilstm = bilstm_forward(X, network.weights, batch.offsets, workers)
    return hidden, EncoderCache(batch, dropout_mask, bilstm)


def encoder_backward(
    gradients: Parameters, dhidden: Floats, cache: EncoderCache, network: Network, workers: Workers
) -> RowGradient:
    """Add to the BiLSTM's gradients, given dhidden (N, 2H); returns the word embeddings'."""
    dX = bilstm_backward(gradients, dhidden, cache.bilstm, network.weights, workers)
    return embedding_backward(dX, cache.batch.words, cache.dropout_mask)
