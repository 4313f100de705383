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

from ladtl_np._jit import kernel, reducing_kernel
from ladtl_np.kernels.elementwise import exp
from ladtl_np.kernels.extremes import largest
from ladtl_np.kernels.matmul import multiply, multiply_packed, pack
from ladtl_np.shapes import Floats, Integers, Scalar

__all__ = [
    "crf_scaled_backward",
    "crf_scaled_forward",
    "gold_score",
    "gold_score_backward",
    "largest_spread",
    "sum_nll",
]

# from this many tags on a step is a product of register tiles; below it a plain loop is faster
TILED_TAGS = 1


@kernel
def largest_spread(E: Floats) -> float:
    """The largest difference between two scores of one row; inf if one is not finite."""
    spread = 0.0
    for n in range(E.shape[0]):
        row = E[n]
        least, most, zero = row[0], row[0], row[0] - row[0]
        for j in range(row.size):
            least = min(least, row[j])
            most = max(most, row[j])
            zero += row[j] - row[j]  # NaN once a score is not finite
        if not zero == 0:
            return np.inf
        spread = max(spread, np.float64(most) - np.float64(least))
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
    for row in range(E.shape[0]):
        scores, out = E[row], e[row]
        top = largest(scores)
        z[row] = top
        for j in range(out.size):
            out[j] = scores[j] - top
    flat = e.reshape(-1)  # rows may be shorter than a vector
    for k in range(flat.size):
        flat[k] = exp(flat[k])
    one, packed_a = a.dtype.type(1), pack(a)
    for t in range(offsets.size - 1):
        first, last = offsets[t], offsets[t + 1]
        if t == 0:
            alpha[:last] = e[:last]
        else:
            before = offsets[t - 1]
            carried = alpha[before : before + last - first]
            multiply_packed(alpha[first:last], carried, packed_a, 0, False)
            product, factor = alpha[first:last].reshape(-1), e[first:last].reshape(-1)
            for k in range(product.size):
                product[k] *= factor[k]
        for row in range(first, last):
            now = alpha[row]
            total = _sum(now)
            inverse = one / total
            for j in range(now.size):
                now[j] *= inverse
            c[row] = total
    for row in range(c.size):
        z[row] += np.log(np.float64(c[row])) + (max_a if row >= offsets[1] else 0.0)


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
    offsets: Integers,
) -> None:
    """Add dlog_z * marginals to dE (N, m) and dlog_z * expected transitions to dA (m, m).

    Scratch: alpha_before, beta, weighted (N, m), product (m, m).
    """
    m = a.shape[0]
    steps = offsets.size - 1
    one, packed_a = a.dtype.type(1), pack(a.T)
    for t in range(steps - 1, -1, -1):
        first, last = offsets[t], offsets[t + 1]
        carried = 0 if t + 1 == steps else offsets[t + 2] - offsets[t + 1]
        received = weighted[last : last + carried]
        multiply_packed(beta[first : first + carried], received, packed_a, 0, False)
        beta[first + carried : last] = one
        for row in range(first, last):
            inverse = one / c[row]
            out, x, y = weighted[row], e[row], beta[row]
            for k in range(m):
                out[k] = x[k] * y[k] * inverse
    for t in range(steps):
        first = offsets[t]
        for row in range(first, offsets[t + 1]):
            d, out, x, y = dlog_z[row - first], dE[row], alpha[row], beta[row]
            for k in range(m):
                out[k] += d * (x[k] * y[k])
            if t > 0:
                source, to = alpha[offsets[t - 1] + row - first], alpha_before[row]
                for k in range(m):
                    to[k] = source[k] * d
    # one product for all transitions of the batch; first tokens have nothing before them
    second = offsets[1]
    multiply(product, alpha_before[second:].T, weighted[second:], False)
    for i in range(m):
        out, x, y = dA[i], a[i], product[i]
        for j in range(m):
            out[j] += x[j] * y[j]


@reducing_kernel
def _sum(x: Floats) -> Scalar:
    total: Scalar = x.dtype.type(0)
    for k in range(x.size):
        total += x[k]
    return total
