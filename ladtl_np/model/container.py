"""Safetensors files of this package: arrays, a text, a checksum of both.         docs/model-file.md

What is read may be damaged or hostile: the header is checked in full before anything else is read
or allocated, and a message never repeats more than a few names of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator, Mapping
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladtl_np.errors import ModelFileError
from ladtl_np.model.layout import CHECKSUM, DTYPES, KEY, LEAD, Layout, Place, read_layout
from ladtl_np.printable import shown, some_of

__all__ = [
    "Arrays",
    "Container",
    "open_bytes",
    "open_container",
    "pack",
    "require_arrays",
    "unpack",
]

Arrays = dict[str, NDArray[Any]]

MOST_HEADER = 1 << 28  # bytes; some ten million words
_LISTED = 5  # array names that a message repeats
_HASH = (
    "blake2b"  # as fast as SHA-256 where the processor helps that, three times as fast elsewhere
)
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


def pack(arrays: Mapping[str, NDArray[Any]], text: str) -> bytes:
    """Bytes of a file; equal arrays and texts give equal bytes.

    Arrays hold float32, float64 or int64, in whatever order they lie in memory.
    """
    given = {name: _plain(name, array) for name, array in arrays.items()}
    # widest first, so that each begins at a multiple of its item's size; as safetensors does
    kinds = list(DTYPES)
    names = sorted(given, key=lambda name: (kinds.index(_NAMES[given[name].dtype]), name))
    plain = {name: given[name] for name in names}
    places, begin = dict[str, Place](), 0
    for name, array in plain.items():
        end = begin + array.nbytes
        places[name] = Place(_NAMES[array.dtype], array.shape, begin, end)
        begin = end
    content = text.encode()
    header: dict[str, Any] = {
        "__metadata__": {CHECKSUM: _checksum(content, places, plain), KEY: text}
    }
    for name, place in places.items():
        offsets = [place.begin, place.end]
        header[name] = {"dtype": place.dtype, "shape": place.shape, "data_offsets": offsets}
    raw = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    if len(raw) > MOST_HEADER:
        raise ModelFileError(
            f"all but the arrays takes {len(raw):,} bytes, wanted {MOST_HEADER:,} at most; leave "
            "rare words out of the vocabulary, or cut very long ones"
        )
    return b"".join([len(raw).to_bytes(8, "little"), raw, *map(_bytes_of, plain.values())])


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Little-endian and C-contiguous, an axis or none."""
    dtype = array.dtype.newbyteorder("<")
    if dtype not in _NAMES:
        raise ValueError(f"{name} is {array.dtype}; a file holds float32, float64 and int64")
    return np.asarray(array, dtype, order="C")


