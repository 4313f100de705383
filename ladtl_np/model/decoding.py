"""From tokens to tags with one CRF head: what evaluation and tagging share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain, islice

import numpy as np

from ladtl_np.arrays.packing import pack
from ladtl_np.arrays.spelling import pack_spellings
from ladtl_np.arrays.workers import Workers
from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.unknown import UnknownTokens
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import ScoreError
from ladtl_np.kernels import decoding
from ladtl_np.layers.bilstm import DIRECTIONS
from ladtl_np.layers.characters import characters_forward, join_forward
from ladtl_np.layers.projection import fold
from ladtl_np.model.batches import Begun, Found, Tags, batches_of, distinct, groups_of, numbered
from ladtl_np.model.confidence import PLAIN, Asked, Confidence, Scores, Sure
from ladtl_np.model.network import TARGET, Network
from ladtl_np.model.packed import Beside, Projected
from ladtl_np.model.pieces import LONG_TOKENS, best_tags_in_pieces
from ladtl_np.model.products import products_of
from ladtl_np.model.tag_names import TagNames, allowed_tags
from ladtl_np.options.precision import PRECISION, Precision
from ladtl_np.shapes import Floats, Integers

__all__ = ["Decoder"]

# Tokens in one packed batch: enough to keep the matrix products busy, few enough for the caches.
BATCH_TOKENS = 1024
# tokens whose distinct words are projected together; bounds the memory that takes
GROUP_TOKENS = 16_384
# distinct words whose characters are read together, for the same reason
SPELLED_WORDS = 2_048
# groups whose projected words are in memory at one time
GROUPS_AT_ONCE = 2


class Decoder:
    """Finds the best tags of sentences under one head of a network.

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
    characters
        Alphabet of a network that reads characters.
    constrained
        Whether only tag sequences that are legal in the tags' scheme may be chosen.
    emission_bias
        Whether the emission bias counts, where the network has one.
    workers
        Threads.
    name
        What messages call the model.
    precision
        Of the LSTM's products; bfloat16 wants a network of float32.
    own_scheme
        Whether tags are given in the scheme of `tags`; else in BIOES.
    temperature
        What scores are divided by before probabilities are made of them; no tag depends on it.
    """

    def __init__(
        self,
        network: Network,
        vocabulary: Vocabulary,
        tags: TagSet,
        *,
        head: str = TARGET,
        constrained: bool,
        emission_bias: bool,
        characters: Characters | None = None,
        workers: Workers | None = None,
        name: str = "",
        precision: Precision = PRECISION,
        own_scheme: bool = False,
        temperature: float = 1.0,
    ) -> None:
        self.network, self.vocabulary, self.tags, self.head = network, vocabulary, tags, head
        self.characters, self.emission_bias = characters, emission_bias
        self.constrained, self.name = constrained, name or "this model"
        if (characters is None) != (network.architecture.characters == 0):
            raise ValueError("a network that reads characters needs its alphabet, others have none")
        self.precision, self.products = precision, products_of(precision)
        if precision == "bfloat16" and network.embedding.dtype != np.float32:
            raise ValueError(f"bfloat16 wants weights of float32, got {network.embedding.dtype}")
        self.workers = workers or Workers()
        self._allowed = allowed_tags(tags, constrained=constrained)
        self._names = TagNames(tags, own=own_scheme)
        self.temperature = temperature
        self._looked_up = self._unknown = 0

    @property
    def counted(self) -> UnknownTokens:
        """Tokens that were looked up so far, and how many of them are not known."""
        return UnknownTokens(self._unknown, self._looked_up)

    def tag(
        self, sentences: Sequence[Sequence[str]], where: Callable[[int], str] = numbered
    ) -> list[Tags]:
        """Tags of each sentence, in the order given; an empty sentence has none.

        Parameters
        ----------
        sentences
            Tokens of each sentence.
        where
            What a message calls the sentence at an index.

        Raises
        ------
        ScoreError
            If the scores of a sentence are not finite.
        """
        return self.start(sentences, where)()

    def start(
        self, sentences: Sequence[Sequence[str]], where: Callable[[int], str] = numbered
    ) -> Callable[[], list[Tags]]:
        """Begin tagging on the workers' threads; what is returned waits for the tags.

        With one thread all is done before this returns, but for what is beyond GROUPS_AT_ONCE.
        Sentences of more than LONG_TOKENS tokens are tagged in pieces, with the same result. Errors
        are those of `tag`.
        """
        results = self._start(sentences, where, None)
        return lambda: results().tags

    def start_sure(
        self,
        sentences: Sequence[Sequence[str]],
        where: Callable[[int], str] = numbered,
        asked: Asked = PLAIN,
    ) -> Callable[[], list[Sure]]:
        """As `start`, with how sure the CRF is of the tags, see `confidence.Asked`."""
        results = self._start(sentences, where, self.confidence(asked))
        return lambda: [told(tags) for tags, told in zip(*results(), strict=True)]

    def confidence(self, asked: Asked) -> Confidence:
        """What tells of scores how sure their tags are, with the network as it is now."""
        return Confidence(self._head(), self.tags, self._names, asked, self.temperature)

    def scores(self, sentences: Sequence[Sequence[str]]) -> list[Floats]:
        """Scores (T, m) of each sentence, -inf for tags that it may not start or end with."""
        return self._start(sentences, numbered, Scores(len(self.tags)))().told

    def transitions(self) -> Floats:
        """Transition scores (m, m), -inf where a tag may not follow."""
        return self._head().A

    def _start(
        self,
        sentences: Sequence[Sequence[str]],
        where: Callable[[int], str],
        beside: Beside | None,
    ) -> Callable[[], Found]:
        longest = LONG_TOKENS if beside is None else min(LONG_TOKENS, beside.longest)
        short = [sentence if len(sentence) <= longest else () for sentence in sentences]
        lengths = np.fromiter(map(len, short), np.int64, len(short))
        table, words = self.inputs(list(chain.from_iterable(short)), count=True)
        by_sentence = np.split(words, np.cumsum(lengths)[:-1])
        head = self._head()
        waiting: deque[Begun] = deque()
        groups = groups_of(batches_of(lengths, BATCH_TOKENS), lengths, GROUP_TOKENS)

        def begin(count: int) -> None:
            for group in islice(groups, count):
                waiting.append(self._begin(group, by_sentence, table, head, beside))

        begin(GROUPS_AT_ONCE)
        nothing = None if beside is None else beside.of_nothing()
        found = Found([()] * len(sentences), [nothing] * len(sentences))
        broken: list[int] = []
        for n, sentence in enumerate(sentences):
            if len(sentence) > longest:
                given = self.inputs, self.network.weights, head, self.workers, self.products
                self._count_long(sentence)
                best, score, found.told[n] = best_tags_in_pieces(sentence, *given, beside)
                broken += [] if np.isfinite(score) else [n]
                found.tags[n] = tuple(self._names.of(best, [len(sentence)]))

        def results() -> Found:
            while waiting:
                for numbers, finish in waiting.popleft():
                    best, scores, told = finish()
                    names = self._names.of(best, lengths[numbers].tolist())
                    broken.extend(np.array(numbers)[~np.isfinite(scores)].tolist())
                    end = 0
                    for n in numbers:
                        first, end = end, end + int(lengths[n])
                        found.tags[n] = tuple(names[first:end])
                    for n, of_sentence in zip(numbers, told, strict=False):
                        found.told[n] = of_sentence
                begin(1)
            self._require_finite(broken, where)
            return found

        return results

    def _require_finite(self, broken: Sequence[int], where: Callable[[int], str]) -> None:
        """Refuse to tag if there is a sentence whose scores are not finite."""
        if broken:
            raise ScoreError(
                f"{self.name}: its scores of {where(min(broken))} are not finite, so its tags mean "
                "nothing; the weights are damaged, or the training had diverged"
            )

    def _begin(
        self,
        group: list[list[int]],
        by_sentence: list[Integers],
        table: Floats,
        head: decoding.Head,
        beside: Beside | None,
    ) -> Begun:
        """Start every batch of a group; each with the numbers of its sentences."""
        parts = [[by_sentence[n] for n in batch] for batch in group]
        rows, place = distinct([part for batch in parts for part in batch], len(table))
        encoder = self._start_projection(table, rows)
        begun, tag = [], self.products.best_tags
        for numbers, batch in zip(group, parts, strict=True):
            packing = pack(np.array([part.size for part in batch]))
            packed = np.empty(packing.tokens, dtype=np.int64)
            packed[packing.rows] = place[np.concatenate(batch)]
            task = partial(
                tag, packing=packing, words=packed, encoder=encoder, head=head, beside=beside
            )
            begun.append((numbers, self.workers.start(task)))
        return begun

    def _count(self, rows: Integers) -> None:
        """Count tokens by their rows of the embedding (N,)."""
        self._looked_up += rows.size
        self._unknown += rows.size - int(np.count_nonzero(rows))

    def _count_long(self, sentence: Sequence[str]) -> None:
        """Count a sentence that is tagged in pieces, each of which is looked up several times."""
        for first in range(0, len(sentence), LONG_TOKENS):
            self._count(self.vocabulary.encode(sentence[first : first + LONG_TOKENS]))

    def inputs(self, tokens: list[str], *, count: bool = False) -> tuple[Floats, Integers]:
        """Vectors (U, inputs) that the BiLSTM reads, and which of them each token has (N,)."""
        network = self.network
        if self.characters is None:
            rows = self.vocabulary.encode(tokens)
            if count:
                self._count(rows)
            return network.embedding, rows
        numbers: dict[str, int] = {}  # of distinct tokens as they are written
        place = np.array([numbers.setdefault(token, len(numbers)) for token in tokens], np.int64)
        rows = self.vocabulary.encode(list(numbers))
        if count:
            self._count(rows[place])
        spelled = list(map(self.characters.spell, numbers))
        table = np.empty((len(numbers), network.architecture.word_inputs), network.embedding.dtype)
        for first in range(0, len(spelled), SPELLED_WORDS):
            some = slice(first, first + SPELLED_WORDS)
            with self.workers.memory.frame():
                F, _ = characters_forward(
                    pack_spellings(spelled[some]), network.weights, self.workers
                )
                X = network.embedding[rows[some]]
                table[some] = join_forward(X, F, np.arange(len(X)))
        return table, place

    def _start_projection(self, table: Floats, rows: Integers) -> Projected:
        task = partial(self.products.project, table=table, rows=rows, weights=self.network.weights)
        return Projected(*(self.workers.start(partial(task, name=name)) for name in DIRECTIONS))

    def _head(self) -> decoding.Head:
        weights, crf = self.network.weights, self.network.architecture.crf_of(self.head)
        # E = (H T) W = H (T W)
        W = fold(self.network.projection(self.head), weights[f"{crf}.W"])
        A, b = weights[f"{crf}.A"], weights.get(f"{crf}.b") if self.emission_bias else None
        may_start, may_end, may_follow = self._allowed
        A = np.where(may_follow, A, A.dtype.type(-np.inf))
        b = np.empty(0, W.dtype) if b is None else b
        return decoding.Head(W, b, A, np.ascontiguousarray(A.T), may_start, may_end)
