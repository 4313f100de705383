"""Every matched label under one network: its MMD, tested, under the kernels that matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.audit.mmd.permutation import (
    SentenceGram,
    Tested,
    halves,
    permutation_test,
    sentence_gram,
    squared_distances,
)
from ladtl_np.audit.subject import Subject
from ladtl_np.layers.mmd import RowPair
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES, evenly_spaced, median_variances
from ladtl_np.options.seeds import stream
from ladtl_np.runs.hidden_rows import HiddenRows
from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = ["Halves", "LabelFound", "Sample", "find_label", "halves_of", "quantiles", "samples_of"]

_FEWEST = 4
"""Sentences with a label from which on they are halved."""
_TRIALS, _DEALT = 20, 199  # halves of a label, and permutations for each
_DISTANCE_ROWS = 250  # of a label and domain, evenly spaced, whose distances are sorted


class Sample(NamedTuple):
    """Hidden rows of one matched label.

    Attributes
    ----------
    name
        The tags of the pair; one name where they are equal.
    source, target
        (S, 2H) and (R, 2H) rows of either domain.
    sentence
        (S + R,) which sentence each is from, the source's rows first.
    """

    name: str
    source: Floats
    target: Floats
    sentence: Integers

    @property
    def rows(self) -> Floats:
        """(S + R, 2H) rows of both, the source's first."""
        return np.concatenate([self.source, self.target])

    @property
    def first(self) -> Booleans:
        """(n,) which of its sentences, by number, are the source's."""
        return np.asarray(np.unique(self.sentence) <= self.sentence[: len(self.source)].max())

    def gram(self, variances: Sequence[float]) -> SentenceGram:
        """Kernel sums between its sentences."""
        return sentence_gram(self.rows, self.sentence, variances)


class LabelFound(NamedTuple):
    """What one network makes of a matched label.

    Attributes
    ----------
    tested
        Under the reference variances.
    floor
        Where the biased estimate lies for tokens drawn one by one, alike.
    own
        Under the run's own kernel, where that is another one.
    median
        Of the squared distances between the domains.
    """

    tested: Tested
    floor: float
    own: Tested | None
    median: float


class Halves(NamedTuple):
    """P-values of halves of one domain against each other.

    Attributes
    ----------
    sentences
        Where sentences are exchanged.
    tokens
        Where single tokens are, for comparison.
    """

    sentences: list[float]
    tokens: list[float]


def samples_of(subject: Subject, rows: HiddenRows, pairs: Sequence[RowPair]) -> list[Sample]:
    """Cut hidden rows into the samples of each label."""
    if subject.source_tags is None:
        raise ValueError("labels are matched between two domains")
    source, target = subject.objective.matched
    samples = []
    for label, first, second in pairs:
        names = subject.source_tags.tags[source[label]], subject.target_tags.tags[target[label]]
        name = " / ".join(dict.fromkeys(names))
        numbers = rows.sentence[np.concatenate([first, second])]
        samples.append(Sample(name, rows.hidden[first], rows.hidden[second], numbers))
    return samples


def find_label(
    sample: Sample,
    gram: SentenceGram,
    own: tuple[float, ...] | None,
    permutations: int,
    rng: np.random.Generator,
) -> LabelFound:
    """Test one label.

    Parameters
    ----------
    sample
        Its rows.
    gram
        Of its sentences, under the reference variances.
    own
        The variances of the run; None for the median heuristic.
    permutations
        Of each test.
    rng
        Source of chance.
    """
    tested = permutation_test(gram, sample.first, permutations, rng)
    own_tested = None
    if own != REFERENCE_VARIANCES:
        chosen = own or median_variances(sample.source, sample.target)
        own_tested = permutation_test(sample.gram(chosen), sample.first, permutations, rng)
    floor, median = gram.floor(sample.first), float(quantiles([sample])[1])
    return LabelFound(tested, floor, own_tested, median)


def quantiles(samples: Sequence[Sample]) -> Floats:
    """10, 50 and 90 % quantiles of the squared distances between the domains, within labels."""
    apart = [
        squared_distances(*(evenly_spaced(side, _DISTANCE_ROWS) for side in sample[1:3])).ravel()
        for sample in samples
    ]
    return np.asarray(np.quantile(np.concatenate(apart), (0.1, 0.5, 0.9)))


def halves_of(
    samples: Sequence[Sample],
    grams: Sequence[SentenceGram],
    seed: int,
    tell: Callable[[], None],
) -> Halves:
    """Halve the sentences of the domain that has more of each label.

    The label with the most tokens is also tested as if its tokens were drawn one by one.

    Parameters
    ----------
    samples, grams
        Of each label, under one network.
    seed
        Of all halves.
    tell
        Is called after each label.
    """
    found = Halves([], [])
    chances = stream(seed, "audit").spawn(len(samples))
    most = max(range(len(samples)), key=lambda n: len(samples[n].sentence), default=0)
    for number, (sample, gram, rng) in enumerate(zip(samples, grams, chances, strict=True)):
        side = sample.first if 2 * sample.first.sum() >= sample.first.size else ~sample.first
        chosen = np.flatnonzero(side)
        if len(chosen) >= _FEWEST:
            every = np.arange(len(chosen))
            found.sentences.extend(halves(gram.some(chosen), _TRIALS, _DEALT, rng, every))
            if number == most:
                found.tokens.extend(_by_tokens(sample, chosen, rng))
        tell()
    return found


def _by_tokens(sample: Sample, chosen: Integers, rng: np.random.Generator) -> list[float]:
    """The same test of halves by sentences, but with single tokens exchanged."""
    inside = np.isin(sample.sentence, np.unique(sample.sentence)[chosen])
    numbers = np.sort(sample.sentence[inside])
    rows = sample.rows[inside][np.argsort(sample.sentence[inside], kind="stable")]
    gram = sentence_gram(rows, np.arange(len(rows)), REFERENCE_VARIANCES)
    return halves(gram, _TRIALS, _DEALT, rng, numbers)
