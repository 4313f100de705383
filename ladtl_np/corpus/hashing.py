"""Words as keyed hashes: a model's file can be looked up in by who has the key, and not be read.

A hash is 128 bits of BLAKE2b under a secret key of 256 bits. Without the key, nobody can tell which
word a hash stands for, not even by trying every word of a dictionary. Two words of one vocabulary
share a hash with a probability below 1e-25 for a million words.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ladtl_np.errors import UsageError

__all__ = ["KEY_WANTED", "HashKey", "HashedIndex", "Lock", "is_hash"]

Kind = Literal["word", "character"]
"""What is hashed: a word and a character that are written alike have hashes of their own."""

KEY_WANTED = (
    "this model's vocabulary is hashed: give the key that it was trained with, by "
    "--vocabulary-key FILE or in the variable LADTL_VOCABULARY_KEY"
)

_KEY_BYTES, _HASH_BYTES = 32, 16
_KEY = re.compile(rf"[0-9a-f]{{{2 * _KEY_BYTES}}}")
_HASH = re.compile(rf"[0-9a-f]{{{2 * _HASH_BYTES}}}")
_REMEMBERED = 1 << 16  # words whose rows are kept


@dataclass(frozen=True, slots=True)
class HashKey:
    """A secret key."""

    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> HashKey:
        """Draw a key from the system's source of chance."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> HashKey:
        """Read what `to_text` wrote.

        Raises
        ------
        ValueError
            If it is no key.
        """
        text = text.strip()
        if _KEY.fullmatch(text) is None:
            raise ValueError(f"a key is a line of {2 * _KEY_BYTES} hexadecimal digits")
        return cls(bytes.fromhex(text))

    def to_text(self) -> str:
        """Return the key as a line of text, for a file of its own."""
        return self.secret.hex() + "\n"

    def hash(self, text: str, kind: Kind) -> str:
        """Return the hash of a word or of a character, as hexadecimal digits."""
        return self._digest(text.encode("utf-8", "surrogatepass"), kind)

    @property
    def check(self) -> str:
        """A value that tells keys apart and tells nothing else of them."""
        return self._digest(b"", "check")

    def _digest(self, content: bytes, purpose: str) -> str:
        return hashlib.blake2b(
            content, digest_size=_HASH_BYTES, key=self.secret, person=purpose.encode()
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class Lock:
    """Says that a vocabulary is hashed, and under which key.

    Attributes
    ----------
    check
        `HashKey.check` of the key.
    key
        The key, None while it is not given: then nothing can be looked up.
    """

    check: str
    key: HashKey | None = None

    def opened(self, key: HashKey) -> Lock:
        """Return the lock with its key.

        Raises
        ------
        UsageError
            If it is the key of another model.
        """
        if key.check != self.check:
            raise UsageError(
                "the vocabulary key is another one than this model was trained with; with it "
                "every word would be unknown"
            )
        return Lock(self.check, key)


class HashedIndex(dict[str, int]):
    """Rows of words by their hashes, 0 for unknown ones; as a dictionary it has the latest words.

    ``index[word]`` finds every word, and finds it fast again.
    """

    def __init__(self, hashes: Sequence[str], kind: Kind, lock: Lock) -> None:
        super().__init__()
        self._rows = {text: row for row, text in enumerate(hashes)}
        self._kind, self._key = kind, lock.key

    def __missing__(self, word: str) -> int:
        if self._key is None:
            raise UsageError(KEY_WANTED)
        if len(self) >= _REMEMBERED:  # an endless text has words without end
            self.clear()
        row = self._rows.get(self._key.hash(word, self._kind), 0)
        self[word] = row
        return row


def is_hash(text: Any) -> bool:
    """Whether a value of a file is a hash."""
    return isinstance(text, str) and _HASH.fullmatch(text) is not None
