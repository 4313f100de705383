"""The CRF of one domain: negative log-likelihood, marginals, Viterbi.        docs/math/crf.md"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.memory import Empty
from ladtl_np.kernels import crf as scaled
from ladtl_np.kernels import crf_log
from ladtl_np.kernels import viterbi as decoding
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "CrfCache",
    "check_scores",
    "crf_backward",
    "crf_forward",
    "crf_viterbi",
    "fits_scaled_space",
]

# Largest (range of E_t) + 2 (range of A) for which no intermediate value of the scaled recursions
# leaves the dtype's normal numbers (docs/math/crf.md): a little under log(max) of each dtype.
SAFE_RANGE = {np.dtype(np.float32): 80.0, np.dtype(np.float64): 690.0}


class CrfCache(NamedTuple):
    """What crf_backward needs; written by crf_forward, valid for that batch only.

    In log space `e` and `a` are None, and alpha and c are float64 and hold logarithms.
    """

    E: Floats  # (N, m)
    A: Floats  # (m, m)
    tags: Integers  # (N,)
    offsets: Integers  # (T + 1,)
    log_z: Floats  # (B,) float64; in log space only
    alpha: Floats  # (N, m)
    e: Floats | None  # (N, m) exp(E_t - max E_t)
    c: Floats  # (N,) what alpha was divided by; its logarithm in log space
    a: Floats | None  # (m, m) exp(A - max A)


def fits_scaled_space(E: Floats, A: Floats) -> bool:
    """Whether scaled space is exact for these scores; False for infinities and NaN."""
    with np.errstate(invalid="ignore"):  # inf - inf, which plain Python warns of
        spread = scaled.largest_spread(E) + 2.0 * scaled.largest_spread(A.reshape(1, -1))
    return bool(spread < SAFE_RANGE[E.dtype])


def check_scores(E: Floats, A: Floats, offsets: Integers) -> None:
    """Kernels do not check bounds, so shapes that do not fit together must not reach them."""
    m = A.shape[0]
    if A.shape != (m, m) or E.ndim != 2 or E.shape[1] != m:
        raise ValueError(
            f"emissions must be (N, m) and transitions (m, m), got {E.shape} and {A.shape}"
        )
    if not offsets.size or int(offsets[-1]) != E.shape[0]:
        end = int(offsets[-1]) if offsets.size else "nothing"
        raise ValueError(f"offsets must end at the number of tokens, {E.shape[0]}, got {end}")


def crf_forward(
    E: Floats,
    A: Floats,
    tags: Integers,
    offsets: Integers,
    empty: Empty = np.empty,
    *,
    in_scaled_space: bool | None = None,
) -> tuple[Floats, CrfCache]:
    """Negative log-likelihood of each sentence, and the cache.                    Eq. (1), (3)

    Parameters
    ----------
    E
        (N, m) emission scores in packed order, float32 or float64.
    A
        (m, m) transition scores; ``-inf`` forbids a transition.
    tags
        (N,) gold tags.
    offsets
        (T + 1,) steps of the packed layout.
    empty
        Makes the arrays of the cache.
    in_scaled_space
        Whether to work in scaled space or in log space; None takes scaled space where it is exact.

    Returns
    -------
    tuple
        (B,) float64 values of ``log Z - score``, in packed order, and the cache.
    """
    check_scores(E, A, offsets)
    m = A.shape[0]
    if tags.shape != E.shape[:1]:
        raise ValueError(f"tags must be one a token, ({E.shape[0]},), got {tags.shape}")
    if offsets.size < 2:  # no sentence; the kernels read where step 0 ends
        offsets = np.zeros(2, np.int64)
    tokens, sentences = E.shape[0], int(offsets[1])
    gold, z, nll, log_z = (
        np.empty(tokens),
        np.empty(tokens),
        np.empty(sentences),
        np.empty(sentences),
    )
    if not scaled.gold_score(gold, E, A, tags, offsets):
        raise ValueError(
            f"tags must lie in [0, {m}), got [{tags.min()}, {tags.max()}]; "
            "was this corpus encoded with another model's tag set?"
        )
    if fits_scaled_space(E, A) if in_scaled_space is None else in_scaled_space:
        max_a = A.max()
        alpha, e, c = empty(E.shape, E.dtype), empty(E.shape, E.dtype), empty(tokens, E.dtype)
        a = np.exp(A - max_a)
        scaled.crf_scaled_forward(z, alpha, e, c, E, a, float(max_a), offsets)
        scaled.sum_nll(nll, z, c, gold, offsets)
        cache = CrfCache(E, A, tags, offsets, log_z, alpha, e, c, a)
    else:
        alpha = np.empty(E.shape)
        crf_log.crf_log_forward(
            log_z, alpha, z, np.empty(m), E.astype(np.float64), A.astype(np.float64), offsets
        )
        scaled.sum_nll(nll, z, np.empty(0), gold, offsets)
        cache = CrfCache(E, A, tags, offsets, log_z, alpha, None, z, None)
    return nll, cache


def crf_backward(
    dE: Floats, dA: Floats, dnll: Floats, cache: CrfCache, empty: Empty = np.empty
) -> None:
    """Add the gradients of crf_forward to dE (N, m) and dA (m, m), given dnll (B,).

    d nll = (marginals of the model) - (indicator of the gold tags).
    """
    E, A, tags, offsets, log_z, alpha, e, c, a = cache
    m = A.shape[0]
    if e is not None and a is not None:
        scaled.crf_scaled_backward(
            dE,
            dA,
            dnll.astype(E.dtype),
            empty(E.shape, E.dtype),
            empty(E.shape, E.dtype),
            empty(E.shape, E.dtype),
            np.empty_like(a),
            alpha,
            e,
            c,
            a,
            offsets,
        )
    else:
        crf_log.crf_log_backward(
            dE,
            dA,
            dnll.astype(np.float64),
            np.empty(E.shape),
            np.empty(m),
            log_z,
            alpha,
            c,
            E.astype(np.float64),
            A.astype(np.float64),
            offsets,
        )
    scaled.gold_score_backward(dE, dA, -dnll.astype(E.dtype), E, A, tags, offsets)


def crf_viterbi(E: Floats, A: Floats, offsets: Integers) -> tuple[Integers, Floats]:
    """Best tags (N,) in packed order and their scores (B,) float64; ties go to the lowest tag."""
    check_scores(E, A, offsets)
    sentences = int(offsets[1]) if offsets.size > 1 else 0
    best_tags = np.empty(E.shape[0], dtype=np.int64)
    best_score = np.empty(sentences)
    if E.shape[0]:
        A_transposed = np.ascontiguousarray(A.T)
        decoding.viterbi(best_tags, best_score, np.empty_like(E), E, A, A_transposed, offsets)
    return best_tags, best_score
