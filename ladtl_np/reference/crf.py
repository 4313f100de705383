"""Linear-chain CRF over one sentence: likelihood, marginals, gradient, best path (Eq. (1), (3)).

``E`` (T, m) holds the emission scores, ``A`` (m, m) the transition scores, ``A[i, j]`` from tag
``i`` to tag ``j``; there are no start or stop scores, and ``T >= 1``. A score of ``-inf`` forbids.
Everything is computed with logarithms of probabilities; every message is normalised at once, so
that its rounding error does not grow with the length of the sentence. The numbers in brackets are
the equations of docs/math/crf.md.
"""

from __future__ import annotations

import math

import numpy as np

from ladtl_np.shapes import Floats, Integers

__all__ = [
    "log_likelihood",
    "log_partition",
    "log_sum_exp",
    "marginals",
    "nll_backward",
    "nll_forward",
    "sequence_score",
    "token_marginals",
    "viterbi",
]


def log_sum_exp(scores: Floats, axis: int | None = None) -> Floats:
    """``log sum exp`` along an axis (None: over all); -inf where every term is -inf."""
    top = scores.max(axis=axis, keepdims=True)
    top = np.where(np.isneginf(top), np.zeros_like(top), top)
    with np.errstate(divide="ignore"):  # log 0 = -inf is meant
        total = np.log(np.exp(scores - top).sum(axis=axis, keepdims=True)) + top
    result: Floats = np.squeeze(total, axis=axis)
    return result


def _normalised(message: Floats) -> tuple[Floats, float]:
    """Return the message as log probabilities that sum to 1, and what was taken away."""
    scale = float(log_sum_exp(message))
    return (message - message.dtype.type(scale) if scale > -math.inf else message), scale


def _forward_messages(E: Floats, A: Floats) -> tuple[Floats, list[float]]:
    """``alpha`` (T, m), rows normalised, and the ``T`` logarithms taken away."""
    alpha = np.empty_like(E)
    # alpha_1(j) = e_1(j) - log c_1                                                     (4)
    # alpha_t(j) = e_t(j) + log sum_i exp(alpha_{t-1}(i) + a_ij) - log c_t              (5)
    alpha[0], scale = _normalised(E[0])
    log_c = [scale]
    for t in range(1, len(E)):
        arriving = log_sum_exp(alpha[t - 1][:, None] + A, axis=0)
        alpha[t], scale = _normalised(E[t] + arriving)
        log_c.append(scale)
    return alpha, log_c


def _backward_messages(E: Floats, A: Floats) -> Floats:
    """``beta`` (T, m), rows normalised; the constants cancel in the marginals."""
    beta = np.empty_like(E)
    # beta_T(i) = 0;  beta_t(i) = log sum_j exp(a_ij + e_{t+1}(j) + beta_{t+1}(j)) - const    (7)
    beta[-1] = 0
    for t in reversed(range(len(E) - 1)):
        leaving = log_sum_exp(A + (E[t + 1] + beta[t + 1]), axis=1)
        beta[t], _ = _normalised(leaving)
    return beta


def sequence_score(E: Floats, A: Floats, tags: Integers) -> float:
    """Score of one tag sequence: ``sum_t E[t, y_t] + sum_t A[y_t, y_{t+1}]`` (sec. 3; (1)).

    Parameters
    ----------
    E : (T, m)
    A : (m, m)
    tags : (T,)

    Returns
    -------
    float
        Summed without rounding, -inf if the sequence is forbidden.
    """
    emissions = E[np.arange(len(E)), tags]
    transitions = A[tags[:-1], tags[1:]]
    return math.fsum([*emissions.tolist(), *transitions.tolist()])


def log_partition(E: Floats, A: Floats) -> float:
    """``log Z``: log of the summed exp-scores of all ``m**T`` sequences, (2) by (6).

    Parameters
    ----------
    E : (T, m)
    A : (m, m)

    Returns
    -------
    float
        -inf if every sequence is forbidden.
    """
    # log Z = sum_t log c_t                                            (6)
    _, log_c = _forward_messages(E, A)
    return math.fsum(log_c)


def log_likelihood(E: Floats, A: Floats, tags: Integers) -> float:
    """``log p(y | H)``, Eq. (3).

    Parameters
    ----------
    E : (T, m)
    A : (m, m)
    tags : (T,)

    Returns
    -------
    float
        -inf if ``tags`` is forbidden, also when every other sequence is forbidden too.
    """
    score = sequence_score(E, A, tags)
    return score if score == -math.inf else score - log_partition(E, A)


