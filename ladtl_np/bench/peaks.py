"""What the machine could do at best: operations of a matrix product, bytes to and from memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ladtl_np.arrays.workers import Workers
from ladtl_np.kernels.linear import affine_forward
from ladtl_np.shapes import Floats

__all__ = ["copy_rate", "matrix_product_peak"]

BLAS_SIZE, TILES_SIZE = 2048, 400
FLOAT32 = 4  # bytes
ROUND_BYTES = 2**25  # smaller pieces are streamed repeatedly: else the threads' start would count


def matrix_product_peak(threads: int, repeats: int = 10) -> float:
    """Highest GFLOP/s seen in float32 products: by NumPy's BLAS, or by our tiles on each thread.

    BLAS libraries do not know every processor, so neither alone is the machine's peak.
    """
    return max(_blas_peak(threads, repeats), _tiles_peak(threads, repeats))


def copy_rate(moved: int, threads: int, repeats: int = 30) -> float:
    """Highest rate in GB/s at which memory is streamed: the limit of what is bound by it.

    Parameters
    ----------
    moved
        Bytes that are read or written, so that the same caches hold them; they are those of two
        arrays that are copied, or of three of which two are added into the third.
    threads
        Each works on a piece of its own.
    repeats
        Runs, of which the best counts.
    """
    workers, best = Workers(threads), 0.0
    for arrays in (2, 3):
        size = max(moved // (FLOAT32 * arrays * threads), 1)
        each = FLOAT32 * arrays * size
        rounds = max(1, ROUND_BYTES // each)
        pieces = [np.ones((arrays, size), np.float32) for _ in range(threads)]
        tasks = [partial(_stream, piece, rounds) for piece in pieces]
        seconds = _best_seconds(partial(workers.run, *tasks), repeats)
        best = max(best, each * threads * rounds / seconds / 1e9)
    return best


def _stream(arrays: Floats, rounds: int) -> None:
    for _ in range(rounds):
        if len(arrays) == 2:
            np.copyto(arrays[0], arrays[1])
        else:
            np.add(arrays[1], arrays[2], out=arrays[0])


def _blas_peak(threads: int, repeats: int) -> float:
    X, Y, out = _factors(BLAS_SIZE)
    with threadpool_limits(threads, user_api="blas"):
        return 2.0 * BLAS_SIZE**3 / _best_seconds(lambda: np.matmul(X, Y, out=out), repeats) / 1e9


def _tiles_peak(threads: int, repeats: int) -> float:
    workers, no_bias = Workers(threads), np.empty(0, np.float32)
    each = [_factors(TILES_SIZE) for _ in range(threads)]
    tasks = [partial(affine_forward, out, X, Y, no_bias) for X, Y, out in each]
    seconds = _best_seconds(lambda: workers.run(*tasks), 20 * repeats)
    return 2.0 * threads * TILES_SIZE**3 / seconds / 1e9


def _factors(size: int) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(0)
    X, Y = (rng.random((size, size), dtype=np.float32) for _ in range(2))
    return X, Y, np.empty_like(X)


def _best_seconds(call: Callable[[], Any], repeats: int) -> float:
    call()
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best
