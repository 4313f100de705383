"""One sentence under two CRFs: their exact divergence and everything that bounds it.

The numbers in brackets are the equations of docs/math/parameter_transfer.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ladtl_np.audit.chains import Chain, chain_of, of_matched, one_sentence
from ladtl_np.layers.crf import crf_forward, crf_viterbi
from ladtl_np.layers.divergence import divergence_forward
from ladtl_np.layers.parameter_transfer import parameter_transfer_forward
from ladtl_np.model.network import SOURCE, TARGET, Network
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.reference.crf import sequence_score
from ladtl_np.shapes import Floats, Integers

__all__ = ["CHECKS", "Bounds", "Difference", "Path", "bounds_of", "difference_of", "matched_chains"]


class Difference(NamedTuple):
    """What separates two CRFs over their matched tags."""

    W: Floats  # (2H, M), or (2H + 1, M) with the biases as one more row
    A: Floats  # (M, M)
    distance: float  # L_p

    @property
    def biased(self) -> bool:
        """Whether there are biases."""
        return bool(self.W.shape[0] % 2)


class Path(NamedTuple):
    """One tag sequence: its difference of scores, twice, and the factor of (9)."""

    name: str
    difference: float  # s_s(y) - s_t(y), from the scores
    product: float  # the same as the scalar product (8)
    factor: float  # the bracket of (9)


class Bounds(NamedTuple):
    """A sentence's divergence and bounds, in nats."""

    line: int  # where it stands in its corpus
    tokens: int
    kl: float
    low: float  # a, the least s_s - s_t over all tag sequences
    high: float  # b, the largest
    constant: float  # c_1 of (10)
    distance: float  # L_p
    normalisers: float  # log Z_s - log Z_t
    paths: tuple[Path, ...]

    @property
    def hoeffding(self) -> float:
        """``(b - a)^2 / 8``, (7)."""
        return (self.high - self.low) ** 2 / 8

    @property
    def largest(self) -> float:
        """``max d^2 / 2`` over all tag sequences."""
        return max(self.high**2, self.low**2) / 2

    @property
    def quadratic(self) -> float:
        """``c_1 / 2 L_p``, (7) with (10)."""
        return self.constant * self.distance / 2

    @property
    def epsilon(self) -> float:
        """The paper's epsilon: ``sqrt(c_1 L_p)``."""
        return math.sqrt(self.constant * self.distance)

    @property
    def printed(self) -> float:
        """Lemma A.2: ``2 sqrt(c_1 L_p)``."""
        return 2 * self.epsilon

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        bounds = {name: getattr(self, name) for name in ("hoeffding", "quadratic", "printed")}
        paths = [path._asdict() for path in self.paths]
        return {**self._asdict(), "paths": paths, **bounds}


def difference_of(network: Network, matched: tuple[Integers, Integers]) -> Difference:
    """Differences of two CRFs' parameters over matched tags, and L_p as training computes it."""
    weights, (s, t) = network.weights, matched
    W = weights[f"{SOURCE}.W"][:, s] - weights[f"{TARGET}.W"][:, t]
    A = weights[f"{SOURCE}.A"][np.ix_(s, s)] - weights[f"{TARGET}.A"][np.ix_(t, t)]
    if f"{SOURCE}.b" in weights:
        W = np.vstack([W, weights[f"{SOURCE}.b"][s] - weights[f"{TARGET}.b"][t]])
    return Difference(W, A, parameter_transfer_forward(weights, matched))


def matched_chains(
    network: Network, matched: tuple[Integers, Integers], H: Floats
) -> tuple[Chain, Chain]:
    """Scores of a sentence with hidden states H (T, 2H) under both heads, over matched tags."""
    s, t = matched
    return (
        of_matched(chain_of(network, SOURCE, H), s),
        of_matched(chain_of(network, TARGET, H), t),
    )


