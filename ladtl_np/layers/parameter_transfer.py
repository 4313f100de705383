"""L_p, which holds the two CRFs together, and L_r.              docs/math/parameter_transfer.md"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ladtl_np.parameters import Parameters
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "parameter_transfer_backward",
    "parameter_transfer_forward",
    "regulariser_backward",
    "regulariser_forward",
]

Matched = tuple[Integers, Integers]


def _blocks(source: Integers, target: Integers) -> dict[str, tuple[Any, Any]]:
    """Index of what corresponds in the two heads: columns of W, rows and columns of A, b."""
    return {
        "W": ((slice(None), source), (slice(None), target)),
        "A": (np.ix_(source, source), np.ix_(target, target)),
        "b": (source, target),
    }


def _differences(weights: Mapping[str, Floats], matched: Matched) -> dict[str, Floats]:
    return {
        kind: weights[f"source_crf.{kind}"][at_source] - weights[f"target_crf.{kind}"][at_target]
        for kind, (at_source, at_target) in _blocks(*matched).items()
        if f"source_crf.{kind}" in weights
    }


def parameter_transfer_forward(weights: Mapping[str, Floats], matched: Matched) -> float:
    """L_p = ||W_s - W_t||^2 + ||A_s - A_t||^2 over matched tags (with biases, theirs too).

    Parameters
    ----------
    weights
        ``source_crf.W`` (2H, m_s), ``source_crf.A`` (m_s, m_s), ``target_crf.W``, ``target_crf.A``,
        and ``.b`` where the model has biases.
    matched
        (M,) source tags and (M,) target tags, each without repetition.
    """
    return sum(
        float(np.sum(np.square(difference), dtype=np.float64))
        for difference in _differences(weights, matched).values()
    )


def parameter_transfer_backward(
    gradients: Mapping[str, Floats], dvalue: float, weights: Mapping[str, Floats], matched: Matched
) -> None:
    """Add the gradients of parameter_transfer_forward; unmatched tags receive nothing."""
    blocks = _blocks(*matched)
    for kind, difference in _differences(weights, matched).items():
        at_source, at_target = blocks[kind]
        step = 2.0 * dvalue * difference
        gradients[f"source_crf.{kind}"][at_source] += step
        gradients[f"target_crf.{kind}"][at_target] -= step


def regulariser_forward(weights: Parameters) -> float:
    """L_r = ||theta_b||^2 + ||theta_c||^2: BiLSTM and CRFs, not the embeddings."""
    return float(np.sum(np.square(weights.flat), dtype=np.float64))


def regulariser_backward(gradients: Parameters, dvalue: float, weights: Parameters) -> None:
    """Add 2 dvalue theta."""
    gradients.flat += gradients.flat.dtype.type(2.0 * dvalue) * weights.flat
