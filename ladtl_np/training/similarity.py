"""How alike source sentences are to the target corpus: the weights of cd-learning.

He and Sun (2017), "A Unified Model for Cross-Domain and Semi-Supervised Named Entity Recognition
in Chinese Social Media". All raise ValueError where a sentence or the target is empty, or where
a word has no row or no finite vector.                                  docs/math/similarity.md
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = [
    "cross_entropy_similarity",
    "gaussian_similarity",
    "ngram_probabilities",
    "polynomial_similarity",
]

ROUNDING = 1e-12
"""Differences of less than this share are taken for rounding, and for equality."""

LARGEST = 1e38
"""Component of a word vector: about float32's range, with finite squares in float64."""


def polynomial_similarity(
    source: Sequence[Integers], target: Sequence[Integers], table: Floats
) -> Floats:
    """Squared cosine of the mean word vectors, docs/math/similarity.md (2).

    Parameters
    ----------
    source
        Word rows (T,) of each of the S sentences to be weighted.
    target
        Word rows of each of the target's training sentences.
    table : (V, D)
        Initial word vectors.

    Returns
    -------
    (S,)
        Float64 in [0, 1]; 0 where a mean is the zero vector.
    """
    means, centre = _means(source, target, table)
    cosine = np.sum(_unit_rows(means) * _unit_rows(centre[None]), axis=1)
    return np.asarray(np.minimum(np.square(cosine), 1.0))


def gaussian_similarity(
    source: Sequence[Integers],
    target: Sequence[Integers],
    table: Floats,
    width: float,
) -> Floats:
    """Gaussian of the distance between mean word vectors, docs/math/similarity.md (3), (4).

    Parameters
    ----------
    source, target, table
        As for `polynomial_similarity`.
    width
        Standard deviation s; 0: the source's median distance, or 1 if that is 0.

    Returns
    -------
    (S,)
        Float64 in [0, 1].
    """
    if not 0.0 <= width < np.inf:
        raise ValueError(f"width must be a finite number of at least 0, got {width}")
    means, centre = _means(source, target, table)
    distance = np.linalg.norm(means - centre, axis=1)
    # the same vectors added in another order are the same mean
    size = np.maximum(np.linalg.norm(means, axis=1), np.linalg.norm(centre))
    distance[distance <= ROUNDING * size] = 0.0
    scale = width or (float(np.median(distance)) if distance.size else 0.0) or 1.0
    with np.errstate(over="ignore"):  # with a tiny width the square is infinite: similarity 0
        return np.asarray(np.exp(-0.5 * np.square(distance / scale)))


def cross_entropy_similarity(
    source: Sequence[Integers], target: Sequence[Integers], vocabulary: int, order: int
) -> Floats:
    """Cross-entropy under the target's n-gram model, scaled to 0..1, docs/math/similarity.md (8).

    Parameters
    ----------
    source, target
        As for `polynomial_similarity`.
    vocabulary, order
        Number of word rows V; length n of the n-grams, at least 1.

    Returns
    -------
    (S,)
        Float64: 1 where the cross-entropy per symbol is least, 0 where it is greatest; all 1 where
        all are equal.
    """
    probability = ngram_probabilities(source, target, vocabulary, order)
    if not source:
        return np.zeros(0)
    sizes = np.array([words.size + 1 for words in source])
    entropy = -np.add.reduceat(np.log(probability), np.cumsum(sizes) - sizes) / sizes
    best, worst = entropy.min(), entropy.max()
    if worst - best <= ROUNDING * worst:
        return np.ones(len(source))
    return np.asarray((worst - entropy) / (worst - best))


def ngram_probabilities(
    source: Sequence[Integers], target: Sequence[Integers], vocabulary: int, order: int
) -> Floats:
    """Probability of each symbol of the source given those before it, docs/math/similarity.md (6).

    Parameters are those of `cross_entropy_similarity`. Returns (N + S,): the words of a sentence
    and its end, one sentence after the other.
    """
    if order < 1:
        raise ValueError(f"order must be at least 1, got {order}")
    _check(source, vocabulary, "source")
    target_places = _check(target, vocabulary, "target") + len(target)
    start, base = vocabulary + 1, vocabulary + 2
    padding, ending = np.full(order - 1, start), np.array([vocabulary])
    parts = [part for words in (*target, *source) for part in (padding, words, ending)]
    symbols = np.concatenate(parts)
    places = np.flatnonzero(symbols != start)

    # Histories and n-grams are numbered anew for each length, so that any order fits an integer.
    history = np.zeros(places.size, np.int64)
    p: Floats = np.full(places.size, 1.0 / (vocabulary + 1))
    for k in range(order):
        if k:
            history = _numbered(history * base + symbols[places - k])
        gram = _numbered(history * base + symbols[places])
        p = _interpolated(p, history, gram, np.arange(places.size) < target_places)
    return p[target_places:]


def _numbered(keys: Integers) -> Integers:
    """Equal keys get equal numbers, from 0 and without gaps."""
    return np.unique(keys, return_inverse=True)[1]


def _interpolated(p: Floats, history: Integers, gram: Integers, in_target: Booleans) -> Floats:
    """One symbol more: (c(h w) + t(h) p) / (c(h) + t(h)).            docs/math/similarity.md (6)"""
    gram_count = np.bincount(gram[in_target], minlength=gram.max() + 1)
    history_count = np.bincount(history[in_target], minlength=history.max() + 1)
    history_of_gram = np.zeros_like(gram_count)
    history_of_gram[gram] = history
    followers = np.bincount(history_of_gram[gram_count > 0], minlength=history_count.size)
    total = (history_count + followers)[history]
    unseen = total == 0
    longer = (gram_count[gram] + followers[history] * p) / np.where(unseen, 1, total)
    return np.where(unseen, p, longer)


def _means(
    source: Sequence[Integers], target: Sequence[Integers], table: Floats
) -> tuple[Floats, Floats]:
    """v_x (S, D) of each source sentence and v_IN (D,) of all target tokens, (1)."""
    _check(source, len(table), "source")
    tokens = _check(target, len(table), "target")
    used = np.unique(np.concatenate([*source, *target]))
    sound = np.all(np.abs(table[used]) < LARGEST, axis=1)
    if not sound.all():
        raise ValueError(
            f"word vectors must be finite and below {LARGEST:g}, row {used[~sound][0]} is not; "
            "is the file of word vectors damaged?"
        )
    # a sentence at a time: the vectors of all tokens at once would need gigabytes
    sums = np.array([table[words].sum(axis=0, dtype=np.float64) for words in (*source, *target)])
    lengths = np.array([[words.size] for words in source]).reshape(-1, 1)
    return sums[: len(source)] / lengths, sums[len(source) :].sum(axis=0) / tokens


def _unit_rows(rows: Floats) -> Floats:
    """Rows of length 1; zero rows stay."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1.0))


def _check(sentences: Sequence[Integers], vocabulary: int, domain: str) -> int:
    """Count the tokens; refuse a missing target, empty sentences and words without a row."""
    if domain == "target" and not sentences:
        raise ValueError("similarity to the target needs at least one target sentence")
    for words in sentences:
        if not words.size:
            raise ValueError(f"a {domain} sentence has no tokens; drop empty sentences first")
        if words.min() < 0 or words.max() >= vocabulary:
            raise ValueError(
                f"words of the {domain} must lie in [0, {vocabulary}), got "
                f"[{words.min()}, {words.max()}]; were they encoded with another vocabulary?"
            )
    return sum(words.size for words in sentences)