def marginals(E: Floats, A: Floats) -> tuple[Floats, Floats]:
    """Posterior probabilities of tags and of transitions, (8) and (9).

    Parameters
    ----------
    E : (T, m)
    A : (m, m)

    Returns
    -------
    unary : (T, m)
        ``p(y_t = j)``; rows sum to 1.
    pairwise : (m, m)
        ``sum_t p(y_t = i, y_{t+1} = j)``: expected number of each transition; sums to ``T - 1``.
        Both are all zero if every sequence is forbidden.
    """
    unary, neighbours = token_marginals(E, A)
    return unary, neighbours.sum(axis=0)


def token_marginals(E: Floats, A: Floats) -> tuple[Floats, Floats]:
    """As `marginals`, with the transitions of each token apart.

    Returns
    -------
    unary : (T, m)
    neighbours : (T - 1, m, m)
        ``p(y_{t-1} = i, y_t = j)``; each sums to 1.
    """
    alpha, log_c = _forward_messages(E, A)
    neighbours = np.zeros((len(E) - 1, *A.shape), A.dtype)
    if min(log_c) == -math.inf:
        return np.zeros_like(E), neighbours
    beta = _backward_messages(E, A)
    # p(y_t = j) ~ exp(alpha_t(j) + beta_t(j))                                          (8)
    # p(y_{t-1} = i, y_t = j) ~ exp(alpha_{t-1}(i) + a_ij + e_t(j) + beta_t(j))         (9)
    unary = np.exp(alpha + beta - log_sum_exp(alpha + beta, axis=1)[:, None])
    for t in range(1, len(E)):
        joint = alpha[t - 1][:, None] + A + (E[t] + beta[t])
        neighbours[t - 1] = np.exp(joint - log_sum_exp(joint))
    return unary, neighbours


def nll_forward(E: Floats, A: Floats, tags: Integers) -> float:
    """Negative log-likelihood of one sentence, Eq. (3) with its sign changed; (3).

    Parameters
    ----------
    E : (T, m)
    A : (m, m)
    tags : (T,)
        The gold tags.

    Returns
    -------
    float
        ``+inf`` if the gold tags are forbidden.
    """
    # NLL = log Z - score(y)                                           (3)
    return -log_likelihood(E, A, tags)


def nll_backward(dnll: float, E: Floats, A: Floats, tags: Integers) -> tuple[Floats, Floats]:
    """Gradients of `nll_forward`, (10) and (11): what the model expects minus what was seen.

    Parameters
    ----------
    dnll
        Upstream gradient.
    E, A, tags
        As in `nll_forward`.

    Returns
    -------
    dE : (T, m)
        Rows sum to 0 where nothing is forbidden.
    dA : (m, m)
        Both are always finite, and zero where the score is -inf: what is forbidden is a constant.
    """
    dE, dA = marginals(E, A)  # reverses log Z of (3)
    dE[np.arange(len(E)), tags] -= 1  # reverses score(y) of (3)
    np.subtract.at(dA, (tags[:-1], tags[1:]), 1)  # reverses score(y) of (3)
    dE[np.isneginf(E)] = 0
    dA[np.isneginf(A)] = 0
    return dnll * dE, dnll * dA


def viterbi(E: Floats, A: Floats) -> tuple[Integers, float]:
    """Best tag sequence, (12) and (13).

    Parameters
    ----------
    E : (T, m)
    A : (m, m)

    Returns
    -------
    tags : (T,)
        Ties go to the lowest tag number, decided from the last token back to the first.
    score : float
        The best score; -inf if every sequence is forbidden, and then ``tags`` means nothing.
    """
    T, m = E.shape
    best_before = np.zeros((T, m), np.int64)
    delta = E[0]
    for t in range(1, T):
        # delta_t(j) = e_t(j) + max_i (delta_{t-1}(i) + a_ij)          (12)
        through = delta[:, None] + A
        best_before[t] = through.argmax(axis=0)
        delta = E[t] + through.max(axis=0)
        top = delta.max()
        if top > -math.inf:  # a constant per token changes no comparison and keeps digits
            delta = delta - top
    tags = np.empty(T, np.int64)
    tags[-1] = delta.argmax()
    for t in reversed(range(1, T)):
        # y_{t-1} = argmax_i (delta_{t-1}(i) + a_{i, y_t})             (13)
        tags[t - 1] = best_before[t, tags[t]]
    return tags, sequence_score(E, A, tags)
