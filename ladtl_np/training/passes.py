"""The order in which training sentences come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.objective.terms import SourceTie
from ladtl_np.options.config import Config
from ladtl_np.options.method_checks import has_effect
from ladtl_np.options.methods import method_named

__all__ = ["BalancedPasses", "Passes", "compared_labels", "source_passes", "with_unknown"]


class Passes:
    """Sentences of one domain in endless shuffled passes.

    Attributes
    ----------
    rng
        Shuffles each pass.
    order
        Numbers of the sentences that the passes begun still have to give.
    labels
        Further passes over the sentences that hold a label, by the label; none here.
    """

    def __init__(self, sentences: Sequence[EncodedSentence], rng: np.random.Generator) -> None:
        self.sentences, self.rng = sentences, rng
        self.order = np.zeros(0, dtype=np.int64)
        self.labels: dict[int, Passes] = {}

    def take(self, count: int) -> list[EncodedSentence]:
        """The next `count` sentences; a pass that ends is followed by a newly shuffled one."""
        if not self.sentences:
            return []
        while self.order.size < count:
            self.order = np.concatenate([self.order, self.rng.permutation(len(self.sentences))])
        chosen, self.order = self.order[:count], self.order[count:]
        return [self.sentences[n] for n in chosen]

    def take_beside(self, count: int, target: Sequence[EncodedSentence]) -> list[EncodedSentence]:
        """The next `count` sentences for a mini-batch with these of the target: the same here."""
        return self.take(count)


class BalancedPasses(Passes):
    """A source's sentences, up to half of which are drawn for labels that the target's half has.

    A label that only one half of a mini-batch holds takes no part in L_LaMMD, Eq. (5). So after an
    ordinary half, each label that the target's sentences hold and the drawn ones lack, the source's
    rarest first, is met by the next sentence that holds it; the rest comes from the ordinary passes
    again. What is drawn of the target does not change.

    Parameters
    ----------
    sentences, rng
        As for `Passes`.
    matched
        Pairs of a source label and the target label that means the same.
    label_rng
        Shuffles the passes over the sentences of each label.

    Attributes
    ----------
    label_rng
        As above.
    """

    def __init__(
        self,
        sentences: Sequence[EncodedSentence],
        rng: np.random.Generator,
        matched: Iterable[tuple[int, int]],
        label_rng: np.random.Generator,
    ) -> None:
        super().__init__(sentences, rng)
        self.label_rng = label_rng
        self._partner = dict(matched)
        tokens: Counter[int] = Counter()
        holding: dict[int, list[EncodedSentence]] = {label: [] for label in self._partner}
        for sentence in sentences:
            for label, count in Counter(sentence.tags.tolist()).items():
                tokens[label] += count
                if label in holding:
                    holding[label].append(sentence)
        rarest_first = sorted(holding, key=lambda label: (tokens[label], label))
        self.labels = {label: Passes(holding[label], label_rng) for label in rarest_first}

    def take_beside(self, count: int, target: Sequence[EncodedSentence]) -> list[EncodedSentence]:
        """The next `count` sentences, those of missing labels behind the first half."""
        drawn = self.take(count - count // 2)
        wanted, held = _labels(target), _labels(drawn)
        for label, passes in self.labels.items():
            if len(drawn) == count:
                break
            if self._partner[label] in wanted and label not in held:
                found = passes.take(1)
                drawn += found
                held |= _labels(found)
        return drawn + self.take(count - len(drawn))


def _labels(sentences: Iterable[EncodedSentence]) -> set[int]:
    return {label for sentence in sentences for label in sentence.tags.tolist()}


def compared_labels(tie: SourceTie) -> list[tuple[int, int]]:
    """Pairs of a source and a target label that the MMD compares, the paper's mu being 1."""
    mu = tie.label_weights
    pairs = zip(*(labels.tolist() for labels in tie.matched), strict=True)
    return [pair for place, pair in enumerate(pairs) if mu is None or mu[place]]


def source_passes(
    config: Config,
    sentences: Sequence[EncodedSentence],
    tie: SourceTie,
    rng: np.random.Generator,
    label_rng: np.random.Generator,
) -> Passes:
    """A source's sentences as `training.batches` says, where the method has an MMD.

    Parameters
    ----------
    config
        Every option.
    sentences, tie
        Of the source; its matched labels count.
    rng, label_rng
        As for `BalancedPasses`.
    """
    balanced = config.training.batches == "label-balanced"
    if balanced and has_effect("training.batches", method_named(config.method)):
        return BalancedPasses(sentences, rng, compared_labels(tie), label_rng)
    return Passes(sentences, rng)


def with_unknown(
    sentences: Sequence[EncodedSentence],
    vocabulary: Vocabulary,
    rng: np.random.Generator,
    probability: float,
) -> list[EncodedSentence]:
    """Sentences in which words that are seen once in training are unknown with a probability."""
    return [
        sentence._replace(words=vocabulary.replace_singletons(sentence.words, rng, probability))
        for sentence in sentences
    ]
