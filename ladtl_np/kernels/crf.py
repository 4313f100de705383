"""Forward-backward of a linear-chain CRF in scaled space, packed.           docs/math/crf.md

With e_t = exp(E_t - max E_t) and a = exp(A - max A), both at most 1:

    alpha_0 = e_0 / c_0       alpha_t = e_t * (alpha_{t-1} a) / c_t       c_t makes rows sum to 1
    beta_{T-1} = 1            beta_{t-1} = a (e_t * beta_t / c_t)
    log Z = sum_t z_t,        z_t = log c_t + max E_t (+ max A after the first token)
    p(y_t = j) = alpha_t(j) beta_t(j)
    sum_t p(y_{t-1} = i, y_t = j) = a(i, j) sum_t alpha_{t-1}(i) (e_t * beta_t / c_t)(j)

No logarithm or exponential inside the recursions, and they are plain sums of products. Only safe
while the scores' ranges fit the dtype; layers/crf.py guards that and else takes crf_log.py.
"""

from __future__ import annotations

import numpy as np

from ladtl_np._jit import inline, kernel, reducing_kernel
from ladtl_np.kernels.elementwise import exp
from ladtl_np.kernels.matmul import multiply
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "crf_scaled_backward",
    "crf_scaled_forward",
    "gold_score",
    "gold_score_backward",
    "largest_spread",
    "sum_nll",
]

# from this many tags on a step is a product of register tiles; below it a plain loop is faster
TILED_TAGS = 12


@kernel
def largest_spread(E: Floats) -> float:
    """The largest difference between two scores of one row; inf if one is not finite."""
    spread = 0.0
    for n in range(E.shape[0]):
        row = E[n]
        least, largest, zero = row[0], row[0], row[0] - row[0]
        for j in range(row.size):
            least = min(least, row[j])
            largest = max(largest, row[j])
            zero += row[j] - row[j]  # NaN once a score is not finite
        if not zero == 0:
            return np.inf
        spread = max(spread, np.float64(largest) - np.float64(least))
    return spread


@kernel
def gold_score(gold: Floats, E: Floats, A: Floats, tags: Integers, offsets: Integers) -> None:
    """gold_t = E_t[y_t] + A[y_{t-1}, y_t], what each token adds to the score; (N,) float64."""
    for t in range(offsets.size - 1):
        for row in range(offsets[t], offsets[t + 1]):
            gold[row] = E[row, tags[row]]
            if t > 0:
                gold[row] += A[tags[offsets[t - 1] + row - offsets[t]], tags[row]]


@kernel
def sum_nll(nll: Floats, z: Floats, gold: Floats, offsets: Integers) -> None:
    """nll_b = sum_t (z_t - gold_t) = log Z - score, and inf where gold is forbidden.   Eq. (3)

    Differences are summed, not totals subtracted: a long sentence's totals share all their digits.
    """
    nll[:] = 0.0
    for t in range(offsets.size - 1):
        for row in range(offsets[t], offsets[t + 1]):
            j = row - offsets[t]
            if gold[row] == -np.inf:
                nll[j] = np.inf
            elif nll[j] < np.inf:
                nll[j] += z[row] - gold[row]


@kernel
def gold_score_backward(
    dE: Floats,
    dA: Floats,
    dscore: Floats,
    E: Floats,
    A: Floats,
    tags: Integers,
    offsets: Integers,
) -> None:
    """Add dscore (B,) where gold_score read, but not at forbidden scores: they are constants."""
    for t in range(offsets.size - 1):
        for row in range(offsets[t], offsets[t + 1]):
            j = row - offsets[t]
            now = tags[row]
            if E[row, now] > -np.inf:
                dE[row, now] += dscore[j]
            if t > 0:
                before = tags[offsets[t - 1] + j]
                if A[before, now] > -np.inf:
                    dA[before, now] += dscore[j]


