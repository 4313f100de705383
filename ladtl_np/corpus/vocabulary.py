"""Words to rows of the embedding; row 0 stands for every word that is not known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.hashing import HashedIndex, HashKey, Lock, is_hash
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.shapes import Integers

__all__ = ["UNKNOWN", "Vocabulary", "digits_to_zero", "hashed_rows"]

UNKNOWN = "<unk>"
"""The word of row 0."""

_DIGIT = re.compile(r"\d")  # Unicode category Nd, as str.isdecimal


def digits_to_zero(word: str) -> str:
    """Write every Unicode decimal digit, full-width ones as well, as 0."""
    return _DIGIT.sub("0", word)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The words of a model and how tokens are normalised before they are looked up.

    Attributes
    ----------
    words
        Word of each row, or its hash; row 0 is `UNKNOWN`.
    lower
        Whether tokens are lower-cased.
    digits_to_zero
        Whether every decimal digit becomes 0.
    singleton
        (V,) words that occur exactly once in the training data.
    lock
        Of a hashed vocabulary; None where the words stand as they are.
    """

    words: tuple[str, ...]
    lower: bool
    digits_to_zero: bool
    singleton: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    lock: Lock | None = None
    index: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.words or self.words[0] != UNKNOWN:
            raise ValueError(f"row 0 of a vocabulary must be {UNKNOWN}")
        index = {word: row for row, word in enumerate(self.words)}
        if len(set(self.words)) != len(self.words):
            raise ValueError("a vocabulary holds each word once; were tokens normalised twice?")
        if self.singleton.shape not in ((0,), (len(self.words),)):
            raise ValueError(
                f"singleton must have one entry a word ({len(self.words)}), "
                f"got shape {self.singleton.shape}"
            )
        if not self.singleton.size:
            object.__setattr__(self, "singleton", np.zeros(len(self.words), np.bool_))
        if self.lock is not None:
            index = HashedIndex(self.words, "word", self.lock)
        object.__setattr__(self, "index", index)

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def empty(cls, *, lower: bool, digits_to_zero: bool) -> Vocabulary:
        """A vocabulary without words: how tokens are normalised, and nothing else."""
        return cls((UNKNOWN,), lower, digits_to_zero)

    @classmethod
    def build(
        cls,
        corpora: Iterable[Corpus],
        *,
        lower: bool,
        digits_to_zero: bool,
        min_count: int,
    ) -> Vocabulary:
        """Collect the words of training corpora.

        Words stand by falling count, equal counts by code point, so the order of sentences does not
        matter.

        Parameters
        ----------
        corpora
            Training corpora of all domains; counts are added up.
        lower, digits_to_zero
            Normalisation, applied before counting and at every look-up.
        min_count
            Words that occur less often are left out.
        """
        if min_count < 1:
            raise ValueError(f"min_count must be at least 1, got {min_count}")
        plain = cls.empty(lower=lower, digits_to_zero=digits_to_zero)
        raw: Counter[str] = Counter()
        for corpus in corpora:
            for sentence in corpus:
                raw.update(sentence.tokens)
        counts: Counter[str] = Counter()
        for word, count in raw.items():
            counts[plain.normalise(word)] += count
        kept = {word for word, count in counts.items() if count >= min_count}
        kept.discard(UNKNOWN)
        words = (UNKNOWN, *sorted(kept, key=lambda word: (-counts[word], word)))
        singleton = np.array([word != UNKNOWN and counts[word] == 1 for word in words], np.bool_)
        return cls(words, lower, digits_to_zero, singleton)

    def extended(self, words: Sequence[str]) -> Vocabulary:
        """Return a plain vocabulary with further rows for words of no training data, as they are.

        They are in their normal form, and have no row so far.
        """
        singleton = np.concatenate([self.singleton, np.zeros(len(words), np.bool_)])
        return replace(self, words=(*self.words, *words), singleton=singleton)

    def normalise(self, token: str) -> str:
        """Return the form under which a token is looked up."""
        if self.lower:
            token = token.lower()
        return digits_to_zero(token) if self.digits_to_zero else token

    def knows(self, token: str) -> bool:
        """Whether a token has a row of its own."""
        word = self.normalise(token)
        return bool(self.index.get(word, 0) if self.lock is None else self.index[word])

    def encode(self, tokens: Sequence[str]) -> NDArray[np.int64]:
        """Return the row of each token, 0 for unknown ones."""
        words: Iterable[str] = tokens
        if self.lower or self.digits_to_zero:
            words = map(self.normalise, tokens)
        if self.lock is not None:
            return np.fromiter(map(self.index.__getitem__, words), np.int64, len(tokens))
        return np.fromiter(map(self.index.get, words, repeat(0)), np.int64, len(tokens))

    def replace_singletons(
        self, rows: NDArray[np.int64], rng: np.random.Generator, probability: float
    ) -> NDArray[np.int64]:
        """Return a copy in which training singletons are unknown with the given probability.

        It is how the unknown row gets trained. One number is drawn for every token, so the draws do
        not depend on which tokens are singletons.
        """
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must lie in [0, 1], got {probability}")
        draw = rng.random(rows.shape) < probability
        return np.where(draw & self.singleton[rows], 0, rows)

    def hashed(self, key: HashKey) -> tuple[Vocabulary, Integers]:
        """Return the vocabulary with hashes for words, and (V,) which row each of its rows was.

        Rows stand by their hashes, an order that tells nothing of the words; which words occur once
        in the training data is left out.
        """
        order, hashes = hashed_rows(self.words, lambda word: key.hash(word, "word"))
        words = (UNKNOWN, *hashes)
        return Vocabulary(words, self.lower, self.digits_to_zero, lock=Lock(key.check, key)), order

    def opened(self, key: HashKey) -> Vocabulary:
        """Return a hashed vocabulary with its key.

        Raises
        ------
        UsageError
            If it is the key of another model.
        """
        return self if self.lock is None else replace(self, lock=self.lock.opened(key))

    def to_state(self) -> dict[str, Any]:
        """Return everything as plain lists and values, for a JSON file."""
        how = {"lower": self.lower, "digits_to_zero": self.digits_to_zero}
        if self.lock is not None:
            return {"hashes": list(self.words[1:]), "key_check": self.lock.check, **how}
        singletons = np.flatnonzero(self.singleton).tolist()
        return {"words": list(self.words), "singletons": singletons, **how}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Vocabulary:
        """Rebuild a vocabulary from `to_state`.

        Raises
        ------
        ValueError
            If the state is not one that `to_state` writes.
        """
        try:
            lower, zero = state["lower"], state["digits_to_zero"]
            if not (isinstance(lower, bool) and isinstance(zero, bool)):
                raise ValueError("the vocabulary holds values of the wrong kind")
            if "hashes" in state:
                hashes, check = state["hashes"], state["key_check"]
                if not (isinstance(hashes, list) and all(map(is_hash, [check, *hashes]))):
                    raise ValueError("the vocabulary holds values that are no hashes")
                return cls((UNKNOWN, *hashes), lower, zero, lock=Lock(check))
            words, rows = state["words"], state["singletons"]
        except KeyError as error:
            raise ValueError(f"the vocabulary lacks {error}") from None
        sound = (
            isinstance(words, list)
            and all(isinstance(word, str) for word in words)
            and isinstance(rows, list)
            and all(type(row) is int and 0 < row < len(words) for row in rows)
        )
        if not sound:
            raise ValueError("the vocabulary holds values of the wrong kind")
        singleton = np.zeros(len(words), np.bool_)
        singleton[np.array(rows, np.int64)] = True
        return cls(tuple(words), lower, zero, singleton)


def hashed_rows(
    words: Sequence[str], hash_of: Callable[[str], str]
) -> tuple[Integers, tuple[str, ...]]:
    """Hash all words but the one of row 0, which stays where it is, and sort them by their hashes.

    Returns
    -------
    order, hashes
        (V,) which of `words` each row now is; the V - 1 hashes of rows 1 and on.
    """
    pairs = sorted((hash_of(word), row) for row, word in enumerate(words) if row)
    order = np.array([0, *(row for _, row in pairs)], np.int64)
    return order, tuple(text for text, _ in pairs)
