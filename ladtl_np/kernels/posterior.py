"""How sure a CRF is of given tags: their path, their spans, each token, in one backward pass.

    alpha_t = q_t (alpha_{t-1} a),      q_t = e_t / c_t         docs/math/crf.md (15)
    beta_{t-1} = a w_t,                 w_t = q_t beta_t                         (17)
    psi_{t-1} = (a where a span goes on, or where it does not) w_t or q_t psi_t  (29)

All in float64, one sentence after the other, so that a result does not depend on what shares a
batch. Where scaled probabilities would not be exact, posterior_log.py works with logarithms.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.kernels.algebra.elementwise import exp
from ladtl_np.kernels.algebra.extremes import largest
from ladtl_np.kernels.posterior_log import (
    Spelling,
    log_forward,
    log_sweep_back,
    opens_span,
    span_of_each_token,
)
from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = ["Chain", "Kinds", "Room", "Steps", "Told", "posteriors", "spread_of_allowed"]


class Steps(NamedTuple):
    """Where a matrix of transitions is not 0: rows that have many such places, and the others'.

    Inside of an entity a tag has two ways on, so that half of the rows of BIOES are nearly empty.
    """

    rows: Integers  # numbers of the rows that are taken whole
    pairs: Integers  # (P, 2) rows and columns of all that is elsewhere


class Kinds(NamedTuple):
    """The tags of each type, and which of them always begin a span, or end one."""

    members: Integers  # (m,) tags by their types
    first: Integers  # where each type begins among them
    opens: Booleans  # (m,) goes on with no tag
    closes: Booleans  # (m,) no tag goes on with it


class Chain(NamedTuple):
    """Transitions of a head, divided by its temperature, and how its tags spell spans."""

    A: Floats  # (m, m) float64, -inf where a tag may not follow
    a: Floats  # (m, m) exp(A - max A)
    a_transposed: Floats
    expected: Floats  # (m, m) a (A - max A), transposed; 0 where a is
    top: float  # max A
    limit: float  # largest range of a token's scores for which scaled space is exact
    inverse_temperature: float
    tags_of: Kinds
    steps: Steps  # of a
    steps_back: Steps  # of a_transposed, and of `expected`
    spelling: Spelling


class Room(NamedTuple):
    """Room for the longest sentence of a batch; holds nothing before or after."""

    X: Floats  # (T, m) its scores, divided by the temperature
    alpha: Floats  # (T, m)
    q: Floats  # (T, m)
    tags: Integers  # (T,)
    gain: Floats  # (T,)
    probability: Floats  # (T,)
    rows: Floats  # (5, m)


class Told(NamedTuple):
    """What is found out, packed like the tags that it is about."""

    log_path: Floats  # (B,) logarithm of the path's probability
    entropy: Floats  # (B,) of all paths, in nats
    token: Floats  # (N,) probability of the span that a token is in; outside, of being outside
    gain: Floats  # (N,) what each token adds to log Z
    unary: Floats  # (N, m) token marginals; (0, m) if they are not wanted


@kernel
def spread_of_allowed(scores: Floats) -> float:
    """The largest difference between two scores of one row that are not -inf; inf for inf, NaN."""
    spread = 0.0
    for n in range(scores.shape[0]):
        most = -np.inf
        least = np.inf
        sound = True
        for score in scores[n]:
            if score == -np.inf:
                continue
            sound &= np.abs(score) < np.inf
            least, most = min(least, score), max(most, score)
        if not sound or most < least:
            return np.inf
        spread = max(spread, most - least)
    return spread


@kernel
def posteriors(
    told: Told, room: Room, tags: Integers, E: Floats, chain: Chain, offsets: Integers
) -> None:
    """Write what a packed batch's scores E (N, m) say of tags (N,), legal or not.

    E is -inf where a sentence may not start or end.               docs/math/crf.md (25) to (30)
    """
    length, spelling = offsets.size - 1, chain.spelling
    for b in range(offsets[1]):
        while offsets[length] - offsets[length - 1] <= b:
            length -= 1
        X, alpha, y = room.X[:length], room.alpha[:length], room.tags[:length]
        gain, probability = room.gain[:length], room.probability[:length]
        for t in range(length):
            row = offsets[t] + b
            y[t] = tags[row]
            for j in range(X.shape[1]):
                X[t, j] = chain.inverse_temperature * E[row, j]
        if spread_of_allowed(X) < chain.limit:
            _forward(alpha, room.q, gain, X, chain)
            sums = _sweep_back(probability, alpha, room, gain, y, chain)
        else:
            before, after = room.rows[0], room.rows[1:3]
            log_forward(alpha, gain, X, chain.A, before, True)
            sums = log_sweep_back(
                probability, alpha, after, X, gain, y, chain.A, spelling, before, -1, -1
            )
        span_of_each_token(probability, y, spelling)
        told.log_path[b] = sums[0]
        told.entropy[b] = 0.0 if sums[1] < 0.0 else sums[1]  # but for rounding it is not
        for t in range(length):
            row = offsets[t] + b
            told.token[row], told.gain[row] = probability[t], gain[t]
            if told.unary.shape[0]:
                told.unary[row] = alpha[t]


@inline
def _forward(alpha: Floats, q: Floats, gain: Floats, X: Floats, chain: Chain) -> None:
    """Write alpha and q (T, m), and gain (T,), what each token adds to log Z."""
    for t in range(X.shape[0]):
        scores, now, weights = X[t], alpha[t], q[t]
        top = largest(scores)
        for j in range(now.size):
            weights[j] = exp(scores[j] - top)
            now[j] = 0.0 if t > 0 else 1.0
        if t > 0:
            _add_product(now, alpha[t - 1], chain.a, chain.steps)
        total = 0.0
        for j in range(now.size):
            now[j] *= weights[j]
            total += now[j]
        inverse = 1.0 / total
        for j in range(now.size):
            now[j] *= inverse
            weights[j] *= inverse
        gain[t] = top + np.log(total) + (chain.top if t > 0 else 0.0)


@inline
def _add_product(out: Floats, x: Floats, W: Floats, steps: Steps) -> None:
    """out += x W of a row x, four rows of W at a time."""
    rows, pairs = steps.rows, steps.pairs
    whole = rows.size - rows.size % 4
    for n in range(0, whole, 4):
        p, q, r, s = W[rows[n]], W[rows[n + 1]], W[rows[n + 2]], W[rows[n + 3]]
        a, b, c, d = x[rows[n]], x[rows[n + 1]], x[rows[n + 2]], x[rows[n + 3]]
        for j in range(out.size):
            out[j] += (a * p[j] + b * q[j]) + (c * r[j] + d * s[j])
    for n in range(whole, rows.size):
        p, a = W[rows[n]], x[rows[n]]
        for j in range(out.size):
            out[j] += a * p[j]
    for n in range(pairs.shape[0]):
        out[pairs[n, 1]] += x[pairs[n, 0]] * W[pairs[n, 0], pairs[n, 1]]


@inline
def _sweep_back(
    probability: Floats, alpha: Floats, room: Room, gain: Floats, tags: Integers, chain: Chain
) -> tuple[float, float]:
    """Turn alpha into token marginals; write probability (T,) of the span that begins at a token.

    Returns the logarithm of the path's probability, and the entropy.
    """
    kinds, goes_on = chain.spelling
    beta, w, psi = room.rows[0], room.rows[1], room.rows[2]
    clamped, expected = room.rows[3], room.rows[4]
    score, entropy = 0.0, 0.0
    for t in range(tags.size - 1, -1, -1):
        tag, X, q = tags[t], room.X[t], room.q[t]
        ends = t + 1 == tags.size
        beta[:] = 1.0 if ends else 0.0
        expected[:] = 0.0
        if not ends:
            _add_product(beta, w, chain.a_transposed, chain.steps_back)
            _add_product(expected, w, chain.expected, chain.steps_back)
        if kinds[tag] > 0:
            on = not ends and goes_on[tag, tags[t + 1]]
            _clamp(psi, ends, on, beta, clamped if on else w, kinds[tag], chain)
        total, mean = 0.0, 0.0
        for i in range(beta.size):
            total += alpha[t, i] * beta[i]
            mean += alpha[t, i] * expected[i]
        # 1 but for rounding, which would grow with the sentence
        inverse = 1.0 / total
        score += X[tag] - gain[t]
        entropy += gain[t]
        if not ends:
            score += chain.A[tag, tags[t + 1]]
            entropy -= chain.top + mean * inverse
        for j in range(beta.size):
            beta[j] *= inverse
            w[j] = q[j] * beta[j]
        if kinds[tag] > 0:
            for j in range(beta.size):
                psi[j] *= inverse
                clamped[j] = q[j] * psi[j]
            came = -1 if t == 0 else tags[t - 1]
            if opens_span(came, tag, kinds, goes_on):
                now, source = alpha[t], alpha[max(0, t - 1)]
                found = _of_span(source, now, psi, clamped, chain, kinds[tag], came)
                probability[t] = min(1.0, found)
        for j in range(beta.size):
            alpha[t, j] *= beta[j]
            if alpha[t, j] > 0:
                entropy -= alpha[t, j] * X[j]
        if kinds[tag] == 0:
            probability[t] = alpha[t, tag]
    return score, entropy


@inline
def _clamp(
    psi: Floats, ends: bool, on: bool, beta: Floats, following: Floats, kind: int, chain: Chain
) -> None:
    """psi of the tags of one type, 0 for all others: on in the span, or out of it."""
    goes_on, (members, first, _, closes) = chain.spelling.goes_on, chain.tags_of
    psi[:] = 0.0
    for n in range(first[kind], first[kind + 1]):
        i = members[n]
        if ends or (closes[i] and not on):
            psi[i] = beta[i]
        elif on:
            for p in range(first[kind], first[kind + 1]):
                k = members[p]
                psi[i] += chain.a[i, k] * following[k] if goes_on[i, k] else 0.0
        else:
            for k in range(psi.size):
                psi[i] += 0.0 if goes_on[i, k] else chain.a[i, k] * following[k]


@inline
def _of_span(
    source: Floats,
    alpha: Floats,
    psi: Floats,
    clamped: Floats,
    chain: Chain,
    kind: int,
    came: int,
) -> float:
    """Probability of the span that begins at a token: all ways into it times those through it."""
    goes_on, (members, first, opens, _) = chain.spelling.goes_on, chain.tags_of
    p = 0.0
    for n in range(first[kind], first[kind + 1]):
        j = members[n]
        if came < 0 or opens[j]:
            p += alpha[j] * psi[j]
            continue
        into = 0.0
        for i in range(psi.size):
            into += 0.0 if goes_on[i, j] else source[i] * chain.a_transposed[j, i]
        p += into * clamped[j]
    return p