def bounds_of(
    sentence: EncodedSentence,
    H: Floats,
    chains: tuple[Chain, Chain],
    difference: Difference,
    target_tags: Integers,
) -> Bounds:
    """Divergence and bounds of one sentence.

    Parameters
    ----------
    sentence
        Its gold tags are those of the target.
    H
        (T, 2H) hidden states.
    chains
        Source and target over matched tags.
    difference
        Of the two CRFs.
    target_tags
        (M,) the target's number of each matched tag.
    """
    source, target = chains
    T = len(H)
    offsets = one_sentence(T)
    kl, _ = divergence_forward(*source, *target, offsets)
    DE, DA = source.E - target.E, source.A - target.A
    paths = []
    extremes = {}
    for name, sign in (("largest", 1.0), ("least", -1.0)):
        tags, score = crf_viterbi(sign * DE, sign * DA, offsets)
        extremes[name] = sign * float(score[0])
        paths.append((name, tags))
    place = {tag: k for k, tag in enumerate(target_tags.tolist())}
    gold = [place.get(tag, -1) for tag in sentence.tags.tolist()]
    if min(gold) >= 0:
        paths.append(("gold", np.array(gold)))
    rows = np.column_stack([H, np.ones(T)]) if difference.biased else H
    return Bounds(
        line=sentence.line,
        tokens=T,
        kl=kl,
        low=extremes["least"],
        high=extremes["largest"],
        constant=float(np.linalg.norm(rows, axis=1).sum()) ** 2 + (T - 1.0) ** 2,  # (10)
        distance=difference.distance,
        normalisers=_log_z(source) - _log_z(target),
        paths=tuple(_path(name, tags, DE, DA, rows, difference) for name, tags in paths),
    )


def _log_z(chain: Chain) -> float:
    # log Z = NLL(y) + score(y) for any one path y
    y = np.zeros(len(chain.E), np.int64)
    nll, _ = crf_forward(*chain, y, one_sentence(len(y)))
    return float(nll[0]) + sequence_score(*chain, y)


def _path(
    name: str, tags: Integers, DE: Floats, DA: Floats, rows: Floats, difference: Difference
) -> Path:
    summed = np.zeros((len(DA), rows.shape[1]))
    np.add.at(summed, tags, rows)  # sum of the rows h_t with y_t = k
    counts = np.zeros_like(DA)
    np.add.at(counts, (tags[:-1], tags[1:]), 1.0)
    product = float((summed.T * difference.W).sum() + (counts * difference.A).sum())  # (8)
    factor = float((summed**2).sum() + (counts**2).sum())  # (9)
    return Path(name, sequence_score(DE, DA, tags), product, factor)


Sides = list[tuple[float, float]]
CHECKS: dict[str, Callable[[Bounds], Sides]] = {
    "0 <= KL(p_s || p_t)": lambda b: [(0.0, b.kl)],
    "KL <= (b - a)^2 / 8": lambda b: [(b.kl, b.hoeffding)],
    "(b - a)^2 / 8 <= max d^2 / 2": lambda b: [(b.hoeffding, b.largest)],
    "max d^2 / 2 <= c_1 / 2 L_p": lambda b: [(b.largest, b.quadratic)],
    "lemma A.1 of each path: d(y)^2 <= factor(y) L_p": lambda b: [
        (path.difference**2, path.factor * b.distance) for path in b.paths
    ],
    "lemma A.1, one constant: factor(y) <= c_1": lambda b: [
        (path.factor, b.constant) for path in b.paths
    ],
    "Eq. (7): |s_s(y) - s_t(y)| <= epsilon, at a and b and so for every y": lambda b: [
        (max(abs(b.low), abs(b.high)), b.epsilon)
    ],
    "Eq. (8): |log Z_s - log Z_t| <= epsilon": lambda b: [(abs(b.normalisers), b.epsilon)],
    "KL <= b - a": lambda b: [(b.kl, b.high - b.low)],
    "lemma A.2: b - a <= 2 epsilon, and so KL": lambda b: [
        (b.high - b.low, b.printed),
        (b.kl, b.printed),
    ],
}
"""Each inequality as its two sides, left at most right."""
