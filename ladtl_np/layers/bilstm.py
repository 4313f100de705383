"""The word BiLSTM: two independent directions over one packed batch.         docs/math/lstm.md"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ladtl_np.kernels import lstm as kernels
from ladtl_np.shapes import Floats, Integers
from ladtl_np.workers import Workers

__all__ = ["DIRECTIONS", "BilstmCache", "DirectionCache", "bilstm_backward", "bilstm_forward"]

DIRECTIONS = ("forward", "backward")


class DirectionCache(NamedTuple):
    """What one direction's backward pass needs."""

    gates: Floats  # (N, 4H) after their non-linearity, order i, f, o, g
    cell: Floats  # (N, H)
    hidden: Floats  # (N, H)


class BilstmCache(NamedTuple):
    """What bilstm_backward needs; written by bilstm_forward, valid for that batch only."""

    X: Floats  # (N, D)
    offsets: Integers  # (T + 1,)
    directions: tuple[DirectionCache, DirectionCache]


def bilstm_forward(
    X: Floats, weights: Mapping[str, Floats], offsets: Integers, workers: Workers
) -> tuple[Floats, BilstmCache]:
    """Hidden states (N, 2H) = [forward ; backward], and the cache.

    Parameters
    ----------
    X
        (N, D) inputs in packed order.
    weights
        ``forward.W`` (D, 4H), ``forward.U`` (H, 4H), ``forward.b`` (4H,), and the same for
        ``backward``.
    offsets
        (T + 1,) steps of the packed layout.
    workers
        Runs the two directions side by side.
    """
    N, H, dtype = X.shape[0], weights["forward.U"].shape[0], X.dtype
    if X.shape[1] != weights["forward.W"].shape[0]:
        raise ValueError(
            f"inputs have {X.shape[1]} columns, the BiLSTM wants {weights['forward.W'].shape[0]}"
        )
    if int(offsets[-1]) != N:
        raise ValueError(f"offsets must end at the number of tokens, {N}, got {offsets[-1]}")
    output = np.empty((N, 2 * H), dtype=dtype)
    caches = tuple(
        DirectionCache(
            np.empty((N, 4 * H), dtype), np.empty((N, H), dtype), np.empty((N, H), dtype)
        )
        for _ in DIRECTIONS
    )

    def direction(number: int) -> None:
        name, cache = DIRECTIONS[number], caches[number]
        kernels.lstm_forward(
            output,
            *cache,
            X,
            weights[f"{name}.W"],
            weights[f"{name}.U"],
            weights[f"{name}.b"],
            offsets,
            number * H,
            number == 1,
        )

    workers.run(lambda: direction(0), lambda: direction(1))
    return output, BilstmCache(X, offsets, (caches[0], caches[1]))


def bilstm_backward(
    gradients: Mapping[str, Floats],
    dhidden: Floats,
    cache: BilstmCache,
    weights: Mapping[str, Floats],
    workers: Workers,
) -> Floats:
    """Add to the six weight gradients, given dhidden (N, 2H); returns dX (N, D)."""
    X, offsets, _ = cache
    N, D = X.shape
    H, dtype = weights["forward.U"].shape[0], X.dtype
    widest = int(offsets[1]) if N else 0
    parts = [np.empty((N, D), dtype) for _ in DIRECTIONS]

    def direction(number: int) -> None:
        name = DIRECTIONS[number]
        gates, cell, hidden = cache.directions[number]
        kernels.lstm_backward(
            parts[number],
            gradients[f"{name}.W"],
            gradients[f"{name}.U"],
            gradients[f"{name}.b"],
            dhidden,
            np.empty((N, 4 * H), dtype),
            np.empty((widest, H), dtype),
            np.empty((widest, H), dtype),
            np.empty((N, H), dtype),
            gates,
            cell,
            hidden,
            X,
            weights[f"{name}.W"],
            weights[f"{name}.U"],
            offsets,
            number * H,
            number == 1,
        )

    workers.run(lambda: direction(0), lambda: direction(1))
    parts[0] += parts[1]
    return parts[0]
