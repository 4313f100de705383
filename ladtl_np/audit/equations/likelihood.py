"""Eq. (1) and (3), marginals and best paths: kernels, reference, and every path one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ladtl_np.audit.comparing import Comparisons
from ladtl_np.audit.equations.packed import PackedChains
from ladtl_np.audit.equations.paths import MOST, Paths
from ladtl_np.layers.crf import crf_backward, crf_forward, crf_viterbi, fits_scaled_space
from ladtl_np.reference import crf as reference
from ladtl_np.shapes import Floats, Integers

__all__ = ["Likelihood", "check_chains", "compare"]

LOG_Z, LOG_P = "Eq. (1): log Z", "Eq. (3): log p(y|H) of the gold tags"
UNARY, PAIRWISE = "marginals p(y_t|H)", "expected transitions"
BEST, OWN = "score of the best path", "best path: its score against that of its tags"


class Likelihood(NamedTuple):
    """One sentence under its own domain's head."""

    where: str
    tokens: int
    emissions: float  # of the gold path
    transitions: float
    log_z: float  # by the kernels, as are the others
    log_p: float
    best: float
    errors: tuple[float, float, float]  # of the last three


class _Kernels(NamedTuple):
    """What the kernels say of a packed batch, sentences in the order of its list."""

    log_p: Floats  # (B,) of the gold paths
    unary: list[Floats]  # (T, m) of each sentence
    pairwise: Floats  # (m, m) weighted sum over the sentences


def compare(
    book: Comparisons,
    what: str,
    kernels: Mapping[str, Any],
    literal: Any,
    listed: Any,
    where: str,
) -> float:
    """Compare kernels by name with the reference, and all with enumeration where it is there."""
    errors = [
        book.add(f"{what}, {name} against reference", value, literal, where)
        for name, value in kernels.items()
    ]
    if listed is not None:
        for name, value in {**kernels, "reference": literal}.items():
            errors.append(book.add(f"{what}, {name} against all paths", value, listed, where))
    return max(errors)


def check_chains(
    book: Comparisons, chains: PackedChains, rng: np.random.Generator
) -> list[Likelihood]:
    """Compare all that is computed of some chains; with enumeration those that are short enough."""
    weights = rng.uniform(0.5, 1.5, len(chains.where))  # no sentence can stand in for another
    spaces = {"log space": False}
    if fits_scaled_space(chains.E, chains.A):
        spaces = {"scaled space": True, **spaces}
    kernels = {name: _compute(chains, weights, scaled) for name, scaled in spaces.items()}
    best_tags, best = crf_viterbi(chains.E, chains.A, chains.packing.offsets)
    literal_sum, listed_sum = np.zeros_like(chains.A), np.zeros_like(chains.A)
    found, short = [], 0
    members = zip(chains.chains(), chains.rows(), chains.rank.tolist(), strict=True)
    for n, ((where, (E, A), gold), rows, rank) in enumerate(members):
        paths = Paths(E, A) if E.shape[1] ** len(E) <= MOST else None
        score = reference.sequence_score(E, A, gold)
        log_p = {name: float(each.log_p[n]) for name, each in kernels.items()}
        log_z = {name: score - value for name, value in log_p.items()}
        listed = None if paths is None else paths.log_p[paths.number(gold)]
        own = None if paths is None else paths.log_z
        errors = (
            compare(book, LOG_Z, log_z, reference.log_partition(E, A), own, where),
            compare(book, LOG_P, log_p, reference.log_likelihood(E, A, gold), listed, where),
            _check_best(book, (E, A), best_tags[rows], float(best[rank]), paths, where),
        )
        unary, pairwise = reference.marginals(E, A)
        listed_unary, listed_pairwise = (None, None) if paths is None else paths.marginals()
        by_space = {name: each.unary[n] for name, each in kernels.items()}
        compare(book, UNARY, by_space, unary, listed_unary, where)
        literal_sum += weights[n] * pairwise
        if listed_pairwise is not None:
            listed_sum += weights[n] * listed_pairwise
            short += 1
        name = next(iter(kernels))
        emissions = float(E[np.arange(len(E)), gold].sum())
        parts = emissions, score - emissions, log_z[name], log_p[name], float(best[rank])
        found.append(Likelihood(where, len(E), *parts, errors))
    whole = {name: each.pairwise for name, each in kernels.items()}
    all_listed = listed_sum if short == len(found) else None
    compare(book, PAIRWISE, whole, literal_sum, all_listed, f"{chains.where[0]} and others")
    return found


def _compute(chains: PackedChains, weights: Floats, scaled: bool) -> _Kernels:
    """Forward and backward of the kernels, in the space that is asked for."""
    E, A, tags, offsets = chains.E, chains.A, chains.tags, chains.packing.offsets
    order, rank = chains.packing.order, chains.rank
    nll, cache = crf_forward(E, A, tags, offsets, in_scaled_space=scaled)
    dE, dA = np.zeros_like(E), np.zeros_like(A)
    crf_backward(dE, dA, weights[order], cache)
    # the gradient is the model's expectation minus what the gold path has
    unary = []
    for n, ((_, _, gold), rows) in enumerate(zip(chains.chains(), chains.rows(), strict=True)):
        expected = dE[rows] / weights[n]
        expected[np.arange(len(gold)), gold] += 1.0
        unary.append(expected)
        np.add.at(dA, (gold[:-1], gold[1:]), weights[n])
    return _Kernels(-nll[rank], unary, dA)


def _check_best(
    book: Comparisons,
    chain: tuple[Floats, Floats],
    tags: Integers,
    best: float,
    paths: Paths | None,
    where: str,
) -> float:
    """Scores, not tags, are compared: of two best paths either is right."""
    literal_tags, literal = reference.viterbi(*chain)
    listed = None if paths is None else paths.best()
    error = compare(book, BEST, {"kernels": best}, literal, listed, where)
    book.add(f"{OWN}, kernels", best, reference.sequence_score(*chain, tags), where)
    book.add(f"{OWN}, reference", literal, reference.sequence_score(*chain, literal_tags), where)
    return error
