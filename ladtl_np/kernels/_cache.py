"""A folder for compiled code into which nobody else can put any, or none.

Numba loads what it finds in its cache as code, by pickle. So a folder is used only if its owner is
this user or root, if nobody else can write to it, and if nobody else can put another folder in its
place. Permissions are looked at; access control lists beyond them are not.
"""

from __future__ import annotations

import multiprocessing
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["INDEX", "Folders", "cache_folders", "distrust"]

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_UNSEEN = "it cannot be looked at"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

INDEX = ".nbi"
"""Suffix of the file in which Numba lists what it has compiled of a kernel."""


class Folders(NamedTuple):
    """Where compiled code lies.

    Attributes
    ----------
    own
        Folder that is read and written; None if there is none.
    ready
        Folders before it that others have filled and that are only read.
    """

    own: str | None
    ready: tuple[str, ...] = ()


def cache_folders(kernels: Path, name: str) -> Folders:
    """Find a private folder for compiled code, and trusted ones that hold some already.

    Tried are ``NUMBA_CACHE_DIR``, the folder beside the kernels, the user's cache folder, and one
    of the user's own among the temporary files. The first that can be written is taken. What those
    before it hold is used where it lies: an installation of root's with compiled code in it saves
    its users the compilation, on a system that can only be read as well. Why a folder is not
    trusted is told on standard error, one line each.

    Parameters
    ----------
    kernels
        Folder of the kernels.
    name
        Of the folder that is wanted in one of these, with a fingerprint of the kernels.
    """
    ready: list[str] = []
    for base in _bases(kernels):
        folder = base / name
        problem = distrust(folder)
        made = problem is None and _made(folder)
        if made:  # somebody may have been quicker
            problem = distrust(folder)
        if made and problem is None:
            return Folders(str(folder), tuple(ready))
        if problem is not None and problem.startswith(_UNSEEN) and base.name == "__pycache__":
            continue  # who installed the package has kept that to himself
        if problem is not None:
            _tell(f"compile cache {base} is not used: {problem}")
        elif any(path.suffix == INDEX for path in _files(folder)):
            ready.append(str(folder))
    if not ready:
        _tell(
            "there is no compile cache: kernels are compiled anew by every process, for about a "
            "minute; let NUMBA_CACHE_DIR name a folder that only you can write to"
        )
    return Folders(None, tuple(ready))


def _bases(kernels: Path) -> Iterator[Path]:
    """Folders to try, links resolved."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(os.path.realpath(chosen))
    yield Path(os.path.realpath(kernels / "__pycache__"))
    caches = os.environ.get("XDG_CACHE_HOME", "")
    home = os.path.expanduser("~")  # itself where there is no home
    if os.path.isabs(caches) or os.path.isabs(home):
        place = Path(caches) if os.path.isabs(caches) else Path(home, ".cache")
        yield Path(os.path.realpath(place / "ladtl_np"))
    try:
        yield Path(os.path.realpath(tempfile.gettempdir()), f"ladtl_np-{os.geteuid()}")
    except OSError:  # there is no folder for temporary files
        return


def distrust(folder: Path) -> str | None:
    """Say why compiled code must not be loaded from a folder, or made there; None if it may be.

    A folder that is not there is judged by those above it, in which it would be made.
    """
    try:
        return _distrust(folder)
    except OSError as error:
        return f"{_UNSEEN} ({error.strerror})"


def _distrust(folder: Path) -> str | None:
    trusted = {0, os.geteuid()}
    for place in (folder, *folder.parents):
        try:
            found = os.lstat(place)
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(found.st_mode):
            return f"{place} is no folder"
        if found.st_uid not in trusted:
            return f"{place} belongs to another user"
        # a sticky folder lets everybody add names, and only owners take them away
        sticky = found.st_mode & stat.S_ISVTX and place != folder
        if found.st_mode & _OTHERS_WRITE and not sticky:
            return f"others can write to {place}"
    if folder.is_dir() and os.lstat(folder).st_mode & _OTHERS:
        for path in _files(folder):
            found = os.lstat(path)
            if found.st_uid not in trusted or found.st_mode & _OTHERS_WRITE:
                return f"others can write to files in {folder}"
    return None


def _files(folder: Path) -> Iterator[Path]:
    """Everything below a folder, folders too."""
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            yield Path(place, name)


def _made(folder: Path) -> bool:
    """Make a folder, and those above it that are missing, for this user alone; False if not."""
    try:
        for place in reversed((folder, *folder.parents)):
            if not place.is_dir():
                os.mkdir(place, 0o700)
                os.chmod(place, 0o700)  # whatever the umask took away
        mine = os.lstat(folder)
        if mine.st_uid == os.geteuid() != 0 and mine.st_mode & _OTHERS:
            os.chmod(folder, 0o700)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _tell(message: str) -> None:
    """Warn on standard error; a process of an experiment leaves that to its parent."""
    if sys.stderr is not None and multiprocessing.parent_process() is None:
        sys.stderr.write(f"warning: {message}\n")
