"""From words to best tags in one call: threads meet Python only between packed batches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.kernels.encoding import lstm_encode
from ladtl_np.kernels.linear import affine_forward
from ladtl_np.kernels.viterbi import viterbi
from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = ["Encoder", "Head", "Scratch", "best_tags", "tags_of_states"]


class Encoder(NamedTuple):
    """What lstm_encode takes of either direction: x W + b of the distinct words, and U."""

    projected: tuple[Floats, Floats]
    recurrent: tuple[Floats, Floats]


class Head(NamedTuple):
    """A CRF, and where its tags may stand; a `b` of size 0 is no emission bias."""

    W: Floats  # (2H, m)
    b: Floats  # (m,)
    A: Floats  # (m, m), -inf where a tag may not follow
    A_transposed: Floats
    may_start: Booleans  # (m,)
    may_end: Booleans  # (m,)


class Scratch(NamedTuple):
    """Room for one batch; holds nothing before or after."""

    hidden: Floats  # (N, 2H)
    gates: Floats  # (B, 4H)
    cell: Floats  # (B, H)
    tanh_cell: Floats  # (B, H)
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
    """Write tags (N,) and score (B,) of each sentence's best path, as viterbi does.

    The best legal one where the head forbids anything. The score is NaN where a token's scores are
    not finite: then the tags mean nothing.                                docs/math/crf.md (23)
    """
    hidden, gates, cell, tanh_cell, E, delta, finite = scratch
    H = cell.shape[1]
    state = gates, cell, tanh_cell
    (forward, backward), (forward_U, backward_U) = encoder.projected, encoder.recurrent
    lstm_encode(hidden, *state, forward, words, forward_U, offsets, 0, False)
    lstm_encode(hidden, *state, backward, words, backward_U, offsets, H, True)
    tags_of_states(tags, score, E, delta, finite, hidden, head, offsets)


@kernel
def tags_of_states(
    tags: Integers,
    score: Floats,
    E: Floats,
    delta: Floats,
    finite: Booleans,
    hidden: Floats,
    head: Head,
    offsets: Integers,
) -> None:
    """best_tags, from hidden (N, 2H) on. Scratch: E and delta (N, m), finite (B,)."""
    affine_forward(E, hidden, head.W, head.b)
    _look_for_infinite(finite, E, offsets)
    _forbid(E, head.may_start, head.may_end, offsets)
    viterbi(tags, score, delta, E, head.A, head.A_transposed, offsets)
    for b in range(score.size):
        if not finite[b]:
            score[b] = np.nan


@inline
def _forbid(E: Floats, may_start: Booleans, may_end: Booleans, offsets: Integers) -> None:
    """Give -inf to tags that no sentence may start or end with."""
    steps = offsets.size - 1
    for t in range(steps):
        longer = 0 if t + 1 == steps else offsets[t + 2] - offsets[t + 1]
        for row in range(offsets[t], offsets[t + 1]):
            if t > 0 and row - offsets[t] < longer:
                continue
            ends = row - offsets[t] >= longer
            for j in range(may_start.size):
                if (t == 0 and not may_start[j]) or (ends and not may_end[j]):
                    E[row, j] = -np.inf


@inline
def _look_for_infinite(finite: Booleans, E: Floats, offsets: Integers) -> None:
    """Say of each sentence whether every token's scores are finite, which they are before _forbid.

    The best path's own score does not tell: it may lead around a tag whose score is NaN.
    """
    finite[:] = True
    for t in range(offsets.size - 1):
        for row in range(offsets[t], offsets[t + 1]):
            sound = True
            for j in range(E.shape[1]):
                sound &= np.abs(E[row, j]) < np.inf
            finite[row - offsets[t]] &= sound
