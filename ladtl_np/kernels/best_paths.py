"""The best tag sequences of a sentence: list Viterbi.                     docs/math/crf.md (31)

Of each tag the best prefixes are kept where viterbi.py keeps one. The same sums in the same order
and the same rule for ties, so the first path is the one that is found there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.kernels.algebra.extremes import largest
from ladtl_np.kernels.posterior import Chain
from ladtl_np.kernels.viterbi import KEEP_SMALL_EVERY
from ladtl_np.shapes import Floats, Integers

__all__ = ["Lists", "best_paths", "last_of_paths", "list_piece", "score_paths", "trace_paths"]


class Lists(NamedTuple):
    """The K best prefixes of each tag, best first; a score of -inf stands for none."""

    scores: Floats  # (T + 1, m, K), [0] of the token before
    came_from: Integers  # (T + 1, m, K), the prefix that one prolongs: tag * K + its rank


@kernel
def best_paths(
    paths: Integers,
    log_path: Floats,
    lists: Lists,
    E: Floats,
    gain: Floats,
    A: Floats,
    chain: Chain,
    offsets: Integers,
) -> None:
    """Write paths (K, N) and log_path (K, B), the logarithms of their probabilities, best first.

    Where there are fewer than K, the others are -inf. E (N, m) and A are as for viterbi, and gain
    (N,) is from posterior.posteriors.
    """
    K, m, length = paths.shape[0], A.shape[0], offsets.size - 1
    ends = np.empty(K, np.int64)
    for b in range(offsets[1]):
        while offsets[length] - offsets[length - 1] <= b:
            length -= 1
        rows = np.empty(length, np.int64)
        X = np.empty((length, m), E.dtype)
        for t in range(length):
            rows[t] = offsets[t] + b
            X[t] = E[rows[t]]
        list_piece(lists, X, A, 0)
        last_of_paths(ends, lists.scores[length])
        found = np.zeros((K, length), np.int64)
        trace_paths(found, ends, lists.came_from)
        score_paths(log_path[:, b], found, ends, X, gain[rows], chain)
        for k in range(K):
            for t in range(length):
                paths[k, rows[t]] = found[k, t]


@kernel
def list_piece(lists: Lists, E: Floats, A: Floats, begin: int) -> None:
    """Write lists[1:] for E (n, m) of the tokens from `begin` on; [0] is of the token before."""
    scores, came_from = lists.scores, lists.came_from
    m, K = scores.shape[1], scores.shape[2]
    heads = np.empty(m, E.dtype)
    ways, many = np.empty((m, m), np.int64), np.zeros(m, np.int64)  # where each tag may come from
    for j in range(m):
        for i in range(m):
            if A[i, j] > -np.inf:
                ways[j, many[j]] = i
                many[j] += 1
    for n in range(E.shape[0]):
        now, source = scores[n + 1], came_from[n + 1]
        for j in range(m):
            now[j] = -np.inf
            source[j] = 0
            if begin + n == 0:
                now[j, 0] = E[n, j]
                continue
            for i in ways[j, : many[j]]:
                for k in range(K):
                    candidate = scores[n, i, k] + A[i, j]
                    if not candidate > now[j, K - 1]:
                        break  # none of the tag's others is better
                    _insert(now[j], source[j], candidate, i * K + k)
            for k in range(K):
                now[j, k] += E[n, j]
        if begin + n > 0 and (begin + n) % KEEP_SMALL_EVERY == 0:
            for j in range(m):
                heads[j] = now[j, 0]
            top = largest(heads)
            if top > -np.inf:
                for j in range(m):
                    for k in range(K):
                        now[j, k] -= top


@inline
def _insert(scores: Floats, sources: Integers, score: float, source: int) -> None:
    """Put a score behind all that are as high; the last of the list is lost."""
    k = scores.size - 1
    while k > 0 and score > scores[k - 1]:
        scores[k], sources[k] = scores[k - 1], sources[k - 1]
        k -= 1
    scores[k], sources[k] = score, source


@kernel
def last_of_paths(ends: Integers, scores: Floats) -> None:
    """The prefixes (K,) of the last token that are whole paths, best first; -1 for none."""
    m, K = scores.shape
    best = np.full(K, -np.inf, scores.dtype)
    ends[:] = -1
    for j in range(m):
        for k in range(K):
            if not scores[j, k] > best[K - 1]:
                break
            _insert(best, ends, scores[j, k], j * K + k)


@kernel
def trace_paths(paths: Integers, ends: Integers, came_from: Integers) -> None:
    """Write the tags (K, n) of paths that end in `ends`, which become their ends one piece before.

    came_from[1:] (n, m, K) is of the piece's tokens.
    """
    K = ends.size
    for p in range(K):
        at = ends[p]
        if at < 0:
            continue
        for n in range(paths.shape[1] - 1, -1, -1):
            paths[p, n] = at // K
            at = came_from[n + 1, at // K, at % K]
        ends[p] = at


@kernel
def score_paths(
    log_path: Floats,
    paths: Integers,
    ends: Integers,
    E: Floats,
    gain: Floats,
    chain: Chain,
) -> None:
    """log p of the paths, term by term; -inf where there is none.       docs/math/crf.md (25)"""
    for k in range(ends.size):
        log_path[k] = 0.0 if ends[k] >= 0 else -np.inf
        if ends[k] < 0:
            continue
        for t in range(gain.size):
            log_path[k] += chain.inverse_temperature * E[t, paths[k, t]] - gain[t]
            if t > 0:
                log_path[k] += chain.A[paths[k, t - 1], paths[k, t]]
