"""Random draws that give the same numbers on every machine and Python version.

Only ``random.Random.random`` of a string seed is used: its sequence is promised to stay. Choices,
shuffles and Zipf weights are built on it with integer arithmetic.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

__all__ = ["Draws", "ZipfTable"]

T = TypeVar("T")


class Draws:
    """A stream of draws from one string seed."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed).random

    def below(self, limit: int) -> int:
        """Draw an integer from 0 to ``limit - 1``."""
        return int(self._random() * limit)

    def between(self, low: int, high: int) -> int:
        """Draw an integer from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def chance(self, permille: int) -> bool:
        """Be true ``permille`` times in 1,000."""
        return self.below(1000) < permille

    def choice(self, items: Sequence[T]) -> T:
        """Draw one item, all equally likely."""
        return items[self.below(len(items))]


class ZipfTable(Generic[T]):
    """Items in the order of their rank, the one at rank r drawn in proportion to 1 / (r + shift).

    Parameters
    ----------
    items
        The items, most frequent first; not empty.
    shift
        Flattens the head: 0 is Zipf's law, larger is more even.
    """

    def __init__(self, items: Sequence[T], shift: int) -> None:
        if not items:
            raise ValueError("a Zipf table needs at least one item")
        self.items = tuple(items)
        weights = (1_000_000 // (rank + shift) for rank in range(1, len(items) + 1))
        self._edges = list(accumulate(weights))

    def draw(self, draws: Draws) -> T:
        """Draw one item by its weight."""
        return self.items[bisect_right(self._edges, draws.below(self._edges[-1]))]
