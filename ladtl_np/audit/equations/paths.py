"""Every tag sequence of a short chain, one by one: sums over all of them, and the best.

Written from Eq. (1) and (6) alone. Nothing here shares code with the kernels or the reference.
"""

from __future__ import annotations

import math

import numpy as np

from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = ["MOST", "Paths", "longest"]

MOST = 200_000
"""Sequences that are enumerated at most."""


def longest(m: int) -> int:
    """Tokens of the longest sentence with at most MOST sequences of m tags; 1 at least."""
    T = 1
    while m > 1 and m ** (T + 1) <= MOST and T < MOST:
        T += 1
    return T


class Paths:
    """All m^T tag sequences of one chain.

    Parameters
    ----------
    E
        (T, m) emission scores; -inf forbids.
    A
        (m, m) transition scores.

    Attributes
    ----------
    tags
        (m^T, T) the sequences.
    scores
        (m^T,) ``sum_t E[t, y_t] + sum_t A[y_t, y_{t+1}]``.
    log_z
        log of the sum of their exponentials.
    log_p
        (m^T,) Eq. (1) in logarithms.
    """

    def __init__(self, E: Floats, A: Floats) -> None:
        T, m = E.shape
        numbers = np.arange(m**T)
        self.tags: Integers = np.stack(np.unravel_index(numbers, (m,) * T), axis=1)
        self.scores: Floats = np.zeros(numbers.size)
        for t in range(T):
            self.scores += E[t, self.tags[:, t]]
        for t in range(1, T):
            self.scores += A[self.tags[:, t - 1], self.tags[:, t]]
        top = float(self.scores.max())
        weights = np.exp(self.scores - top)
        self.log_z = top + math.log(math.fsum(weights.tolist()))
        self.log_p: Floats = self.scores - self.log_z
        self._m = m

    def number(self, tags: Integers) -> int:
        """Which of the sequences one is."""
        return int(np.flatnonzero((self.tags == tags).all(axis=1))[0])

    def marginals(self) -> tuple[Floats, Floats]:
        """``p(y_t = j)`` (T, m), and the expected number of every transition (m, m)."""
        m, p = self._m, np.exp(self.log_p)
        unary = [np.bincount(column, p, m) for column in self.tags.T]
        pairwise = np.zeros(m * m)
        for before, after in zip(self.tags.T[:-1], self.tags.T[1:], strict=True):
            pairwise += np.bincount(before * m + after, p, m * m)
        return np.array(unary), pairwise.reshape(m, m)

    def best(self, allowed: Booleans | None = None) -> float:
        """The largest score, of all sequences or of those that are allowed."""
        return float(self.scores.max() if allowed is None else self.scores[allowed].max())

    def divergence(self, other: Paths) -> tuple[float, float]:
        """Eq. (6): ``sum p log(p / q)``, and the same as ``-H(p) - sum p log q``."""
        p = np.exp(self.log_p)
        ratio = math.fsum((p * (self.log_p - other.log_p)).tolist())
        entropy = -math.fsum((p * self.log_p).tolist())
        return ratio, -entropy - math.fsum((p * other.log_p).tolist())
