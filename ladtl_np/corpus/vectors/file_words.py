"""Words that a file of vectors has beside those that are looked for: its first ones, or all."""

from __future__ import annotations

from collections.abc import Callable, Container

import numpy as np

from ladtl_np.corpus.vocabulary import UNKNOWN
from ladtl_np.shapes import Floats

__all__ = ["FileWords", "FirstWords"]

_AT_ONCE = 4_096  # words between two looks at the memory that is left
_WORD_BYTES = 200  # of a word beside its numbers, while the file is read


class FirstWords:
    """The first words of a file that count, which are its most frequent ones.

    A word counts if a token can be looked up as it: it is its own normal form, and not `UNKNOWN`.

    Parameters
    ----------
    most
        How many words count; None is all.
    normal
        The form under which a token is looked up.

    Attributes
    ----------
    counted
        Words that were counted.
    """

    def __init__(self, most: int | None, normal: Callable[[str], str]) -> None:
        self._most, self._normal = most, normal
        self.counted = 0

    def wants(self, word: str) -> bool:
        """Whether a word of the file, which did not stand in it before, counts."""
        if self._most is not None and self.counted >= self._most:
            return False
        return word != UNKNOWN and self._normal(word) == word

    def count(self) -> None:
        """Count a word that is wanted."""
        self.counted += 1


class FileWords(FirstWords):
    """Collects the first words of a file with their vectors.

    Parameters
    ----------
    most, normal
        As for `FirstWords`.
    known
        Words that count, and have their row elsewhere.
    grow
        Is told the bytes that are going to be taken; may raise.

    Attributes
    ----------
    words
        The words that were collected, in the file's order.
    """

    def __init__(
        self,
        most: int | None,
        normal: Callable[[str], str],
        known: Container[str],
        grow: Callable[[float], None],
    ) -> None:
        super().__init__(most, normal)
        self.words: list[str] = []
        self._known, self._grow = known, grow
        self._values = bytearray()

    def add(self, word: str, vector: Floats) -> None:
        """Take a word that is wanted; `vector` is float32."""
        self.count()
        if word in self._known:
            return
        if len(self.words) % _AT_ONCE == 0:
            # the buffer may be copied while it grows
            self._grow(float(len(self._values) + _AT_ONCE * (vector.nbytes + _WORD_BYTES)))
        self.words.append(word)
        self._values += vector.tobytes()

    def matrix(self, dimension: int) -> Floats:
        """Return the vectors (K, D) of `words`, float32."""
        return np.frombuffer(self._values, np.float32).reshape(-1, dimension)
