"""The best tags of a sentence of any length, exactly, in the memory of one piece of it.

Both directions of the LSTM, and Viterbi, need of a token's neighbours only a state and a row of
scores. Three passes over the pieces keep no more than these where pieces meet:

1. from the end: the backward direction's state at the end of each piece;
2. from the start: the forward direction's state, and Viterbi's scores, at its start;
3. from the end: the piece's scores once more, and the best path through them.

Five passes of a direction instead of two are what it costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.workers import Workers
from ladtl_np.kernels import linear, pieces
from ladtl_np.kernels.decoding import Head
from ladtl_np.kernels.viterbi import came_from
from ladtl_np.layers.bilstm import DIRECTIONS
from ladtl_np.model.packed import Beside
from ladtl_np.model.products import Products
from ladtl_np.shapes import Floats, Integers

__all__ = ["LONG_TOKENS", "PIECE_TOKENS", "best_tags_in_pieces"]

# A sentence of more tokens is tagged in pieces; up to here it is a batch of its own.
LONG_TOKENS = 16_384
PIECE_TOKENS = 4_096

Inputs = Callable[[list[str]], tuple[Floats, Integers]]
FORWARD, BACKWARD = 0, 1


class _Words(NamedTuple):
    """A piece's words: a table of vectors, its rows in use, and which of these each token has."""

    table: Floats
    rows: Integers
    place: Integers


def best_tags_in_pieces(
    tokens: Sequence[str],
    inputs: Inputs,
    weights: Mapping[str, Floats],
    head: Head,
    workers: Workers,
    products: Products,
    beside: Beside | None = None,
) -> tuple[Integers, float, Any]:
    """Numbers of a sentence's best tags (N,), their score, and what is beside; it is not empty.

    The score is NaN where a token's scores are not finite: then the tags mean nothing.

    Parameters
    ----------
    tokens
        The sentence.
    inputs
        Vectors (U, D) that the BiLSTM reads for some tokens, and which of them each has.
    weights
        Of the network.
    head
        The CRF.
    workers
        Threads for the two directions.
    products
        Precision of the LSTM.
    beside
        What looks at the scores as well; its result is the last of what is returned.
    """
    sentence = _Sentence(tokens, inputs, weights, head, workers, products, beside)
    score = sentence.carry()
    tags = sentence.trace()
    return tags, score, sentence.beside.result() if sentence.beside else None


class _Sentence:
    """One sentence, what is carried from piece to piece, and room for one piece."""

    def __init__(
        self,
        tokens: Sequence[str],
        inputs: Inputs,
        weights: Mapping[str, Floats],
        head: Head,
        workers: Workers,
        products: Products,
        beside: Beside | None,
    ) -> None:
        self.tokens, self.inputs, self.weights = tokens, inputs, weights
        self.head, self.workers, self.products = head, workers, products
        self.begins = range(0, len(tokens), PIECE_TOKENS)
        self.beside = beside.of_pieces(len(tokens), self.begins) if beside else None
        H, m, dtype = weights["forward.U"].shape[0], len(head.A), head.A.dtype
        longest = min(PIECE_TOKENS, len(tokens))
        # state of each direction when it enters a piece, and Viterbi's scores before the piece
        self.states = np.zeros((2, len(self.begins) + 1, 2, H), dtype)
        self.scores = np.empty((len(self.begins) + 1, m), dtype)
        self.hidden = np.empty((longest, 2 * H), dtype)
        self.E, self.delta = np.empty((longest, m), dtype), np.empty((longest + 1, m), dtype)

    def carry(self) -> float:
        """The first two passes: all that pieces need of each other; returns the best score."""
        for piece in reversed(range(len(self.begins))):
            run = self._direction(BACKWARD, self._words(piece), self.states[BACKWARD, piece + 1])
            self.states[BACKWARD, piece] = run()
        score = np.zeros(1)
        for piece in range(len(self.begins)):
            n, state = self._viterbi(piece, score)
            self.states[FORWARD, piece + 1] = state
            self.scores[piece + 1] = self.delta[n]
            if self.beside:
                self.beside.forward(piece, self.E[:n])
        return float(score[0] + self.scores[-1].max())

    def trace(self) -> Integers:
        """The third pass: the best path, from its end."""
        tags = np.empty(len(self.tokens), np.int64)
        after = -1
        for piece in reversed(range(len(self.begins))):
            n, _ = self._viterbi(piece, np.zeros(1))
            begin = self.begins[piece]
            part = tags[begin : begin + n]
            pieces.trace_piece(part, self.delta[: n + 1], self.head.A_transposed, after)
            after = int(part[0])
            if self.beside:
                before = came_from(self.scores[piece], self.head.A_transposed, after)
                self.beside.backward(piece, self.E[:n], part, before if piece else -1)
        return tags

    def _viterbi(self, piece: int, score: Floats) -> tuple[int, Floats]:
        """Write Viterbi's scores of a piece; its length, and the forward state at its end."""
        words = self._words(piece)
        n, begin = words.place.size, self.begins[piece]
        runs = [
            self._direction(FORWARD, words, self.states[FORWARD, piece]),
            self._direction(BACKWARD, words, self.states[BACKWARD, piece + 1]),
        ]
        found: list[Floats] = [np.empty(0), np.empty(0)]

        def encode(direction: int) -> None:
            found[direction] = runs[direction]()

        self.workers.run(partial(encode, FORWARD), partial(encode, BACKWARD))
        E, head = self.E[:n], self.head
        linear.affine_forward(E, self.hidden[:n], head.W, head.b)
        if not np.isfinite(E).all():
            score[0] = np.nan
        if piece == 0:
            E[0, ~head.may_start] = -np.inf
        if piece == len(self.begins) - 1:
            E[-1, ~head.may_end] = -np.inf
        self.delta[0] = self.scores[piece]
        pieces.viterbi_piece(score, self.delta[: n + 1], E, head.A, begin)
        return n, found[FORWARD]

    def _words(self, piece: int) -> _Words:
        begin = self.begins[piece]
        table, words = self.inputs(list(self.tokens[begin : begin + PIECE_TOKENS]))
        return _Words(table, *np.unique(words, return_inverse=True))

    def _direction(self, number: int, words: _Words, enters: Floats) -> Callable[[], Floats]:
        """What runs one direction over a piece and returns its state behind it."""
        project = partial(self.products.project, weights=self.weights, name=DIRECTIONS[number])

        def run() -> Floats:
            table, rows, place = words
            state = enters.copy()
            direction = project(Memory(), table=table, rows=rows)
            output, reverse = self.hidden[: place.size], number == BACKWARD
            self.products.encode_piece(output, state, direction, place, reverse=reverse)
            return state

        return run
