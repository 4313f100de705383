"""The key of a hashed vocabulary as a file of its own, which never lies inside a model."""

from __future__ import annotations

import os
import secrets
from os import PathLike
from pathlib import Path

from ladtl_np.corpus.hashing import HashKey
from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.files import write_atomically

__all__ = [
    "VARIABLE",
    "chosen_key",
    "named_key",
    "read_key",
    "read_or_make_key",
    "require_key_apart",
]

VARIABLE = "LADTL_VOCABULARY_KEY"
"""Names the key's file where no option does."""

_LONGEST = 1_000  # bytes; a file with more than this is no key


def chosen_key(path: str | PathLike[str] | None) -> HashKey | None:
    """Read the key that an option names, else the one that the environment names; or none.

    Raises
    ------
    UsageError
        If the file is not there or holds no key.
    """
    named = named_key(path)
    return read_key(named) if named else None


def named_key(path: str | PathLike[str] | None) -> str | None:
    """File of the key that an option names, else of the one that the environment names."""
    return os.fspath(path) if path else os.environ.get(VARIABLE) or None


def read_key(path: str | PathLike[str]) -> HashKey:
    """Read a key.

    Raises
    ------
    UsageError
        If the file is not there or holds no key.
    """
    try:
        if not Path(path).is_file():
            raise UsageError(f"{path}: no such vocabulary key; it is made by ladtl train")
        with open(path, "rb") as stream:
            content = stream.read(_LONGEST)
    except OSError as error:
        raise UsageError(f"{path}: the vocabulary key cannot be read: {error.strerror}") from None
    try:
        return HashKey.from_text(content.decode("ascii"))
    except ValueError:
        raise UsageError(
            f"{path}: not a vocabulary key, which is one line of 64 hexadecimal digits"
        ) from None


def require_key_apart(path: str | PathLike[str], folder: Path) -> None:
    """Refuse a key in the folder of the model: who gets the folder would get the words.

    Raises
    ------
    UsageError
        If there is a key and it lies in the folder, or below it.
    """
    if path and Path(path).resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{path}: keep the vocabulary key outside {folder}, apart from the model")


def read_or_make_key(path: str | PathLike[str]) -> HashKey:
    """Read a key, or make one in a new file that only its owner can read.

    Of several processes that find no file, one makes the key and all read it.

    Raises
    ------
    UsageError
        If the file holds no key.
    LadtlError
        If it cannot be made.
    """
    place = Path(path)
    if not os.path.lexists(place):
        whole = place.with_name(f".{place.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
        if not place.parent.is_dir():
            raise UsageError(f"{path}: the vocabulary key's folder does not exist; make it first")
        write_atomically(whole, HashKey.new().to_text().encode("ascii"))
        try:
            os.link(whole, place)  # unlike a rename, it never replaces another's key
        except FileExistsError:
            pass
        except OSError as error:
            raise LadtlError(
                f"{path}: the vocabulary key could not be made: {error.strerror}"
            ) from error
        finally:
            whole.unlink(missing_ok=True)
    return read_key(place)
