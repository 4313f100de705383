"""How many tokens of a text a model does not know, and when that is more than it should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

import msgspec

from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Remark
from ladtl_np.corpus.vocabulary import Vocabulary

__all__ = ["LEAST_TOKENS", "UnknownTokens", "count_unknown", "remark_on_unknown", "unknown_told"]

LEAST_TOKENS = 100
"""Fewer tokens tell nothing of the others."""
LEAST_SHARE = 0.1
"""Below this share nobody need look at the text, however few the development data have."""
TIMES = 3
"""As many times as unknown, or as few known, as in the development data are worth a look."""
MOST_SHARE = 0.5
"""What is usual at most where there are no development data to compare with."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class UnknownTokens(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many tokens were looked up, and how many of them have no row of their own."""

    unknown: _Count = 0
    tokens: _Count = 0

    def __post_init__(self) -> None:
        if self.unknown > self.tokens:
            raise ValueError("there are more unknown tokens than tokens")

    @property
    def share(self) -> float:
        """Unknown tokens as a share of all; 0.0 of none."""
        return self.unknown / self.tokens if self.tokens else 0.0

    def __add__(self, other: Self) -> UnknownTokens:
        return UnknownTokens(self.unknown + other.unknown, self.tokens + other.tokens)

    def __sub__(self, earlier: Self) -> UnknownTokens:
        return UnknownTokens(self.unknown - earlier.unknown, self.tokens - earlier.tokens)


def count_unknown(vocabulary: Vocabulary, corpus: Corpus) -> UnknownTokens:
    """Look up every token of a corpus."""
    known = sum(int((vocabulary.encode(sentence.tokens) > 0).sum()) for sentence in corpus)
    return UnknownTokens(corpus.token_count - known, corpus.token_count)


def unknown_told(found: UnknownTokens, usual: UnknownTokens | None) -> str:
    """Say how much is unknown, beside the same of the training's development data if it is told."""
    text = f"{100 * found.share:.1f} % of {found.tokens:,} tokens are unknown to the model"
    if usual is None or not usual.tokens:
        return text
    return f"{text}, {100 * usual.share:.1f} % of its development data"


def remark_on_unknown(
    name: str, found: UnknownTokens, usual: UnknownTokens | None
) -> Iterator[Remark]:
    """Say where so much is unknown that the text is hardly what the model was trained for.

    Parameters
    ----------
    name
        Of the text.
    found
        What of it is unknown.
    usual
        The same of the training's development data; None where that is not known.
    """
    if _is_unusual(found, usual):
        cure = (
            "check how the text is cut, its token column and its language, and capitals and digits "
            "against those of the training data"
        )
        told = unknown_told(found, usual)
        yield Remark("unknown-words", name, found.unknown, told, cure)


def _is_unusual(found: UnknownTokens, usual: UnknownTokens | None) -> bool:
    if found.tokens < LEAST_TOKENS or found.share <= LEAST_SHARE:
        return False
    if usual is None or usual.tokens < LEAST_TOKENS:
        return found.share > MOST_SHARE
    # where much is unknown anyway, it cannot be three times as much: so what is known counts, too
    return found.share > TIMES * usual.share or TIMES * (1 - found.share) < 1 - usual.share
