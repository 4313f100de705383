"""The training objective of one batch of several domains and its gradient.  docs/math/objective.md

L = source_share * mean source NLL + (1 - source_share) * mean target NLL
    + w_mmd * L_LaMMD + w_param * L_p + w_reg * L_r                              sec. 4.2

Of several sources the first, the third and the fourth term are means by the sources' shares, (8).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladtl_np.arrays.parameters import Parameters
from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.layers.parameter_transfer import (
    parameter_transfer_backward,
    parameter_transfer_forward,
    regulariser_backward,
    regulariser_forward,
)
from ladtl_np.model.network import EMBEDDING, SOURCE, TARGET, Network, source_head
from ladtl_np.objective.batching import Batch
from ladtl_np.objective.divergence import divergence_step
from ladtl_np.objective.encoder import encoder_backward, encoder_forward
from ladtl_np.objective.likelihood import Heads
from ladtl_np.objective.mmd import MmdTerm, chosen_variances, row_pairs
from ladtl_np.objective.terms import Gradients, LossTerms, Objective
from ladtl_np.shapes import Floats

__all__ = ["Gradients", "LossTerms", "Objective", "loss_and_gradients", "loss_step", "variances_of"]


def loss_and_gradients(
    network: Network,
    batch: Batch,
    objective: Objective,
    *,
    dropout_mask: Floats | None = None,
    variances: Sequence[Sequence[float]] | None = None,
    workers: Workers | None = None,
) -> tuple[LossTerms, dict[str, Floats]]:
    """Every loss term and the gradient of every named parameter: what audits check.

    Parameters
    ----------
    network
        The model, float64 for checks or float32 as in training (``network.astype``).
    batch
        From ``batching.domain_batch``.
    objective
        Term weights and matched tags.
    dropout_mask
        (N, D) factors for the inputs in packed order; None is no dropout.
    variances
        Per pair of samples, in the order of ``variances_of``: fixes what the median heuristic
        would choose, because its gradient treats the choice as a constant.
    workers
        Threads; one by default.

    Returns
    -------
    tuple
        The terms, and gradients by parameter name in the parameters' own shapes and dtype.

    Raises
    ------
    ValueError
        If words or tags lie outside the model's tables.

    Examples
    --------
    >>> import numpy as np
    >>> from ladtl_np.objective.batching import EncodedSentence, domain_batch
    >>> from ladtl_np.model.network import Architecture, Start, initialise
    >>> sizes = {"vocabulary": 9, "embedding": 4, "hidden": 3, "source_tags": 5, "target_tags": 5}
    >>> start = Start(recurrent="glorot", projection="identity")
    >>> rng = np.random.default_rng(0)
    >>> network = initialise(Architecture.plain(**sizes), rng, start, np.float64)
    >>> sentence = EncodedSentence(words=np.array([1, 2]), tags=np.array([0, 4]))
    >>> same = (np.arange(5), np.arange(5))
    >>> batch = domain_batch([[sentence], [sentence]])
    >>> terms, gradients = loss_and_gradients(network, batch, Objective.la_dtl(same))
    >>> round(terms.mmd, 12), gradients["target_crf.A"].shape
    (0.0, (5, 5))
    """
    with single_threaded_blas():
        terms, found = loss_step(
            network, batch, objective, dropout_mask, variances, workers or Workers()
        )
    table = np.zeros_like(network.embedding)
    table[found.embedding.rows] = found.embedding.values
    return terms, {EMBEDDING: table, **found.weights}


def loss_step(
    network: Network,
    batch: Batch,
    objective: Objective,
    dropout_mask: Floats | None,
    variances: Sequence[Sequence[float]] | None,
    workers: Workers,
) -> tuple[LossTerms, Gradients]:
    """As loss_and_gradients, with the embedding table's gradient left by row: one training step.

    Works in the workers' memory, which the caller may reuse once the gradients have been used.
    """
    weights, memory = network.weights, workers.memory
    ties = objective.ties if batch.sources else ()
    share, w_mmd, w_param, w_reg = objective.weights
    shares = objective.likelihood_shares(ties)
    hidden, encoder = encoder_forward(network, batch, dropout_mask, workers)
    gradients, dhidden = weights.zeros_like(), memory.empty(hidden.shape, hidden.dtype)
    mmd = param = reg = 0.0

    with memory.frame():
        heads = Heads(dhidden, gradients, hidden, batch, network, shares, memory)
        if not w_mmd:
            workers.run(*heads.tasks)
        else:
            term = MmdTerm(hidden, batch, objective, variances, memory)
            workers.run(*heads.tasks, *term.tasks)
            mmd = term.finish(dhidden, workers)
        nll = heads.finish()
    if w_param:
        with memory.frame():
            param = _transfer_step(dhidden, gradients, hidden, batch, network, objective, workers)
    embedding = encoder_backward(gradients, dhidden, encoder, network, workers)
    if w_reg:
        reg = regulariser_forward(weights, objective.frozen)
        regulariser_backward(gradients, w_reg, weights)
    for name in objective.frozen:
        gradients[name][...] = 0.0

    *by_source, target_nll = nll.values()
    source_nll = sum((tie.share * value for tie, value in zip(ties, by_source, strict=True)), 0.0)
    total = share * source_nll + (1.0 - share) * target_nll
    total += w_mmd * mmd + w_param * param + w_reg * reg
    terms = LossTerms(total, source_nll, target_nll, mmd, param, reg)
    return terms, Gradients(gradients, embedding)


def _transfer_step(
    dhidden: Floats,
    gradients: Parameters,
    hidden: Floats,
    batch: Batch,
    network: Network,
    objective: Objective,
    workers: Workers,
) -> float:
    """L_p, or the exact divergence in its place; nothing without two CRFs."""
    sizes, weights, value = network.architecture, network.weights, 0.0
    if sizes.shared_crf or not {SOURCE, TARGET} <= sizes.heads().keys():
        return 0.0
    if objective.options.parameter_transfer == "kl":
        return divergence_step(dhidden, gradients, hidden, batch, network, objective, workers)
    for number, tie in enumerate(objective.ties):
        pair, dvalue = (tie.matched, source_head(number)), objective.weights.w_param * tie.share
        value += tie.share * parameter_transfer_forward(weights, *pair)
        parameter_transfer_backward(gradients, dvalue, weights, *pair)
    return value


def variances_of(
    network: Network,
    batch: Batch,
    objective: Objective,
    *,
    dropout_mask: Floats | None = None,
) -> list[tuple[float, ...]]:
    """The kernel variances that loss_and_gradients would use for each pair of samples."""
    with single_threaded_blas():
        hidden, _ = encoder_forward(network, batch, dropout_mask, Workers())
    return chosen_variances(hidden, row_pairs(batch, objective), objective)
