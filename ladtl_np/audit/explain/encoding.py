"""Hidden states and gates of one sentence in float64, by the reference and by the kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from ladtl_np.arrays.workers import Workers
from ladtl_np.layers.bilstm import DIRECTIONS
from ladtl_np.model.file import Model
from ladtl_np.model.network import CHARACTERS, Network
from ladtl_np.objective.batching import Batch, EncodedSentence, domain_batch
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.reference.characters import characters_forward
from ladtl_np.reference.embedding import embedding_forward
from ladtl_np.reference.lstm import LstmWeights, bilstm_forward
from ladtl_np.shapes import Floats, Integers

__all__ = ["Direction", "Encoding", "Words", "kernel_encoding", "reference_encoding", "words_of"]


class Direction(NamedTuple):
    """What one direction of the BiLSTM did; row t is token t, whichever way it reads."""

    gates: Floats  # (T, 4H)  after their non-linearity, order i, f, o, g
    cell: Floats  # (T, H)
    hidden: Floats  # (T, H)

    def gate(self, name: str) -> Floats:
        """One of the gates ``i``, ``f``, ``o`` and ``g`` (T, H)."""
        H = self.cell.shape[1]
        number = "ifog".index(name)
        return self.gates[:, number * H : (number + 1) * H]


class Encoding(NamedTuple):
    """Both directions; ``hidden`` (T, 2H) is what the heads read."""

    forward: Direction
    backward: Direction

    @property
    def hidden(self) -> Floats:
        """(T, 2H), ``[forward ; backward]`` for each token."""
        return np.concatenate([self.forward.hidden, self.backward.hidden], axis=1)


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence as a small network of its own sees it.

    Attributes
    ----------
    tokens
        As they are written.
    network
        The model's parameters in float64; its embedding has only the rows of the sentence.
    rows
        (T,) rows of that embedding.
    known
        Whether each token has a row of its own in the model.
    spelled
        Character rows of each token; None where characters are not read.
    """

    tokens: tuple[str, ...]
    network: Network
    rows: Integers
    known: tuple[bool, ...]
    spelled: tuple[Integers, ...] | None

    def batch(self, tags: Integers) -> Batch:
        """The sentence with some tags as a batch, of the target by name."""
        numbers = None if self.spelled is None else np.arange(len(self.tokens))
        sentence = EncodedSentence(self.rows, tags, spellings=numbers)
        return domain_batch([[], [sentence]], self.spelled)


def words_of(model: Model, tokens: Sequence[str]) -> Words:
    """Look up a sentence; nothing but its own rows of the embedding is copied."""
    rows = model.vocabulary.encode(tokens)
    used, place = np.unique(rows, return_inverse=True)
    network = model.network
    architecture = msgspec.structs.replace(network.architecture, vocabulary=used.size)
    table = network.embedding[used].astype(np.float64)
    small = Network(architecture, table, network.weights.astype(np.float64))
    spelled = None
    if model.characters is not None:
        spelled = tuple(map(model.characters.spell, tokens))
    known = tuple((rows > 0).tolist())
    return Words(tuple(tokens), small, place.astype(np.int64), known, spelled)


def reference_encoding(words: Words) -> Encoding:
    """Read the sentence as `reference` has it, token by token."""
    weights = words.network.weights
    X = embedding_forward(words.rows, words.network.embedding)
    if words.spelled is not None:
        table = weights[f"{CHARACTERS}.embedding"]
        both = [_direction(weights, f"{CHARACTERS}.{name}") for name in DIRECTIONS]
        F = np.array([characters_forward(word, table, *both)[0] for word in words.spelled])
        X = np.concatenate([X, F], axis=1)
    _, caches = bilstm_forward(X, *(_direction(weights, name) for name in DIRECTIONS))
    backward = caches.backward  # row t is token T - 1 - t
    return Encoding(
        Direction(*caches.forward),
        Direction(backward.gates[::-1], backward.cell[::-1], backward.hidden[::-1]),
    )


def kernel_encoding(words: Words) -> Encoding:
    """Read the sentence with the kernels that train and tag."""
    batch = words.batch(np.zeros(len(words.tokens), np.int64))
    hidden, cache = encoder_forward(words.network, batch, None, Workers())
    H = words.network.architecture.hidden
    # one sentence alone is packed in its own order
    forward, backward = cache.bilstm.directions
    return Encoding(
        Direction(forward.gates, forward.cell, hidden[:, :H]),
        Direction(backward.gates, backward.cell, hidden[:, H:]),
    )


def _direction(weights: Mapping[str, Floats], name: str) -> LstmWeights:
    return LstmWeights(*(weights[f"{name}.{part}"] for part in LstmWeights._fields))
