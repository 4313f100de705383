"""Covariance of a CRF's labels with a sum over its path, packed.       docs/math/divergence.md (7)

g(y) sums DE over a path's tokens and DA over its neighbours. With alpha and beta as in crf_log.py,

    F_t(j) = DE_t(j) + sum_i p(y_{t-1} = i | y_t = j) (F_{t-1}(i) + DA(i, j))
    B_t(i) = sum_j p(y_{t+1} = j | y_t = i) (DA(i, j) + DE_{t+1}(j) + B_{t+1}(j))

are what g is expected to sum up to t, and after t, where the tag at t is given. In log space,
because this is not worth a second path for the scores that scaled space cannot hold.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.shapes import Floats, Integers, Scalar

__all__ = ["path_covariance"]


@inline
def _softmax(x: Floats) -> Scalar:
    """Replace x by probabilities in proportion to exp(x); returns log sum exp(x)."""
    largest: Scalar = x[0]
    for k in range(1, x.size):
        largest = max(largest, x[k])
    total = 0.0
    for k in range(x.size):
        x[k] = np.exp(x[k] - largest)
        total += x[k]
    for k in range(x.size):
        x[k] /= total
    return largest + np.log(total)


@inline
def _prefixes(
    alpha: Floats,
    F: Floats,
    p: Floats,
    E: Floats,
    A: Floats,
    DE: Floats,
    DA: Floats,
    offsets: Integers,
) -> None:
    """Write alpha and F (N, m), first token to last."""
    m = A.shape[0]
    for t in range(offsets.size - 1):
        first = offsets[t]
        for row in range(first, offsets[t + 1]):
            for j in range(m):
                alpha[row, j], F[row, j] = E[row, j], DE[row, j]
                if t == 0:
                    continue
                before = offsets[t - 1] + row - first
                for i in range(m):
                    p[i] = alpha[before, i] + A[i, j]
                alpha[row, j] += _softmax(p)
                for i in range(m):
                    F[row, j] += p[i] * (F[before, i] + DA[i, j])


@kernel
def path_covariance(
    dE: Floats,
    dA: Floats,
    messages: Floats,
    p: Floats,
    scale: Scalar,
    E: Floats,
    A: Floats,
    DE: Floats,
    DA: Floats,
    offsets: Integers,
) -> None:
    """Add scale * Cov(indicators, g) to dE (N, m) and dA (m, m).

    All float64, A finite; scratch: `messages` (4, N, m), p (m,).
    """
    alpha, beta, F, B = messages[0], messages[1], messages[2], messages[3]
    m, steps = A.shape[0], offsets.size - 1
    _prefixes(alpha, F, p, E, A, DE, DA, offsets)
    for t in range(steps - 1, -1, -1):
        first, last = offsets[t], offsets[t + 1]
        carried = 0 if t + 1 == steps else offsets[t + 2] - last
        for row in range(first, last):
            following, goes_on = last + row - first, row - first < carried
            for i in range(m):
                beta[row, i], B[row, i] = 0.0, 0.0
                if goes_on:
                    for j in range(m):
                        p[j] = A[i, j] + E[following, j] + beta[following, j]
                    beta[row, i] = _softmax(p)
                    for j in range(m):
                        B[row, i] += p[j] * (DA[i, j] + DE[following, j] + B[following, j])
            for i in range(m):
                p[i] = alpha[row, i] + beta[row, i]
            _softmax(p)
            mean = 0.0  # E[g], at every token the same
            for i in range(m):
                mean += p[i] * (F[row, i] + B[row, i])
            for i in range(m):
                mu = scale * p[i]
                dE[row, i] += mu * (F[row, i] + B[row, i] - mean)
                if not goes_on or mu == 0.0:
                    continue
                # p(y_t = i, y_{t+1} = j) = p(y_t = i) p(y_{t+1} = j | y_t = i)
                for j in range(m):
                    xi = mu * np.exp(A[i, j] + E[following, j] + beta[following, j] - beta[row, i])
                    g = F[row, i] + DA[i, j] + DE[following, j] + B[following, j]
                    dA[i, j] += xi * (g - mean)
