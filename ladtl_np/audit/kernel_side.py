"""The kernels' loss for an audit: every term with weight 1, whatever the options weigh it with.

The gradient of a sum is linear in the terms' weights, so that of one term is the difference of two
gradients of the whole: with the term, and with the target's likelihood alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ladtl_np.arrays.workers import Workers
from ladtl_np.audit.sides import Case, Side, divergence_possible, two_crfs
from ladtl_np.layers.divergence import divergence_forward
from ladtl_np.layers.linear import affine_forward
from ladtl_np.layers.mmd import mmd_forward
from ladtl_np.model.network import TARGET, source_head
from ladtl_np.objective import LossTerms, Objective, loss_and_gradients, loss_step
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.objective.mmd import chosen_variances, row_pairs
from ladtl_np.shapes import Floats

__all__ = ["FLOORED", "kernel_side", "own_gradients", "total_of", "variances_at"]

Variances = Sequence[Sequence[float]]

NOTHING = {"source_share": 0.0, "w_mmd": 0.0, "w_param": 0.0, "w_reg": 0.0}
EVERYTHING = {"source_share": 0.5, "w_mmd": 1.0, "w_param": 1.0, "w_reg": 1.0}
FLOORED = "mmd above a floor"
FIXED_SOURCE = "divergence, source fixed"


@dataclass(frozen=True, slots=True)
class _Reading:
    """One evaluation, and which of its terms are looked at under which names."""

    objective: Objective
    variances: Variances
    fields: dict[str, str]  # name of the term -> field of LossTerms


def variances_at(case: Case) -> list[tuple[float, ...]]:
    """Variances for each pair of samples of the case, where the network is."""
    return _variances(case, case.objective)


def _hidden(case: Case) -> Floats:
    hidden, _ = encoder_forward(case.network, case.batch, case.mask, Workers())
    return hidden


def _variances(case: Case, objective: Objective) -> list[tuple[float, ...]]:
    return chosen_variances(_hidden(case), row_pairs(case.batch, objective), objective)


def kernel_side(case: Case, rng: np.random.Generator, variances: Variances) -> Side:
    """What the training step computes, term by term."""
    readings = _readings(case, rng, variances)
    terms = [name for reading in readings for name in reading.fields]
    fixed = _FixedSource(case) if divergence_possible(case.network, case.objective) else None
    if fixed is not None:
        terms.append(FIXED_SOURCE)
    workers = Workers()

    def values() -> Floats:
        found = []
        for reading in readings:
            workers.memory.reuse()
            known, _ = loss_step(
                case.network, case.batch, reading.objective, case.mask, reading.variances, workers
            )
            found += [getattr(known, field) for field in reading.fields.values()]
        if fixed is not None:
            found.append(fixed.value())
        found.append(total_of(case.objective, dict(zip(terms, found, strict=True))))
        return np.array(found)

    base = _gradient(case, case.objective.changed(**NOTHING), variances)
    gradients = [
        _term_gradient(case, reading, field, base)
        for reading in readings
        for field in reading.fields.values()
    ]
    if fixed is not None:
        only = {**NOTHING, "w_param": 1.0, "divergence_gradient": "target"}
        kl = case.objective.changed(**only, parameter_transfer="kl")
        gradients.append(_minus(_gradient(case, kl, variances), base))
    gradients.append(_gradient(case, case.objective, variances))
    names = (*terms, "total")
    return Side("kernels", case.network.named(), names, values, tuple(gradients))


def total_of(objective: Objective, terms: dict[str, float]) -> float:
    """The weighted sum of the terms with the model's own weights.             sec. 4.2"""
    options, (share, w_mmd, w_param, w_reg) = objective.options, objective.weights
    mmd = FLOORED if options.mmd_floor else "mmd"
    transfer = "param"
    if options.parameter_transfer == "kl":
        transfer = "divergence" if options.divergence_gradient == "both" else FIXED_SOURCE
    parts = {
        "source_nll": share,
        "target_nll": 1.0 - share,
        mmd: w_mmd,
        transfer: w_param,
        "reg": w_reg,
    }
    return sum(weight * terms[name] for name, weight in parts.items() if weight and name in terms)


