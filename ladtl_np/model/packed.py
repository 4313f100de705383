"""One packed batch, from words to best tags, on a thread with a memory of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.packing import Packing
from ladtl_np.kernels import decoding, encoding, pieces
from ladtl_np.shapes import Floats, Integers

__all__ = ["Beside", "Direction", "InPieces", "Projected", "best_tags", "encode_piece", "project"]


class Beside(Protocol):
    """Looks at the scores from which tags were chosen, on the thread that chose them."""

    @property
    def longest(self) -> int:
        """Tokens of the longest sentence that it takes at once; longer ones come in pieces."""

    def of_batch(self, memory: Memory, packing: Packing, E: Floats, best: Integers) -> list[Any]:
        """What it finds in each sentence of the packed batch's list.

        E (N, m) is -inf where a sentence may not start or end; both it and best (N,) are packed.
        """

    def of_nothing(self) -> Any:
        """What it says of a sentence without a token."""

    def of_pieces(self, tokens: int, begins: range) -> InPieces:
        """What looks at the pieces of one sentence, which begin at these tokens."""


class InPieces(Protocol):
    """As `Beside`, of a long sentence, of which one piece is there at a time."""

    def forward(self, piece: int, E: Floats) -> None:
        """Take the scores (n, m) of the next piece."""

    def backward(self, piece: int, E: Floats, tags: Integers, tag_before: int) -> None:
        """Take them again from the last piece on, with the best tags (n,) and the one before."""

    def result(self) -> Any:
        """What it found."""


class Direction(NamedTuple):
    """Words projected for one direction of the LSTM, and its U, as the kernels want them."""

    projected: Floats  # (U, 4H); for bfloat16 (U', groups, 4, LANES)
    recurrent: NDArray[Any]  # (H, 4H); for bfloat16 (groups, H / 2, 4, LANES, 2)


class Projected(NamedTuple):
    """Both directions, which may still be on the way."""

    forward: Callable[[], Direction]
    backward: Callable[[], Direction]


def project(
    memory: Memory, *, table: Floats, rows: Integers, weights: Mapping[str, Floats], name: str
) -> Direction:
    """Words table[rows] W + b of one direction."""
    W, U, b = (weights[f"{name}.{kind}"] for kind in "WUb")
    projected = np.empty((rows.size, W.shape[1]), W.dtype)  # outlives this task
    X = memory.empty((rows.size, W.shape[0]), W.dtype)
    encoding.project_words(projected, X, table, rows, W, b)
    return Direction(projected, U)


def best_tags(
    memory: Memory,
    *,
    packing: Packing,
    words: Integers,
    encoder: Projected,
    head: decoding.Head,
    beside: Beside | None = None,
) -> tuple[Integers, Floats, list[Any]]:
    """Best tags (N,) of a packed batch, in its list's order, scores (B,), and what is beside."""
    empty, N, B = memory.empty, packing.tokens, packing.sentences
    H, m, dtype = head.W.shape[0] // 2, head.A.shape[0], head.A.dtype
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
    ready = decoding.Encoder(*zip(encoder.forward(), encoder.backward(), strict=True))
    ranked, scores = np.empty(B), np.empty(B)
    decoding.best_tags(best, ranked, scratch, words, ready, head, packing.offsets)
    scores[packing.order] = ranked
    told = [] if beside is None else beside.of_batch(memory, packing, scratch.E, best)
    return best[packing.rows], scores, told


def encode_piece(
    output: Floats, state: Floats, direction: Direction, words: Integers, *, reverse: bool
) -> None:
    """Write a direction's half of output (n, 2H), and go on with its state, see kernels.pieces."""
    H, dtype = state.shape[1], state.dtype
    scratch = np.empty((1, 4 * H), dtype), np.empty((1, H), dtype)
    projected, U = direction
    column = H if reverse else 0
    pieces.encode_piece(output, state, *scratch, projected, words, U, column, reverse)
