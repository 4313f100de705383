"""JSON of files that a stranger may have written: bounded before any object is made of it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ladtl_np.printable import shown

__all__ = ["MOST_DEPTH", "decode_strictly", "raw_string"]

MOST_DEPTH = 32
"""Lists and objects within each other; what this package writes has six."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
# whole characters and whole escapes; both halves of a pair of surrogates stay together
_WHOLE = re.compile(
    rb"(?:[^\\]++|\\u[dD][89abAB]..\\u....|\\u(?![dD][89abAB])....|\\[^u])*+", re.DOTALL
)
_PIECE = 1 << 20


def decode_strictly(text: bytes | bytearray, most: int) -> Any:
    """Plain values of a JSON text in which no object has a key twice.

    Parameters
    ----------
    text
        UTF-8.
    most
        Values that it may hold: each takes some sixty bytes, so they are counted before any is
        made.

    Raises
    ------
    ValueError
        If it is no such text, nested deeper than `MOST_DEPTH`, or holds more values.
    """
    bare = _STRING.sub(b"", text)
    count = bare.count(b",") + bare.count(b"[") + bare.count(b"{") + 1
    if count > most:
        raise ValueError(f"{count:,} values, where {most:,} would do")
    keys = bare.count(b":")
    del bare
    try:
        value = msgspec.json.decode(text)
    except RecursionError:
        raise ValueError(f"nested deeper than {MOST_DEPTH}") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise ValueError(f"no JSON in UTF-8: {shown(str(error), 100)}") from None
    if _keys(value) != keys:
        raise ValueError("an object has the same key twice")
    return value


def _keys(value: Any) -> int:
    """Keys of all objects in a value."""
    count, level = 0, [value] if isinstance(value, dict | list) else []
    for _ in range(MOST_DEPTH + 1):
        below: list[Any] = []
        for inner in level:
            count += len(inner) if isinstance(inner, dict) else 0
            values = inner.values() if isinstance(inner, dict) else inner
            if not {dict, list}.isdisjoint(map(type, values)):
                below += [one for one in values if isinstance(one, dict | list)]
        if not below:
            return count
        level = below
    raise ValueError(f"nested deeper than {MOST_DEPTH}")


def raw_string(text: memoryview) -> bytearray:
    """UTF-8 of a JSON string, without its quotes; a piece at a time.

    As one Python string it could take four times the room: one rare character is enough.

    Raises
    ------
    ValueError
        If an escape is none, or half of a pair of surrogates stands alone.
    """
    found, at = bytearray(), 0
    while at < len(text):
        end = min(at + _PIECE, len(text))
        if end < len(text):
            whole = _WHOLE.match(text, at, end)
            end = whole.end() if whole else at
            while end > at and text[end] & 0xC0 == 0x80:  # within a character
                end -= 1
        if end == at:
            raise ValueError("a string holds what is no character")
        try:
            piece: str = msgspec.json.decode(b'"%b"' % bytes(text[at:end]), type=str)
        except (msgspec.DecodeError, ValueError) as error:
            raise ValueError(f"a string is none: {shown(str(error), 100)}") from None
        found += piece.encode()
        at = end
    return found
