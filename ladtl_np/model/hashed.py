"""Models whose words and characters are keyed hashes: made from plain ones, opened with the key."""

from __future__ import annotations

from os import PathLike

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.hashing import HashKey
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import UsageError
from ladtl_np.model.network import CHARACTERS, EMBEDDING, Network, from_named
from ladtl_np.model.vocabulary_key import chosen_key

__all__ = ["hashed", "opened", "require_one_lock"]


def hashed(
    network: Network, vocabulary: Vocabulary, characters: Characters | None, key: HashKey
) -> tuple[Network, Vocabulary, Characters | None]:
    """Hash words and characters, and move their embeddings along; all tags stay the same."""
    vocabulary, rows = vocabulary.hashed(key)
    arrays = network.named()
    arrays[EMBEDDING] = arrays[EMBEDDING][rows]
    if characters is not None:
        characters, rows = characters.hashed(key)
        name = f"{CHARACTERS}.embedding"
        arrays[name] = arrays[name][rows]
    return from_named(network.architecture, arrays), vocabulary, characters


def require_one_lock(vocabulary: Vocabulary, characters: Characters | None) -> None:
    """Refuse an alphabet that is plain where the words are hashed, or hashed with another key."""
    if characters is not None and characters.lock != vocabulary.lock:
        raise ValueError("words and characters are not hashed with one key")


def opened(
    name: str,
    vocabulary: Vocabulary,
    characters: Characters | None,
    key_file: str | PathLike[str] | None,
) -> tuple[Vocabulary, Characters | None]:
    """Give a hashed vocabulary its key, if one is named; a plain one needs none.

    Raises
    ------
    UsageError
        If the key cannot be read, or is another model's.
    """
    key = chosen_key(key_file) if vocabulary.lock is not None else None
    if key is None:
        return vocabulary, characters
    try:
        return vocabulary.opened(key), characters and characters.opened(key)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
