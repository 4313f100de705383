"""Every call that brings something to the disk, counted, and one of them made to fail."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Calls", "failing", "killed_at"]


@dataclass
class Calls:
    """What was called, in order; `failed` once the chosen call was reached.

    An `error` of 0 is a kill of the process.
    """

    number: int
    error: int
    names: list[str] = field(default_factory=list)
    failed: bool = False

    def count(self, name: str) -> None:
        """Note a call, and fail if it is the chosen one."""
        if self.failed:
            return
        self.names.append(name)
        if len(self.names) == self.number:
            self.failed = True
            if not self.error:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(self.error, os.strerror(self.error))


class _Stream:
    """A file open for writing whose calls are counted."""

    def __init__(self, stream: Any, calls: Calls) -> None:
        self._stream, self._calls = stream, calls

    def write(self, content: Any) -> Any:
        self._calls.count("write")
        return self._stream.write(content)

    def flush(self) -> None:
        self._calls.count("flush")
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


@contextmanager
def failing(number: int, error: int) -> Iterator[Calls]:
    """Let the call of that number fail with an error of the system.

    Opening for writing, writing, flushing, fsync, rename, chmod, mkdir and removing all count.
    """
    calls = Calls(number, error)
    real = {name: getattr(os, name) for name in ("fsync", "replace", "fchmod", "fdopen", "open")}
    path_open, path_mkdir, unlink = Path.open, Path.mkdir, Path.unlink

    def counted(name: str) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            calls.count(name)
            return real[name](*given, **options)

        return call

    def opened(path: Any, flags: int, *given: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            calls.count("open")
        return real["open"](path, flags, *given, **options)

    def wrapped(descriptor: int, mode: str = "r", *given: Any, **options: Any) -> Any:
        stream = real["fdopen"](descriptor, mode, *given, **options)
        return _Stream(stream, calls) if "w" in mode else stream

    def path_opened(path: Path, mode: str = "r", *given: Any, **options: Any) -> Any:
        stream = path_open(path, mode, *given, **options)
        return _Stream(stream, calls) if "w" in mode or "a" in mode else stream

    def mkdir(path: Path, *given: Any, **options: Any) -> None:
        calls.count("mkdir")
        path_mkdir(path, *given, **options)

    def removed(path: Path, *given: Any, **options: Any) -> None:
        calls.count("unlink")
        unlink(path, *given, **options)

    try:
        for name in ("fsync", "replace", "fchmod"):
            setattr(os, name, counted(name))
        os.open, os.fdopen = opened, wrapped  # type: ignore[assignment]
        Path.open, Path.mkdir, Path.unlink = path_opened, mkdir, removed  # type: ignore[method-assign, assignment]
        yield calls
    finally:
        for name, function in real.items():
            setattr(os, name, function)
        Path.open, Path.mkdir, Path.unlink = path_open, path_mkdir, unlink  # type: ignore[method-assign]


def killed_at(number: int, work: Callable[[], Any]) -> bool:
    """Do work in a copy of this process that is killed at the call of that number.

    Returns
    -------
    bool
        Whether it was killed, and not done before.
    """
    child = os.fork()
    if not child:
        try:
            with failing(number, 0):
                work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
