"""How many words and tokens of a corpus have a vector, and how many a model knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import msgspec

from ladtl_np.corpus.vectors.forms import EXACT, LOWER, LOWER_ZEROS, MISSING, ZEROS
from ladtl_np.corpus.vocabulary import Vocabulary

__all__ = ["Count", "Coverage", "Found", "count_words", "coverage"]

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Distinct words, or tokens, and how they are found in a file of vectors.

    Attributes
    ----------
    total
        All of them.
    exact, lower, zeros
        Found as they are, in lower case, and with their digits written as 0.
    known
        Those that have a row of the model.
    """

    total: Count
    exact: Count
    lower: Count
    zeros: Count
    known: Count

    @property
    def found(self) -> int:
        """All that have a vector."""
        return self.exact + self.lower + self.zeros

    def share(self, count: int) -> str:
        """A count of these in per cent."""
        return f"{100 * count / max(self.total, 1):.1f} %"


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Of the distinct words and of the tokens of a corpus, as the model looks them up.

    Attributes
    ----------
    role, name
        What the corpus is to a run, and its file.
    words, tokens
        How they are found.
    """

    role: str
    name: str
    words: Found
    tokens: Found


def count_words(sentences: Iterable[Sequence[str]], vocabulary: Vocabulary) -> Counter[str]:
    """Count the words of sentences in the form under which they are looked up."""
    raw = Counter(token for tokens in sentences for token in tokens)
    counts: Counter[str] = Counter()
    for word, count in raw.items():
        counts[vocabulary.normalise(word)] += count
    return counts


def coverage(
    role: str,
    name: str,
    counts: Mapping[str, int],
    ways: Mapping[str, int],
    vocabulary: Vocabulary,
) -> Coverage:
    """Sum up how the words of a corpus are found.

    Parameters
    ----------
    role, name
        Of the corpus.
    counts
        From `count_words`.
    ways
        How each word is found, as in `forms`.
    vocabulary
        Of the model, not hashed.
    """
    return Coverage(
        role=role,
        name=name,
        words=_found(dict.fromkeys(counts, 1), ways, vocabulary),
        tokens=_found(counts, ways, vocabulary),
    )


def _found(counts: Mapping[str, int], ways: Mapping[str, int], vocabulary: Vocabulary) -> Found:
    by_way = dict.fromkeys((MISSING, EXACT, LOWER, ZEROS, LOWER_ZEROS), 0)
    known = 0
    for word, count in counts.items():
        by_way[ways.get(word, MISSING)] += count
        known += count if vocabulary.index.get(word, 0) else 0
    return Found(
        total=sum(counts.values()),
        exact=by_way[EXACT],
        lower=by_way[LOWER],
        zeros=by_way[ZEROS] + by_way[LOWER_ZEROS],
        known=known,
    )