def _readings(case: Case, rng: np.random.Generator, variances: Variances) -> list[_Reading]:
    own, network = case.objective, case.network
    fields = {"target_nll": "target_nll", "reg": "reg"}
    if case.source:
        fields["source_nll"] = "source_nll"
    if not case.source or not len(own.matched[0]):
        plain = own.changed(**{**EVERYTHING, "w_mmd": 0.0, "w_param": 0.0})
        return [_Reading(plain, variances, fields)]
    fields["mmd"] = "mmd"
    if two_crfs(network):
        fields["param"] = "param"
    plain = own.changed(**EVERYTHING, mmd_floor=0.0, parameter_transfer="l2")
    other = replace(own.tied(label_weights=None), label_aware=not own.label_aware)
    name = "mmd of all tokens" if own.label_aware else "mmd by label"
    second = {name: "mmd"}
    other = other.changed(**{**EVERYTHING, "w_reg": 0.0, "w_param": 0.0}, mmd_floor=0.0)
    if divergence_possible(network, own):
        second["divergence"] = "param"
        kl = {"parameter_transfer": "kl", "divergence_gradient": "both"}
        other = other.changed(w_param=1.0, **kl)
    readings = [
        _Reading(plain, variances, fields),
        _Reading(other, _variances(case, other), second),
    ]
    floored = _with_floor(case, rng, variances)
    if floored is not None:
        readings.append(_Reading(floored, variances, {FLOORED: "mmd"}))
    return readings


def _with_floor(case: Case, rng: np.random.Generator, variances: Variances) -> Objective | None:
    """The objective with its own floor, or with one that parts the labels, and weighted labels."""
    own = case.objective.changed(**{**NOTHING, "w_mmd": 1.0})
    if own.options.mmd_floor:
        return own
    pairs = row_pairs(case.batch, own)
    if not own.label_aware or len(pairs) < 2:
        return None
    values, _ = mmd_forward(_hidden(case), pairs, variances, Workers())
    ordered = np.sort(values)
    floor = float(ordered[len(pairs) // 2 - 1 : len(pairs) // 2 + 1].mean())
    weights = np.ones(len(own.matched[0])) if own.label_weights is None else own.label_weights
    uneven = weights * rng.uniform(0.5, 1.5, weights.size)
    return own.changed(mmd_floor=max(floor, 0.0)).tied(label_weights=uneven)


def _gradient(case: Case, objective: Objective, variances: Variances) -> dict[str, Floats]:
    return own_gradients(replace(case, objective=objective), variances)[1]


def _term_gradient(
    case: Case, reading: _Reading, field: str, base: dict[str, Floats]
) -> dict[str, Floats]:
    """Gradient of one term of weight 1."""
    if field == "target_nll":
        return base
    if field == "source_nll":  # of half of either domain's
        half = _gradient(case, reading.objective.changed(**{**NOTHING, "source_share": 0.5}), ())
        return {name: 2.0 * half[name] - base[name] for name in base}
    only = reading.objective.changed(**{**NOTHING, f"w_{field}": 1.0})
    return _minus(_gradient(case, only, reading.variances), base)


def _minus(gradients: dict[str, Floats], base: dict[str, Floats]) -> dict[str, Floats]:
    return {name: gradient - base[name] for name, gradient in gradients.items()}


class _FixedSource:
    """The divergence whose source distribution stays where it is when parameters move."""

    def __init__(self, case: Case) -> None:
        self.case = case
        weights, hidden = case.network.weights, _hidden(case)
        self.chains = []
        for number, tie in enumerate(case.objective.ties):
            crf, (source, target) = source_head(number), tie.matched
            same = source[np.argsort(target)]
            b = weights.get(f"{crf}.b")
            W = np.ascontiguousarray(weights[f"{crf}.W"][:, same])
            E = affine_forward(hidden, W, None if b is None else b[same])
            A = np.ascontiguousarray(weights[f"{crf}.A"][np.ix_(same, same)])
            self.chains.append((tie.share, E, A))

    def value(self) -> float:
        """KL(p_s || p_t), in the mean over the sentences, of several sources by their shares."""
        weights, offsets = self.case.network.weights, self.case.batch.offsets
        E = affine_forward(_hidden(self.case), weights[f"{TARGET}.W"], weights.get(f"{TARGET}.b"))
        target = E, weights[f"{TARGET}.A"]
        return sum(
            share * divergence_forward(E_s, A_s, *target, offsets)[0]
            for share, E_s, A_s in self.chains
        )


def own_gradients(case: Case, variances: Variances) -> tuple[LossTerms, dict[str, Floats]]:
    """What the training step itself reports, with the model's own weights."""
    return loss_and_gradients(
        case.network, case.batch, case.objective, dropout_mask=case.mask, variances=variances
    )
