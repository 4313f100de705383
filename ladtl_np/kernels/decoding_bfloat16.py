"""From words to best tags in one call, with products of bfloat16 in the LSTM."""

from __future__ import annotations

from typing import NamedTuple

from ladtl_np.kernels._jit import kernel
from ladtl_np.kernels.algebra.bfloat16 import Halves
from ladtl_np.kernels.decoding import Head, tags_of_states
from ladtl_np.kernels.encoding_bfloat16 import lstm_encode
from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = ["Encoder", "Scratch", "best_tags"]


class Encoder(NamedTuple):
    """What lstm_encode takes of either direction: x W + b of the distinct words, and packed U."""

    projected: tuple[Floats, Floats]
    recurrent: tuple[Halves, Halves]


class Scratch(NamedTuple):
    """Room for one batch; holds nothing before or after."""

    hidden: Floats  # (N, 2H)
    states: Halves  # (2, B, H'), H' is H filled up to whole groups
    cell: Floats  # (B, H')
    E: Floats  # (N, m)
    delta: Floats  # (N, m)
    finite: Booleans  # (B,) whether all scores of a sentence's tokens are


@kernel
def best_tags(
    tags: Integers,
    score: Floats,
    scratch: Scratch,
    words: Integers,
    encoder: Encoder,
    head: Head,
    offsets: Integers,
) -> None:
    """Write tags (N,) and score (B,) as decoding.best_tags does."""
    hidden, states, cell, E, delta, finite = scratch
    H = hidden.shape[1] // 2
    (forward, backward), (forward_U, backward_U) = encoder.projected, encoder.recurrent
    first, second = hidden[:, :H], hidden[:, H:]
    lstm_encode(first, states, cell, forward, words, forward_U, offsets, False, False)
    lstm_encode(second, states, cell, backward, words, backward_U, offsets, True, False)
    tags_of_states(tags, score, E, delta, finite, hidden, head, offsets)
