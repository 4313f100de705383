"""Files opened and read line by line: strictly decoded, lines ended by LF or CRLF only."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from stat import S_ISBLK, S_ISCHR
from typing import BinaryIO, cast

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.limits import LINE_BYTES, MIB
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import UsageError
from ladtl_np.printable import LONG, shown

__all__ = [
    "Digest",
    "bounded_lines",
    "decoded",
    "display_name",
    "file_sha256",
    "numbered_lines",
    "open_input",
    "page_name",
    "read_lines",
]

_UTF8_BOM = codecs.BOM_UTF8
_CHUNK = 1 << 20
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_IN_UTF16 = ("the file starts with a UTF-16 byte order mark", "convert it to UTF-8")
_CONVERT = "name the file's encoding, or convert it to UTF-8"


class Digest:
    """SHA-256 of a stream's bytes, taken while its lines are read."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def lines(self, stream: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the lines through."""
        for line in bounded_lines(stream):
            self._hash.update(line)
            yield line

    def stream(self, stream: BinaryIO) -> BinaryIO:
        """Return a stream of the same bytes, which are hashed as they are read."""
        return cast(BinaryIO, _Hashed(stream, self._hash))

    def hexdigest(self) -> str:
        """Return the hash of all that was read so far."""
        return self._hash.hexdigest()


def file_sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes.

    Raises
    ------
    UsageError
        As for `open_input`.
    """
    digest = hashlib.sha256()
    with open_input(path) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class _Hashed:
    """A stream whose bytes go into a hash."""

    def __init__(self, stream: BinaryIO, digest: hashlib._Hash) -> None:
        self._stream, self._digest = stream, digest

    def read(self, size: int = -1) -> bytes:
        return self._passed(self._stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._passed(self._stream.readline(size))

    def fileno(self) -> int:
        return self._stream.fileno()

    def tell(self) -> int:
        return self._stream.tell()

    def _passed(self, content: bytes) -> bytes:
        self._digest.update(content)
        return content


def display_name(path: str | os.PathLike[str]) -> str:
    """Name a path in messages."""
    text = os.fspath(path)
    return "standard input" if text == "-" else text


def page_name(path: str | os.PathLike[str]) -> str:
    """Name a path on a page that is handed on: its folders are nobody's business."""
    return os.path.basename(os.path.normpath(display_name(path)))


