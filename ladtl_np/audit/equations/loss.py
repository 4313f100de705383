"""The loss of sec. 4.2: every term of a mini-batch, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ladtl_np.arrays.packing import pack
from ladtl_np.audit.chains import of_matched
from ladtl_np.audit.chosen import batch_of
from ladtl_np.audit.comparing import Comparisons
from ladtl_np.audit.equations.discrepancy import matched_by_name
from ladtl_np.audit.equations.literal import literal_chain, literal_head, literal_hidden
from ladtl_np.audit.subject import Subject
from ladtl_np.layers.embedding import dropout_mask
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.model.network import EMBEDDING, SOURCE, TARGET
from ladtl_np.objective import LossTerms, loss_and_gradients, variances_of
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.objective.mmd import row_pairs
from ladtl_np.objective.terms import Objective
from ladtl_np.reference.crf import nll_forward
from ladtl_np.reference.divergence import divergence_forward
from ladtl_np.reference.mmd import mmd_forward
from ladtl_np.reference.parameter_transfer import parameter_transfer_forward, regulariser_forward
from ladtl_np.shapes import Floats

__all__ = ["check_loss"]

_LEAST_DROPOUT = 0.3  # so that a mask is there also where training has none


@dataclass(frozen=True, slots=True)
class _Literal:
    """A mini-batch as the reference sees it: hidden states of each sentence under its mask."""

    subject: Subject
    source: Sequence[EncodedSentence]
    target: Sequence[EncodedSentence]
    hidden_source: Sequence[Floats]
    hidden_target: Sequence[Floats]

    def nll(self, head: str) -> float:
        """``mean of w_i NLL_i`` over one domain's sentences, 0 without any."""
        sides = {SOURCE: (self.source, self.hidden_source)}
        sentences, hidden = sides.get(head, (self.target, self.hidden_target))
        values = []
        for sentence, H in zip(sentences, hidden, strict=True):
            chain = literal_chain(self.subject.network, head, H)
            values.append(sentence.weight * nll_forward(*chain, sentence.tags))
        return float(np.mean(values)) if values else 0.0

    def mmd(self, objective: Objective, variances: Mapping[int, Sequence[float]]) -> float:
        """Eq. (5), each label at least at the floor; or Eq. (4) over all tokens."""
        floor = objective.options.mmd_floor
        H = [np.concatenate(half) for half in (self.hidden_source, self.hidden_target)]
        if not objective.label_aware:
            return max(floor, mmd_forward(H[0], H[1], variances.get(0, REFERENCE_VARIANCES)))
        tags = [
            np.concatenate([sentence.tags for sentence in half])
            for half in (self.source, self.target)
        ]
        assert self.subject.source_tags is not None
        names, total = self.subject.source_tags.tags, 0.0
        for k, (i, j) in enumerate(matched_by_name(self.subject)):
            X, Z = H[0][tags[0] == i], H[1][tags[1] == j]
            value = mmd_forward(X, Z, variances.get(k, REFERENCE_VARIANCES))  # 0 without rows
            if names[i] not in objective.options.exclude_tags:
                total += max(floor, value)
        return total

    def param(self, objective: Objective) -> float:
        """L_p, or the mean of the exact divergence over all sentences; 0 without two CRFs."""
        network = self.subject.network
        sizes = network.architecture
        if sizes.shared_crf or not {SOURCE, TARGET} <= sizes.heads().keys():
            return 0.0
        pairs = matched_by_name(self.subject)
        s, t = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
        if objective.options.parameter_transfer == "l2":
            return parameter_transfer_forward(
                literal_head(network, SOURCE), literal_head(network, TARGET), (s, t)
            )
        values = []
        for H in (*self.hidden_source, *self.hidden_target):
            p = of_matched(literal_chain(network, SOURCE, H), s)
            q = of_matched(literal_chain(network, TARGET, H), t)
            values.append(divergence_forward(*p, *q))
        return float(np.mean(values))

    def reg(self, objective: Objective) -> float:
        """L_r: all weights and biases but embeddings, and but what is frozen."""
        weights = self.subject.network.named()
        left_out = {EMBEDDING, *objective.frozen}
        kept = [n for n in weights if n not in left_out and not n.endswith(".embedding")]
        return sum(regulariser_forward(weights[name]) for name in kept)


