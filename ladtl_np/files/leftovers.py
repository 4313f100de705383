"""Files that are only begun: named, locked by their writer, and swept when it has died."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ladtl_np.files.private import FILE_MODE

__all__ = ["begin_file", "is_temporary", "sweep_temporary_files"]

_TEMPORARY = re.compile(r"\.(.+)\.\d+\.[0-9a-f]{8}\.tmp", re.DOTALL)
_LONGEST_LEAD = 200  # bytes of a name that a temporary file repeats; file systems allow 255 in all


def begin_file(path: Path) -> tuple[Path, BinaryIO]:
    """Open a temporary file beside `path`, locked so that others see that it is being written."""
    while True:
        name = f".{_lead(path.name)}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
        temporary = path.with_name(name)
        number = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE_MODE)
        try:
            os.fchmod(number, FILE_MODE)
            _lock(number, wait=True)
            if os.fstat(number).st_nlink:
                return temporary, os.fdopen(number, "wb")
        except BaseException:
            os.close(number)
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        os.close(number)  # swept between its creation and its lock


def _lead(name: str) -> str:
    return os.fsdecode(os.fsencode(name)[:_LONGEST_LEAD])


def is_temporary(name: str) -> bool:
    """Whether a file is one that `new_file` had begun."""
    return _TEMPORARY.fullmatch(name) is not None


def sweep_temporary_files(
    folder: Path, held: Callable[[str], bool] | None = None, only: str | None = None
) -> None:
    """Remove what a killed process left half-written here; what is being written stays.

    A writer holds a lock on its file, which the system takes away when it dies, on whichever
    machine or in whichever container it lived; the number in the name is for people.

    Parameters
    ----------
    folder
        Where to look; nothing happens if it is not there.
    held
        Names of files that nobody else may be writing, as the caller holds a lock: those go even
        where the file system knows no locks.
    only
        The one name whose leftovers are looked for.
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return
    lead = None if only is None else _lead(only)
    for name in names:
        found = _TEMPORARY.fullmatch(name)
        if found is None or (lead is not None and found[1] != lead):
            continue
        path = folder / name
        with contextlib.suppress(OSError):
            if held is not None and held(found[1]):
                path.unlink(missing_ok=True)
            else:
                _unlink_if_left(path)


def _unlink_if_left(path: Path) -> None:
    if not stat.S_ISREG(path.lstat().st_mode):
        return
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _lock(number, wait=False):
            path.unlink(missing_ok=True)
    finally:
        os.close(number)


def _lock(number: int, *, wait: bool) -> bool:
    """Lock an open file until it is closed; whether that was possible."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held by another, or the file system knows no locks
        return False
    return True
