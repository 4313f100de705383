"""What a linear-chain CRF says of one sentence beside its best path: how sure it is.

Arrays are those of `reference.crf`: ``E`` (T, m), ``A`` (m, m), -inf forbids. With the rules of
constrained decoding in them, everything is given that the path is legal. The numbers in brackets
are the equations of docs/math/crf.md.
"""

from __future__ import annotations

import math

import numpy as np

from ladtl_np.reference.crf import log_sum_exp, sequence_score, token_marginals
from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = ["best_paths", "entropy", "span_posterior"]

_Prefix = tuple[float, tuple[int, ...]]  # score and tags


def entropy(E: Floats, A: Floats) -> float:
    """Entropy of the paths of a sentence in nats, (26).

    Parameters
    ----------
    E : (T, m)
    A : (m, m)

    Returns
    -------
    float
        From 0 to ``T log m``; not a number if every path is forbidden.
    """
    unary, neighbours = token_marginals(E, A)
    if not unary.any():
        return math.nan
    # H = H(y_1) + sum_t H(y_t | y_{t-1})                              (26)
    terms = [-_times_log(unary[0], np.ones_like(unary[0]))]
    for before, pairs in zip(unary, neighbours, strict=False):
        terms.append(-_times_log(pairs, np.broadcast_to(before[:, None], pairs.shape)))
    return math.fsum(terms)


def _times_log(p: Floats, given: Floats) -> float:
    """``sum p log(p / given)`` over what is not 0."""
    there = p > 0
    return float((p[there] * np.log(p[there] / given[there])).sum())


def span_posterior(
    E: Floats, A: Floats, kinds: Integers, goes_on: Booleans, span: tuple[int, int, int]
) -> float:
    """Probability that the spans of a path have this one among them, (30).

    Parameters
    ----------
    E : (T, m)
    A : (m, m)
    kinds : (m,)
        Number of each tag's type; 0 for O.
    goes_on : (m, m)
        Whether the column's tag, after the row's, goes on with its span, (28).
    span
        First token, the one after the last, and number of the type.
    """
    first, end, kind = span
    with np.errstate(divide="ignore"):
        inside = np.where(kinds == kind, 0.0, -math.inf)
        stays = np.where(goes_on, A, -math.inf)
        leaves = np.where(goes_on, -math.inf, A)
    message = np.zeros_like(E[0])
    total = message
    for t in range(len(E)):
        # the clamped prefix: a step into the span, on in it, and out of it, (29)
        step = stays if first < t < end else leaves if t in (first, end) else A
        if t > 0:
            message = log_sum_exp(message[:, None] + step, axis=0)
            total = log_sum_exp(total[:, None] + A, axis=0)
        message, total = message + E[t], total + E[t]
        if first <= t < end:
            message = message + inside
        top = total.max()
        message, total = message - top, total - top
    return float(np.exp(log_sum_exp(message) - log_sum_exp(total)))


def best_paths(E: Floats, A: Floats, count: int) -> list[tuple[Integers, float]]:
    """The paths of the highest scores and their scores, best first, (31).

    Parameters
    ----------
    E : (T, m)
    A : (m, m)
    count
        How many; fewer are returned where fewer are not forbidden.

    Returns
    -------
    list
        Among equal scores the one that has the lower tag where two paths part, from the last token
        back; so the first is that of `crf.viterbi`.
    """
    T, m = E.shape
    # of each tag: its best prefixes as (score, path), (31)
    prefixes: list[list[_Prefix]] = [
        [(float(E[0, j]), (j,))] if E[0, j] > -math.inf else [] for j in range(m)
    ]
    for t in range(1, T):
        extended: list[list[_Prefix]] = [
            [
                (float(score + A[i, j] + E[t, j]), (*path, j))
                for i in range(m)
                for score, path in prefixes[i]
                if A[i, j] + E[t, j] > -math.inf
            ]
            for j in range(m)
        ]
        prefixes = [_first(found, count) for found in extended]
    found = _first([prefix for of_tag in prefixes for prefix in of_tag], count)
    paths = [np.array(path, np.int64) for _, path in found]
    return [(path, sequence_score(E, A, path)) for path in paths]


def _first(found: list[_Prefix], count: int) -> list[_Prefix]:
    """The best ones; sorting is stable, and they come by rising tags."""
    return sorted(found, key=lambda prefix: -prefix[0])[:count]
