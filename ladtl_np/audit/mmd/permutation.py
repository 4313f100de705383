"""A permutation test of one label's MMD that exchanges whole sentences between the domains.

Tokens of one sentence are read in one context: their hidden states are more alike than those of
tokens drawn one by one. A test that exchanges tokens takes every sentence for many independent
draws, and finds differences between two halves of one domain. Under the hypothesis that sentences
of both domains are drawn alike, exchanging sentences changes nothing but chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = [
    "LEVEL",
    "SentenceGram",
    "Tested",
    "halves",
    "permutation_test",
    "sentence_gram",
    "squared_distances",
]

LEVEL = 0.05
"""A p-value up to this is called small."""
_CHUNK = 256  # rows of the Gram matrix that are in memory at a time
_NEAR = 1e-4  # squared distances below it are formed by differences, for the narrow Gaussians
_TIE = 1e-12  # share of Q below which two values are the same but for rounding


class SentenceGram(NamedTuple):
    """Kernel sums between the sentences that hold a label.

    Attributes
    ----------
    sums
        (n, n) sum of the kernel over all pairs of tokens of two sentences.
    tokens
        (n,) tokens of the label in each sentence, at least 1.
    largest
        Q, the kernel's value at distance 0.
    """

    sums: Floats
    tokens: Integers
    largest: int

    def values(self, first: Booleans) -> Floats:
        """MMD^2 of the sentences of each mask (B, n) against the others, (B,).     Eq. (4)"""
        # u_i = 1/S in the first sample, -1/R in the second; MMD^2 = u' K u   docs/math/mmd.md (10)
        S = first @ self.tokens
        R = self.tokens.sum() - S
        u = np.where(first, 1.0 / S[:, None], -1.0 / R[:, None])
        return np.asarray(((u @ self.sums) * u).sum(axis=1))

    def some(self, chosen: Integers) -> SentenceGram:
        """The same of some sentences."""
        return SentenceGram(self.sums[np.ix_(chosen, chosen)], self.tokens[chosen], self.largest)

    def floor(self, first: Booleans) -> float:
        """Mean of the biased estimate for tokens drawn one by one, alike.  docs/math/mmd.md (16)"""
        n, S = int(self.tokens.sum()), int(self.tokens[first].sum())
        if n < 2:
            return 0.0
        kappa = (self.sums.sum() - n * self.largest) / (n * (n - 1))
        # E MMD^2 = (1/S + 1/R) (Q - kappa)                             docs/math/mmd.md (16)
        return float((1 / S + 1 / (n - S)) * (self.largest - kappa))


class Tested(NamedTuple):
    """Outcome of a permutation test.

    Attributes
    ----------
    mmd
        MMD^2 of the two samples.
    p
        (c + 1) / (R + 1), where c of R permutations had an MMD^2 as large.
    expected
        Mean of the permutations: where the biased estimate lies for equal distributions.
    """

    mmd: float
    p: float
    expected: float


def squared_distances(P: Floats, Z: Floats) -> Floats:
    """(S, R) squared distances of rows; near ones are formed by differences, without cancelling."""
    norms = np.square(P).sum(axis=1)[:, None] + np.square(Z).sum(axis=1)
    squared = np.maximum(norms - 2.0 * P @ Z.T, 0.0)
    for i, row in enumerate(squared < _NEAR):
        if row.any():
            squared[i, row] = np.square(P[i] - Z[row]).sum(axis=1)
    return np.asarray(squared)


def sentence_gram(P: Floats, sentence: Integers, variances: Sequence[float]) -> SentenceGram:
    """Sum the kernel over the tokens of each pair of sentences.

    Parameters
    ----------
    P
        (N, K) rows of one label, float64.
    sentence
        (N,) which sentence each is from; the result has them by rising number.
    variances
        Of the Gaussians, docs/math/mmd.md (1).
    """
    order = np.argsort(sentence, kind="stable")
    _, starts, place = np.unique(sentence[order], return_index=True, return_inverse=True)
    P = P[order] - P.mean(axis=0)  # moves no distance, and makes the norms small
    sums = np.zeros((starts.size, starts.size))
    for begin in range(0, len(P), _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        squared = squared_distances(P[rows], P)
        K = np.zeros_like(squared)
        for s in variances:
            # k(x, z) = sum_q exp(-||x - z||^2 / (2 s_q))                  docs/math/mmd.md (1)
            K += np.exp(squared / (-2.0 * s))
        np.add.at(sums, place[rows], np.add.reduceat(K, starts, axis=1))
    return SentenceGram(sums, np.bincount(place), len(variances))


def permutation_test(
    gram: SentenceGram, first: Booleans, permutations: int, rng: np.random.Generator
) -> Tested:
    """Test whether two sets of sentences are of one distribution.

    Parameters
    ----------
    gram
        Of the sentences of both sets; it is computed once, and each permutation only weighs it.
    first
        (n,) which sentences are of the first set; neither set is empty.
    permutations
        How often the sentences are dealt out anew, as many to either set as before.
    rng
        Source of chance.
    """
    mmd = float(gram.values(first[None])[0])
    dealt = rng.permuted(np.tile(first, (permutations, 1)), axis=1)
    values = gram.values(dealt)
    as_large = int((values >= mmd - _TIE * gram.largest).sum())
    return Tested(mmd, (as_large + 1) / (permutations + 1), float(values.mean()))


def halves(
    gram: SentenceGram, trials: int, permutations: int, rng: np.random.Generator, whole: Integers
) -> list[float]:
    """P-values of random halves of one domain against each other: the test must find nothing.

    Parameters
    ----------
    gram
        Of one domain's sentences, or of what is exchanged in their place.
    trials, permutations
        How many halves, and permutations for each.
    rng
        Source of chance.
    whole
        (n,) which sentence a row of the Gram matrix is from; halves never cut one.
    """
    sentences = np.unique(whole)
    found = []
    for _ in range(trials):
        half = rng.permutation(sentences)[: len(sentences) // 2]
        found.append(permutation_test(gram, np.isin(whole, half), permutations, rng).p)
    return found
