"""Writing files that hold people's data: whole or not at all, and for their owner only."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from ladtl_np.errors import LadtlError

__all__ = [
    "is_temporary",
    "make_private_folder",
    "open_private",
    "sweep_temporary_files",
    "write_atomically",
]

FILE_MODE, FOLDER_MODE = 0o600, 0o700
_TEMPORARY = re.compile(r"\.(.+)\.(\d+)\.[0-9a-f]{8}\.tmp")


def make_private_folder(path: Path) -> None:
    """Create a folder, and its parents, that only its owner can enter."""
    path.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)


def open_private(path: Path) -> int:
    """Open a new or emptied file for writing, mode 0600 whatever the umask; returns its number."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    os.fchmod(number, FILE_MODE)
    return number


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: after a crash it holds the old bytes or the new, never a mix.

    Raises
    ------
    LadtlError
        If the disk refuses; the file that was there before is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(open_private(temporary), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if temporary.read_bytes() != content:
            raise OSError("what was read back differs from what was written")
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise LadtlError(
            f"{path} could not be written: {error.strerror or error}; "
            "an earlier version of the file, if there was one, is still there"
        ) from error


def is_temporary(name: str) -> bool:
    """Whether a file is one that `write_atomically` had begun."""
    return _TEMPORARY.fullmatch(name) is not None


def sweep_temporary_files(folder: Path, held: Callable[[str], bool] | None = None) -> None:
    """Remove what a killed process left half-written here; other processes' files stay.

    `held` names the files that nobody else may be writing, as the caller holds a lock: those go
    even if their process seems to live, for it may have lived on another machine.
    """
    for path in folder.glob(".*.tmp"):
        found = _TEMPORARY.fullmatch(path.name)
        if found and ((held and held(found[1])) or not _alive(int(found[2]))):
            path.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
