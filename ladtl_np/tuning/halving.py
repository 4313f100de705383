"""Successive halving: points are tried for a part of their steps, and a third of them goes on.

Points are compared on the development data after 1/4 of their steps, those that go on after 1/2,
and what is left at the end. A third goes on each time. Jamieson and Talwalkar (2016) let the share
of steps grow by the factor by which points become fewer; here it starts later, as dropout and small
learning rates look worse than they are early in training.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ladtl_np.errors import UsageError

__all__ = ["Rung", "TrialRun", "budgeted", "rungs", "unbounded", "whole_runs"]

KEPT = 3  # one of so many points goes on
SHARES = (0.25, 0.5, 1.0)
FEWEST = (1, 4, 9)  # points from which on there are one, two and three rungs
BRACKET = 9  # points that are compared with each other where time is the budget


class TrialRun(NamedTuple):
    """A run of a point: the point's number, and which of the seeds, from 0."""

    point: int
    seed: int


class Rung(NamedTuple):
    """Runs that are trained to the same share of their steps, and then compared.

    Attributes
    ----------
    number, of
        Which of how many it is.
    share
        Of the steps.
    runs
        All of them, also those that have come that far before.
    """

    number: int
    of: int
    share: float
    runs: list[TrialRun]


Score = Callable[[int, float], float | None]
"""F1 of a point's first seed at a share of its steps, None where it failed."""


def rungs(points: Sequence[int], seeds: int, score: Score) -> Iterator[Rung]:
    """Yield one rung after the other; scores are asked for when the runs of a rung are done.

    The first point is the options as they are: it is trained to the end in any case. Of equal
    scores the earlier point goes on. What reaches the end is trained with every seed.
    """
    shares = _shares(len(points))
    left = list(points)
    for number, share in enumerate(shares, 1):
        last = number == len(shares)
        wanted = range(seeds if last else 1)
        runs = [TrialRun(point, seed) for point in left for seed in wanted]
        yield Rung(number, len(shares), share, runs)
        if not last:
            left = _that_go_on(left, {point: score(point, share) for point in left})


def _shares(points: int) -> tuple[float, ...]:
    """Shares of the steps after which so many points are compared."""
    return SHARES[-sum(points >= fewest for fewest in FEWEST) :]


def _that_go_on(points: Sequence[int], scores: dict[int, float | None]) -> list[int]:
    def merit(point: int) -> float:
        found = scores[point]
        return -1.0 if found is None else found

    best = sorted(points, key=lambda point: (-merit(point), point))[: _kept(len(points))]
    return sorted({*best, *(point for point in points if point == 0)})


def _kept(points: int) -> int:
    return math.ceil(points / KEPT)


def budgeted(runs: int, seeds: int, score: Score) -> Iterator[Rung]:
    """Rungs of as many points as a number of runs allows.

    Raises
    ------
    UsageError
        If they are too few for one point.
    """
    if runs < seeds:
        raise UsageError(
            f"--runs {runs} is less than one point with --seeds {seeds} takes; raise it, or lower "
            "that"
        )
    points = next(n for n in itertools.count(1) if _runs(n + 1, seeds) > runs)
    return rungs(range(points), seeds, score)


def _runs(points: int, seeds: int) -> int:
    """Most runs that so many points take: one each, and the further seeds of those at the end."""
    left = points
    for _ in _shares(points)[:-1]:
        left = min(left, _kept(left) + 1)  # point 0 as well
    return points + left * (seeds - 1)


def whole_runs(points: int, seeds: int) -> float:
    """How many runs from start to end take as long as a bracket of so many points."""
    before, left, cost = 0.0, points, 0.0
    for share in _shares(points):
        cost += left * (share - before)
        left, before = (left if share == 1.0 else _kept(left)), share
    return cost + left * (seeds - 1)


def unbounded(
    seeds: int, score: Score, size: Callable[[], int] = lambda: BRACKET
) -> Iterator[Rung]:
    """Rungs without end: point 0 alone, then one bracket of new points after the other.

    `size` says how many points the next bracket has.
    """
    yield from rungs(range(1), seeds, score)
    first = 1
    while True:
        points = range(first, first + size())
        yield from rungs(points, seeds, score)
        first = points.stop
