"""Exact KL divergence of the label distributions of two CRFs over one sentence.

The numbers in brackets are the equations of docs/math/divergence.md.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.reference.crf import log_partition, marginals, token_marginals
from ladtl_np.shapes import Floats

__all__ = ["divergence_backward", "divergence_forward", "divergence_source_backward"]


def divergence_forward(E_s: Floats, A_s: Floats, E_t: Floats, A_t: Floats) -> float:
    """``KL(p_s || p_t)`` in nats, (1) by (2).

    Parameters
    ----------
    E_s, E_t : (T, m)
        Emission scores of both CRFs, tags numbered alike.
    A_s, A_t : (m, m)
        Transition scores, finite.

    Returns
    -------
    float
    """
    unary, pairwise = marginals(E_s, A_s)
    # KL = E_{p_s}[score_s - score_t] - log Z_s + log Z_t              (2)
    expected = (unary * (E_s - E_t)).sum() + (pairwise * (A_s - A_t)).sum()
    return float(expected) - log_partition(E_s, A_s) + log_partition(E_t, A_t)


def divergence_backward(
    dvalue: float, E_s: Floats, A_s: Floats, E_t: Floats, A_t: Floats
) -> tuple[Floats, Floats]:
    """Gradients of `divergence_forward` by the target's scores, (4).

    Parameters
    ----------
    dvalue
        Upstream gradient.
    E_s, A_s, E_t, A_t
        As in `divergence_forward`.

    Returns
    -------
    dE_t : (T, m)
    dA_t : (m, m)
    """
    unary_s, pairwise_s = marginals(E_s, A_s)  # reverses E_{p_s}[-score_t] of (2)
    unary_t, pairwise_t = marginals(E_t, A_t)  # reverses log Z_t of (2)
    return dvalue * (unary_t - unary_s), dvalue * (pairwise_t - pairwise_s)


def divergence_source_backward(
    dvalue: float, E_s: Floats, A_s: Floats, E_t: Floats, A_t: Floats
) -> tuple[Floats, Floats]:
    """Gradients of `divergence_forward` by the source's scores, (5) to (7).

    Parameters
    ----------
    dvalue
        Upstream gradient.
    E_s, A_s, E_t, A_t
        As in `divergence_forward`.

    Returns
    -------
    dE_s : (T, m)
    dA_s : (m, m)
    """
    unary, neighbours = token_marginals(E_s, A_s)
    DE, DA = E_s - E_t, A_s - A_t
    T = len(E_s)
    # F_t(j) = E[g up to t | y_t = j];  B_t(i) = E[g after t | y_t = i]            (5), (6)
    F, B = DE.copy(), np.zeros_like(DE)
    for t in range(1, T):
        F[t] += (neighbours[t - 1] * (F[t - 1][:, None] + DA)).sum(axis=0) / unary[t]
    for t in reversed(range(T - 1)):
        B[t] = (neighbours[t] * (DA + DE[t + 1] + B[t + 1])).sum(axis=1) / unary[t]
    mean = (unary[0] * (F[0] + B[0])).sum()
    # Cov([y_t = j], g) = p(y_t = j) (E[g | y_t = j] - E[g])                       (7)
    dE = unary * (F + B - mean)
    dA = np.zeros_like(A_s)
    for t in range(1, T):
        given = F[t - 1][:, None] + DA + (DE[t] + B[t])
        dA += neighbours[t - 1] * (given - mean)
    return dvalue * dE, dvalue * dA
