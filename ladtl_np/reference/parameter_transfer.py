"""Distance of the two CRFs over matched tags (sec. 4.4), and the regulariser (sec. 4.2).

Parameters are finite: a forbidden transition is added to the scores when decoding, never stored in
``A``. The numbers in brackets are the equations of docs/math/parameter_transfer.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladtl_np.shapes import Floats, Integers

__all__ = [
    "CrfWeights",
    "parameter_transfer_backward",
    "parameter_transfer_forward",
    "regulariser_backward",
    "regulariser_forward",
]


class CrfWeights(NamedTuple):
    """Parameters of one domain's CRF, or their gradients."""

    W: Floats  # (2H, m)  emission, one column a tag
    A: Floats  # (m, m)   transition
    b: Floats | None = None  # (m,)  emission bias, where the model has one


def _differences(
    source: CrfWeights, target: CrfWeights, pairs: tuple[Integers, Integers]
) -> tuple[Floats, Floats, Floats | None]:
    s, t = pairs
    return (
        source.W[:, s] - target.W[:, t],
        source.A[np.ix_(s, s)] - target.A[np.ix_(t, t)],
        None if source.b is None or target.b is None else source.b[s] - target.b[t],
    )


def _zeros_like(weights: CrfWeights) -> CrfWeights:
    W, A, b = weights
    return CrfWeights(np.zeros_like(W), np.zeros_like(A), None if b is None else np.zeros_like(b))


def parameter_transfer_forward(
    source: CrfWeights, target: CrfWeights, pairs: tuple[Integers, Integers]
) -> float:
    """``L_p = ||W_s - W_t||^2 + ||A_s - A_t||^2`` over matched tags (sec. 4.4; (1)).

    A bias belongs to the emission scores that sec. 4.4 bounds, as one more row of ``W``, so where
    both CRFs have one its difference is counted too.

    Parameters
    ----------
    source, target : CrfWeights
    pairs : two of (M,)
        Matched tags: source numbers, target numbers.

    Returns
    -------
    float
    """
    # L_p = ||W_s[:, s] - W_t[:, t]||^2 + ||A_s[s, s] - A_t[t, t]||^2 + ||b_s[s] - b_t[t]||^2  (1)
    W, A, b = _differences(source, target, pairs)
    return sum(regulariser_forward(part) for part in (W, A, b) if part is not None)


def parameter_transfer_backward(
    dvalue: float, source: CrfWeights, target: CrfWeights, pairs: tuple[Integers, Integers]
) -> tuple[CrfWeights, CrfWeights]:
    """Gradients of `parameter_transfer_forward`, (2) and (3).

    Parameters
    ----------
    dvalue
        Upstream gradient.
    source, target, pairs
        As in `parameter_transfer_forward`.

    Returns
    -------
    dsource, dtarget : CrfWeights
        In the shapes of the inputs; exactly zero outside the matched tags.
    """
    s, t = pairs
    W, A, b = _differences(source, target, pairs)
    dsource, dtarget = _zeros_like(source), _zeros_like(target)
    # `.at`, because a map may pair one tag with several.
    np.add.at(dsource.W.T, s, 2 * dvalue * W.T)  # reverses (1)
    np.subtract.at(dtarget.W.T, t, 2 * dvalue * W.T)  # reverses (1)
    np.add.at(dsource.A, np.ix_(s, s), 2 * dvalue * A)  # reverses (1)
    np.subtract.at(dtarget.A, np.ix_(t, t), 2 * dvalue * A)  # reverses (1)
    if b is not None and dsource.b is not None and dtarget.b is not None:
        np.add.at(dsource.b, s, 2 * dvalue * b)  # reverses (1)
        np.subtract.at(dtarget.b, t, 2 * dvalue * b)  # reverses (1)
    return dsource, dtarget


def regulariser_forward(P: Floats) -> float:
    """``||P||^2``, one parameter's part of the regulariser (sec. 4.2; (4)).

    Parameters
    ----------
    P : any shape

    Returns
    -------
    float
    """
    # ||P||^2 = sum P^2                                                (4)
    return float((P**2).sum())


def regulariser_backward(dvalue: float, P: Floats) -> Floats:
    """Gradient of `regulariser_forward`, (5).

    Parameters
    ----------
    dvalue
        Upstream gradient.
    P
        As in `regulariser_forward`.

    Returns
    -------
    In the shape of ``P``.
    """
    dP: Floats = 2 * dvalue * P  # reverses (4)
    return dP
