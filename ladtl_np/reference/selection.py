"""Which sentences to annotate next: how unsure a CRF is of one, and which differ.

Arrays are those of `reference.crf`. The numbers in brackets are the equations of
docs/selection.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ladtl_np.reference.posterior import best_paths, entropy, span_posterior
from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = ["entropy_uncertainty", "farthest_first", "margin_uncertainty", "span_uncertainty"]


def entropy_uncertainty(E: Floats, A: Floats) -> float:
    """Entropy of the paths in nats for each token, (1).

    Parameters
    ----------
    E : (T, m)
    A : (m, m)
    """
    return entropy(E, A) / len(E)


def margin_uncertainty(E: Floats, A: Floats) -> float:
    """Twice the share of the second path in the two best ones, (2); 0 if there is no second.

    Parameters
    ----------
    E : (T, m)
    A : (m, m)
    """
    found = best_paths(E, A, 2)
    if len(found) < 2:
        return 0.0
    (_, first), (_, second) = found
    return 1.0 - math.tanh((first - second) / 2)


def span_uncertainty(
    E: Floats,
    A: Floats,
    kinds: Integers,
    goes_on: Booleans,
    unary: Floats,
    spans: Sequence[tuple[int, int, int]],
    path: Integers,
) -> float:
    """Expected share of tokens whose span, or whose O, is not as in the best path, (3).

    Parameters
    ----------
    E : (T, m)
    A : (m, m)
    kinds, goes_on
        As for `posterior.span_posterior`.
    unary : (T, m)
        Token marginals.
    spans
        Spans of the best path: first token, the one after the last, number of the type.
    path : (T,)
        The best path.
    """
    right = unary[np.arange(len(path)), path].astype(np.float64)
    for span in spans:
        right[span[0] : span[1]] = span_posterior(E, A, kinds, goes_on, span)
    return float(np.mean(1.0 - right))


def farthest_first(
    X: Floats, weight: Floats, sizes: Integers, budget: int, centres: Floats
) -> list[tuple[int, float]]:
    """The rows that are chosen and their gains, in order, with the first that is left out, (7).

    Parameters
    ----------
    X : (n, K)
    weight : (n,)
    sizes : (n,)
        What each takes of the budget.
    budget
        Sum of sizes with which choosing ends.
    centres : (c, K)
        What was chosen before.
    """
    chosen: list[tuple[int, float]] = []
    before, left, taken = list(centres), list(range(len(X))), 0
    while left:
        gains = {
            i: float(weight[i])
            * (min(float(np.linalg.norm(X[i] - c)) for c in before) if before else 1.0)
            for i in left
        }
        best = max(left, key=lambda i: (gains[i], -i))
        chosen.append((best, gains[best]))
        if taken >= budget:
            break
        taken += int(sizes[best])
        left.remove(best)
        before.append(X[best])
    return chosen
