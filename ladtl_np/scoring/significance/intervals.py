"""What both tests share: their settings and results, and means with intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

__all__ = [
    "BLOCK",
    "EXACT_LIMIT",
    "LEVEL",
    "RESAMPLES",
    "TIE",
    "Alternative",
    "PairedTest",
    "Summary",
    "check",
    "finite",
    "interval_around",
    "least_p_found",
    "least_possible_p",
    "mean_and_interval",
]

Alternative = Literal["greater", "two-sided"]

EXACT_LIMIT = 14
"""Up to this many pairs all 2^n patterns are looked at, above it random ones."""
RESAMPLES = 9_999
LEVEL = 0.05
"""What p is held against; intervals hold 1 - LEVEL."""

TIE = 1e-12
"""Differences that are closer than this, as a share of the largest possible one, are equal."""
BLOCK = 1 << 22
"""Signs or swaps that are drawn at a time."""


class Summary(NamedTuple):
    """A sample in four numbers; None where one value has no spread."""

    n: int
    mean: float
    deviation: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class PairedTest:
    """What a comparison by pairs found.

    Attributes
    ----------
    n
        Pairs.
    first, second
        Scores of the two systems: means over the pairs, or micro F1 of all sentences.
    difference
        ``first - second``.
    interval
        95 % interval of the difference, None for a single pair.
    p
        Share of the patterns whose difference is at least the one seen.
    exact
        Whether these were all patterns, or a random sample of them.
    patterns
        How many patterns were looked at.
    least_p
        The least p that the test could have given, whatever the differences.
    alternative
        "greater" (the first system is better) or "two-sided" (one of them is).
    """

    n: int
    first: float
    second: float
    difference: float
    interval: tuple[float, float] | None
    p: float
    exact: bool
    patterns: int
    least_p: float
    alternative: Alternative

    @property
    def decidable(self) -> bool:
        """Whether any differences could have given p below `LEVEL`."""
        return self.least_p < LEVEL

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def mean_and_interval(values: ArrayLike) -> Summary:
    """Mean, sample deviation and 95 % t interval: mean +- t(n - 1) deviation / sqrt(n).

    Raises
    ------
    ValueError
        If there is no value, or one that is not finite.
    """
    x = finite(values)
    mean, n = float(x.mean()), len(x)
    if n < 2:
        return Summary(n, mean, None, None)
    deviation = float(x.std(ddof=1))
    return Summary(n, mean, deviation, interval_around(mean, deviation / n**0.5, n))


def least_possible_p(n: int, alternative: Alternative) -> float:
    """Give 2^-n one-sided, 2^(1 - n) two-sided: only one pattern, or it and its mirror image."""
    check(alternative)
    return min(1.0, 2.0 ** (-n if alternative == "greater" else 1 - n))


def interval_around(centre: float, error: float, n: int) -> tuple[float, float]:
    """Give the 95 % t interval of n values' mean from its standard error."""
    half = float(stdtrit(n - 1, 1 - LEVEL / 2)) * error
    return centre - half, centre + half


def least_p_found(n: int, exact: bool, resamples: int, alternative: Alternative) -> float:
    """Give the least p of a test of n pairs by all patterns, or by `resamples` random ones."""
    least = least_possible_p(n, alternative)
    return least if exact else max(least, 1 / (resamples + 1))


def finite(values: ArrayLike) -> NDArray[np.float64]:
    """Return a sequence of finite numbers as an array."""
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all():
        raise ValueError("scores must be a sequence of one or more finite numbers")
    return x


def check(alternative: str, resamples: int = RESAMPLES) -> None:
    """Raise ValueError for what no test knows."""
    if alternative not in ("greater", "two-sided"):
        raise ValueError(f"alternative must be greater or two-sided, got {alternative!r}")
    if resamples < 1:
        raise ValueError(f"resamples must be positive, got {resamples}")
