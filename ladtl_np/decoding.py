"""From tokens to tags with one CRF head: what evaluation and tagging share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np

from ladtl_np.batching import Packing, pack
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import legal_start_end_transition
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.kernels import decoding as kernels
from ladtl_np.kernels.lstm import span_rows
from ladtl_np.layers.bilstm import DIRECTIONS
from ladtl_np.memory import Memory
from ladtl_np.network import TARGET, Network
from ladtl_np.shapes import Booleans, Floats, Integers
from ladtl_np.workers import Workers

__all__ = ["Decoder"]

# Tokens in one packed batch: enough to keep the matrix products busy, few enough for the caches.
BATCH_TOKENS = 2048


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
        m = len(tags.tags)
        anything = np.ones(m, np.bool_), np.ones(m, np.bool_), np.ones((m, m), np.bool_)
        self._legal = legal_start_end_transition(tags.tags) if constrained else anything
        self._names = np.array(tags.tags, dtype=object)

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """BIOES tags of each sentence, in the order given; an empty sentence has none."""
        return self.start(sentences)()

    def start(self, sentences: Sequence[Sequence[str]]) -> Callable[[], list[tuple[str, ...]]]:
        """Begin tagging on the workers' threads; what is returned waits for the tags.

        With one thread all is done before this returns.
        """
        lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
        words = self.vocabulary.encode(list(chain.from_iterable(sentences)))
        ends = np.cumsum(lengths)
        parameters = self._parameters()
        waiting = []
        for numbers in _batches(lengths):
            packing = pack(lengths[numbers])
            rows = [words[ends[n] - lengths[n] : ends[n]] for n in numbers]
            packed = np.empty(packing.tokens, dtype=np.int64)
            packed[packing.rows] = np.concatenate(rows)
            task = partial(_best_tags, packing=packing, words=packed, parameters=parameters)
            waiting.append((numbers, self.workers.start(task)))

        def results() -> list[tuple[str, ...]]:
            found: list[tuple[str, ...]] = [()] * len(sentences)
            for numbers, finish in waiting:
                names = self._names[finish()].tolist()
                end = 0
                for n in numbers:
                    begin, end = end, end + int(lengths[n])
                    found[n] = tuple(names[begin:end])
            return found

        return results

    def _parameters(self) -> _Parameters:
        weights, head = self.network.weights, self.head
        forward, backward = (
            (weights[f"{name}.W"], weights[f"{name}.U"], weights[f"{name}.b"])
            for name in DIRECTIONS
        )
        W, A, b = weights[f"{head}.W"], weights[f"{head}.A"], weights.get(f"{head}.b")
        may_start, may_end, may_follow = self._legal
        A = np.where(may_follow, A, A.dtype.type(-np.inf))
        b = np.empty(0, W.dtype) if b is None else b
        turned = np.ascontiguousarray(A.T)
        table = self.network.embedding
        return _Parameters(table, forward, backward, W, b, A, turned, may_start, may_end)


class _Parameters(NamedTuple):
    """What kernels.decoding.best_tags takes of a model, in its order."""

    table: Floats
    forward: tuple[Floats, Floats, Floats]
    backward: tuple[Floats, Floats, Floats]
    W: Floats
    b: Floats
    A: Floats
    A_transposed: Floats
    may_start: Booleans
    may_end: Booleans


def _batches(lengths: Integers) -> Iterator[list[int]]:
    """Sentences of similar length together, at most BATCH_TOKENS tokens or one sentence."""
    batch: list[int] = []
    tokens = 0
    for n in np.argsort(-lengths, kind="stable").tolist():
        size = int(lengths[n])
        if size == 0:
            break
        if batch and tokens + size > BATCH_TOKENS:
            yield batch
            batch, tokens = [], 0
        batch.append(n)
        tokens += size
    if batch:
        yield batch


def _best_tags(
    memory: Memory, *, packing: Packing, words: Integers, parameters: _Parameters
) -> Integers:
    """Best tags of a packed batch, in the order of its list of sentences."""
    empty, offsets, N = memory.empty, packing.offsets, packing.tokens
    table, W = parameters.table, parameters.W
    D, H, m, dtype = table.shape[1], W.shape[0] // 2, W.shape[1], W.dtype
    best = np.empty(N, np.int64)
    kernels.best_tags(
        best,
        np.empty(packing.sentences),
        empty((N, D), dtype),
        empty((N, 2 * H), dtype),
        empty((span_rows(offsets), 4 * H), dtype),
        empty((packing.sentences, H), dtype),
        empty((N, m), dtype),
        empty((N, m), dtype),
        words,
        *parameters,
        offsets,
    )
    tags: Integers = best[packing.rows]
    return tags
