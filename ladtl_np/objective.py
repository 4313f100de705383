"""The training objective of one two-domain batch and its whole gradient.    docs/math/objective.md

L = source_share * mean source NLL + (1 - source_share) * mean target NLL
    + w_mmd * L_LaMMD + w_param * L_p + w_reg * L_r                              sec. 4.2
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ladtl_np.batching import Batch, Half
from ladtl_np.layers.bilstm import bilstm_backward, bilstm_forward
from ladtl_np.layers.crf import CrfCache, crf_backward, crf_forward
from ladtl_np.layers.embedding import embedding_backward, embedding_forward
from ladtl_np.layers.linear import affine_backward, affine_forward
from ladtl_np.layers.mmd import RowPair, label_rows, mmd_backward, mmd_forward
from ladtl_np.layers.parameter_transfer import (
    parameter_transfer_backward,
    parameter_transfer_forward,
    regulariser_backward,
    regulariser_forward,
)
from ladtl_np.memory import Memory
from ladtl_np.mmd_variances import REFERENCE_VARIANCES, median_variances
from ladtl_np.network import EMBEDDING, SOURCE, TARGET, Network
from ladtl_np.parameters import Parameters, RowGradient
from ladtl_np.shapes import Floats, Integers
from ladtl_np.workers import Workers, single_threaded_blas

__all__ = ["Gradients", "LossTerms", "Objective", "loss_and_gradients", "loss_step", "variances_of"]


@dataclass(frozen=True, slots=True)
class Objective:
    """Weights of the loss terms, and which tags of the two domains match.

    Attributes
    ----------
    matched
        (M,) source tags and (M,) target tags that mean the same.
    source_share
        The paper's epsilon: weight of the source's mean NLL; the target's is 1 - epsilon.
    w_mmd, w_param, w_reg
        The paper's alpha, beta and gamma. A term with weight 0 is not computed.
    label_aware
        One MMD per matched tag, Eq. (5); else a single one over all tokens.
    label_weights
        (M,) the paper's mu; a tag with weight 0 is left out. None is all ones.
    variances
        The Gaussians' variances s_q, or None for the median heuristic on each pair of samples.
    """

    matched: tuple[Integers, Integers]
    source_share: float = 0.3
    w_mmd: float = 0.02
    w_param: float = 0.03
    w_reg: float = 1e-4
    label_aware: bool = True
    label_weights: Floats | None = None
    variances: tuple[float, ...] | None = REFERENCE_VARIANCES


class LossTerms(NamedTuple):
    """The loss of one batch and its terms, before weighting; float64."""

    total: float
    source_nll: float  # mean over the batch's source sentences
    target_nll: float  # mean over the batch's target sentences
    mmd: float  # L_LaMMD, Eq. (5)
    param: float  # L_p, sec. 4.4
    reg: float  # L_r, sec. 4.2


class Gradients(NamedTuple):
    """Gradient of every parameter, the embedding table's by row."""

    weights: Parameters
    embedding: RowGradient


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
        From ``batching.two_domain_batch``.
    objective
        Term weights and matched tags.
    dropout_mask
        (N, D) factors for the embeddings in packed order; None is no dropout.
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
    >>> from ladtl_np.batching import EncodedSentence, two_domain_batch
    >>> from ladtl_np.network import Architecture, initialise
    >>> sizes = Architecture(vocabulary=9, embedding=4, hidden=3, source_tags=5, target_tags=5)
    >>> network = initialise(sizes, np.random.default_rng(0), np.float64)
    >>> sentence = EncodedSentence(words=np.array([1, 2]), tags=np.array([0, 4]))
    >>> same = (np.arange(5), np.arange(5))
    >>> batch = two_domain_batch([sentence], [sentence])
    >>> terms, gradients = loss_and_gradients(network, batch, Objective(matched=same))
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
    weights, gradients = network.weights, network.weights.zeros_like()
    memory = workers.memory
    X = embedding_forward(network.embedding, batch.words, dropout_mask, memory.empty)
    hidden, encoder = bilstm_forward(X, weights, batch.offsets, workers)
    dhidden = memory.zeros(hidden.shape, hidden.dtype)

    shares = {SOURCE: objective.source_share, TARGET: 1.0 - objective.source_share}
    halves = {SOURCE: batch.source, TARGET: batch.target}
    nll = dict.fromkeys(shares, 0.0)
    heads = [
        _Head(network, gradients, name, halves[name], hidden, shares[name], memory)
        for name in network.architecture.heads()
        if halves[name].sentences
    ]
    with memory.frame():
        workers.run(*(head.run for head in heads))
        for head in heads:
            nll[head.name] = head.mean_nll
            dhidden[head.half.rows] = head.dhidden
    with memory.frame():
        mmd = _mmd_term(dhidden, hidden, batch, objective, variances, workers)
    param = 0.0
    if objective.w_param and {SOURCE, TARGET} <= network.architecture.heads().keys():
        param = parameter_transfer_forward(weights, objective.matched)
        parameter_transfer_backward(gradients, objective.w_param, weights, objective.matched)
    reg = 0.0
    dX = bilstm_backward(gradients, dhidden, encoder, weights, workers)
    if objective.w_reg:
        reg = regulariser_forward(weights)
        regulariser_backward(gradients, objective.w_reg, weights)

    total = sum(shares[name] * nll[name] for name in shares)
    total += objective.w_mmd * mmd + objective.w_param * param + objective.w_reg * reg
    terms = LossTerms(total, nll[SOURCE], nll[TARGET], mmd, param, reg)
    return terms, Gradients(gradients, embedding_backward(dX, batch.words, dropout_mask))


