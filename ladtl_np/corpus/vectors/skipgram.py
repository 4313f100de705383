"""Skip-gram word vectors (Mikolov et al. 2013), trained by gensim from sentences that stream by."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.vectors.rows import MAX_DIMENSION
from ladtl_np.errors import DataError, UsageError
from ladtl_np.printable import counted

__all__ = ["SkipGramOptions", "WordVectors", "require_gensim", "train_skip_gram", "vector_lines"]

LONGEST = 10_000  # tokens of a sentence that gensim reads; it would drop the rest
LAST_RATE = 1e-4  # learning rate at the end, as gensim and the original program have it

# What the text format cannot hold: the space that parts values, line ends, and halves of
# characters that UTF-8 has no bytes for. U+3000 and U+00A0 are no such space.
_UNWRITABLE = re.compile("[ \n\r\ud800-\udfff]")


class SkipGramOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How vectors are trained.

    Attributes
    ----------
    dimension
        Values of a vector. At least 2: a first line of two numbers could be a word and its value.
    window
        Tokens on each side that a word is to foretell; each time a number from 1 to this is drawn.
    min_count
        Words that occur less often have no vector and are passed over.
    epochs
        Passes over the sentences.
    negative
        Random words against which each pair of words is held.
    learning_rate
        Step size at the start; it falls linearly.
    sample
        Share of all tokens from which on occurrences of a word are left out at random; 0 for none.
    seed
        Seed of all chance.
    threads
        Threads to train with; the result depends on chance where there are several.
    """

    dimension: int = 100
    window: int = 5
    min_count: int = 5
    epochs: int = 5
    negative: int = 5
    learning_rate: float = 0.025
    sample: float = 1e-3
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (
            ("dimension", 2, MAX_DIMENSION),
            ("window", 1, 1000),
            ("min_count", 1, 2**62),
            ("epochs", 1, 2**31),
            ("negative", 1, 1000),
            ("seed", 0, 2**32 - 1),
            ("threads", 1, 1024),
            ("sample", 0, 1),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must lie between {low} and {high}, got {value}")
        if not 0 < self.learning_rate <= 1:
            raise ValueError(f"learning_rate must lie in (0, 1], got {self.learning_rate}")


@dataclass(frozen=True, eq=False, slots=True)
class WordVectors:
    """Words, their vectors, and what they were made from.

    Attributes
    ----------
    words
        Words by falling count, those of equal count by code point.
    matrix
        (V, D) their vectors, float32.
    sentences, tokens
        Sentences and tokens of one pass.
    rare
        Distinct words that occurred too seldom.
    unwritable
        Distinct words left out because a file of vectors cannot hold them.
    """

    words: tuple[str, ...]
    matrix: NDArray[np.float32]
    sentences: int
    tokens: int
    rare: int
    unwritable: int


@dataclass(slots=True)
class _Counts:
    """What a first pass over the sentences tells."""

    words: Counter[str]
    sentences: int = 0
    pieces: int = 0


class _Pieces:
    """The sentences in pieces that gensim reads in full, and the error that ended a pass.

    gensim iterates in a thread of its own, and would wait forever for one that an error has ended.
    """

    def __init__(self, sentences: Iterable[Sequence[str]]) -> None:
        self._sentences = sentences
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[Sequence[str]]:
        if self.error is not None:
            return
        try:
            for tokens in self._sentences:
                for start in range(0, len(tokens), LONGEST):
                    yield tokens[start : start + LONGEST]
        except Exception as error:
            self.error = error


def require_gensim() -> Any:
    """Return gensim's class of word vectors, without its log of events.

    The log notes the platform of each event, for which Python starts the program ``uname``; the
    commands promise to start none. gensim can read from the web, and what it would do that with
    opens a socket while it is imported, so it is kept from that.

    Raises
    ------
    UsageError
        If gensim cannot be imported.
    """
    try:
        with _without("urllib3"), _with_home():
            from gensim.models import Word2Vec
    except ImportError as error:
        raise UsageError(
            f"training word vectors needs gensim ({error}): pip install 'ladtl-np[vectors]'"
        ) from None
    return type("Word2Vec", (Word2Vec,), {"add_lifecycle_event": lambda *_, **__: None})


@contextlib.contextmanager
def _with_home() -> Iterator[None]:
    """Let a user have a home for a while: what gensim reads files with looks for one."""
    if os.path.expanduser("~") != "~":
        yield
        return
    os.environ["HOME"] = os.sep
    try:
        yield
    finally:
        del os.environ["HOME"]


@contextlib.contextmanager
def _without(name: str) -> Iterator[None]:
    """Let imports of a module fail, unless it is there already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def train_skip_gram(
    sentences: Iterable[Sequence[str]], options: SkipGramOptions | None = None
) -> WordVectors:
    """Train a vector for each word by skip-gram with negative sampling.

    With one thread, equal sentences and options give equal numbers, whatever the hash seed of the
    process.

    Parameters
    ----------
    sentences
        Tokens of each sentence. Iterated once to count, then once for each epoch, in a thread of
        gensim's. A sentence of more than 10,000 tokens is trained in pieces.
    options
        How to train; the defaults when None.

    Raises
    ------
    UsageError
        If gensim cannot be imported.
    DataError
        If there is no token, or no word occurs often enough.
    """
    options = SkipGramOptions() if options is None else options
    model = _untrained(options)
    counts = _count(sentences)
    writable = {word: n for word, n in counts.words.items() if not _UNWRITABLE.search(word)}
    kept = {word: n for word, n in writable.items() if n >= options.min_count}
    if not kept:
        raise DataError(_nothing_kept(counts, options))
    order = sorted(kept, key=lambda word: (-kept[word], word))
    model.build_vocab_from_freq({word: kept[word] for word in order})
    pieces = _Pieces(sentences)
    model.train(pieces, total_examples=counts.pieces, epochs=options.epochs)
    if pieces.error is not None:
        raise pieces.error
    return WordVectors(
        words=tuple(model.wv.index_to_key),
        matrix=np.ascontiguousarray(model.wv.vectors, np.float32),
        sentences=counts.sentences,
        tokens=counts.words.total(),
        rare=len(writable) - len(kept),
        unwritable=len(counts.words) - len(writable),
    )


def _untrained(options: SkipGramOptions) -> Any:
    """Return gensim's model before it knows any word."""
    return require_gensim()(
        vector_size=options.dimension,
        window=options.window,
        min_count=1,  # the words that it is given are chosen
        negative=options.negative,
        alpha=options.learning_rate,
        min_alpha=min(LAST_RATE, options.learning_rate),
        sample=options.sample,
        seed=options.seed,
        workers=options.threads,
        sg=1,
        hs=0,
        sorted_vocab=0,  # they stay in the order given, which is no matter of chance
    )


def _count(sentences: Iterable[Sequence[str]]) -> _Counts:
    counts = _Counts(Counter())
    for tokens in sentences:
        counts.words.update(tokens)
        counts.sentences += 1
        counts.pieces += -(-len(tokens) // LONGEST)
    return counts


def _nothing_kept(counts: _Counts, options: SkipGramOptions) -> str:
    tokens = counts.words.total()
    if not tokens:
        return "there is no token in the text; is it the right file, and complete?"
    return (
        f"none of the {len(counts.words):,} words occurs {options.min_count} times in "
        f"{counted(tokens, 'tokens')}; give more text or a lower min_count"
    )


def vector_lines(vectors: WordVectors) -> Iterator[str]:
    """Yield the lines of word2vec's text format: ``count dimension``, then each word's values.

    Each value has as many digits as tell its float32 from all others.
    """
    words, dimension = vectors.matrix.shape
    yield f"{words} {dimension}\n"
    for word, row in zip(vectors.words, vectors.matrix, strict=True):
        yield f"{word} {' '.join(map(str, row))}\n"
