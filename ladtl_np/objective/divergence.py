"""The exact divergence as a term of the objective, in the place of L_p.  docs/math/divergence.md"""

from __future__ import annotations

import numpy as np

from ladtl_np.arrays.parameters import Parameters
from ladtl_np.arrays.workers import Workers
from ladtl_np.layers.divergence import (
    divergence_backward,
    divergence_forward,
    divergence_source_backward,
)
from ladtl_np.layers.linear import affine_backward, affine_forward
from ladtl_np.model.network import TARGET, Network, source_head
from ladtl_np.objective.batching import Batch
from ladtl_np.objective.terms import Objective, SourceTie
from ladtl_np.shapes import Floats

__all__ = ["divergence_step"]


def divergence_step(
    dhidden: Floats,
    gradients: Parameters,
    hidden: Floats,
    batch: Batch,
    network: Network,
    objective: Objective,
    workers: Workers,
) -> float:
    """Mean of KL(p_s || p_t) over all sentences of the batch, whichever domain they are from.

    Of several sources the mean by their shares. Adds its weighted gradient to the target CRF's and,
    through the target's scores, to dhidden. With ``divergence_gradient="both"`` the sources' CRFs
    and scores receive theirs; else their distributions are constants.
    """
    value = 0.0
    for number, tie in enumerate(objective.ties):
        given = batch, network, objective, workers
        with workers.memory.frame():
            value += tie.share * _pair(dhidden, gradients, hidden, *given, source_head(number), tie)
    return value


def _pair(
    dhidden: Floats,
    gradients: Parameters,
    hidden: Floats,
    batch: Batch,
    network: Network,
    objective: Objective,
    workers: Workers,
    head: str,
    tie: SourceTie,
) -> float:
    """The mean divergence of one source; its gradient is that by its share."""
    weights, empty = network.weights, workers.memory.empty
    options, (source, target) = objective.options, tie.matched
    weight = objective.weights.w_param * tie.share
    own, m = network.architecture.heads()[head], network.architecture.target_tags
    if not (source.size == m == own):
        raise ValueError(
            "the divergence needs every tag of both domains matched: "
            f"{source.size} matched, {own} source tags, {m} target's"
        )
    same = source[np.argsort(target)]  # the source's number of each target tag
    W, A, b = weights[f"{head}.W"], weights[f"{head}.A"], weights.get(f"{head}.b")
    W_s, b_s = np.ascontiguousarray(W[:, same]), None if b is None else b[same]
    A_s = np.ascontiguousarray(A[np.ix_(same, same)])
    W_t, A_t, b_t = weights[f"{TARGET}.W"], weights[f"{TARGET}.A"], weights.get(f"{TARGET}.b")
    E_s, E_t = affine_forward(hidden, W_s, b_s, empty), affine_forward(hidden, W_t, b_t, empty)
    value, cache = divergence_forward(E_s, A_s, E_t, A_t, batch.offsets, empty)

    dE = workers.memory.zeros(E_t.shape, E_t.dtype)
    divergence_backward(dE, gradients[f"{TARGET}.A"], weight, cache)
    dW, db = gradients[f"{TARGET}.W"], gradients.get(f"{TARGET}.b")
    dhidden += affine_backward(dW, db, dE, hidden, W_t, empty)
    if options.divergence_gradient == "both":
        dE[...] = 0.0
        dW, dA = np.zeros_like(W_s), np.zeros_like(A_s)
        db = None if b_s is None else np.zeros_like(b_s)
        divergence_source_backward(dE, dA, weight, cache)
        dhidden += affine_backward(dW, db, dE, hidden, W_s, empty)
        gradients[f"{head}.W"][:, same] += dW
        gradients[f"{head}.A"][np.ix_(same, same)] += dA
        if db is not None:
            gradients[f"{head}.b"][same] += db
    return value
