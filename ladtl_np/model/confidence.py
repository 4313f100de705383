"""How sure a tagger is of its own tags, found beside them.                 docs/math/crf.md (24)"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.packing import Packing
from ladtl_np.corpus.labels import TagSet
from ladtl_np.kernels import best_paths as search
from ladtl_np.kernels import posterior_log
from ladtl_np.kernels.decoding import Head
from ladtl_np.layers.posterior import chain_of, n_best, posteriors
from ladtl_np.model.tag_names import TagNames, spelling_of
from ladtl_np.options.best_paths import MOST_PATHS
from ladtl_np.shapes import Floats, Integers

__all__ = ["LISTED_TOKENS", "PLAIN", "Asked", "Confidence", "Path", "Scores", "Sure"]

# a sentence of more tokens whose best paths are wanted is taken in pieces
LISTED_TOKENS = 4_096


class Asked(NamedTuple):
    """What is to be told beside the tags.

    Attributes
    ----------
    paths
        How many best paths.
    marginals
        Whether the probabilities of all tags of each token are wanted.
    """

    paths: int = 0
    marginals: bool = False


PLAIN = Asked()


class Path(NamedTuple):
    """A tag sequence and its probability."""

    tags: tuple[str, ...]
    probability: float


class Sure(NamedTuple):
    """A sentence's tags, and how sure the model is of them.

    All is given that the tags are legal, if decoding is constrained.

    Attributes
    ----------
    tags
        The best tags.
    probability
        Of all these tags together.
    entropy
        Of the tag sequences of the sentence, in nats; 0 if one has all the probability.
    tokens
        (T,) of each token the probability that the entity it is in is there, with these bounds and
        this type; outside of entities, that it is outside.
    marginals
        (T, m) probability of each tag of the head, if it was asked for; else (0, m).
    paths
        The best paths, best first, as many as were asked for and are there.
    """

    tags: tuple[str, ...]
    probability: float
    entropy: float
    tokens: Floats
    marginals: Floats
    paths: tuple[Path, ...]


class Scores:
    """Keeps the scores from which tags are chosen; a `packed.Beside` and a `packed.InPieces`."""

    longest = np.iinfo(np.int64).max

    def __init__(self, tags: int) -> None:
        self._pieces: list[Floats] = []
        self._tags = tags

    def of_batch(self, memory: Memory, packing: Packing, E: Floats, best: Integers) -> list[Floats]:
        """Scores (T, m) of each sentence, -inf where it may not start or end."""
        return np.split(E[packing.rows], np.cumsum(packing.lengths)[:-1])

    def of_nothing(self) -> Floats:
        """No scores."""
        return np.empty((0, self._tags))

    def of_pieces(self, tokens: int, begins: range) -> Scores:
        """The same of one sentence, a piece at a time."""
        return Scores(self._tags)

    def forward(self, piece: int, E: Floats) -> None:
        """Keep a piece."""
        self._pieces.append(E.copy())

    def backward(self, piece: int, E: Floats, tags: Integers, tag_before: int) -> None:
        """All is there already."""

    def result(self) -> Floats:
        """All pieces."""
        return np.concatenate(self._pieces)


class Confidence:
    """Looks at scores beside Viterbi; a `packed.Beside`, whose results want a sentence's tags.

    Parameters
    ----------
    head
        The CRF.
    tags, names
        Its tags, and what they are called.
    asked
        What is wanted.
    temperature
        What all scores are divided by.
    """

    def __init__(
        self, head: Head, tags: TagSet, names: TagNames, asked: Asked, temperature: float
    ) -> None:
        if not 0 <= asked.paths <= MOST_PATHS:
            raise ValueError(f"paths must lie in [0, {MOST_PATHS}], got {asked.paths}")
        self.A, self.names, self.asked = head.A, names, asked
        self.chain = chain_of(head.A, *spelling_of(tags), temperature)

    @property
    def longest(self) -> int:
        """Tokens of the longest sentence that is taken at once."""
        return LISTED_TOKENS if self.asked.paths else np.iinfo(np.int64).max

    def of_nothing(self) -> partial[Sure]:
        """A sentence without tokens has one path, of no tags."""
        paths = (Path((), 1.0),) if self.asked.paths else ()
        none = np.empty(0), np.empty((0, len(self.A)))
        return partial(_sure, 1.0, 0.0, *none, paths)

    def of_batch(
        self, memory: Memory, packing: Packing, E: Floats, best: Integers
    ) -> list[partial[Sure]]:
        """Of each sentence of the list what its `Sure` is made of, once its tags are known."""
        asked, offsets, empty = self.asked, packing.offsets, memory.empty
        told = posteriors(E, self.chain, best, offsets, empty, unary=asked.marginals)
        rank = np.empty_like(packing.order)
        rank[packing.order] = np.arange(packing.sentences)
        lengths = packing.lengths
        cuts = np.cumsum(lengths)[:-1]
        tokens = np.split(told.token[packing.rows], cuts)
        no_marginals = np.empty((0, len(self.A)))
        marginals = [no_marginals] * len(rank)
        if asked.marginals:
            marginals = np.split(told.unary[packing.rows], cuts)
        paths: list[tuple[Path, ...]] = [()] * len(rank)
        if asked.paths:
            found = n_best(E, self.A, self.chain, told.gain, offsets, asked.paths, empty)
            paths = self._named(found.tags[:, packing.rows], found.log_path[:, rank], lengths)
        sums = np.exp(told.log_path[rank]).tolist(), told.entropy[rank].tolist()
        parts = zip(*sums, tokens, marginals, paths, strict=True)
        return [partial(_sure, *of_sentence) for of_sentence in parts]

    def of_pieces(self, tokens: int, begins: range) -> LongConfidence:
        """The same of one sentence, a piece at a time."""
        return LongConfidence(self, tokens, begins)

    def _named(
        self, tags: Integers, log_path: Floats, lengths: Sequence[int] | Integers
    ) -> list[tuple[Path, ...]]:
        """Paths (K, N) and their log p (K, B) by sentence, in names."""
        ends = np.cumsum(lengths).tolist()
        names = [self.names.of(path, list(lengths)) for path in tags]
        probabilities = np.exp(log_path).tolist()
        return [
            tuple(
                Path(tuple(of_path[end - length : end]), p[number])
                for of_path, p, log_p in zip(names, probabilities, log_path, strict=True)
                if log_p[number] > -np.inf
            )
            for number, (end, length) in enumerate(zip(ends, lengths, strict=True))
        ]


def _sure(
    probability: float,
    entropy: float,
    tokens: Floats,
    marginals: Floats,
    paths: tuple[Path, ...],
    tags: tuple[str, ...],
) -> Sure:
    return Sure(tags, probability, entropy, tokens, marginals, paths)


class LongConfidence:
    """What pieces of one long sentence say together, in log space; a `packed.InPieces`.

    Kept of each piece are alpha and the lists of best prefixes at its start. On the way back the
    rest of it is found again.
    """

    def __init__(self, of: Confidence, tokens: int, begins: range) -> None:
        self.of, self.begins = of, begins
        m, K = len(of.A), of.asked.paths
        self.alpha = np.empty((len(begins) + 1, m))
        self.after, self.tag_after = np.empty((2, m)), -1
        self.tags, self.token = np.empty(tokens, np.int64), np.empty(tokens)
        self.marginals = np.empty((tokens if of.asked.marginals else 0, m))
        self.log_path, self.entropy = 0.0, 0.0
        self.prefixes = np.empty((len(begins) + 1, m, K), of.A.dtype)
        self.paths, self.log_paths = np.zeros((K, tokens), np.int64), np.zeros(K)
        self.ends = np.empty(K, np.int64)

    def forward(self, piece: int, E: Floats) -> None:
        """Carry alpha and the lists over a piece."""
        alpha, _ = self._alpha(piece, E)
        self.alpha[piece + 1] = alpha[-1]
        if self.of.asked.paths:
            self.prefixes[piece + 1] = self._lists(piece, E).scores[-1]
            if piece + 1 == len(self.begins):
                search.last_of_paths(self.ends, self.prefixes[-1])

    def backward(self, piece: int, E: Floats, tags: Integers, tag_before: int) -> None:
        """Take a piece's share of everything, the last piece first."""
        chain, begin = self.of.chain, self.begins[piece]
        here = slice(begin, begin + len(E))
        alpha, gain = self._alpha(piece, E)
        X, self.tags[here] = self._scores(E), tags
        log_path, entropy = posterior_log.log_sweep_back(
            self.token[here], alpha, self.after, X, gain, tags, chain.A, chain.spelling,
            self.alpha[piece], tag_before, self.tag_after,
        )  # fmt: skip
        self.log_path, self.entropy = self.log_path + log_path, self.entropy + entropy
        self.tag_after = int(tags[0])
        if self.of.asked.marginals:
            self.marginals[here] = alpha
        if self.of.asked.paths:
            self._trace(piece, E, gain, here)

    def _trace(self, piece: int, E: Floats, gain: Floats, here: slice) -> None:
        """Write a piece of the best paths, and add to their logarithms."""
        chain, there, log_paths = self.of.chain, self.ends >= 0, np.empty_like(self.log_paths)
        paths = self.paths[:, here]
        came_from = self._lists(piece, E).came_from
        search.trace_paths(paths, self.ends, came_from)
        search.score_paths(log_paths, paths, self.ends, E, gain, chain)
        self.log_paths += log_paths
        if here.stop < self.paths.shape[1]:
            A = chain.A[paths[there, -1], self.paths[there, here.stop]]
            self.log_paths[there] += A

    def result(self) -> partial[Sure]:
        """What its `Sure` is made of, once its tags are known."""
        posterior_log.span_of_each_token(self.token, self.tags, self.of.chain.spelling)
        lengths = [len(self.tags)]
        (paths,) = self.of._named(self.paths, self.log_paths[:, None], lengths)
        sums = float(np.exp(self.log_path)), max(0.0, self.entropy)
        return partial(_sure, *sums, self.token, self.marginals, paths)

    def _scores(self, E: Floats) -> Floats:
        return E.astype(np.float64) * self.of.chain.inverse_temperature

    def _alpha(self, piece: int, E: Floats) -> tuple[Floats, Floats]:
        alpha, gain = np.empty(E.shape), np.empty(len(E))
        given = self.of.chain.A, self.alpha[piece], piece == 0
        posterior_log.log_forward(alpha, gain, self._scores(E), *given)
        return alpha, gain

    def _lists(self, piece: int, E: Floats) -> search.Lists:
        shape = (len(E) + 1, *self.prefixes.shape[1:])
        lists = search.Lists(np.empty(shape, E.dtype), np.empty(shape, np.int64))
        lists.scores[0] = self.prefixes[piece]
        search.list_piece(lists, E, self.of.A, self.begins[piece])
        return lists
