"""Forward-backward of a linear-chain CRF in scaled space, packed.           docs/math/crf.md

With e_t = exp(E_t - max E_t) and a = exp(A - max A), both at most 1:

    alpha_0 = e_0 / c_0       alpha_t = e_t * (alpha_{t-1} a) / c_t       c_t makes rows sum to 1
    beta_{T-1} = 1            beta_{t-1} = a (e_t * beta_t / c_t)
    log Z = sum_t (z_t + log c_t),        z_t = max E_t (+ max A after the first token)
    p(y_t = j) = alpha_t(j) beta_t(j)
    sum_t p(y_{t-1} = i, y_t = j) = a(i, j) sum_t alpha_{t-1}(i) (e_t * beta_t / c_t)(j)

No logarithm or exponential inside the recursions, and they are plain sums of products. Only safe
while the scores' ranges fit the dtype; layers/crf.py guards that and else takes crf_log.py.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.kernels.algebra.elementwise import exp
from ladtl_np.kernels.algebra.extremes import largest
from ladtl_np.kernels.algebra.matmul import multiply, multiply_packed, pack
from ladtl_np.kernels.algebra.sums import total_of
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "crf_scaled_backward",
    "crf_scaled_forward",
    "gold_score",
    "gold_score_backward",
    "largest_spread",
    "sum_nll",
]

# products of the c of a sentence are kept above this and below its inverse
SMALLEST_PRODUCT = 1e-200


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
def gold_score(gold: Floats, E: Floats, A: Floats, tags: Integers, offsets: Integers) -> bool:
    """gold_t = E_t[y_t] + A[y_{t-1}, y_t], what each token adds to the score; (N,) float64.

    False, and nothing of use written, if a tag is not one of the m.
    """
    for row in range(tags.size):
        if not 0 <= tags[row] < A.shape[0]:
            return False
    for t in range(offsets.size - 1):
        for row in range(offsets[t], offsets[t + 1]):
            gold[row] = E[row, tags[row]]
            if t > 0:
                gold[row] += A[tags[offsets[t - 1] + row - offsets[t]], tags[row]]
    return True


@kernel
def sum_nll(nll: Floats, z: Floats, c: Floats, gold: Floats, offsets: Integers) -> None:
    """nll_b = sum_t (z_t + log c_t - gold_t) = log Z - score, inf where gold is forbidden.  Eq. (3)

    Differences are summed, not totals subtracted: a long sentence's totals share all their digits.
    A `c` of size 0 is all ones. Its logarithms are taken of products, as long as these fit.
    """
    nll[:] = 0.0
    products = np.ones(nll.size)
    for t in range(offsets.size - 1):
        for row in range(offsets[t], offsets[t + 1]):
            j = row - offsets[t]
            if gold[row] == -np.inf:
                nll[j] = np.inf
            if nll[j] == np.inf:
                continue
            nll[j] += z[row] - gold[row]
            if c.size:
                product = products[j] * c[row]
                if not SMALLEST_PRODUCT < product < 1.0 / SMALLEST_PRODUCT:
                    nll[j] += np.log(products[j]) + np.log(np.float64(c[row]))
                    product = 1.0
                products[j] = product
    for j in range(nll.size):
        nll[j] += np.log(products[j])


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
    """Write z (N,) float64 and the caches alpha, e, c; log Z is the sum of z_t + log c_t.

    `a` is exp(A - max_a), C-contiguous; alpha and e are (N, m), c is (N,).
    """
    _exponentiate(z, e, E)
    z[offsets[1] :] += max_a
    packed_a = pack(a)
    for t in range(offsets.size - 1):
        first, last = offsets[t], offsets[t + 1]
        now = alpha[first:last]
        if t == 0:
            now[:] = e[:last]
        else:
            before = offsets[t - 1]
            carried = alpha[before : before + last - first]
            multiply_packed(now, carried, packed_a, 0, False)
            _times(now.reshape(-1), e[first:last].reshape(-1))
        _normalise(now, c[first:last])


@inline
def _exponentiate(z: Floats, e: Floats, E: Floats) -> None:
    """z_t = max E_t and e_t = exp(E_t - z_t)."""
    for row in range(E.shape[0]):
        scores, out = E[row], e[row]
        top = largest(scores)
        z[row] = top
        for j in range(out.size):
            out[j] = scores[j] - top
    flat = e.reshape(-1)  # rows may be shorter than a vector
    for k in range(flat.size):
        flat[k] = exp(flat[k])


@inline
def _times(x: Floats, y: Floats) -> None:
    for k in range(x.size):
        x[k] *= y[k]


@inline
def _normalise(alpha: Floats, c: Floats) -> None:
    """c = sum of each row, which is divided by it."""
    one = alpha.dtype.type(1)
    for row in range(alpha.shape[0]):
        now = alpha[row]
        total = total_of(now)
        inverse = one / total
        for j in range(now.size):
            now[j] *= inverse
        c[row] = total


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
            for k in range(out.size):
                out[k] = x[k] * y[k] * inverse
    _add_marginals(dE, alpha_before, dlog_z, alpha, beta, offsets)
    # one product for all transitions of the batch; first tokens have nothing before them
    second = offsets[1]
    multiply(product, alpha_before[second:].T, weighted[second:], False)
    _times(product.reshape(-1), a.reshape(-1))
    dA += product


@inline
def _add_marginals(
    dE: Floats,
    alpha_before: Floats,
    dlog_z: Floats,
    alpha: Floats,
    beta: Floats,
    offsets: Integers,
) -> None:
    """Add dlog_z * marginals to dE; alpha_before is dlog_z * alpha of each token's predecessor."""
    for t in range(offsets.size - 1):
        first = offsets[t]
        for row in range(first, offsets[t + 1]):
            d, out, x, y = dlog_z[row - first], dE[row], alpha[row], beta[row]
            for k in range(out.size):
                out[k] += d * (x[k] * y[k])
            if t > 0:
                source, to = alpha[offsets[t - 1] + row - first], alpha_before[row]
                for k in range(to.size):
                    to[k] = source[k] * d
