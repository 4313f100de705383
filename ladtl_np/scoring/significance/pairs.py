"""The test of paired scores, such as those of seeds or tasks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ladtl_np.scoring.significance.intervals import (
    BLOCK,
    EXACT_LIMIT,
    RESAMPLES,
    TIE,
    Alternative,
    PairedTest,
    check,
    finite,
    least_p_found,
    mean_and_interval,
)

__all__ = ["paired_test"]


def paired_test(
    first: ArrayLike,
    second: ArrayLike,
    *,
    alternative: Alternative = "greater",
    resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> PairedTest:
    """Test the mean of paired differences by changing their signs.

    Parameters
    ----------
    first, second
        Scores of the two systems, pair by pair.
    alternative
        "greater": the first system is better; "two-sided": one of them is.
    resamples
        Random patterns for more than `EXACT_LIMIT` pairs; then p = (c + 1) / (resamples + 1).
    rng
        Source of these; not used for fewer pairs.

    Raises
    ------
    ValueError
        If the lengths differ, or there is no pair, or a score that is not finite.

    Examples
    --------
    >>> test = paired_test([3, 5, 4], [2, 3, 4.5], rng=np.random.default_rng(0))
    >>> test.p, test.exact, test.least_p
    (0.25, True, 0.125)
    """
    from scipy.stats import permutation_test  # importing it takes a second

    check(alternative, resamples)
    x, y = finite(first), finite(second)
    if len(x) != len(y):
        raise ValueError(f"pairs need as many first as second scores, got {len(x)} and {len(y)}")
    d = x - y
    n, tie = len(d), TIE * float(np.abs(d).sum())
    sides = np.abs if alternative == "two-sided" else np.asarray
    reach = sides(d.sum()) - tie

    def reached(signed: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        return (sides(signed.sum(axis)) >= reach).astype(np.float64)

    exact = n <= EXACT_LIMIT
    found = permutation_test(
        (np.append(d, 0.0) if n == 1 else d,),  # SciPy wants two; an equal pair changes no p
        reached,
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf if exact else resamples,
        batch=max(1, BLOCK // n),
        alternative="greater",
        random_state=rng,
    )
    _, difference, _, interval = mean_and_interval(d)
    return PairedTest(
        n=n,
        first=float(x.mean()),
        second=float(y.mean()),
        difference=difference,
        interval=interval,
        p=float(found.pvalue),
        exact=exact,
        patterns=2**n if exact else resamples,
        least_p=least_p_found(n, exact, resamples, alternative),
        alternative=alternative,
    )
