"""JSON of files that a stranger may have written: bounded before any object is made of it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ladtl_np.printable import shown

__all__ = ["MOST_DEPTH", "MOST_TEXT", "count_keys", "decode_strictly", "raw_string"]

MOST_DEPTH = 32
"""Lists and objects within each other; what this package writes has six."""

MOST_TEXT = 4 << 20
"""Bytes of strings in a text of few values, such as a word of a million characters."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_TOKENS = re.compile(rb'[^"]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"]*+)*+', re.DOTALL)
# whole characters and whole escapes; both halves of a pair of surrogates stay together
_WHOLE = re.compile(
    rb"[^\\]*+(?:\\(?:[^u]|u(?![dD][89abAB])....|u....\\u....)[^\\]*+)*+", re.DOTALL
)
_PIECE = 1 << 16  # bytes that a pattern looks at: its own notes take some forty times as many


def decode_strictly(text: bytes | bytearray, most: int) -> Any:
    """Plain values of a JSON text in which no object has a key twice.

    Parameters
    ----------
    text
        UTF-8.
    most
        Values that it may hold: each takes some sixty bytes, so they are counted before any is
        made. All strings together may take 64 bytes for each, beside `MOST_TEXT`.

    Raises
    ------
    ValueError
        If it is no such text, nested deeper than `MOST_DEPTH`, or larger.
    """
    keys = count_keys(text, most)
    try:
        value = msgspec.json.decode(text)
    except RecursionError:
        raise ValueError(f"nested deeper than {MOST_DEPTH}") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise ValueError(f"no JSON in UTF-8: {shown(str(error), 100)}") from None
    if _keys(value) != keys:
        raise ValueError("an object has the same key twice")
    return value


def count_keys(text: bytes | bytearray, most: int) -> int:
    """Keys of all objects as they are written; limits and errors are those of `decode_strictly`."""
    at = keys = values = strings = 0
    while at < len(text):
        end, size = at, _PIECE
        while end == at:
            found = _TOKENS.match(text, at, at + size)
            end = found.end() if found else at
            if end == at and at + size >= len(text):
                raise ValueError("a string has no end")
            size *= 2  # a string may be longer than a piece
        bare = _STRING.sub(b"", text[at:end])
        keys += bare.count(b":")
        values += bare.count(b",") + bare.count(b"[") + bare.count(b"{")
        strings += end - at - len(bare)
        _require_few(values, most, "values")
        _require_few(strings, MOST_TEXT + 64 * most, "bytes of strings")
        at = end
    return keys


def _require_few(count: int, most: int, what: str) -> None:
    if count > most:
        raise ValueError(f"more than {most:,} {what}")


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
    found, at, size = bytearray(len(text)), 0, 0
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
        plain = piece.encode()
        found[size : size + len(plain)] = plain
        at, size = end, size + len(plain)
    del found[size:]
    return found
