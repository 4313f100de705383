"""How much memory a training takes, told before anything of it is allocated.   docs/memory.md"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.limits import require_room, told_size
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.layers.mmd import SHARDS
from ladtl_np.model.decoding import BATCH_TOKENS, GROUP_TOKENS, GROUPS_AT_ONCE
from ladtl_np.model.network import Architecture
from ladtl_np.model.pieces import LONG_TOKENS
from ladtl_np.options.config import Config
from ladtl_np.options.methods import Method

__all__ = ["Estimate", "Longest", "estimate", "require_memory"]

FLOAT = 4
"""Bytes of a weight."""

TOKEN, SENTENCE, WORD = 40, 500, 250
"""Bytes of an encoded token, of a sentence, and of a word of the vocabulary."""

OVERHEAD = 8 * 2.0**20
"""Bytes that compiled code and threads take once they work."""

DEV_TOKEN = 60
"""Bytes of a token's predicted tag and of its number."""


class Longest(NamedTuple):
    """The longest training sentence: its corpus, its line, its tokens."""

    name: str
    line: int
    tokens: int


class Estimate(NamedTuple):
    """Largest bytes that each part of a training takes; together they are what it needs.

    Attributes
    ----------
    weights
        The trained parameters, the sums of the optimiser, the best so far.
    batch
        The mini-batch of the longest sentences.
    corpora
        Encoded training sentences, and the vocabulary.
    step, evaluation, writing
        What is needed beside that one after another: gradients and matrices (m, m) of a step;
        batches of development data; a model as it is written and checked.
    longest
        The sentence to which `batch` owes most.
    sizes
        Of the network.
    """

    weights: float
    batch: float
    corpora: float
    step: float
    evaluation: float
    writing: float
    longest: Longest
    sizes: Architecture

    @property
    def total(self) -> float:
        """Bytes at the highest moment."""
        held = OVERHEAD + self.weights + self.batch + self.corpora
        return held + max(self.step, self.evaluation, self.writing)

    def __str__(self) -> str:
        """The parts in words."""
        parts = ("weights", "batch", "corpora", "step", "evaluation", "writing")
        told = ", ".join(f"{part} {told_size(getattr(self, part))}" for part in parts)
        return f"{told_size(self.total)} ({told})"


def estimate(
    config: Config,
    method: Method,
    sizes: Architecture,
    sources: Sequence[Corpus],
    target: Corpus,
    dev: Corpus | None = None,
) -> Estimate:
    """What a training is going to take at most.

    Parameters
    ----------
    config, method
        The options, and the row of the method.
    sizes
        Of the network, with the tags of every domain.
    sources, target
        Training corpora as they are used.
    dev
        Development corpus.
    """
    options = config.training
    parts = [(target, options.target_batch)]
    parts += [(source, options.source_batch) for source in sources]
    per_token, per_character = _costs(config, method, sizes)
    batches = [
        per_token * _largest([float(len(sentence)) for sentence in corpus], count)
        for corpus, count in parts
    ]
    batch = sum(batches)
    if method.source == "before the target":  # the sources' sizes first, then the target's
        batch = max(batches[0], sum(batches[1:]))
    if per_character:
        words = {token for corpus, _ in parts for sentence in corpus for token in sentence.tokens}
        largest = (_largest(map(_characters, corpus), n) for corpus, n in parts)
        batch += per_character * min(sum(largest), sum(map(len, words)))
    dense = FLOAT * sum(float(np.prod(shape)) for shape in sizes.shapes().values())
    everything = dense + FLOAT * float(sizes.vocabulary * sizes.embedding)
    squares = [float(m) ** 2 for m in sizes.heads().values()]
    at_once = sum(squares) if config.threads > 1 else max(squares)
    kl = 6 if config.objective.parameter_transfer == "kl" else 0
    sentences = sum(len(corpus) for corpus, _ in parts)
    tokens = sum(corpus.token_count for corpus, _ in parts)
    return Estimate(
        weights=3 * everything,
        batch=batch,
        corpora=float(TOKEN * tokens + SENTENCE * sentences + WORD * sizes.vocabulary),
        step=dense + (2 + kl) * FLOAT * at_once,
        evaluation=_evaluation(config, sizes, dev),
        writing=2 * everything,
        longest=max((_longest(corpus) for corpus, _ in parts), key=lambda found: found.tokens),
        sizes=sizes,
    )


