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
    "bilstm_backward",
    "bilstm_forward",
]

DIRECTIONS = ("forward", "backward")


class BilstmCache(NamedTuple):
    """What bilstm_backward needs; written by bilstm_forward, valid until the next batch."""

    X: Floats  # (N, D)
    offsets: Integers  # (T + 1,)
    output: Floats  # (N, 2H), as returned
    directions: tuple[kernels.LstmCache, kernels.LstmCache]


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
        kernels.LstmCache(empty((N, 4 * H), X.dtype), *empty((2, N, H), X.dtype))
        for _ in DIRECTIONS
    )

    def direction(number: int) -> None:
        column, reverse = number * H, number == 1
        own = _direction(weights, number)
        kernels.lstm_forward(output, caches[number], X, own, offsets, column, reverse)

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
        kernels.lstm_backward(
            parts[number],
            _direction(gradients, number),
            dhidden,
            kernels.LstmScratch(
                dcell=empty((widest, H), dtype),
                dhidden=empty((widest, H), dtype),
                inputs=empty((min(N, max(kernels.SPAN_ROWS, widest)), D + H), dtype),
            ),
            output,
            directions[number],
            X,
            _direction(weights, number),
            offsets,
            number * H,
            number == 1,
        )

    workers.run(lambda: direction(0), lambda: direction(1))
    parts[0] += parts[1]
    return parts[0]


def _direction(arrays: Mapping[str, Floats], number: int) -> kernels.LstmWeights:
    return kernels.LstmWeights(*(arrays[f"{DIRECTIONS[number]}.{kind}"] for kind in "WUb"))
