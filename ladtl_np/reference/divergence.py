"""Exact KL divergence of the label distributions of two CRFs over one sentence.

The numbers in brackets are the equations of docs/math/divergence.md.
"""

from __future__ import annotations

from ladtl_np.reference.crf import log_partition, marginals
from ladtl_np.shapes import Floats

__all__ = ["divergence_backward", "divergence_forward"]


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
