"""L_p, which holds two domains' CRFs together, and L_r.          docs/math/parameter_transfer.md"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ladtl_np.arrays.parameters import Parameters
from ladtl_np.kernels import parameter_transfer as kernels
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "parameter_transfer_backward",
    "parameter_transfer_forward",
    "regulariser_backward",
    "regulariser_forward",
]

Matched = tuple[Integers, Integers]


def _kinds(weights: Mapping[str, Floats]) -> list[str]:
    return [kind for kind in ("W", "A", "b") if f"target_crf.{kind}" in weights]


def _pair(weights: Mapping[str, Floats], head: str, kind: str) -> tuple[Floats, Floats]:
    """One kind of parameter of a source's head and of the target's, as matrices."""
    source, target = weights[f"{head}.{kind}"], weights[f"target_crf.{kind}"]
    return np.atleast_2d(source), np.atleast_2d(target)


def _matched_places(X: Floats, kind: str, matched: Matched) -> tuple[Integers, ...]:
    """What corresponds: rows and columns of the source's, rows and columns of the target's."""
    source, target = matched
    if kind == "A":
        return source, source, target, target
    rows = np.arange(X.shape[0])
    return rows, source, rows, target


def parameter_transfer_forward(
    weights: Mapping[str, Floats], matched: Matched, head: str = "source_crf"
) -> float:
    """L_p = ||W_s - W_t||^2 + ||A_s - A_t||^2 over matched tags (with biases, theirs too).

    Parameters
    ----------
    weights
        ``source_crf.W`` (2H, m_s), ``source_crf.A`` (m_s, m_s), ``target_crf.W``, ``target_crf.A``,
        and ``.b`` where the model has biases.
    matched
        (M,) source tags and (M,) target tags, each without repetition.
    head
        The source's, of several.
    """
    value = 0.0
    for kind in _kinds(weights):
        X, Y = _pair(weights, head, kind)
        value += kernels.matched_difference(X, Y, *_matched_places(X, kind, matched))
    return value


def parameter_transfer_backward(
    gradients: Mapping[str, Floats],
    dvalue: float,
    weights: Mapping[str, Floats],
    matched: Matched,
    head: str = "source_crf",
) -> None:
    """Add the gradients of parameter_transfer_forward; unmatched tags receive nothing."""
    for kind in _kinds(weights):
        (X, Y), (dX, dY) = _pair(weights, head, kind), _pair(gradients, head, kind)
        places = _matched_places(X, kind, matched)
        twice = X.dtype.type(2.0 * dvalue)
        kernels.matched_difference_backward(dX, dY, twice, X, Y, *places)


def regulariser_forward(weights: Parameters, left_out: Sequence[str] = ()) -> float:
    """L_r = ||theta_b||^2 + ||theta_c||^2: BiLSTMs and CRFs, not embeddings nor those left out."""
    held = sum(float(kernels.squared_norm(weights[name].reshape(-1))) for name in left_out)
    return float(kernels.squared_norm(weights.regularised)) - held


def regulariser_backward(gradients: Parameters, dvalue: float, weights: Parameters) -> None:
    """Add 2 dvalue theta."""
    added = gradients.regularised
    kernels.add_scaled(added, added.dtype.type(2.0 * dvalue), weights.regularised)
