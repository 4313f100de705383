"""The test by sentence: two systems' tags of whole sentences are swapped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ladtl_np.scoring import Semantics, TagSequences, sentence_counts
from ladtl_np.scoring.significance.intervals import (
    BLOCK,
    EXACT_LIMIT,
    LEVEL,
    RESAMPLES,
    TIE,
    Alternative,
    PairedTest,
    check,
    finite,
    interval_around,
    least_p_found,
)

__all__ = [
    "SentenceTest",
    "counts_test",
    "f1_of",
    "null_differences",
    "sentence_test",
    "smallest_resolvable_difference",
]


@dataclass(frozen=True, slots=True)
class SentenceTest(PairedTest):
    """A comparison by sentence; `n` counts all sentences.

    Attributes
    ----------
    differing
        Sentences in which the two systems' counts differ: `least_p` rests on these alone.
    resolvable
        The smallest F1 difference that this test set can resolve between such systems, None if
        no difference that they could have has p below `LEVEL`.
    """

    differing: int
    resolvable: float | None


def sentence_test(
    gold: TagSequences,
    first: TagSequences,
    second: TagSequences,
    scheme: str,
    *,
    semantics: Semantics = "conlleval",
    alternative: Alternative = "greater",
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> SentenceTest:
    """Test the difference of micro F1 by swapping the two systems' tags of whole sentences.

    Parameters
    ----------
    gold, first, second, scheme, semantics
        As in `scoring.sentence_counts`, with the same errors.
    alternative, resamples, rng
        As in `paired_test`.
    """
    one, other = (sentence_counts(gold, tags, scheme, semantics) for tags in (first, second))
    return counts_test(one, other, alternative=alternative, resamples=resamples, rng=rng)


def counts_test(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    *,
    alternative: Alternative = "greater",
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> SentenceTest:
    """Test the difference of micro F1 from the counts of each sentence.

    Parameters
    ----------
    first, second
        (S, 3) gold, predicted and correct entities of the S sentences, as `sentence_counts` gives.
    alternative, resamples, rng
        As in `paired_test`; `EXACT_LIMIT` is held against the sentences whose counts differ.
    """
    check(alternative, resamples)
    null = null_differences(first, second, resamples=resamples, rng=rng)
    scores = f1_of(np.stack([first.sum(0), second.sum(0)]))
    difference = float(scores[0] - scores[1])
    differing = _differing(first, second)
    exact = differing <= EXACT_LIMIT
    sides = np.abs if alternative == "two-sided" else np.asarray
    null = np.sort(sides(null))
    return SentenceTest(
        n=len(first),
        first=float(scores[0]),
        second=float(scores[1]),
        difference=difference,
        interval=_jackknife_interval(first, second, difference),
        p=float(_p_of(sides(np.array([difference])), null, exact)[0]),
        exact=exact,
        patterns=len(null),
        least_p=least_p_found(differing, exact, resamples, alternative),
        alternative=alternative,
        differing=differing,
        resolvable=_smallest_with_p_below(LEVEL, null, exact),
    )


def null_differences(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    *,
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """F1 differences with sentences swapped: of all patterns if these are few, else of random ones.

    Sentences in which the counts are equal are left out of the swapping: it would change nothing.
    """
    if first.shape != second.shape or first.ndim != 2 or first.shape[1] != 3 or not len(first):
        raise ValueError(f"counts must be two (S, 3) arrays, got {first.shape}, {second.shape}")
    change = (second - first).astype(np.float64)
    change = change[change.any(axis=1)]
    totals = np.stack([first.sum(0), second.sum(0)])
    found = []
    for swaps in _swaps(len(change), resamples, rng):
        moved = swaps @ change  # what the first system gains and the second one loses
        found.append(f1_of(totals[0] + moved) - f1_of(totals[1] - moved))
    return np.concatenate(found)


def smallest_resolvable_difference(
    null: ArrayLike, *, exact: bool, alternative: Alternative = "greater", level: float = LEVEL
) -> float | None:
    """Find the least F1 difference for which a test by sentence would give p below `level`.

    It is one of the differences (two-sided: of their absolute values) that swapping gives, so it
    holds for systems that differ in as many sentences as these do, and p is that of the test, ties
    included. None if even the largest of them has no p below the level.

    Parameters
    ----------
    null
        What `null_differences` returns.
    exact
        Whether these are all patterns.
    alternative, level
        Of the test.
    """
    check(alternative)
    values = finite(null)
    values = np.sort(np.abs(values) if alternative == "two-sided" else values)
    return _smallest_with_p_below(level, values, exact)


def _p_of(
    differences: NDArray[np.float64], null: NDArray[np.float64], exact: bool
) -> NDArray[np.float64]:
    """Share of the sorted null that reaches each difference, which a random sample holds too."""
    reached = len(null) - np.searchsorted(null, differences - TIE, side="left")
    return reached / len(null) if exact else (reached + 1) / (len(null) + 1)


def _smallest_with_p_below(level: float, null: NDArray[np.float64], exact: bool) -> float | None:
    candidates = np.unique(null)
    significant = candidates[_p_of(candidates, null, exact) < level]
    return float(significant[0]) if len(significant) else None


def f1_of(counts: NDArray[Any]) -> NDArray[np.float64]:
    """2 correct / (gold + predicted) over the last axis, 0 where nothing is correct."""
    gold, predicted, correct = (np.asarray(counts[..., k], dtype=np.float64) for k in range(3))
    return 2 * correct / np.maximum(gold + predicted, 1)


def _swaps(k: int, resamples: int, rng: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Blocks of rows of k zeros and ones: all 2^k of them, or random ones."""
    if k <= EXACT_LIMIT:
        yield (np.arange(2**k)[:, None] >> np.arange(k) & 1).astype(np.float64)
        return
    rows = max(1, BLOCK // k)
    for start in range(0, resamples, rows):
        size = (min(rows, resamples - start), k)
        yield rng.integers(0, 2, size=size, dtype=np.int8).astype(np.float64)


def _jackknife_interval(
    first: NDArray[np.int64], second: NDArray[np.int64], difference: float
) -> tuple[float, float] | None:
    """95 % interval from the differences with one sentence left out; the t interval for a mean."""
    n = len(first)
    if n < 2:
        return None
    without = f1_of(first.sum(0) - first) - f1_of(second.sum(0) - second)
    error = ((n - 1) / n * np.square(without - without.mean()).sum()) ** 0.5
    return interval_around(difference, float(error), n)


def _differing(first: NDArray[np.int64], second: NDArray[np.int64]) -> int:
    return int(np.count_nonzero((first != second).any(axis=1)))