def require_memory(found: Estimate) -> Estimate:
    """Refuse a training that this process may not take the memory for; give back the others.

    Raises
    ------
    LadtlError
        Naming what is too large: the longest sentence, the tags or the vocabulary.
    """
    sizes = found.sizes
    m = max(sizes.heads().values())
    name, line, tokens = found.longest
    advice = {
        "batch": f"The longest sentence, {name}:{line}, has {tokens:,} tokens: cut it at the ends "
        "of sentences, or lower training.source_batch and training.target_batch",
        "tags": f"There are {m:,} tags and so {m * m:,} transitions between them: "
        "rename types to fewer ones, with rename of data.source_format and data.target_format",
        "vocabulary": f"There are {sizes.vocabulary:,} words of {sizes.embedding} numbers: "
        "raise vocabulary.min_count, or lower model.embedding or model.hidden",
    }
    table = float(sizes.vocabulary * sizes.embedding)
    parts = {"batch": found.batch, "tags": 5.0 * FLOAT * m * m, "vocabulary": 5.0 * FLOAT * table}
    largest = max(parts, key=lambda part: parts[part])
    require_room(found.total, "This training", advice[largest])
    return found


def _costs(config: Config, method: Method, sizes: Architecture) -> tuple[float, float]:
    """Bytes for each token of a mini-batch, and for each character of its distinct words."""
    H, D = sizes.hidden, sizes.word_inputs
    m = max(sizes.heads().values())
    kept = 2 * D + 16 * H  # inputs, dropout, gates, cells, states, their gradients
    crf = 4 * H + 7 * m + 8  # scores and messages of the CRFs
    crf += 4 * H if sizes.projection != "none" else 0
    copies = min(config.threads, SHARDS)  # of the rows, and the same packed
    mmd = 2 * H * (SHARDS + 2 * copies) + 3 * copies if method.mmd != "none" else 0
    kl = 17 * m + 4 * H if config.objective.parameter_transfer == "kl" else 0
    kl += 14 * m if kl and config.objective.divergence_gradient == "both" else 0
    back = 2 * H + 6 * D
    integers = 80
    Hc, Dc = sizes.character_hidden, sizes.character_embedding
    per_character = FLOAT * (20 * Hc + 8 * Dc + 16) if sizes.characters else 0
    return float(FLOAT * (kept + max(crf, mmd, kl, back)) + integers), float(per_character)


def _characters(sentence: Sentence) -> float:
    """Characters of a sentence's distinct words."""
    return float(sum(map(len, set(sentence.tokens))))


def _largest(sizes: Iterable[float], count: int) -> float:
    """Sum of the `count` largest; a batch larger than its corpus takes sentences again."""
    ordered = sorted(sizes, reverse=True)
    again, rest = divmod(count, max(len(ordered), 1))
    return again * sum(ordered) + sum(ordered[:rest])


def _longest(corpus: Corpus) -> Longest:
    longest = max(corpus, key=len)
    return Longest(corpus.name, longest.line, len(longest))


def _evaluation(config: Config, sizes: Architecture, dev: Corpus | None) -> float:
    """Projected words of some groups, a batch for each thread, transitions; tags of all tokens."""
    if dev is None:
        return 0.0
    H, m, tokens = sizes.hidden, sizes.target_tags, dev.token_count
    words = min(sizes.vocabulary, GROUP_TOKENS, tokens)
    groups = min(GROUPS_AT_ONCE, config.threads, 1 + tokens // GROUP_TOKENS)
    longest = min(max(map(len, dev), default=0), LONG_TOKENS)
    batch = max(BATCH_TOKENS, longest) * (2 * H + 2 * m + 8)
    floats = groups * words * 8 * H + config.threads * batch
    return float(FLOAT * floats + 10.0 * m**2 + DEV_TOKEN * tokens)
