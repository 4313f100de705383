"""The loss as an audit looks at it: its terms' values and gradients, and parameters to move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ladtl_np.layers.embedding import dropout_mask
from ladtl_np.model.network import SOURCE, TARGET, Network
from ladtl_np.objective.batching import Batch, EncodedSentence, domain_batch
from ladtl_np.objective.terms import Objective
from ladtl_np.shapes import Floats, Integers

__all__ = ["Case", "Side", "divergence_possible", "make_case", "two_crfs"]

DROPOUT = 0.5
"""Of the inputs, where the options have none: the mask is to be checked, too."""


@dataclass(frozen=True, slots=True)
class Case:
    """What both sides compute: a network, sentences, a dropout mask and an objective.

    Attributes
    ----------
    network
        In float64; a copy, which a check may move.
    objective
        Nothing is frozen.
    sources, target
        Sentences of each domain, with weights of their own.
    spelled
        Character rows by spelling; None where characters are not read.
    batch
        The same sentences, packed.
    mask
        (N, D + 2Hc) in packed order.
    dropout
        Share of the inputs that it sets to 0.
    """

    network: Network
    objective: Objective
    sources: tuple[tuple[EncodedSentence, ...], ...]
    target: tuple[EncodedSentence, ...]
    spelled: tuple[Integers, ...] | None
    batch: Batch
    mask: Floats
    dropout: float

    @property
    def source(self) -> tuple[EncodedSentence, ...]:
        """Sentences of all sources."""
        return tuple(sentence for half in self.sources for sentence in half)


@dataclass(frozen=True, slots=True)
class Side:
    """One implementation of the loss.

    Attributes
    ----------
    name
        As lines of the audit say.
    parameters
        Arrays that `values` reads, by name; they may be moved in place.
    terms
        Names of the K terms.
    values
        Computes (K,) values of the terms where the parameters are.
    gradients
        Of each term by each parameter, where the parameters were at first.
    """

    name: str
    parameters: dict[str, Floats]
    terms: tuple[str, ...]
    values: Callable[[], Floats]
    gradients: tuple[dict[str, Floats], ...]


def make_case(
    network: Network,
    objective: Objective,
    sources: Sequence[Sequence[EncodedSentence]],
    target: Sequence[EncodedSentence],
    spelled: tuple[Integers, ...] | None,
    dropout: float,
    rng: np.random.Generator,
) -> Case:
    """Sentences with random weights and a random dropout mask.

    The first sentence of each domain that has more is cut to its first token: boundaries break
    where a sentence has one token. A prefix of a sentence is a sentence, too.
    """
    given = tuple(_uneven(source, rng) for source in sources if source)
    wanted = _uneven(target, rng)
    batch = domain_batch([*given, wanted], spelled)
    shape = batch.words.size, network.architecture.word_inputs
    share = dropout or DROPOUT
    mask = dropout_mask(rng, shape, share, np.float64)
    assert mask is not None
    return Case(network.copy(), objective, given, wanted, spelled, batch, mask, share)


def _uneven(
    sentences: Sequence[EncodedSentence], rng: np.random.Generator
) -> tuple[EncodedSentence, ...]:
    """Sentences with random weights, the first of several cut to its first token."""
    cut = list(sentences)
    if len(cut) > 1:
        cut[0] = _first_token(cut[0])
    weights = rng.uniform(0.5, 1.5, len(cut)).tolist()
    return tuple(s._replace(weight=w) for s, w in zip(cut, weights, strict=True))


def _first_token(sentence: EncodedSentence) -> EncodedSentence:
    written = sentence.spellings
    return sentence._replace(
        words=sentence.words[:1],
        tags=sentence.tags[:1],
        spellings=None if written is None else written[:1],
    )


def two_crfs(network: Network) -> bool:
    """Whether each domain has a CRF of its own."""
    return not network.architecture.shared_crf and {SOURCE, TARGET} <= set(
        network.architecture.heads()
    )


def divergence_possible(network: Network, objective: Objective) -> bool:
    """Whether all CRFs have the same tags, as the exact divergence needs."""
    sizes = network.architecture
    pairs = zip(objective.ties, sizes.sources(), strict=True)
    same = [tie.matched[0].size == m == sizes.target_tags for tie, m in pairs]
    return two_crfs(network) and all(same)
