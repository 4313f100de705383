"""Characters to rows of the character embedding; row 0 stands for every one that is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ladtl_np.corpus.hashing import HashedIndex, HashKey, Lock, is_hash
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.vocabulary import UNKNOWN, hashed_rows
from ladtl_np.shapes import Integers

__all__ = ["Characters"]


@dataclass(frozen=True, eq=False)
class Characters:
    """The alphabet of a model.

    Attributes
    ----------
    characters
        Character of each row, or its hash; row 0 is `UNKNOWN`.
    lower
        Whether words are lower-cased before they are spelled.
    lock
        Of a hashed alphabet; None where the characters stand as they are.
    """

    characters: tuple[str, ...]
    lower: bool
    lock: Lock | None = None
    index: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.characters or self.characters[0] != UNKNOWN:
            raise ValueError(f"row 0 of an alphabet must be {UNKNOWN}")
        if self.lock is None and any(len(character) != 1 for character in self.characters[1:]):
            raise ValueError("an alphabet holds single characters")
        if len(set(self.characters)) != len(self.characters):
            raise ValueError("an alphabet holds each character once")
        index = {character: row for row, character in enumerate(self.characters)}
        if self.lock is not None:
            index = HashedIndex(self.characters, "character", self.lock)
        object.__setattr__(self, "index", index)

    def __len__(self) -> int:
        return len(self.characters)

    @classmethod
    def build(cls, corpora: Iterable[Corpus], *, lower: bool, min_count: int) -> Characters:
        """Collect the characters of training corpora, by falling count, then by code point.

        Those that occur less often than `min_count` are left out.
        """
        words: Counter[str] = Counter()
        for corpus in corpora:
            for sentence in corpus:
                words.update(sentence.tokens)
        counts: Counter[str] = Counter()
        for word, count in words.items():
            for character in word.lower() if lower else word:
                counts[character] += count
        kept = [character for character, count in counts.items() if count >= min_count]
        ordered = sorted(kept, key=lambda character: (-counts[character], character))
        return cls((UNKNOWN, *ordered), lower)

    def spell(self, word: str) -> Integers:
        """Rows of a word's characters, at least one; 0 for unknown ones."""
        if not word:
            raise ValueError("a word without characters cannot be spelled")
        word = word.lower() if self.lower else word
        if self.lock is not None:
            return np.array([self.index[character] for character in word], np.int64)
        return np.array([self.index.get(character, 0) for character in word], np.int64)

    def hashed(self, key: HashKey) -> tuple[Characters, Integers]:
        """Return the alphabet with hashes, and (C,) which row each of its rows was.

        Where words are single characters, an alphabet tells as much as a vocabulary.
        """
        order, hashes = hashed_rows(self.characters, lambda text: key.hash(text, "character"))
        return Characters((UNKNOWN, *hashes), self.lower, Lock(key.check, key)), order

    def opened(self, key: HashKey) -> Characters:
        """Return a hashed alphabet with its key.

        Raises
        ------
        UsageError
            If it is the key of another model.
        """
        return self if self.lock is None else replace(self, lock=self.lock.opened(key))

    def to_state(self) -> dict[str, Any]:
        """Return everything as plain values, for a JSON file."""
        if self.lock is not None:
            hashes = list(self.characters[1:])
            return {"hashes": hashes, "key_check": self.lock.check, "lower": self.lower}
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
            lower, check = state["lower"], state.get("key_check")
            characters = state["characters" if check is None else "hashes"]
        except KeyError as error:
            raise ValueError(f"the alphabet lacks {error}") from None
        if not (
            isinstance(characters, list)
            and all(isinstance(character, str) for character in characters)
            and isinstance(lower, bool)
        ):
            raise ValueError("the alphabet holds values of the wrong kind")
        if check is None:
            return cls(tuple(characters), lower)
        if not all(map(is_hash, [check, *characters])):
            raise ValueError("the alphabet holds values that are no hashes")
        return cls((UNKNOWN, *characters), lower, Lock(check))
