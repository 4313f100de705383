"""Whether probabilities of predicted entities hold: how often entities of one are right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "WANTED_PRECISION", "Bin", "Calibration", "Judged", "Kept", "calibration"]

BINS = 10
"""Bins of equal width that probabilities fall into."""
WANTED_PRECISION = 0.95
SHARES = tuple(n / 10 for n in range(1, 11))

Numbers = NDArray[np.float64]


class Judged(NamedTuple):
    """A predicted entity: its type, its probability, and whether it is in the gold."""

    kind: str
    probability: float
    right: bool


class Bin(NamedTuple):
    """Entities of like probability; what there is none of is 0."""

    least: float
    most: float
    entities: int
    probability: float  # mean
    right: float  # share


class Kept(NamedTuple):
    """What is left if only the most probable entities are kept."""

    least: float  # smallest probability that is kept
    share: float  # of the predicted entities
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well probabilities hold; the ratios are 0.0 where there is no entity.

    Attributes
    ----------
    gold, predicted
        Entities.
    mean, precision
        Mean probability, and the share that is right; equal if the model is neither too sure nor
        not sure enough.
    ece
        Expected calibration error: the mean distance of the two in the bins, by entities.
    brier
        Mean of (probability - right)², over the predicted entities.
    bins
        For a reliability diagram.
    curve
        Precision and recall by the share of entities that is kept, most probable first.
    at_precision
        As many as can be kept with a precision of `WANTED_PRECISION`; None if there are none.
    """

    gold: int
    predicted: int
    mean: float
    precision: float
    ece: float
    brier: float
    bins: tuple[Bin, ...]
    curve: tuple[Kept, ...]
    at_precision: Kept | None

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        at = self.at_precision
        return {
            "gold": self.gold,
            "predicted": self.predicted,
            "mean_probability": self.mean,
            "precision": self.precision,
            "ece": self.ece,
            "brier": self.brier,
            "bins": [one._asdict() for one in self.bins],
            "curve": [one._asdict() for one in self.curve],
            "wanted_precision": WANTED_PRECISION,
            "at_wanted_precision": None if at is None else at._asdict(),
        }


def calibration(judged: Sequence[Judged], gold: Mapping[str, int]) -> dict[str, Calibration]:
    """Calibration of all entities, under "", and of each type.

    Parameters
    ----------
    judged
        The predicted entities.
    gold
        Number of gold entities of each type.
    """
    kinds = sorted({*gold, *(one.kind for one in judged)})
    parts = {kind: [one for one in judged if one.kind == kind] for kind in kinds}
    found = {"": _calibration(judged, sum(gold.values()))}
    return found | {kind: _calibration(part, gold.get(kind, 0)) for kind, part in parts.items()}


def _calibration(judged: Sequence[Judged], gold: int) -> Calibration:
    p = np.array([one.probability for one in judged], np.float64)
    right = np.array([one.right for one in judged], np.float64)
    bins = tuple(_bins(p, right))
    kept = list(_kept(p, right, gold))
    n = max(1, p.size)
    enough = [one for one in kept if one.precision >= WANTED_PRECISION]
    return Calibration(
        gold,
        p.size,
        float(p.sum() / n),
        float(right.sum() / n),
        sum(one.entities * abs(one.probability - one.right) for one in bins) / n,
        float(((p - right) ** 2).sum() / n),
        bins,
        tuple(_at_shares(kept)),
        enough[-1] if enough else None,
    )


def _bins(p: Numbers, right: Numbers) -> Iterator[Bin]:
    """1 belongs to the last bin, every other bound to the bin above it."""
    edges = np.arange(BINS + 1) / BINS
    place = np.minimum(np.searchsorted(edges, p, side="right") - 1, BINS - 1)
    for number, (least, most) in enumerate(pairwise(edges.tolist())):
        inside = place == number
        count = int(inside.sum())
        means = (float(x[inside].mean()) if count else 0.0 for x in (p, right))
        yield Bin(least, most, count, *means)


def _kept(p: Numbers, right: Numbers, gold: int) -> Iterator[Kept]:
    """Every number of most probable entities; those of one probability are kept together."""
    order = np.argsort(-p, kind="stable")
    p, found = p[order], np.cumsum(right[order])
    for n in range(1, p.size + 1):
        if n < p.size and p[n] == p[n - 1]:
            continue
        correct = float(found[n - 1])
        recall = correct / gold if gold else 0.0
        yield Kept(float(p[n - 1]), n / p.size, correct / n, recall, 2 * correct / (gold + n))


def _at_shares(kept: Sequence[Kept]) -> Iterator[Kept]:
    """The first that keeps at least each of some shares."""
    for share in SHARES if kept else ():
        yield next(one for one in kept if one.share >= share - 1e-12)
