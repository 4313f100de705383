"""One packed batch, from words to best tags, on a thread with a memory of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.packing import Packing
from ladtl_np.kernels import decoding, encoding
from ladtl_np.shapes import Floats, Integers

__all__ = ["Projected", "best_tags", "project"]


class Projected(NamedTuple):
    """Projected words of both directions, which may still be on the way, and U."""

    forward: Callable[[], Floats]
    backward: Callable[[], Floats]
    forward_U: Floats
    backward_U: Floats


def project(memory: Memory, *, table: Floats, rows: Integers, W: Floats, b: Floats) -> Floats:
    """Words (U, 4H) = table[rows] W + b of one direction."""
    projected = np.empty((rows.size, W.shape[1]), W.dtype)  # outlives this task
    X = memory.empty((rows.size, W.shape[0]), W.dtype)
    encoding.project_words(projected, X, table, rows, W, b)
    return projected


def best_tags(
    memory: Memory, *, packing: Packing, words: Integers, encoder: Projected, head: decoding.Head
) -> tuple[Integers, Floats]:
    """Best tags (N,) of a packed batch, in its list's order, and scores (B,)."""
    empty, N, B = memory.empty, packing.tokens, packing.sentences
    H, m, dtype = encoder.forward_U.shape[0], head.A.shape[0], head.A.dtype
    best = np.empty(N, np.int64)
    scratch = decoding.Scratch(
        hidden=empty((N, 2 * H), dtype),
        gates=empty((B, 4 * H), dtype),
        cell=empty((B, H), dtype),
        tanh_cell=empty((B, H), dtype),
        E=empty((N, m), dtype),
        delta=empty((N, m), dtype),
        finite=empty(B, np.bool_),
    )
    ready = decoding.Encoder(
        (encoder.forward(), encoder.backward()), (encoder.forward_U, encoder.backward_U)
    )
    ranked, scores = np.empty(B), np.empty(B)
    decoding.best_tags(best, ranked, scratch, words, ready, head, packing.offsets)
    scores[packing.order] = ranked
    return best[packing.rows], scores
