"""Is one system better than another? The randomisation paired test (Cohen 1995).

If two systems are equally good, it is chance which of them got which result of a pair, so every
difference could as well have had the other sign. p is the share of all ways to give the results of
each pair to the two systems in which the difference is at least the one that was seen. Pairs are
seeds, tasks or sentences; `docs/scoring.md` says when which is right.
"""

from ladtl_np.scoring.significance.intervals import (
    EXACT_LIMIT,
    LEVEL,
    RESAMPLES,
    Alternative,
    PairedTest,
    Summary,
    least_possible_p,
    mean_and_interval,
)
from ladtl_np.scoring.significance.pairs import paired_test
from ladtl_np.scoring.significance.sentences import (
    SentenceTest,
    counts_test,
    null_differences,
    sentence_test,
    smallest_resolvable_difference,
)

__all__ = [
    "EXACT_LIMIT",
    "LEVEL",
    "RESAMPLES",
    "Alternative",
    "PairedTest",
    "SentenceTest",
    "Summary",
    "counts_test",
    "least_possible_p",
    "mean_and_interval",
    "null_differences",
    "paired_test",
    "sentence_test",
    "smallest_resolvable_difference",
]
