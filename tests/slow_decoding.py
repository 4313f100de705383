"""Decoding one sentence at a time, every step as its formula reads, and what schemes allow."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.model.network import SOURCE, Network
from ladtl_np.reference.characters import characters_forward
from ladtl_np.reference.lstm import LstmWeights, bilstm_forward
from ladtl_np.reference.projection import domain_mask

Array = NDArray[np.float64]
Tags = tuple[str, ...]


class Allowed(NamedTuple):
    """Scores of 0 where a tag or a step is allowed, else -inf."""

    start: Array  # (m,)
    end: Array  # (m,)
    step: Array  # (m, m)


def may_start(tag: str) -> bool:
    return tag[0] in "OBS"


def may_end(tag: str, scheme: str = "BIOES") -> bool:
    return scheme == "IOB2" or tag[0] in "OES"


def may_follow(before: str, after: str, scheme: str = "BIOES") -> bool:
    """Inside an entity its own next tag, outside of one any tag that opens or is outside.

    In IOB2 an entity may be over after each of its tags.
    """
    if before[0] in "BI" and not (scheme == "IOB2" and after[0] in "OB"):
        return after[0] in "IE" and after[2:] == before[2:]
    return may_start(after)


def is_legal(path: Sequence[str]) -> bool:
    """Whether BIOES allows a sentence's tags; a sentence without a token has no wrong one."""
    if not path:
        return True
    steps = itertools.starmap(may_follow, itertools.pairwise(path))
    return may_start(path[0]) and may_end(path[-1]) and all(steps)


def allowed(tags: Sequence[str], constrained: bool, scheme: str) -> Allowed:
    """What decoding may do."""

    def scores(allows: list[bool]) -> Array:
        return np.where(np.array(allows) | (not constrained), 0.0, -np.inf)

    m = len(tags)
    steps = scores([may_follow(a, b, scheme) for a in tags for b in tags]).reshape(m, m)
    ends = scores([may_end(tag, scheme) for tag in tags])
    return Allowed(scores([*map(may_start, tags)]), ends, steps)


def slow_tags(
    network: Network,
    vocabulary: Vocabulary,
    tags: Sequence[str],
    sentence: Sequence[str],
    head: str,
    *,
    characters: Characters | None = None,
    constrained: bool = True,
    emission_bias: bool = True,
    scheme: str = "BIOES",
) -> Tags:
    """The best tags of one sentence."""
    if not sentence:
        return ()
    E, A = slow_scores(network, vocabulary, sentence, head, characters, emission_bias)
    allows = allowed(tags, constrained, scheme)
    E[0] += allows.start
    E[-1] += allows.end
    return tuple(tags[k] for k in _best_path(E, A + allows.step))


def slow_scores(
    network: Network,
    vocabulary: Vocabulary,
    sentence: Sequence[str],
    head: str,
    characters: Characters | None,
    emission_bias: bool,
) -> tuple[Array, Array]:
    """Emissions (T, m) and transitions (m, m) of one head, in float64."""
    named = {name: array.astype(np.float64) for name, array in network.named().items()}
    sizes = network.architecture

    def weights(lead: str) -> LstmWeights:
        return LstmWeights(named[f"{lead}.W"], named[f"{lead}.U"], named[f"{lead}.b"])

    forms = [vocabulary.normalise(token) for token in sentence]
    X = np.array([named["word_embedding"][vocabulary.index.get(form, 0)] for form in forms])
    if characters is not None:
        table = named["characters.embedding"]
        directions = weights("characters.forward"), weights("characters.backward")
        spelled = [
            [characters.index.get(c, 0) for c in (token.lower() if characters.lower else token)]
            for token in sentence
        ]
        read = [characters_forward(np.array(word), table, *directions)[0] for word in spelled]
        X = np.concatenate([X, np.array(read)], axis=1)
    H, _ = bilstm_forward(X, weights("forward"), weights("backward"))
    domain = "source" if head == SOURCE else "target"
    if sizes.projection == "linear":
        H = H @ named[f"{domain}_projection.T"]
    elif sizes.projection == "mask":
        H = H * domain_mask(domain, sizes.hidden, sizes.shared_fraction)
    crf = "shared_crf" if sizes.shared_crf else head
    E = H @ named[f"{crf}.W"]
    if emission_bias and f"{crf}.b" in named:
        E = E + named[f"{crf}.b"]
    return E, named[f"{crf}.A"]


def _best_path(E: Array, A: Array) -> list[int]:
    """Viterbi: delta_t(j) = E_t(j) + max_i (delta_{t-1}(i) + A(i, j))."""
    delta = [E[0]]
    came_from = []
    for scores in E[1:]:
        through = delta[-1][:, None] + A
        came_from.append(through.argmax(axis=0))
        delta.append(scores + through.max(axis=0))
    path = [int(delta[-1].argmax())]
    for sources in reversed(came_from):
        path.append(int(sources[path[-1]]))
    return path[::-1]
