"""The word BiLSTM: two independent directions over one packed batch.         docs/math/lstm.md"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ladtl_np.arrays.workers import Workers
from ladtl_np.kernels import lstm as kernels
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "DIRECTIONS",
    "BilstmCache",
    "DirectionCache",
    "bilstm_backward",
    "bilstm_forward",
]

DIRECTIONS = ("forward", "backward")


class DirectionCache(NamedTuple):
    """What one direction's backward pass needs."""

    gates: Floats  # (N, 4H) after their non-linearity, order i, f, o, g; then their gradients
    cell: Floats  # (N, H)
    tanh_cell: Floats  # (N, H)


class BilstmCache(NamedTuple):
    """What bilstm_backward needs; written by bilstm_forward, valid until the next batch."""

    X: Floats  # (N, D)
    offsets: Integers  # (T + 1,)
    output: Floats  # (N, 2H), as returned
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
        Runs the two directions side by side; what is returned lies in their memory.
    """
    N, H = X.shape[0], weights["forward.U"].shape[0]
    if X.shape[1] != weights["forward.W"].shape[0]:
        raise ValueError(
            f"inputs have {X.shape[1]} columns, the BiLSTM wants {weights['forward.W'].shape[0]}"
        )
    if int(offsets[-1]) != N:
        raise ValueError(f"offsets must end at the number of tokens, {N}, got {offsets[-1]}")
    empty = workers.memory.empty
    output: Floats = empty((N, 2 * H), X.dtype)
    caches = tuple(
        DirectionCache(empty((N, 4 * H), X.dtype), *empty((2, N, H), X.dtype)) for _ in DIRECTIONS
    )

    def direction(number: int) -> None:
        W, U, b = (weights[f"{DIRECTIONS[number]}.{kind}"] for kind in "WUb")
        column, reverse = number * H, number == 1
        kernels.lstm_forward(output, *caches[number], X, W, U, b, offsets, column, reverse)

    workers.run(lambda: direction(0), lambda: direction(1))
    return output, BilstmCache(X, offsets, output, (caches[0], caches[1]))


def bilstm_backward(
    gradients: Mapping[str, Floats],
    dhidden: Floats,
    cache: BilstmCache,
    weights: Mapping[str, Floats],
    workers: Workers,
) -> Floats:
    """Add to the six weight gradients, given dhidden (N, 2H); returns dX (N, D).

    Uses up the cache: gradients of the gates are written over them.
    """
    X, offsets, output, directions = cache
    N, D = X.shape
    H, dtype = weights["forward.U"].shape[0], X.dtype
    widest = int(offsets[1]) if N else 0
    empty = workers.memory.empty
    parts = [empty((N, D), dtype) for _ in DIRECTIONS]

    def direction(number: int) -> None:
        name = DIRECTIONS[number]
        kernels.lstm_backward(
            parts[number],
            gradients[f"{name}.W"],
            gradients[f"{name}.U"],
            gradients[f"{name}.b"],
            dhidden,
            empty((widest, H), dtype),
            empty((widest, H), dtype),
            empty((N, D + H), dtype),
            output,
            *directions[number],
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