@inline
def _times(out: Floats, left: Floats, matrix: Floats) -> None:
    """out = left @ matrix, for few rows and a small square matrix."""
    m = matrix.shape[0]
    if m >= TILED_TAGS:
        multiply(out, left, matrix, False)
        return
    for n in range(left.shape[0]):
        row, sums = left[n], out[n]
        sums[:] = 0.0
        for i in range(m):
            x, weights = row[i], matrix[i]
            for j in range(m):
                sums[j] += x * weights[j]


@kernel
def crf_scaled_forward(
    z: Floats,
    alpha: Floats,
    e: Floats,
    c: Floats,
    E: Floats,
    a: Floats,
    max_a: float,
    offsets: Integers,
) -> None:
    """Write z (N,) float64, whose sum over a sentence is log Z, and the caches alpha, e, c.

    `a` is exp(A - max_a), C-contiguous; alpha and e are (N, m), c is (N,).
    """
    m = a.shape[0]
    for t in range(offsets.size - 1):
        first, last = offsets[t], offsets[t + 1]
        if t > 0:
            before = offsets[t - 1]
            _times(alpha[first:last], alpha[before : before + last - first], a)
        for row in range(first, last):
            largest = E[row, 0]
            for j in range(1, m):
                largest = max(largest, E[row, j])
            for j in range(m):
                e[row, j] = exp(E[row, j] - largest)
            if t == 0:
                for j in range(m):
                    alpha[row, j] = e[row, j]
            else:
                for j in range(m):
                    alpha[row, j] *= e[row, j]
            total = alpha[row, 0]
            for j in range(1, m):
                total += alpha[row, j]
            for j in range(m):
                alpha[row, j] /= total
            c[row] = total
            z[row] = np.log(np.float64(total)) + np.float64(largest)
            if t > 0:
                z[row] += max_a


@kernel
def crf_scaled_backward(
    dE: Floats,
    dA: Floats,
    dlog_z: Floats,
    alpha_before: Floats,
    beta: Floats,
    weighted: Floats,
    product: Floats,
    alpha: Floats,
    e: Floats,
    c: Floats,
    a: Floats,
    a_transposed: Floats,
    offsets: Integers,
) -> None:
    """Add dlog_z * marginals to dE (N, m) and dlog_z * expected transitions to dA (m, m).

    Scratch: alpha_before, beta, weighted (N, m), product (m, m). `a_transposed` is C-contiguous.
    """
    m = a.shape[0]
    N = alpha.shape[0]
    steps = offsets.size - 1
    for t in range(steps - 1, -1, -1):
        first, last = offsets[t], offsets[t + 1]
        carried = 0 if t + 1 == steps else offsets[t + 2] - offsets[t + 1]
        if carried > 0:
            _times(beta[first : first + carried], weighted[last : last + carried], a_transposed)
        for row in range(first, last):
            j = row - first
            if j >= carried:
                for k in range(m):
                    beta[row, k] = 1.0
            d = dlog_z[j]
            for k in range(m):
                dE[row, k] += d * (alpha[row, k] * beta[row, k])
            for k in range(m):
                weighted[row, k] = e[row, k] * beta[row, k] / c[row]
    # one product for all transitions of the batch; first tokens have nothing before them
    second = offsets[1]
    for t in range(1, steps):
        before = offsets[t - 1]
        for row in range(offsets[t], offsets[t + 1]):
            j = row - offsets[t]
            for k in range(m):
                alpha_before[row, k] = alpha[before + j, k] * dlog_z[j]
    if N > second:
        _outer_sum(product, alpha_before[second:], weighted[second:])
        for i in range(m):
            for j in range(m):
                dA[i, j] += a[i, j] * product[i, j]


@reducing_kernel
def _outer_sum(out: Floats, left: Floats, right: Floats) -> None:
    """out = left.T @ right, the sum over rows of outer products."""
    m = out.shape[0]
    if m >= TILED_TAGS:
        multiply(out, left.T, right, False)
        return
    out[:] = 0.0
    for n in range(left.shape[0]):
        x, y = left[n], right[n]
        for i in range(m):
            factor, sums = x[i], out[i]
            for j in range(m):
                sums[j] += factor * y[j]
