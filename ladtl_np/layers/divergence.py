"""Exact KL divergence of two CRFs' label distributions.                  docs/math/divergence.md"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.memory import Empty
from ladtl_np.kernels.divergence import path_covariance
from ladtl_np.layers.crf import crf_backward, crf_forward
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "DivergenceCache",
    "divergence_backward",
    "divergence_forward",
    "divergence_source_backward",
]


class DivergenceCache(NamedTuple):
    """What divergence_backward needs; written by divergence_forward, valid for that batch only."""

    dE: Floats  # (N, m) the target's marginals minus the source's, over B
    dA: Floats  # (m, m) the same of pairs of neighbours, summed over the batch
    E_s: Floats  # (N, m)
    A_s: Floats  # (m, m)
    DE: Floats  # (N, m) E_s - E_t
    DA: Floats  # (m, m) A_s - A_t
    offsets: Integers  # (T + 1,)


def divergence_forward(
    E_s: Floats,
    A_s: Floats,
    E_t: Floats,
    A_t: Floats,
    offsets: Integers,
    empty: Empty = np.empty,
) -> tuple[float, DivergenceCache]:
    """Mean over the sentences of KL(p_s || p_t), in nats.       docs/math/divergence.md (1), (3)

    Parameters
    ----------
    E_s, E_t
        (N, m) emission scores of both CRFs in packed order, tags numbered alike.
    A_s, A_t
        (m, m) transition scores, finite.
    offsets
        (T + 1,) steps of the packed layout.
    empty
        Makes arrays.

    Returns
    -------
    tuple
        The mean in float64, and the cache.
    """
    if E_s.shape != E_t.shape or A_s.shape != A_t.shape:
        raise ValueError(
            f"both CRFs need the same tags, got scores {E_s.shape} and {E_t.shape}, "
            f"transitions {A_s.shape} and {A_t.shape}"
        )
    sentences = int(offsets[1]) if offsets.size > 1 else 0
    # any one path y serves both chains: its score cancels in (3)
    y = np.zeros(len(E_s), np.int64)
    dnll = np.full(sentences, 1.0 / max(sentences, 1))
    mean_nll, gradients = [], []
    for E, A in ((E_s, A_s), (E_t, A_t)):
        nll, cache = crf_forward(E, A, y, offsets, empty)
        dE, dA = empty(E.shape, E.dtype), np.zeros_like(A)
        dE[...] = 0.0
        crf_backward(dE, dA, dnll, cache, empty)
        mean_nll.append(float(nll @ dnll))
        gradients.append((dE, dA))
    (dE_s, dA_s), (dE_t, dA_t) = gradients
    DE, DA = E_s - E_t, A_s - A_t
    value = _dot(dE_s, DE) + _dot(dA_s, DA) - mean_nll[0] + mean_nll[1]
    dE_t -= dE_s
    dA_t -= dA_s
    return value, DivergenceCache(dE_t, dA_t, E_s, A_s, DE, DA, offsets)


def divergence_backward(dE_t: Floats, dA_t: Floats, dvalue: float, cache: DivergenceCache) -> None:
    """Add the gradients of divergence_forward by the target's scores, (4); p_s is a constant."""
    scale = cache.dE.dtype.type(dvalue)
    dE_t += scale * cache.dE
    dA_t += scale * cache.dA


def divergence_source_backward(
    dE_s: Floats, dA_s: Floats, dvalue: float, cache: DivergenceCache
) -> None:
    """Add the gradients of divergence_forward by the source's scores, (7)."""
    _, _, E, A, DE, DA, offsets = cache
    if not len(E):
        return
    E, A, DE, DA = (part.astype(np.float64) for part in (E, A, DE, DA))
    dE, dA = np.zeros_like(E), np.zeros_like(A)
    messages, scale = np.empty((4, *E.shape)), dvalue / int(offsets[1])
    path_covariance(dE, dA, messages, np.empty(len(A)), scale, E, A, DE, DA, offsets)
    dE_s += dE.astype(dE_s.dtype)
    dA_s += dA.astype(dA_s.dtype)


def _dot(X: Floats, Y: Floats) -> float:
    """Sum of products, in float64."""
    return float(np.einsum("ij,ij->", X, Y, dtype=np.float64))
