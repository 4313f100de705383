"""A folder for compiled code into which nobody else can put any, or none.

Numba loads what it finds in its cache as code, by pickle. So a folder is used only if its owner is
this user or root, if nobody else can write to it, and if nobody else can put another folder in its
place. Permissions are looked at; access control lists beyond them are not.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["cache_folder", "distrust"]

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_DATA, _INDEX = ".nbc", ".nbi"  # what Numba writes


def cache_folder(kernels: Path, name: str) -> str | None:
    """Find a private folder for compiled code; None if there is none.

    Tried are ``NUMBA_CACHE_DIR``, the folder beside the kernels, the user's cache folder, and one
    of the user's own among the temporary files. Why a folder is not used is told on standard error,
    one line each. What a trusted folder holds that cannot be written is copied: an installation of
    root's with compiled code in it saves its users the compilation.

    Parameters
    ----------
    kernels
        Folder of the kernels.
    name
        Of the folder that is wanted in one of these, with a fingerprint of the kernels.
    """
    warm: list[Path] = []
    for base in _bases(kernels):
        folder = base / name
        problem = distrust(folder)
        made = problem is None and _made(folder)
        if made:  # somebody may have been quicker
            problem = distrust(folder)
        if made and problem is None:
            for other in warm:
                _copy_compiled(other, folder)
            return str(folder)
        if problem is not None:
            _tell(f"compile cache {base} is not used: {problem}")
        elif folder.is_dir():
            warm.append(folder)
    _tell(
        "there is no compile cache: kernels are compiled anew by every process, for about a "
        "minute; let NUMBA_CACHE_DIR name a folder that only you can write to"
    )
    return None


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
        return f"it cannot be looked at ({error.strerror})"


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


def _copy_compiled(source: Path, folder: Path) -> None:
    """Copy compiled code that is not there yet, each file at once; the index of a kernel last."""
    wanted = [path for path in _files(source) if path.suffix in (_DATA, _INDEX)]
    try:
        for path in sorted(wanted, key=lambda path: path.suffix):
            copy = folder / path.relative_to(source)
            if copy.exists():
                continue
            os.makedirs(copy.parent, 0o700, exist_ok=True)
            half = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}.tmp")
            shutil.copyfile(path, half)
            os.replace(half, copy)
    except OSError:  # it is compiled again
        return


def _tell(message: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"warning: {message}\n")
