"""Files and folders for their owner only, and what is asked of a place before work starts."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from ladtl_np.errors import LadtlError, UsageError

__all__ = [
    "FILE_MODE",
    "make_private_folder",
    "open_private",
    "require_apart",
    "require_space",
]

FILE_MODE, FOLDER_MODE = 0o600, 0o700


def make_private_folder(path: Path) -> list[Path]:
    """Create a folder, and its parents, that only its owner can enter, whatever the umask.

    Returns
    -------
    list of Path
        Those that were not there before, the outermost first.
    """
    missing = [each for each in (path, *path.parents) if not each.exists()]
    made = []
    for folder in reversed(missing):
        try:
            folder.mkdir(FOLDER_MODE)
        except FileExistsError:  # made by another process meanwhile
            continue
        folder.chmod(FOLDER_MODE)
        made.append(folder)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return made


def open_private(path: Path) -> int:
    """Open a new or emptied file for writing, mode 0600 whatever the umask; returns its number."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    os.fchmod(number, FILE_MODE)
    return number


def require_space(folder: Path, size: int, what: str) -> None:
    """Refuse work whose files would not fit on the disk.

    Raises
    ------
    LadtlError
        If fewer than `size` bytes are free where `folder` is.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise LadtlError(
            f"{folder}: {_megabytes(free)} are free on its disk, {what} needs up to "
            f"{_megabytes(size)}; make room, or choose another place"
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def require_apart(outputs: Iterable[str | Path], inputs: Iterable[str | Path]) -> None:
    """Refuse to write or remove a file that is read, whatever name it is given by.

    Hard and symbolic links count as the file; ``-`` among the inputs is standard input.

    Raises
    ------
    UsageError
        Naming both.
    """
    given = {found: name for name in inputs if (found := _identity(name, 0)) is not None}
    for output in outputs:
        name = given.get(_identity(output, 1) or (-1, -1))
        if name is not None:
            shown_input = "standard input" if str(name) == "-" else name
            shown_output = "standard output" if str(output) == "-" else output
            alias = "" if str(name) == str(output) else f" ({shown_input})"
            raise UsageError(f"{shown_output} is also an input{alias}; name another output")


def _identity(path: str | Path, standard: int = 0) -> tuple[int, int] | None:
    """Device and inode of what a name leads to, None for nothing and for a terminal's kind."""
    try:
        if str(path) == "-":
            stream = sys.stdout if standard else sys.stdin
            found = os.fstat(stream.fileno())
        else:
            found = os.stat(path)
    except (OSError, ValueError):
        return None
    if stat.S_ISCHR(found.st_mode) or stat.S_ISDIR(found.st_mode):
        return None
    return found.st_dev, found.st_ino
