"""How far each option of a search mattered: means of parts of the points, held against chance."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from ladtl_np.tuning.space import Range, Space

__all__ = ["Effect", "Part", "effects_of"]

FEWEST = 4  # points from which on anything can be told

Tried = tuple[dict[str, Any], float]
"""Values of a point, and its F1."""


class Part(NamedTuple):
    """Points with like values of an option: the values in words, how many, and their mean F1."""

    values: str
    points: int
    mean: float


class Effect(NamedTuple):
    """What an option did, whatever the others were.

    Attributes
    ----------
    key
        The option.
    parts
        A range's lower and upper half of the points; each value of a list.
    gap
        Best less worst mean.
    error
        Standard error of that difference; None where a part has one point.
    """

    key: str
    parts: list[Part]
    gap: float
    error: float | None

    @property
    def sure(self) -> bool:
        """Whether the gap is more than twice its standard error."""
        return self.error is not None and self.gap > 2.0 * self.error


def effects_of(space: Space, tried: Sequence[Tried]) -> list[Effect]:
    """Compare the points by each option alone, the largest gap first.

    The points are draws, so that the other options are mixed in every part.
    """
    drawn = [(values, f1) for values, f1 in tried if values]
    if len(drawn) < FEWEST:
        return []
    found = [_effect(key, values, drawn) for key, values in space.items()]
    return sorted((e for e in found if e is not None), key=lambda effect: -effect.gap)


def _effect(key: str, values: Range | list[Any], drawn: Sequence[Tried]) -> Effect | None:
    parts: dict[str, list[float]] = {}
    if isinstance(values, Range):
        ordered = sorted(drawn, key=lambda each: each[0][key])
        half = len(ordered) // 2
        for some in (ordered[:half], ordered[half:]):
            parts[f"{some[0][0][key]:g} to {some[-1][0][key]:g}"] = [f1 for _, f1 in some]
    else:
        for value in values:
            scores = [f1 for point, f1 in drawn if point[key] == value]
            if scores:
                parts[str(value)] = scores
    if len(parts) < 2:
        return None
    means = {name: statistics.mean(scores) for name, scores in parts.items()}
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    told = [Part(name, len(scores), means[name]) for name, scores in parts.items()]
    return Effect(key, told, means[best] - means[worst], _error(parts[best], parts[worst]))


def _error(one: Sequence[float], other: Sequence[float]) -> float | None:
    if min(len(one), len(other)) < 2:
        return None
    return math.sqrt(sum(statistics.variance(scores) / len(scores) for scores in (one, other)))
