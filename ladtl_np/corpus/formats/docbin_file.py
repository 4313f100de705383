"""The file of spaCy's DocBin: zlib around msgpack, unpacked and read within limits.

spaCy itself would unpack whatever it is given, so only the numbers of its attributes are taken from
it.
"""

from __future__ import annotations

import zlib
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.limits import ANNOTATION_BYTES, MIB, UNPACKED_BYTES, UNPACKED_RATIO
from ladtl_np.printable import shown

__all__ = ["DamagedError", "Flags", "Packed", "Table", "for_each", "table_of", "unpacked"]


class DamagedError(ValueError):
    """A file is no DocBin, for this reason."""


class Packed(msgspec.Struct):
    """What a file holds, as far as it is read."""

    attrs: list[int]
    tokens: bytes
    spaces: bytes
    lengths: bytes
    strings: list[str]
    flags: msgspec.Raw = msgspec.Raw(b"")
    cats: msgspec.Raw = msgspec.Raw(b"")
    span_groups: msgspec.Raw = msgspec.Raw(b"")


class Flags(msgspec.Struct):
    """What a file says of one document."""

    has_unknown_spaces: bool = False


class Table(NamedTuple):
    """The tokens of all documents; columns are None where the file has none."""

    lengths: NDArray[np.int32]  # (documents,)
    words: NDArray[np.uint64]  # (tokens,) hashes
    spaces: NDArray[np.uint8]  # (tokens,) whether a space follows
    iob: NDArray[np.uint64] | None
    kinds: NDArray[np.uint64] | None  # hashes
    starts: NDArray[np.uint64] | None  # 1 for the first token of a sentence, 2**64 - 1 for others


def unpacked(stream: BinaryIO) -> Packed:
    """Unpack a file.

    Raises
    ------
    DamagedError
        If it is no DocBin, or unpacks to more than is read.
    """
    content = stream.read(ANNOTATION_BYTES + 1)
    most = min(ANNOTATION_BYTES, max(UNPACKED_BYTES, UNPACKED_RATIO * len(content)))
    unpacking = zlib.decompressobj()
    try:
        message = unpacking.decompress(content, most + 1)
    except zlib.error as error:
        raise DamagedError(f"it cannot be unpacked ({error})") from None
    if len(message) > most or len(content) > ANNOTATION_BYTES:
        raise DamagedError(f"it unpacks to more than {most // MIB} MiB")
    if not unpacking.eof:
        raise DamagedError("it ends too early")
    try:
        return msgspec.msgpack.decode(message, type=Packed)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise DamagedError(shown(str(error), 200)) from None


def table_of(found: Packed) -> Table:
    """Return the tokens of all documents.

    Raises
    ------
    DamagedError
        If the numbers do not fit each other.
    """
    from spacy.attrs import IDS

    columns = {name: IDS[name] for name in ("ORTH", "ENT_IOB", "ENT_TYPE", "SENT_START")}
    if columns["ORTH"] not in found.attrs:
        raise DamagedError("no column of words")
    width = len(found.attrs)
    if len(found.lengths) % 4 or len(found.tokens) % (8 * width):
        raise DamagedError("half a number")
    lengths = np.frombuffer(found.lengths, "<i4")
    cells = np.frombuffer(found.tokens, "<u8").reshape(-1, width)
    spaces = np.frombuffer(found.spaces, np.uint8)
    if (lengths < 0).any() or not lengths.sum(dtype=np.int64) == len(cells) == len(spaces):
        raise DamagedError("documents, tokens and spaces that differ in number")

    def column(name: str) -> NDArray[np.uint64] | None:
        number = columns[name]
        return cells[:, found.attrs.index(number)] if number in found.attrs else None

    words, iob = column("ORTH"), column("ENT_IOB")
    assert words is not None
    return Table(lengths, words, spaces, iob, column("ENT_TYPE"), column("SENT_START"))


def for_each(raw: msgspec.Raw, count: int, kind: Any) -> list[Any]:
    """Decode a list that has one element for each document, or return an empty list.

    Raises
    ------
    DamagedError
        If it is no such list.
    """
    content = bytes(raw)
    if not content:
        return []
    lead, large = content[0], {0xDC: 3, 0xDD: 5}.get(content[0], 0)
    told = int.from_bytes(content[1:large], "big") if large else lead & 0x0F
    if (lead & 0xF0 != 0x90 and not large) or told != count:
        raise DamagedError("lists that have not one element for each document")
    try:
        found: list[Any] = msgspec.msgpack.decode(content, type=list[kind])
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise DamagedError(shown(str(error), 200)) from None
    return found
