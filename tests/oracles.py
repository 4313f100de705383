"""Slow and obvious computations of what the package computes cleverly.

Nothing here imports ladtl_np: an oracle that shares code with its subject shares its mistakes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import mpmath
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def paths(T: int, m: int) -> Iterator[tuple[int, ...]]:
    """All ``m**T`` tag sequences, ordered by the last tag, then the one before it, and so on."""
    for reverse in itertools.product(range(m), repeat=T):
        yield reverse[::-1]


def path_score(E: Array, A: Array, path: Sequence[int]) -> float:
    score = sum(float(E[t, tag]) for t, tag in enumerate(path))
    return score + sum(float(A[i, j]) for i, j in itertools.pairwise(path))


def path_probabilities(E: Array, A: Array) -> dict[tuple[int, ...], float]:
    scores = {path: path_score(E, A, path) for path in paths(*E.shape)}
    top = max(scores.values())
    weights = {path: math.exp(score - top) for path, score in scores.items()}
    total = math.fsum(weights.values())
    return {path: weight / total for path, weight in weights.items()}


def enumerated_log_partition(E: Array, A: Array) -> float:
    scores = [path_score(E, A, path) for path in paths(*E.shape)]
    top = max(scores)
    if top == -math.inf:
        return top
    return top + math.log(math.fsum(math.exp(score - top) for score in scores))


def enumerated_marginals(E: Array, A: Array) -> tuple[Array, Array]:
    """Unary (T, m), and pairwise (m, m) summed over the positions."""
    unary, pairwise = np.zeros_like(E), np.zeros_like(A)
    for path, probability in path_probabilities(E, A).items():
        for t, tag in enumerate(path):
            unary[t, tag] += probability
        for i, j in itertools.pairwise(path):
            pairwise[i, j] += probability
    return unary, pairwise


def enumerated_viterbi(E: Array, A: Array) -> tuple[list[int], float]:
    """Best path; among equals the first of `paths`, so the lowest tags from the last token back."""
    best = max(paths(*E.shape), key=lambda path: path_score(E, A, path))
    return list(best), path_score(E, A, best)


def enumerated_kl(E_p: Array, A_p: Array, E_q: Array, A_q: Array) -> float:
    """``KL(p || q)`` of two chains over the same tokens and tags."""
    p, q = path_probabilities(E_p, A_p), path_probabilities(E_q, A_q)
    return math.fsum(p[path] * math.log(p[path] / q[path]) for path in p if p[path] > 0)


def exact_chain(E: Array, A: Array, digits: int = 40) -> tuple[mpmath.mpf, Array, Array]:
    """Log Z and marginals by sums of plain probabilities in ``digits`` decimal digits.

    The exponents of mpmath have no limit, so that nothing needs a logarithm or a scale.
    """
    with mpmath.workdps(digits):
        e = [[mpmath.exp(float(score)) for score in row] for row in E]
        a = [[mpmath.exp(float(score)) for score in row] for row in A]
        tags = range(len(a))
        alpha = [e[0]]
        for row in e[1:]:
            before = alpha[-1]
            alpha.append([row[j] * mpmath.fdot((before[i], a[i][j]) for i in tags) for j in tags])
        beta = [[mpmath.mpf(1) for _ in tags]]
        for row in reversed(e[1:]):
            after = [row[j] * beta[-1][j] for j in tags]
            beta.append([mpmath.fdot((a[i][j], after[j]) for j in tags) for i in tags])
        beta.reverse()
        Z = mpmath.fsum(alpha[-1])
        unary = [
            [float(x * y / Z) for x, y in zip(*rows, strict=True)]
            for rows in zip(alpha, beta, strict=True)
        ]
        pairwise = [[mpmath.mpf(0) for _ in tags] for _ in tags]
        for t in range(1, len(e)):
            for i in tags:
                for j in tags:
                    pairwise[i][j] += alpha[t - 1][i] * a[i][j] * e[t][j] * beta[t][j] / Z
        summed = np.array([[float(p) for p in row] for row in pairwise])
        return mpmath.log(Z), np.array(unary), summed


def gaussian_sum(x: Sequence[float], z: Sequence[float], variances: Sequence[float]) -> float:
    squared = math.fsum((u - v) ** 2 for u, v in zip(x, z, strict=True))
    return math.fsum(math.exp(-squared / (2 * s)) for s in variances)


def looped_mmd(X: Array, Z: Array, variances: Sequence[float]) -> float:
    """Eq. (4), term by term."""

    def mean(P: Array, Q: Array) -> float:
        kernels = [gaussian_sum(p, q, variances) for p in P.tolist() for q in Q.tolist()]
        return math.fsum(kernels) / len(kernels)

    return mean(X, X) + mean(Z, Z) - 2 * mean(X, Z)
