"""The character BiLSTM: a vector for each distinct word (fig. 6).        docs/math/characters.md"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.memory import Empty
from ladtl_np.arrays.spelling import Spellings
from ladtl_np.arrays.workers import Workers
from ladtl_np.kernels import embedding as kernels
from ladtl_np.layers.bilstm import BilstmCache, bilstm_backward, bilstm_forward
from ladtl_np.layers.embedding import embedding_backward, embedding_forward
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "CharactersCache",
    "characters_backward",
    "characters_forward",
    "join_backward",
    "join_forward",
]

_LEAD = "characters."
_TABLE = f"{_LEAD}embedding"


class CharactersCache(NamedTuple):
    """What characters_backward needs; written by characters_forward, valid until the next batch."""

    spellings: Spellings
    bilstm: BilstmCache


def _lstm(parameters: Mapping[str, Floats]) -> dict[str, Floats]:
    """The character LSTM's arrays under the names of a word LSTM."""
    return {
        name.removeprefix(_LEAD): array
        for name, array in parameters.items()
        if name.startswith(_LEAD) and name != _TABLE
    }


def characters_forward(
    spellings: Spellings, weights: Mapping[str, Floats], workers: Workers
) -> tuple[Floats, CharactersCache]:
    """Final states F (U, 2Hc) = [forward at the last character ; backward at the first].

    Parameters
    ----------
    spellings
        U distinct words.
    weights
        ``characters.embedding`` (C, Dc), ``characters.forward.W`` (Dc, 4Hc) and so on.
    workers
        Runs the directions side by side; the cache lies in their memory.
    """
    table, rows = weights[_TABLE], spellings.characters
    if rows.size and not (0 <= rows.min() and rows.max() < len(table)):
        raise ValueError(
            f"characters must lie in [0, {len(table)}), got [{rows.min()}, {rows.max()}]; "
            "was this text spelled with another model's alphabet?"
        )
    X = embedding_forward(table, rows, None, workers.memory.empty)
    output, bilstm = bilstm_forward(X, _lstm(weights), spellings.offsets, workers)
    Hc = output.shape[1] // 2
    F = np.concatenate([output[spellings.last, :Hc], output[spellings.first, Hc:]], axis=1)
    return F, CharactersCache(spellings, bilstm)


def characters_backward(
    gradients: Mapping[str, Floats],
    dF: Floats,
    cache: CharactersCache,
    weights: Mapping[str, Floats],
    workers: Workers,
) -> None:
    """Add to the gradients of the character LSTM and embedding, given dF (U, 2Hc)."""
    spellings, bilstm = cache
    dhidden = workers.memory.zeros(bilstm.output.shape, dF.dtype)
    Hc = dF.shape[1] // 2
    # first and last name each row once, so plain assignment reverses the gathering
    dhidden[spellings.last, :Hc] = dF[:, :Hc]
    dhidden[spellings.first, Hc:] = dF[:, Hc:]
    dX = bilstm_backward(_lstm(gradients), dhidden, bilstm, _lstm(weights), workers)
    rows, values = embedding_backward(dX, spellings.characters, None)
    gradients[_TABLE][rows] += values


def join_forward(X: Floats, F: Floats, place: Integers, empty: Empty = np.empty) -> Floats:
    """Inputs (N, D + 2Hc) = [X ; F[place]]: each token's embedding and its word's final states."""
    (N, D), width = X.shape, F.shape[1]
    joined: Floats = empty((N, D + width), X.dtype)
    joined[:, :D] = X
    joined[:, D:] = F[place]
    return joined


def join_backward(dF: Floats, djoined: Floats, place: Integers, D: int) -> Floats:
    """Add to dF (U, 2Hc) the sum over the tokens of each word; returns dX (N, D)."""
    characters = np.ascontiguousarray(djoined[:, D:])
    no_mask = np.empty((0, characters.shape[1]), characters.dtype)
    kernels.embedding_backward(dF, characters, place, no_mask)
    return np.ascontiguousarray(djoined[:, :D])
