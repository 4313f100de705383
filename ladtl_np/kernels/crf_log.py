"""Forward-backward of a linear-chain CRF in log space, packed.              docs/math/crf.md

Right for any scores, -inf included, and slower: an exponential per pair of tags and token. It is
what crf.py falls back to. As there, alpha is normalised at every token, here by subtracting
z_t = log sum_j exp(alpha_t(j)), so that rounding does not grow with the sentence:

    log Z = sum_t z_t
    w_t(k) = E_t(k) + beta_t(k) - z_t,        beta_{t-1}(i) = log sum_k exp(A(i, k) + w_t(k))
    p(y_{t-1} = i, y_t = k) = exp(alpha_{t-1}(i) + A(i, k) + w_t(k))

Nothing here may assume that a path exists: where none does, log Z is -inf and the marginals are 0.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.shapes import Floats, Integers, Scalar

__all__ = ["crf_log_backward", "crf_log_forward", "log_sum_exp"]


@inline
def log_sum_exp(x: Floats) -> Scalar:
    """The logarithm of the sum of exponentials of a row; -inf if all of it is."""
    largest: Scalar = x[0]
    for k in range(1, x.size):
        largest = max(largest, x[k])
    if largest == -np.inf:
        return largest
    total = 0.0
    for k in range(x.size):
        total += np.exp(x[k] - largest)
    return largest + np.log(total)


@kernel
def crf_log_forward(
    log_z: Floats,
    alpha: Floats,
    z: Floats,
    scratch: Floats,
    E: Floats,
    A: Floats,
    offsets: Integers,
) -> None:
    """Write log_z (B,) and the caches alpha (N, m), z (N,), all float64; `scratch` is (m,)."""
    m = A.shape[0]
    log_z[:] = 0.0
    for t in range(offsets.size - 1):
        first = offsets[t]
        for row in range(first, offsets[t + 1]):
            if t == 0:
                for j in range(m):
                    alpha[row, j] = E[row, j]
            else:
                # alpha_t(j) = E_t(j) + log sum_i exp(alpha_{t-1}(i) + A(i, j))
                before = offsets[t - 1] + row - first
                for j in range(m):
                    for i in range(m):
                        scratch[i] = alpha[before, i] + A[i, j]
                    alpha[row, j] = E[row, j] + log_sum_exp(scratch)
            z[row] = log_sum_exp(alpha[row])
            log_z[row - first] += z[row]
            if z[row] > -np.inf:
                for j in range(m):
                    alpha[row, j] -= z[row]


@kernel
def crf_log_backward(
    dE: Floats,
    dA: Floats,
    dlog_z: Floats,
    beta: Floats,
    scratch: Floats,
    log_z: Floats,
    alpha: Floats,
    z: Floats,
    E: Floats,
    A: Floats,
    offsets: Integers,
) -> None:
    """Add dlog_z * marginals to dE and dlog_z * expected transitions to dA.

    Scratch, float64: beta (N, m), `scratch` (m,).
    """
    m = A.shape[0]
    steps = offsets.size - 1
    for t in range(steps - 1, -1, -1):
        first, last = offsets[t], offsets[t + 1]
        carried = 0 if t + 1 == steps else offsets[t + 2] - last
        for row in range(first, last):
            j = row - first
            if log_z[j] == -np.inf:
                continue
            for i in range(m):
                if j >= carried:
                    beta[row, i] = 0.0
                    continue
                following = last + j
                for k in range(m):
                    scratch[k] = A[i, k] + (E[following, k] + beta[following, k] - z[following])
                beta[row, i] = log_sum_exp(scratch)
                if alpha[row, i] == -np.inf:
                    continue
                for k in range(m):
                    dA[i, k] += dlog_z[j] * np.exp(alpha[row, i] + scratch[k])
            for i in range(m):
                dE[row, i] += dlog_z[j] * np.exp(alpha[row, i] + beta[row, i])
