"""Which words a model knows, and what a run takes from a file of word vectors.

The words of the training data have a row each; behind them stand the first words of the file. Data
that a run is only evaluated on is counted, and adds no word: the model is the same without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.limits import require_room
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.vectors.coverage import count_words, coverage
from ladtl_np.corpus.vectors.file_words import FileWords
from ladtl_np.corpus.vectors.loading import load_vectors
from ladtl_np.corpus.vectors.used import UsedVectors
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.options.config import Config
from ladtl_np.options.input_file import Role
from ladtl_np.shapes import Floats, Integers

__all__ = ["Rows", "known_words"]


class Rows(NamedTuple):
    """Start values that are not drawn.

    Attributes
    ----------
    rows, values
        (K,) rows of training words that have a vector, and their vectors (K, D).
    more
        (M, D) vectors of the file's own words, the last rows of the vocabulary.
    """

    rows: Integers
    values: Floats
    more: Floats

    @classmethod
    def none(cls, dimension: int) -> Rows:
        """All is drawn."""
        empty = np.zeros((0, dimension), np.float32)
        return cls(np.zeros(0, np.int64), empty, empty)


def known_words(
    config: Config, training: Iterable[Corpus], splits: Iterable[tuple[Role, Corpus]]
) -> tuple[Vocabulary, Rows, UsedVectors | None]:
    """Words of the training corpora, then words of the file of vectors, if there is one.

    Parameters
    ----------
    config
        Every option.
    training
        What is trained on.
    splits
        Every corpus whose coverage is counted.

    Raises
    ------
    UsageError, DataError
        As for `load_vectors`.
    LadtlError
        If the file's words would not fit into the memory that is left.
    """
    options = config.vocabulary
    trained = Vocabulary.build(
        training,
        lower=options.lower,
        digits_to_zero=options.digits_to_zero,
        min_count=options.min_count,
    )
    path, size = config.data.embeddings, config.model.embedding
    if not path:
        return trained, Rows.none(size), None
    counts = [
        (role, corpus.name, count_words((s.tokens for s in corpus), trained))
        for role, corpus in splits
    ]
    asked = list(dict.fromkeys(_unknown(trained, (words for _, _, words in counts))))
    more = FileWords(_most(config), trained.normalise, trained.index, _require_room)
    found = load_vectors(path, trained.words, dimension=size, asked=asked, more=more)
    vocabulary = trained.extended(more.words)
    ways = dict(zip((*trained.words, *asked), found.ways.tolist(), strict=True))
    told = tuple(coverage(role, name, words, ways, vocabulary) for role, name, words in counts)
    rows = Rows(found.rows, found.matrix, more.matrix(size))
    used = UsedVectors(file=found.report, added=len(more.words), coverage=told)
    return vocabulary, rows, used


def _most(config: Config) -> int | None:
    """How many of the file's words count; None is all of them."""
    keep = config.vectors.keep
    if keep == "training" or config.vocabulary.min_count > 1:
        return 0
    return None if keep == "all" else keep


def _unknown(vocabulary: Vocabulary, counted: Iterable[Iterable[str]]) -> Iterator[str]:
    return (word for words in counted for word in words if word not in vocabulary.index)


def _require_room(size: float) -> None:
    require_room(size, "The table of the words of data.embeddings", "Lower vectors.keep")
