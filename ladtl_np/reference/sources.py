"""The whole loss of one mini-batch of several sources and a target.        docs/math/objective.md

Shares sum to 1, so it is the mean, by the sources' shares, of the losses of each source with the
target, (9). Only the regulariser is not: every parameter counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.reference.objective import (
    Gradients,
    ObjectiveWeights,
    Sentence,
    objective_forward_backward,
)
from ladtl_np.reference.parameter_transfer import regulariser_backward, regulariser_forward
from ladtl_np.shapes import Floats, Integers

__all__ = ["SourceSide", "sources_forward_backward"]


class SourceSide(NamedTuple):
    """One source of several."""

    sentences: Sequence[Sentence]
    pairs: tuple[Integers, Integers]  # matched tags: its own numbers, the target's
    share: float
    label_weights: Floats | None = None
    masks: Sequence[Floats] | None = None  # dropout, for each sentence
    domain_masks: tuple[Floats, Floats] | None = None  # its own, the target's


def sources_forward_backward(
    parameters: Mapping[str, Floats],
    sources: Sequence[SourceSide],
    target: Sequence[Sentence],
    *,
    weights: ObjectiveWeights,
    variances: Sequence[float],
    label_aware: bool = True,
    target_masks: Sequence[Floats] | None = None,
) -> tuple[dict[str, float], Gradients]:
    """Loss terms of one mini-batch and the gradient of their weighted sum, (8) and (9).

    Parameters
    ----------
    parameters
        As for `objective_forward_backward`; the second source's are ``source2_crf.W`` and
        ``source2_projection.T``, the third's ``source3_crf.W``.
    sources
        At least one; their shares sum to 1.
    target, weights, variances, label_aware, target_masks
        As there.

    Returns
    -------
    terms, gradients
        As there; terms of a source are means by the shares.
    """
    gradients = {name: np.zeros_like(p) for name, p in parameters.items()}
    terms = dict.fromkeys(("source_nll", "target_nll", "mmd", "param", "reg", "total"), 0.0)
    for number, side in enumerate(sources):
        own = _names_of(number, parameters)
        found, added = objective_forward_backward(
            {name: parameters[own[name]] for name in own},
            side.sentences,
            target,
            weights=weights._replace(w_reg=0.0),
            pairs=side.pairs,
            variances=variances,
            label_weights=side.label_weights,
            label_aware=label_aware,
            source_masks=side.masks,
            target_masks=target_masks,
            domain_masks=side.domain_masks,
        )
        for name in terms:
            terms[name] += side.share * found[name]
        for name, gradient in added.items():
            gradients[own[name]] += side.share * gradient
    terms["reg"] = 0.0
    for name, parameter in parameters.items():
        if not name.endswith("embedding"):
            terms["reg"] += regulariser_forward(parameter)
            gradients[name] += regulariser_backward(weights.w_reg, parameter)
    terms["total"] += weights.w_reg * terms["reg"]
    return terms, gradients


def _names_of(number: int, parameters: Mapping[str, Floats]) -> dict[str, str]:
    """Names as with one source, and what they are for source `number`; no other source's."""
    own, names = "source" if number == 0 else f"source{number + 1}", {}
    for name in parameters:
        domain, _, rest = name.partition("_")
        if not domain.startswith("source"):
            names[name] = name
        elif domain == own:
            names[f"source_{rest}"] = name
    return names
