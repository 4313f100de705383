"""Sentences as numbers of words, tags and spellings."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import converted
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.shapes import Integers

__all__ = ["encode_corpus"]


def encode_corpus(
    corpus: Corpus | None,
    vocabulary: Vocabulary,
    tags: TagSet | None,
    numbers: dict[str, int] | None,
) -> tuple[EncodedSentence, ...]:
    """Rows of words and tags of every sentence.

    Parameters
    ----------
    corpus
        Annotated in any scheme; None gives none.
    vocabulary, tags
        Of the model; without tags there are no sentences.
    numbers
        Where spellings count, every distinct word's number goes in here.

    Raises
    ------
    DataError
        If a tag is none of `tags`.
    """
    if corpus is None or tags is None:
        return ()
    return tuple(
        EncodedSentence(
            vocabulary.encode(sentence.tokens),
            tags.encode(converted(sentence.tags or (), corpus.scheme, tags.scheme)),
            spellings=None if numbers is None else _numbered(sentence.tokens, numbers),
            line=sentence.line or number,
        )
        for number, sentence in enumerate(corpus, 1)
    )


def _numbered(tokens: Iterable[str], numbers: dict[str, int]) -> Integers:
    return np.array([numbers.setdefault(token, len(numbers)) for token in tokens], np.int64)
