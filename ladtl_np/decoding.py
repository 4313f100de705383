"""From tokens to tags with one CRF head: what evaluation and tagging share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ladtl_np.batching import pack, unpack
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import legal_start_end_transition
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.layers.bilstm import bilstm_forward
from ladtl_np.layers.crf import crf_viterbi
from ladtl_np.layers.embedding import embedding_forward
from ladtl_np.layers.linear import affine_forward
from ladtl_np.network import TARGET, Network
from ladtl_np.shapes import Floats, Integers
from ladtl_np.workers import Workers

__all__ = ["Decoder"]

# Tokens in one packed batch: enough to keep the matrix products busy, few enough for any memory.
BATCH_TOKENS = 4096


class Decoder:
    """Finds the best BIOES tags of sentences under one head of a network.

    Parameters
    ----------
    network
        Parameters; read at every call, so a network in training can be decoded with.
    vocabulary
        Words of the embedding rows.
    tags
        Tags of the head.
    head
        ``network.TARGET`` or ``network.SOURCE``.
    constrained
        Whether only legal tag sequences of BIOES may be chosen.
    workers
        Threads.
    """

    def __init__(
        self,
        network: Network,
        vocabulary: Vocabulary,
        tags: TagSet,
        *,
        head: str = TARGET,
        constrained: bool = True,
        workers: Workers | None = None,
    ) -> None:
        self.network, self.vocabulary, self.tags, self.head = network, vocabulary, tags, head
        self.workers = workers or Workers()
        self._legal = legal_start_end_transition(tags.tags) if constrained else None

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """BIOES tags of each sentence, in the order given; an empty sentence has none."""
        return self.tag_rows([self.vocabulary.encode(tokens) for tokens in sentences])

    def tag_rows(self, sentences: Sequence[Integers]) -> list[tuple[str, ...]]:
        """As `tag`, for sentences already encoded with the vocabulary."""
        results: list[tuple[str, ...]] = [()] * len(sentences)
        for numbers in self._batches(sentences):
            best = self._best([sentences[n] for n in numbers])
            for n, rows in zip(numbers, best, strict=True):
                results[n] = self.tags.decode(rows.tolist())
        return results

    @staticmethod
    def _batches(sentences: Sequence[Integers]) -> Iterator[list[int]]:
        """Sentences of similar length together, at most BATCH_TOKENS tokens or one sentence."""
        batch: list[int] = []
        tokens = 0
        for n in sorted(range(len(sentences)), key=lambda n: (-sentences[n].size, n)):
            size = sentences[n].size
            if size == 0:
                break
            if batch and tokens + size > BATCH_TOKENS:
                yield batch
                batch, tokens = [], 0
            batch.append(n)
            tokens += size
        if batch:
            yield batch

    def _best(self, sentences: Sequence[Integers]) -> list[Integers]:
        lengths = np.array([words.size for words in sentences], dtype=np.int64)
        packing = pack(lengths)
        words = np.empty(packing.tokens, dtype=np.int64)
        words[packing.rows] = np.concatenate(sentences)
        weights = self.network.weights
        X = embedding_forward(self.network.embedding, words, None)
        hidden, _ = bilstm_forward(X, weights, packing.offsets, self.workers)
        E = affine_forward(hidden, weights[f"{self.head}.W"], weights.get(f"{self.head}.b"))
        A = weights[f"{self.head}.A"]
        if self._legal is not None:
            E, A = self._forbid(E, A, packing.offsets)
        best, _ = crf_viterbi(E, A, packing.offsets)
        return unpack(packing, best, lengths)

    def _forbid(self, E: Floats, A: Floats, offsets: Integers) -> tuple[Floats, Floats]:
        """Give -inf to illegal first tags, last tags and transitions."""
        assert self._legal is not None
        start, end, transition = self._legal
        E[: offsets[1], ~start] = -np.inf
        E[np.ix_(_last_rows(offsets), np.flatnonzero(~end))] = -np.inf
        return E, np.where(transition, A, A.dtype.type(-np.inf))


def _last_rows(offsets: Integers) -> Integers:
    """Packed row of the last token of each sentence."""
    widths = np.diff(offsets)
    following = np.append(widths[1:], 0)
    ends = [
        np.arange(first + after, first + width)
        for first, width, after in zip(offsets[:-1], widths, following, strict=True)
    ]
    return np.concatenate(ends)
