"""As packed, with products of bfloat16 in the LSTM, for weights of float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.packing import Packing
from ladtl_np.kernels import decoding, decoding_bfloat16, encoding_bfloat16
from ladtl_np.kernels.algebra.bfloat16 import groups_of, pack_bias, pack_gates
from ladtl_np.kernels.algebra.bfloat16_tiles import GATES, LANES, ROWS
from ladtl_np.model.packed import Beside, Direction, Projected
from ladtl_np.shapes import Floats, Integers

__all__ = ["best_tags", "encode_piece", "project"]


def project(
    memory: Memory, *, table: Floats, rows: Integers, weights: Mapping[str, Floats], name: str
) -> Direction:
    """Words table[rows] W + b of one direction."""
    W, U, b = (weights[f"{name}.{kind}"] for kind in "WUb")
    count = -(-rows.size // ROWS) * ROWS
    packed = pack_gates(W)
    projected = np.empty((count, packed.shape[0], GATES, LANES), np.float32)  # outlives this task
    X = memory.empty((count, 2 * packed.shape[1]), np.uint16)
    encoding_bfloat16.project_words(projected, X, table, rows, packed, pack_bias(b))
    return Direction(projected, pack_gates(U))


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
    H, m = head.W.shape[0] // 2, head.A.shape[0]
    units = LANES * groups_of(H)
    best = np.empty(N, np.int64)
    scratch = decoding_bfloat16.Scratch(
        hidden=empty((N, 2 * H), np.float32),
        states=empty((2, B, units), np.uint16),
        cell=empty((B, units), np.float32),
        E=empty((N, m), np.float32),
        delta=empty((N, m), np.float32),
        finite=empty(B, np.bool_),
    )
    ready = decoding_bfloat16.Encoder(*zip(encoder.forward(), encoder.backward(), strict=True))
    ranked, scores = np.empty(B), np.empty(B)
    decoding_bfloat16.best_tags(best, ranked, scratch, words, ready, head, packing.offsets)
    scores[packing.order] = ranked
    told = [] if beside is None else beside.of_batch(memory, packing, scratch.E, best)
    return best[packing.rows], scores, told


def encode_piece(
    output: Floats, state: Floats, direction: Direction, words: Integers, *, reverse: bool
) -> None:
    """Write a direction's half of output (n, 2H), and go on with its state, see kernels.pieces."""
    H = state.shape[1]
    units = LANES * groups_of(H)
    scratch = np.empty((2, 1, units), np.uint16), np.empty((1, units), np.float32)
    half = output[:, H:] if reverse else output[:, :H]
    projected, U = direction
    encoding_bfloat16.encode_piece(half, state, *scratch, projected, words, U, reverse)
