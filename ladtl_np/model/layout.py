"""Where the parts of a file lie: its header is read, and every range in it checked."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np

from ladtl_np.errors import ModelFileError
from ladtl_np.model.strict_json import decode_strictly, raw_string
from ladtl_np.printable import shown

__all__ = ["CHECKSUM", "DTYPES", "KEY", "LEAD", "MOST_ARRAYS", "Layout", "Place", "read_layout"]

KEY = "ladtl_np"
"""The metadata key of the text."""
CHECKSUM = "checksum"
"""The metadata key of the checksum; files written before there was one lack it."""

DTYPES: dict[str, np.dtype[Any]] = {
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
}
"""What arrays may hold, by safetensors' names; in the order in which they lie in a file."""

MOST_ARRAYS = 1_000
_ENTRY = 512  # bytes of the header for each array, its name included
_VALUES = 16  # plain values of each
_AXES = 4

LEAD = b'{"__metadata__":{'
"""How every header begins, written by this package or by the safetensors library."""
_PAIR = re.compile(rb'"([a-z_]{1,20})":"([^"\\]*+(?:\\.[^"\\]*+)*+)"([,}])', re.DOTALL)
_FIELDS = {"dtype", "shape", "data_offsets"}


class Place(NamedTuple):
    """An array in the file: what it is, and its bytes counted from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class Layout(NamedTuple):
    """A sound header."""

    text: bytearray
    checksum: str | None
    places: dict[str, Place]  # in the order in which they lie
    header: int  # its bytes


def read_layout(name: str, raw: bytes, data: int, wanted: str) -> Layout:
    """Layout of a file from the bytes of its header and the number of bytes behind it.

    Raises
    ------
    ModelFileError
        If it is not a header of this package, or does not describe exactly what follows.
    """
    foreign = f"{name}: not written by ladtl_np; give {wanted}"
    if not raw.startswith(LEAD):
        raise ModelFileError(foreign)
    at, metadata = len(LEAD), dict[str, tuple[int, int]]()
    while True:
        pair = _PAIR.match(raw, at)
        if pair is None:
            raise ModelFileError(foreign)
        key = pair[1].decode()
        if key not in (KEY, CHECKSUM) or key in metadata:
            raise ModelFileError(
                f"{name}: its header says {shown(key)}, which this version of ladtl_np does not "
                "know; it was written by a newer version, or is damaged"
            )
        metadata[key], at = pair.span(2), pair.end()
        if pair[3] == b"}":
            break
    if KEY not in metadata:
        raise ModelFileError(foreign)
    try:
        begin, end = metadata[KEY]
        text = raw_string(memoryview(raw)[begin:end])
        checksum = raw[slice(*metadata[CHECKSUM])].decode() if CHECKSUM in metadata else None
        places = _places(name, _rest(name, raw, at), data)
    except ValueError as error:
        raise ModelFileError(f"{name}: the header is damaged: {error}") from None
    return Layout(text, checksum, places, len(raw))


def _rest(name: str, raw: bytes, at: int) -> bytes:
    """What stands behind the metadata, which is refused unread if it is long."""
    size, count = len(raw) - at, raw.count(b'"shape"', at)
    if size > MOST_ARRAYS * _ENTRY or count > MOST_ARRAYS:
        raise ModelFileError(
            f"{name}: {size:,} bytes on {count:,} arrays, where no file of ladtl_np has "
            f"{MOST_ARRAYS:,}"
        )
    return raw[at:].strip()


def _places(name: str, rest: bytes, data: int) -> dict[str, Place]:
    """Places of all arrays."""
    plain = decode_strictly(b"{" + rest.removeprefix(b","), MOST_ARRAYS * _VALUES)
    if rest[:1] not in (b",", b"}") or not isinstance(plain, dict):
        raise ValueError("no table of arrays")
    places = {key: _place(key, entry) for key, entry in plain.items()}
    places = dict(sorted(places.items(), key=lambda pair: (pair[1].begin, pair[1].end)))
    expected = 0
    for key, place in places.items():
        if place.begin != expected:
            raise ValueError(f"{shown(key)} does not begin where the array before it ends")
        expected = place.end
    if expected > data:
        raise ModelFileError(
            f"{name}: cut short: {data:,} bytes of arrays, its header tells of {expected:,}; "
            "was the copy complete?"
        )
    if expected < data:
        raise ModelFileError(
            f"{name}: {data - expected:,} bytes follow that its header does not tell of"
        )
    return places


def _place(key: str, entry: Any) -> Place:
    if not isinstance(entry, dict) or entry.keys() != _FIELDS:
        raise ValueError(f"{shown(key)} is no array")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"{shown(key)} is {shown(str(dtype))}, wanted {', '.join(DTYPES)}")
    if not (_numbers(shape) and len(shape) <= _AXES and _numbers(offsets) and len(offsets) == 2):
        raise ValueError(f"{shown(key)} has a shape or a place that is none")
    if offsets[1] - offsets[0] != math.prod(shape) * DTYPES[dtype].itemsize:
        raise ValueError(f"{shown(key)} has not as many bytes as its shape wants")
    return Place(dtype, tuple(shape), *offsets)


def _numbers(value: Any) -> bool:
    """Whether a value is a list of whole numbers that an index can be."""
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 2**63 for one in value)
