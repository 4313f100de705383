"""A folder that one process at a time writes into."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from pathlib import Path

from filelock import FileLock, Timeout

from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.files import make_private_folder
from ladtl_np.printable import shown
from ladtl_np.runs.names import LOCK

__all__ = ["FolderLock"]

_PROCESS = b"process "
_LONGEST = 200  # bytes of a holder that are read
_LOOKS, _LOOK_SECONDS = 20, 0.1  # for a holder that has not written yet


class FolderLock:
    """The lock of a folder; its file names the process that holds it.

    The system lets go of it when the process dies, so what a dead process left holds nobody up.

    Parameters
    ----------
    path
        The folder.
    user
        What writes into it, for messages: a run or an experiment.
    """

    def __init__(self, path: Path, user: str) -> None:
        self.path, self._user = path, user
        self._lock = FileLock(path / LOCK, mode=0o600)
        self._made: list[Path] = []

    def take(self, patience: float = 0.0) -> None:
        """Create a private folder and hold its lock, which may take `patience` seconds.

        Raises
        ------
        LadtlError
            If another process holds it; names that process.
        UsageError
            If the folder cannot be made or used.
        """
        try:
            self._made = make_private_folder(self.path)
            self._lock.acquire(timeout=patience)
        except Timeout:
            raise LadtlError(
                f"{self.path} is in use by another {self._user}{self._holder()}; wait for it, or "
                "choose another folder"
            ) from None
        except OSError as error:
            raise UsageError(f"{self.path} cannot be used: {error.strerror}") from None
        with contextlib.suppress(OSError), open(self.path / LOCK, "r+b") as stream:
            before = stream.read(len(_PROCESS))
            if before in (b"", _PROCESS):  # where files cannot be locked filelock keeps notes in it
                stream.seek(0)
                stream.write(_PROCESS + f"{os.getpid()} on {platform.node()}\n".encode())
                stream.truncate()

    def leave(self) -> None:
        """Let go; a folder that was made by `take` and is still empty goes as well."""
        with contextlib.suppress(OSError):  # a lock that stays holds nobody up
            (self.path / LOCK).unlink(missing_ok=True)  # while held: whoever waits makes a new one
        self._lock.release()
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _holder(self) -> str:
        """Say which process holds the lock, as far as its file tells."""
        for _ in range(_LOOKS):  # it is named just after the lock is taken
            try:
                with open(self.path / LOCK, "rb") as stream:
                    told = stream.read(_LONGEST).decode("utf-8", "replace").strip()
            except OSError:
                return ""
            if told:
                return f", {shown(told, _LONGEST)}"
            time.sleep(_LOOK_SECONDS)
        return ""