class _Head:
    """Emissions and CRF of one domain, forward and backward; writes only its own arrays."""

    def __init__(
        self,
        network: Network,
        gradients: Parameters,
        name: str,
        half: Half,
        hidden: Floats,
        share: float,
        memory: Memory,
    ) -> None:
        self.name, self.half, self.share, self.memory = name, half, share, memory
        self.weights, self.gradients = network.weights, gradients
        self.all_hidden = hidden

    def run(self) -> None:
        name, half, weights = self.name, self.half, self.weights
        W, bias = weights[f"{name}.W"], weights.get(f"{name}.b")
        empty = self.memory.empty
        hidden = empty((half.rows.size, W.shape[0]), W.dtype)
        np.take(self.all_hidden, half.rows, axis=0, out=hidden, mode="clip")  # unbuffered
        E = affine_forward(hidden, W, bias, empty)
        nll, cache = crf_forward(E, weights[f"{name}.A"], half.tags, half.offsets, empty)
        self.mean_nll = float(nll.sum()) / half.sentences
        dE = self._emission_gradient(cache)
        self.dhidden = affine_backward(
            self.gradients[f"{name}.W"], self.gradients.get(f"{name}.b"), dE, hidden, W, empty
        )

    def _emission_gradient(self, cache: CrfCache) -> Floats:
        dE = self.memory.zeros(cache.E.shape, cache.E.dtype)
        dnll = np.full(self.half.sentences, self.share / self.half.sentences)
        crf_backward(dE, self.gradients[f"{self.name}.A"], dnll, cache, self.memory.empty)
        return dE


def _row_pairs(batch: Batch, objective: Objective) -> tuple[RowPair, ...]:
    source, target = batch.source, batch.target
    if not objective.label_aware:
        if source.rows.size and target.rows.size:
            return (RowPair(0, source.rows, target.rows),)
        return ()
    pairs = label_rows(source.rows, source.tags, target.rows, target.tags, objective.matched)
    mu = objective.label_weights
    return pairs if mu is None else tuple(pair for pair in pairs if mu[pair.label])


def _variances(
    hidden: Floats, pairs: Sequence[RowPair], objective: Objective
) -> list[tuple[float, ...]]:
    if objective.variances is not None:
        return [objective.variances] * len(pairs)
    return [median_variances(hidden[pair.source], hidden[pair.target]) for pair in pairs]


def variances_of(
    network: Network,
    batch: Batch,
    objective: Objective,
    *,
    dropout_mask: Floats | None = None,
) -> list[tuple[float, ...]]:
    """The kernel variances that loss_and_gradients would use for each pair of samples."""
    X = embedding_forward(network.embedding, batch.words, dropout_mask)
    with single_threaded_blas():
        hidden, _ = bilstm_forward(X, network.weights, batch.offsets, Workers())
    return _variances(hidden, _row_pairs(batch, objective), objective)


def _mmd_term(
    dhidden: Floats,
    hidden: Floats,
    batch: Batch,
    objective: Objective,
    variances: Sequence[Sequence[float]] | None,
    workers: Workers,
) -> float:
    """L_LaMMD; adds its weighted gradient to dhidden."""
    if not objective.w_mmd:
        return 0.0
    pairs = _row_pairs(batch, objective)
    chosen = _variances(hidden, pairs, objective) if variances is None else variances
    values, cache = mmd_forward(hidden, pairs, chosen, workers)
    mu = np.ones(len(pairs))
    if objective.label_aware and objective.label_weights is not None:
        mu = np.array([objective.label_weights[pair.label] for pair in pairs])
    mmd_backward(dhidden, objective.w_mmd * mu, cache, workers)
    return float(mu @ values)
