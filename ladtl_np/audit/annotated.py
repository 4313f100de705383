"""Annotated corpora for an audit: joined, and refused where there is nothing to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ladtl_np.corpus.schemes import to_bioes
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError

__all__ = ["joined", "require_tags"]


def joined(corpora: Sequence[Corpus]) -> Corpus:
    """One corpus of all sentences in their order, in BIOES where the schemes differ."""
    if len(corpora) == 1:
        return corpora[0]
    sentences = [
        replace(sentence, tags=tuple(to_bioes(sentence.tags, corpus.scheme)))
        if sentence.tags is not None
        else sentence
        for corpus in corpora
        for sentence in corpus
    ]
    return Corpus(", ".join(corpus.name for corpus in corpora), tuple(sentences))


def require_tags(corpus: Corpus) -> None:
    """Raise `DataError` for a corpus without sentences, or with sentences without tags."""
    if not len(corpus):
        raise DataError(f"{corpus.name}: there is no sentence in it; name an annotated corpus")
    if any(sentence.tags is None for sentence in corpus):
        raise DataError(f"{corpus.name}: it has no tags; an audit needs annotated sentences")