def _bytes_of(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _checksum(text: bytes | bytearray, places: Mapping[str, Place], arrays: Arrays) -> str:
    """Of the text, then of each array by name: what it is, and its bytes."""
    digest = hashlib.blake2b(len(text).to_bytes(8, "little"), digest_size=32)
    digest.update(text)
    for name in sorted(places):
        place = places[name]
        digest.update(json.dumps([name, place.dtype, place.shape]).encode())
        digest.update(_bytes_of(arrays[name]))
    return f"{_HASH}:{digest.hexdigest()}"


class Container:
    """An open file whose header is sound; its arrays are read when they are asked for.

    Attributes
    ----------
    text
        UTF-8 of the JSON text.
    shapes
        Of the arrays that it says it has, by name.
    checksum
        Of text and arrays; None in files of before there was one.
    size
        Bytes of the file.
    """

    def __init__(self, name: str, stream: io.BufferedIOBase, size: int, layout: Layout) -> None:
        self.name, self.size = name, size
        self._stream, self._layout = stream, layout
        self.text, self.checksum, self.header = layout.text, layout.checksum, layout.header
        self.shapes = {key: place.shape for key, place in layout.places.items()}

    def arrays(self) -> Arrays:
        """Read the arrays, and compare the checksum.

        Raises
        ------
        ModelFileError
            If the file shrinks meanwhile, is larger than this machine's memory, or was changed.
        """
        if self.size > _memory():
            raise ModelFileError(
                f"{self.name}: {self.size:,} bytes, more than this machine's memory"
            )
        with _explained(self.name, "another file"):
            arrays = {key: self._read(place) for key, place in self._layout.places.items()}
        if self.checksum is not None:
            self._compare(_checksum(self.text, self._layout.places, arrays))
        native = {key: array.dtype.newbyteorder("=") for key, array in arrays.items()}
        return {key: array.astype(native[key], copy=False) for key, array in arrays.items()}

    def _read(self, place: Place) -> NDArray[Any]:
        array: NDArray[Any] = np.empty(place.shape, DTYPES[place.dtype])
        if self._stream.readinto(_bytes_of(array)) != array.nbytes:
            raise ModelFileError(f"{self.name}: cut short while it was read")
        return array

    def _compare(self, found: str) -> None:
        if str(self.checksum).partition(":")[0] != _HASH:
            raise ModelFileError(
                f"{self.name}: its checksum is of a kind that this version of ladtl_np does not "
                "know; it was written by a newer version, or is damaged"
            )
        if found != self.checksum:
            raise ModelFileError(
                f"{self.name}: its content is not what was written, as the checksum shows; take "
                "it from where it was copied from, or make it again"
            )


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def open_container(path: str | PathLike[str], wanted: str) -> Iterator[Container]:
    """Open a file and check its header; `wanted` says what it should have been.

    Raises
    ------
    ModelFileError
        If it is not there, cannot be read, is no file, is cut short, damaged, or not one that
        `pack` made.
    """
    name = str(path)
    with _explained(name, wanted):
        stream = _opened(path)
    if stream is None:
        raise ModelFileError(f"{name}: not a file; give {wanted}")
    with stream:
        with _explained(name, wanted):
            held = _container(name, stream, os.fstat(stream.fileno()).st_size, wanted)
        yield held


def _opened(path: str | PathLike[str]) -> io.BufferedIOBase | None:
    """Open a file for reading; None if it is a folder, a pipe, a device or a socket."""
    # what is no file is not even opened: a pipe would wait, a device might act
    if not stat.S_ISREG(os.stat(path).st_mode):
        return None
    stream = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    return None


@contextlib.contextmanager
def _explained(name: str, wanted: str) -> Iterator[None]:
    """Let what the system refuses say which file, and what to give instead."""
    try:
        yield
    except OSError as error:
        raise ModelFileError(f"{name}: cannot be read ({error.strerror}); give {wanted}") from None
    except MemoryError:
        raise ModelFileError(f"{name}: not enough memory to read it") from None
    except ValueError as error:  # a path with a NUL in it
        raise ModelFileError(f"{name!r}: cannot be read ({error}); give {wanted}") from None


def unpack(name: str, content: bytes, wanted: str) -> tuple[bytes, Arrays]:
    """Text and arrays of a file's content, which is checked as a file is.

    Raises
    ------
    ModelFileError
        If it is cut short, damaged, or not one that `pack` made.
    """
    held = open_bytes(name, content, wanted)
    return bytes(held.text), held.arrays()


def open_bytes(name: str, content: bytes, wanted: str) -> Container:
    """A file's content that is in memory, its header checked.

    Raises
    ------
    ModelFileError
        If it is cut short, damaged, or not one that `pack` made.
    """
    return _container(name, io.BytesIO(content), len(content), wanted)


def _container(name: str, stream: io.BufferedIOBase, size: int, wanted: str) -> Container:
    start = stream.read(8)
    header = int.from_bytes(start, "little")
    if len(start) < 8 or header > size - 8:
        raise ModelFileError(f"{name}: cut short, or not what is wanted; was the copy complete?")
    if header > MOST_HEADER:
        raise ModelFileError(
            f"{name}: a header of {header:,} bytes, wanted {MOST_HEADER:,} at most"
        )
    # a huge file of something else is not read any further
    foreign = stream.read(len(LEAD)) != LEAD
    stream.seek(8)
    raw = b"" if foreign else stream.read(header)
    if len(raw) < header and not foreign:
        raise ModelFileError(f"{name}: cut short while it was read")
    return Container(name, stream, size, read_layout(name, raw, size - 8 - header, wanted))


def require_arrays(
    name: str, found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]
) -> None:
    """Refuse arrays, by their names and shapes, that are not those wanted."""
    different = sorted(found.keys() ^ wanted.keys())
    if different:
        some = some_of([shown(key) for key in different], _LISTED)
        raise ModelFileError(f"{name}: arrays missing or not expected: {some}")
    for key, shape in wanted.items():
        if found[key] != shape:
            raise ModelFileError(f"{name}: {key} is {found[key]}, wanted {shown(str(shape), 100)}")