def check_loss(
    book: Comparisons,
    subject: Subject,
    source: Sequence[EncodedSentence],
    target: Sequence[EncodedSentence],
    rng: np.random.Generator,
    kind: str = "",
) -> list[tuple[str, LossTerms, LossTerms]]:
    """Compare every term of a mini-batch's loss, under a dropout mask.

    Sentences get weights of their own, and terms that the method leaves out get a weight.

    Returns
    -------
    list
        Name of each variant of the objective, its terms by the kernels and by the reference.
    """
    source, target = (
        [sentence._replace(weight=float(rng.uniform(0.5, 1.5))) for sentence in half]
        for half in (source, target)
    )
    batch = batch_of(source, target, subject.spelled)
    network = subject.network
    rate = max(subject.config.model.dropout, _LEAST_DROPOUT)
    shape = batch.words.size, network.architecture.word_inputs
    mask = dropout_mask(rng, shape, rate, np.float64)
    hidden = _masked_hidden(subject, [*source, *target], mask)
    literal = _Literal(subject, source, target, hidden[: len(source)], hidden[len(source) :])
    told = []
    for name, objective in _variants(subject, bool(source)).items():
        chosen = variances_of(network, batch, objective, dropout_mask=mask)
        pairs = row_pairs(batch, objective)
        variances = {pair.label: each for pair, each in zip(pairs, chosen, strict=True)}
        found, _ = loss_and_gradients(network, batch, objective, dropout_mask=mask)
        wanted = _terms(literal, objective, variances)
        for term, one, other in zip(LossTerms._fields, found, wanted, strict=True):
            where = f"mini-batch of {len(source)} + {len(target)} sentences, {name}{kind}"
            book.add(f"loss of sec. 4.2, {term}: kernels against reference", one, other, where)
        told.append((name, found, wanted))
    return told


def _masked_hidden(
    subject: Subject, sentences: Sequence[EncodedSentence], mask: Floats | None
) -> list[Floats]:
    """Hidden states by the reference, each sentence with its own rows of a packed mask."""
    lengths = np.array([sentence.words.size for sentence in sentences])
    packing = pack(lengths)
    rows = np.split(packing.rows, np.cumsum(lengths)[:-1])
    return [
        literal_hidden(
            subject.network, sentence, subject.spelled, None if mask is None else mask[own]
        )
        for sentence, own in zip(sentences, rows, strict=True)
    ]


def _variants(subject: Subject, two_domains: bool) -> dict[str, Objective]:
    """The objective with every term, and the same with what its options may ask for."""
    own, sizes = subject.objective.weights, subject.network.architecture
    weights: dict[str, Any] = {
        name: getattr(own, name) or 1.0 for name in ("w_mmd", "w_param", "w_reg")
    }
    weights["source_share"] = own.source_share or 0.3
    base = subject.objective.changed(**weights, parameter_transfer="l2")
    variants = {"as in training": base}
    if not two_domains:
        return variants
    variants["MMD with a floor"] = base.changed(mmd_floor=0.5)
    m = subject.objective.matched[0].size
    if m == sizes.source_tags == sizes.target_tags and not sizes.shared_crf:
        variants["exact divergence"] = base.changed(parameter_transfer="kl")
    return variants


def _terms(
    literal: _Literal, objective: Objective, variances: Mapping[int, Sequence[float]]
) -> LossTerms:
    share, w_mmd, w_param, w_reg = objective.weights
    source, target = literal.nll(SOURCE) if literal.source else 0.0, literal.nll(TARGET)
    mmd = literal.mmd(objective, variances) if literal.source else 0.0
    param, reg = literal.param(objective), literal.reg(objective)
    # L = eps L_c^s + (1 - eps) L_c^t + alpha L_MMD + beta L_p + gamma L_r            sec. 4.2
    total = share * source + (1 - share) * target
    total += w_mmd * mmd + w_param * param + w_reg * reg
    return LossTerms(total, source, target, mmd, param, reg)
