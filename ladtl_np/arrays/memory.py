"""Memory that one step takes and the next step takes again.

Asking the system for fresh pages costs more than filling them does: a step of the larger workload
spent a quarter of its time so (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

__all__ = ["Empty", "Memory"]

ALIGNMENT = 64  # bytes of a cache line, and of the widest vector


class Empty(Protocol):
    """Whatever makes an array that is not yet written, such as ``np.empty``."""

    def __call__(self, shape: Any, dtype: Any) -> Any:
        """Return an array of that shape and dtype."""


class Memory:
    """Arrays that are valid until the next `reuse`.

    The first round takes what it needs from the system; from the second on everything lies in one
    block. Threads may share it, but not its frames.
    """

    def __init__(self) -> None:
        self._block = np.empty(0, np.uint8)
        self._used = self._most = 0
        self._lock = Lock()

    def reuse(self) -> None:
        """Give up every array handed out so far: their memory goes to the next ones."""
        with self._lock:
            if self._most > self._block.size:
                self._block = _aligned(self._most)
            self._used = self._most = 0

    @contextmanager
    def frame(self) -> Iterator[None]:
        """Give up what is handed out inside the block when the block ends."""
        with self._lock:
            used = self._used
        try:
            yield
        finally:
            with self._lock:
                self._used = used

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> np.ndarray[Any, Any]:
        """An array with arbitrary contents."""
        kind = np.dtype(dtype)
        size = int(prod(shape) if isinstance(shape, tuple) else shape) * kind.itemsize
        room = -(-size // ALIGNMENT) * ALIGNMENT
        with self._lock:
            start = self._used
            self._used += room
            self._most = max(self._most, self._used)
            if self._used > self._block.size:
                return np.empty(shape, kind)  # what is used is counted on, for the next block
        return np.ndarray(shape, kind, self._block, start)

    def zeros(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> np.ndarray[Any, Any]:
        """An array of zeros."""
        array = self.empty(shape, dtype)
        array.fill(0)
        return array


def _aligned(size: int) -> np.ndarray[Any, Any]:
    block = np.empty(size + ALIGNMENT, np.uint8)
    first = -block.ctypes.data % ALIGNMENT
    return block[first : first + size]