@contextlib.contextmanager
def open_input(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file or a pipe for reading bytes; ``-`` is standard input.

    Raises
    ------
    UsageError
        If there is no such file, it is a folder or a device without end, or it may not be read.
    """
    if os.fspath(path) == "-":
        yield sys.stdin.buffer
        return
    name = shown(os.fspath(path), LONG)
    try:
        if os.path.isdir(path):
            raise UsageError(f"{name} is a folder; name a file inside it")
        stream = open(path, "rb")
    except FileNotFoundError:
        raise UsageError(f"{name}: no such file; is the path right, seen from here?") from None
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error
    except ValueError:  # a NUL, or half a character
        raise UsageError(f"{name}: no file can have this name") from None
    with stream:
        if _is_endless(stream):
            raise UsageError(f"{name} is a device; name a file, or - for standard input")
        yield stream


def _is_endless(stream: BinaryIO) -> bool:
    """Whether it is a device other than a terminal and the null device."""
    status = os.fstat(stream.fileno())
    device = S_ISCHR(status.st_mode) or S_ISBLK(status.st_mode)
    return device and not stream.isatty() and status.st_rdev != os.stat(os.devnull).st_rdev


def bounded_lines(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Iterate over the lines of a binary stream; one that is too long comes in pieces.

    The first piece is one byte longer than `LINE_BYTES`, by which `numbered_lines` tells it.
    """
    readline = getattr(stream, "readline", None)
    return iter(stream) if readline is None else iter(partial(readline, LINE_BYTES + 1), b"")


def read_lines(stream: Iterable[bytes]) -> list[bytes]:
    """Read all lines, or all up to one that is too long."""
    lines = []
    for line in bounded_lines(stream):
        lines.append(line)
        if len(line) > LINE_BYTES:
            break
    return lines


def numbered_lines(
    stream: Iterable[bytes],
    findings: Findings,
    *,
    encoding: str = "utf-8",
    tally: Tally | None = None,
) -> Iterator[tuple[int, str]]:
    """Decode a binary stream line by line.

    Lines that cannot be decoded or hold a NUL byte or a lone CR are reported and left out. A byte
    order mark at the start of UTF-8 is removed. A line of more than `LINE_BYTES` is the last.

    Yields
    ------
    tuple of (int, str)
        1-based line number, and the line without its line end.
    """
    codec = _line_codec(encoding)
    tally = Tally() if tally is None else tally
    offset = 0
    for number, raw in enumerate(bounded_lines(stream), 1):
        if len(raw) > LINE_BYTES:
            what = f"a line of more than {LINE_BYTES // MIB} MiB"
            findings.fail(number, what, "is it a text file, with line ends?")
        skip = 0
        if number == 1:
            skip = _start_of_text(raw, codec, findings, tally)
        tally.lines = number
        tally.unfinished = not raw.endswith(b"\n")
        try:
            line = raw[skip:].decode(codec)
        except UnicodeDecodeError as error:
            where = offset + skip + error.start
            findings.add(
                number,
                f"not {codec.upper()} at byte offset {where} ({error.reason})",
                _CONVERT,
            )
        else:
            if "\r" in line or "\0" in line:  # few lines have either
                line = _without_end(line, tally)
                sound = _sound(number, line, findings)
            else:
                line, sound = line.removesuffix("\n"), True
            if sound:
                yield number, line
        offset += len(raw)


def decoded(
    content: bytes, encoding: str, findings: Findings, tally: Tally, *, file: str = ""
) -> str | None:
    """Decode the whole content of a file; a byte order mark of UTF-8 is removed.

    Returns
    -------
    str or None
        None after a finding: it is not in that encoding.
    """
    codec = _line_codec(encoding)
    skip = 0
    if codec == "utf-8":
        skip = len(_UTF8_BOM) * content.startswith(_UTF8_BOM)
        tally.bom = tally.bom or skip > 0
        if content.startswith(_UTF16_BOMS):
            findings.add(1, *_IN_UTF16, file=file)
            return None
    try:
        return content[skip:].decode(codec)
    except UnicodeDecodeError as error:
        place = skip + error.start
        findings.add(
            content.count(b"\n", 0, place) + 1,
            f"not {codec.upper()} at byte offset {place} ({error.reason})",
            _CONVERT,
            file=file,
        )
        return None


def _line_codec(encoding: str) -> str:
    """Return the codec's name if lines can be found before decoding."""
    try:
        name = codecs.lookup(encoding).name
        name = "utf-8" if name == "utf-8-sig" else name
        if "\n".encode(name) == b"\n":
            return name
    except (LookupError, UnicodeError):
        raise UsageError(f"unknown text encoding {encoding!r}; try utf-8 or gb18030") from None
    raise UsageError(f"files in {encoding} are not read line by line; convert the file to UTF-8")


def _start_of_text(raw: bytes, codec: str, findings: Findings, tally: Tally) -> int:
    """Return how many bytes of the first line are a byte order mark."""
    if codec == "utf-8" and raw.startswith(_UTF8_BOM):
        tally.bom = True
        return len(_UTF8_BOM)
    if codec == "utf-8" and raw.startswith(_UTF16_BOMS):
        findings.fail(1, *_IN_UTF16)
    return 0


def _without_end(line: str, tally: Tally) -> str:
    if line.endswith("\r\n"):
        tally.crlf += 1
        return line[:-2]
    return line[:-1] if line.endswith("\n") else line


def _sound(number: int, line: str, findings: Findings) -> bool:
    """Report characters that no text line may hold."""
    nul, cr = "\0" in line, "\r" in line
    if nul:
        findings.add(number, "a NUL byte", "is this a text file, or one in UTF-16?")
    if cr:
        findings.add(
            number,
            "a carriage return inside the line",
            "lines must end at LF or CRLF; convert the line ends",
        )
    return not (nul or cr)
