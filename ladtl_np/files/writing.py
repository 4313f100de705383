"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ladtl_np.errors import LadtlError
from ladtl_np.files.leftovers import begin_file, sweep_temporary_files

__all__ = ["NewFile", "new_file", "refused", "sync_folder", "write_atomically"]

_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES}


class NewFile:
    """A file that is being written piece by piece; every error names it."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self._name, self._stream = name, stream
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, content: bytes) -> None:
        """Add bytes.

        Raises
        ------
        LadtlError
            If the disk refuses.
        """
        with self._named():
            self._stream.write(content)
        self._digest.update(content)
        self._size += len(content)

    def flush(self) -> None:
        """Hand on what was written, so that a reader of a pipe sees it."""
        with self._named():
            self._stream.flush()

    def finish(self, temporary: Path) -> None:
        """Bring everything to the disk, and read it back."""
        with self._named():
            self._stream.flush()
            os.fsync(self._stream.fileno())
            with temporary.open("rb") as again:
                same = hashlib.file_digest(again, "sha256").digest() == self._digest.digest()
            if not same or temporary.stat().st_size != self._size:
                raise OSError(errno.EIO, "what was read back differs from what was written")

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise refused(self._name, error) from error


def refused(name: str | Path, error: OSError) -> LadtlError:
    """Explain a write that the disk refused."""
    return LadtlError(f"{name} could not be written: {error.strerror or error}")


@contextlib.contextmanager
def new_file(path: Path, *, overwrite: bool = True) -> Iterator[NewFile]:
    """Write a file piece by piece; it appears under its name, mode 0600, when all is written.

    After an error, a signal or a crash there is the file that was there before, or none; a link
    stays a link. What a killed process left of the same file is removed. A pipe or a device is
    written directly.

    Raises
    ------
    LadtlError
        If the disk refuses; without `overwrite` also if a file of that name is there at the end,
        which another process has made meanwhile.
    """
    real = Path(os.path.realpath(path))
    if real.exists() and not real.is_file():
        with _open(path) as stream:
            file = NewFile(str(path), stream)
            yield file
            file.flush()
        return
    sweep_temporary_files(real.parent, only=real.name)
    try:
        temporary, stream = begin_file(real)
    except OSError as error:
        raise refused(path, error) from error
    replaced = False
    try:
        file = NewFile(str(path), stream)
        yield file
        file.finish(temporary)
        try:
            (os.replace if overwrite else _appear)(temporary, real)
            replaced = True
            sync_folder(real.parent)
        except FileExistsError:
            raise LadtlError(
                f"{path} was not there at first and is now, so nothing was written; give "
                "--overwrite, or name another output"
            ) from None
        except OSError as error:
            raise refused(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # after an error its buffer may be full
            stream.close()
        if not replaced:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _appear(temporary: Path, path: Path) -> None:
    """Give a file its name, unless there is one of that name."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(str(path)) from None
        os.replace(temporary, path)
    else:
        temporary.unlink()


@contextlib.contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    """Open a pipe or a device."""
    try:
        stream = path.open("wb")
    except OSError as error:
        raise refused(path, error) from error
    try:
        yield stream
    finally:
        with contextlib.suppress(OSError):
            stream.close()


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: after a crash it holds the old bytes or the new, never a mix.

    Raises
    ------
    LadtlError
        If the disk refuses; the file that was there before is untouched.
    """
    with new_file(path) as file:
        file.write(content)


def sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the file system can."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(number)
