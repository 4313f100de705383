"""Characters to rows of the character embedding; row 0 stands for every one that is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.vocabulary import UNKNOWN
from ladtl_np.shapes import Integers

__all__ = ["Characters"]


@dataclass(frozen=True, eq=False)
class Characters:
    """The alphabet of a model.

    Attributes
    ----------
    characters
        Character of each row; row 0 is `UNKNOWN`.
    lower
        Whether words are lower-cased before they are spelled.
    """

    characters: tuple[str, ...]
    lower: bool
    index: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.characters or self.characters[0] != UNKNOWN:
            raise ValueError(f"row 0 of an alphabet must be {UNKNOWN}")
        if any(len(character) != 1 for character in self.characters[1:]):
            raise ValueError("an alphabet holds single characters")
        index = {character: row for row, character in enumerate(self.characters)}
        if len(index) != len(self.characters):
            raise ValueError("an alphabet holds each character once")
        object.__setattr__(self, "index", index)

    def __len__(self) -> int:
        return len(self.characters)

    @classmethod
    def build(cls, corpora: Iterable[Corpus], *, lower: bool) -> Characters:
        """Collect the characters of training corpora, by falling count, then by code point."""
        words: Counter[str] = Counter()
        for corpus in corpora:
            for sentence in corpus:
                words.update(sentence.tokens)
        counts: Counter[str] = Counter()
        for word, count in words.items():
            for character in word.lower() if lower else word:
                counts[character] += count
        ordered = sorted(counts, key=lambda character: (-counts[character], character))
        return cls((UNKNOWN, *ordered), lower)

    def spell(self, word: str) -> Integers:
        """Rows of a word's characters, at least one; 0 for unknown ones."""
        if not word:
            raise ValueError("a word without characters cannot be spelled")
        word = word.lower() if self.lower else word
        return np.array([self.index.get(character, 0) for character in word], np.int64)

    def to_state(self) -> dict[str, Any]:
        """Return everything as plain values, for a JSON file."""
        return {"characters": list(self.characters), "lower": self.lower}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Characters:
        """Rebuild an alphabet from `to_state`.

        Raises
        ------
        ValueError
            If the state is not one that `to_state` writes.
        """
        try:
            characters, lower = state["characters"], state["lower"]
        except KeyError as error:
            raise ValueError(f"the alphabet lacks {error}") from None
        if not (
            isinstance(characters, list)
            and all(isinstance(character, str) for character in characters)
            and isinstance(lower, bool)
        ):
            raise ValueError("the alphabet holds values of the wrong kind")
        return cls(tuple(characters), lower)
