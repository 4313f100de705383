"""The character BiLSTM, one word at a time (fig. 6).

The numbers in brackets are the equations of docs/math/characters.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladtl_np.reference.embedding import embedding_backward, embedding_forward
from ladtl_np.reference.lstm import BilstmCache, LstmWeights, bilstm_backward, bilstm_forward
from ladtl_np.shapes import Floats, Integers

__all__ = ["WordCache", "characters_backward", "characters_forward"]


class WordCache(NamedTuple):
    """What characters_backward needs of one word."""

    X: Floats  # (L, Dc)
    states: BilstmCache


def characters_forward(
    word: Integers, table: Floats, forward: LstmWeights, backward: LstmWeights
) -> tuple[Floats, WordCache]:
    """Final states of both directions over a word's characters, (1) and (2).

    Parameters
    ----------
    word : (L,)
        Character rows.
    table : (C, Dc)
    forward, backward
        Weights of the two directions.

    Returns
    -------
    f : (2Hc,)
    cache
    """
    # x_l = table[c_l];  f = [h_L forward ; h_1 backward]              (1), (2)
    X = embedding_forward(word, table, None)
    H, states = bilstm_forward(X, forward, backward)
    Hc = H.shape[1] // 2
    return np.concatenate([H[-1, :Hc], H[0, Hc:]]), WordCache(X, states)


def characters_backward(
    df: Floats,
    cache: WordCache,
    word: Integers,
    table: Floats,
    forward: LstmWeights,
    backward: LstmWeights,
) -> tuple[Floats, LstmWeights, LstmWeights]:
    """Gradients of `characters_forward`, (3).

    Returns
    -------
    dtable : (C, Dc)
    dforward, dbackward : LstmWeights
    """
    Hc = df.size // 2
    dH = np.zeros((len(word), df.size))
    dH[-1, :Hc] += df[:Hc]  # reverses h_L of (2)
    dH[0, Hc:] += df[Hc:]  # reverses h_1 of (2)
    dX, dforward, dbackward = bilstm_backward(dH, cache.states, cache.X, forward, backward)
    return embedding_backward(dX, word, table, None), dforward, dbackward
