"""What posterior.py does, in log space: right for any scores, and a piece of a sentence at a time.

    alpha_t(j) = E_t(j) + log sum_i exp(alpha_{t-1}(i) + A(i, j)) - gain_t      docs/math/crf.md (5)
    w_t(k) = E_t(k) + beta_t(k) - gain_t,   beta_{t-1}(i) = log sum_k exp(A(i, k) + w_t(k))
    psi_{t-1}(i): the same sum over the tags k with which a span goes on, or does not       (29)

What one piece hands to the next are alpha on the way forward, and w and psi on the way back.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.kernels.crf_log import log_sum_exp
from ladtl_np.shapes import Booleans, Floats, Integers, Scalar

__all__ = ["Spelling", "log_forward", "log_sweep_back", "opens_span", "span_of_each_token"]


class Spelling(NamedTuple):
    """Which spans tags spell, as conlleval reads them."""

    kinds: Integers  # (m,) number of a tag's type, 0 for O
    goes_on: Booleans  # (m, m) the column's tag goes on with the span of the row's


@inline
def opens_span(before: int, tag: int, kinds: Integers, goes_on: Booleans) -> bool:
    """Whether a span begins at a tag; `before` is -1 at the start of a sentence."""
    return kinds[tag] > 0 and (before < 0 or not goes_on[before, tag])


@kernel
def span_of_each_token(probability: Floats, tags: Integers, spelling: Spelling) -> None:
    """Give every token of a span the probability that stands at its first."""
    for t in range(1, tags.size):
        before, tag = tags[t - 1], tags[t]
        if spelling.kinds[tag] > 0 and spelling.goes_on[before, tag]:
            probability[t] = probability[t - 1]


@kernel
def log_forward(
    alpha: Floats, gain: Floats, X: Floats, A: Floats, before: Floats, begins: bool
) -> None:
    """Write alpha (n, m) and gain (n,), what each token adds to log Z, for scores X (n, m).

    `before` (m,) is alpha of the token before; it has no meaning where the sentence `begins`.
    """
    terms = np.empty(A.shape[0])
    for t in range(X.shape[0]):
        source = before if t == 0 else alpha[t - 1]
        for j in range(terms.size):
            alpha[t, j] = X[t, j]
            if t > 0 or not begins:
                for i in range(terms.size):
                    terms[i] = source[i] + A[i, j]
                alpha[t, j] += log_sum_exp(terms)
        gain[t] = log_sum_exp(alpha[t])
        if gain[t] > -np.inf:
            for j in range(terms.size):
                alpha[t, j] -= gain[t]


@kernel
def log_sweep_back(
    probability: Floats,
    alpha: Floats,
    after: Floats,
    X: Floats,
    gain: Floats,
    tags: Integers,
    A: Floats,
    spelling: Spelling,
    before: Floats,
    tag_before: int,
    tag_after: int,
) -> tuple[float, float]:
    """Turn alpha (n, m) into token marginals; returns what tags (n,) and entropy add to their sums.

    Also writes probability (n,) of the span that begins at a token, or of O, and leaves w and psi
    of the first token in `after` (2, m), where those of the token behind stood. Tags -1 beside the
    piece are ends of the sentence.
    """
    m, (kinds, goes_on) = A.shape[0], spelling
    beta, psi, terms, clamped = np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    score, entropy = 0.0, 0.0
    if gain.min() == -np.inf:  # there is no path
        return -np.inf, np.nan
    for t in range(tags.size - 1, -1, -1):
        tag = tags[t]
        following = tag_after if t + 1 == tags.size else tags[t + 1]
        on = following >= 0 and goes_on[tag, following]
        for i in range(m):
            beta[i] = 0.0
            psi[i] = 0.0 if kinds[i] == kinds[tag] > 0 else -np.inf
            if following < 0:
                continue
            for k in range(m):
                terms[k] = A[i, k] + after[0, k]
            beta[i] = log_sum_exp(terms)
            if psi[i] == 0.0:
                for k in range(m):
                    clamped[k] = -np.inf
                    if goes_on[i, k] == on:
                        clamped[k] = A[i, k] + after[1, k] if on else terms[k]
                psi[i] = log_sum_exp(clamped)
        for i in range(m):
            terms[i] = alpha[t, i] + beta[i]
        total = log_sum_exp(terms)  # 0 but for rounding, which would grow with the sentence
        score += X[t, tag] - gain[t]
        entropy += gain[t]
        if following >= 0:
            score += A[tag, following]
            entropy -= _expected(alpha[t], A, after[0], total)
        for j in range(m):
            beta[j] -= total
            psi[j] -= total
            after[0, j] = X[t, j] + beta[j] - gain[t]
            after[1, j] = X[t, j] + psi[j] - gain[t]
        came = tag_before if t == 0 else tags[t - 1]
        if opens_span(came, tag, kinds, goes_on):
            source = before if t == 0 else alpha[t - 1]
            probability[t] = min(1.0, _of_span(source, alpha[t], psi, after[1], A, goes_on, came))
        for j in range(m):
            alpha[t, j] = np.exp(alpha[t, j] + beta[j])
            if alpha[t, j] > 0:
                entropy -= alpha[t, j] * X[t, j]
        if kinds[tag] == 0:
            probability[t] = alpha[t, tag]
    return score, entropy


@inline
def _expected(alpha: Floats, A: Floats, w: Floats, total: Scalar) -> float:
    """The expected score of the transition behind a token."""
    mean = 0.0
    for i in range(alpha.size):
        for k in range(alpha.size):
            p = np.exp(alpha[i] + A[i, k] + w[k] - total)
            if p > 0:
                mean += p * A[i, k]
    return mean


@inline
def _of_span(
    source: Floats,
    alpha: Floats,
    psi: Floats,
    clamped: Floats,
    A: Floats,
    goes_on: Booleans,
    came: int,
) -> float:
    """Probability of the span that begins at a token: all ways into it times those through it."""
    p = 0.0
    for j in range(psi.size):
        if psi[j] == -np.inf:
            continue
        if came < 0:
            p += np.exp(alpha[j] + psi[j])
            continue
        for i in range(psi.size):
            if not goes_on[i, j]:
                p += np.exp(source[i] + A[i, j] + clamped[j])
    return p
