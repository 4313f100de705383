"""Gzip files unpacked while they are read, and given up where they grow beyond reason."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from ladtl_np.corpus.limits import MIB, UNPACKED_BYTES, UNPACKED_RATIO
from ladtl_np.errors import DataError

__all__ = ["unpacked"]


class _Counted:
    """A binary stream that counts what is read from it; all that `gzip` asks of one."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.bytes = 0

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self.bytes += len(content)
        return content


class _Watched(io.RawIOBase):
    """What a gzip file holds, with an eye on how much it is."""

    def __init__(self, packed: _Counted, name: str) -> None:
        self._packed, self._name, self._bytes = packed, name, 0
        self._inner = gzip.GzipFile(fileobj=cast(BinaryIO, packed), mode="rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        content = self._inner.read1(len(buffer))
        buffer[: len(content)] = content
        self._bytes += len(content)
        if self._bytes > max(UNPACKED_BYTES, UNPACKED_RATIO * self._packed.bytes):
            raise DataError(
                f"{self._name}: unpacks to more than {UNPACKED_RATIO} times its size, and to more "
                f"than {UNPACKED_BYTES // MIB} MiB; if that is right, unpack it with gunzip and "
                "name the file without .gz"
            )
        return len(content)


@contextmanager
def unpacked(stream: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Unpack a stream while it is read.

    Raises
    ------
    DataError
        If it is no gzip file, is cut short, or grows beyond `UNPACKED_RATIO`.
    """
    try:
        yield cast(BinaryIO, io.BufferedReader(_Watched(_Counted(stream), name), 1 << 17))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{name}: cannot be unpacked ({error}); is the download complete, and a gzip file?"
        ) from None
