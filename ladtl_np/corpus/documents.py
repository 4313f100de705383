"""Small files read whole: regular files of bounded size, in UTF-8, with TOML or JSON inside."""

from __future__ import annotations

import math
import os
import re
import stat
import sys
import tomllib
from functools import cache
from typing import Any

import msgspec

from ladtl_np.corpus.limits import INTEGER_BITS, MIB, NESTING
from ladtl_np.errors import DataError, UsageError
from ladtl_np.printable import LONG, shown, toml_problem

__all__ = [
    "LimitError",
    "kind_of_file",
    "parse_json",
    "parse_toml",
    "read_document",
    "require_numbers",
    "too_deep",
]

_BOM = b"\xef\xbb\xbf"
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# One alternative for each thing that can hold or hide a bracket or a dot. Every one of them
# matches without going back, also where its end is missing, so the time is linear.
_TOML = re.compile(
    r'"""(?>[^"\\]+|\\.|"(?!""))*+"{0,5}'
    r"|'''(?>[^']+|'(?!''))*+'{0,5}"
    r'|"(?>[^"\\\n]+|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*+"
    r"|[\[\]{}.,=\n]",
    re.DOTALL,
)
_JSON = re.compile(r'"(?>[^"\\]+|\\.)*+"?|[\[\]{}]', re.DOTALL)


class LimitError(DataError):
    """A file or value is sound in itself, and larger or deeper than anything that is read."""


def kind_of_file(mode: int) -> str:
    """Name what a path leads to that is no regular file, "" for one that is."""
    return _KINDS.get(stat.S_IFMT(mode), "")


def read_document(path: str | os.PathLike[str], most: int, *, dash: bool = False) -> str:
    """Read a whole file as text.

    A byte order mark is removed from its start.

    Parameters
    ----------
    path
        A regular file: a pipe would have to be waited for, and could not be read twice.
    most
        Bytes that it may have.
    dash
        Whether ``-`` is standard input.

    Raises
    ------
    UsageError
        If it is not there, cannot be read, or is no regular file.
    LimitError
        If it is larger.
    DataError
        If it is not UTF-8.
    """
    name = shown(os.fspath(path), LONG)
    if dash and name == "-":
        name, content = "standard input", sys.stdin.buffer.read(most + 1)
    else:
        content = _content(path, name, most)
    if len(content) > most:
        raise LimitError(_too_large(name, most))
    content = content.removeprefix(_BOM)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}:{line}: not UTF-8 at byte offset {error.start} ({error.reason}); convert it"
        ) from None


def _too_large(name: str, most: int) -> str:
    return f"{name}: more than {most // MIB} MiB; is it the right file?"


def _content(path: str | os.PathLike[str], name: str, most: int) -> bytes:
    """Read at most one byte more than `most`, without waiting for anybody who writes a pipe."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(number)
            if kind := kind_of_file(status.st_mode):
                raise UsageError(f"{name} is {kind}; name a regular file")
            if status.st_size > most:
                raise LimitError(_too_large(name, most))
            with os.fdopen(number, "rb", closefd=False) as stream:
                return stream.read(min(most, status.st_size + MIB) + 1)
        finally:
            os.close(number)
    except FileNotFoundError:
        raise UsageError(f"{name}: no such file; is the path right, seen from here?") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL, or half a character, in the name
        why = getattr(error, "strerror", None) or "no file can have this name"
        raise UsageError(f"{name} cannot be read: {why}; is the path right?") from None


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """Read TOML.

    Raises
    ------
    LimitError
        If tables or lists are nested too deep, or an integer has too many digits.
    DataError
        If it is not TOML.
    """
    if too_deep(text, _TOML):
        raise LimitError(f"{name}: nested more than {NESTING} deep")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}: not a TOML file in UTF-8: {toml_problem(error)}") from None
    except (ValueError, RecursionError):  # Python refuses integers of thousands of digits
        raise LimitError(f"{name}: an integer of more than {INTEGER_BITS} bits") from None
    require_numbers(table, name)
    return table


def too_deep(text: str, tokens: re.Pattern[str] = _JSON) -> bool:
    """Whether brackets of a text, or the parts of one of its dotted keys, go too deep.

    It is asked before a parser that works by recursion sees the text. Strings are passed over.
    """
    dotted = tokens is not _JSON and text.count(".") >= NESTING
    if text.count("[") + text.count("{") <= NESTING and not dotted:
        return False
    depth = dots = 0
    for found in tokens.finditer(text):
        token = found[0]
        if token == ".":
            dots += 1
        elif token in ("[", "{"):
            depth, dots = depth + 1, 0
        elif token in ("]", "}"):
            depth, dots = depth - 1, 0
        elif token in (",", "=", "\n"):
            dots = 0
        if depth > NESTING or dots >= NESTING:
            return True
    return False


def require_numbers(table: Any, name: str, *, finite: bool = False) -> None:
    """Refuse integers that 64 bits do not hold, and tables that dotted keys nest too deep.

    Raises
    ------
    LimitError
        Naming the first.
    DataError
        If floats have to be `finite` and one is not.
    """
    half = 1 << (INTEGER_BITS - 1)
    layer, depth = [("", table)], 0
    while layer:
        inner: list[tuple[str, Any]] = []
        for key, value in layer:
            if isinstance(value, dict):
                inner += [(f"{key[:100]}.{k}" if key else k, v) for k, v in value.items()]
            elif isinstance(value, list):
                inner += [(key, one) for one in value]
            elif isinstance(value, int) and not -half <= value < half:
                raise LimitError(
                    f"{name}: {shown(key, 200)} is an integer of more than {INTEGER_BITS} bits"
                )
            elif finite and isinstance(value, float) and not math.isfinite(value):
                raise DataError(f"{name}: {shown(key, 200)} must be a finite number, got {value}")
        layer, depth = inner, depth + 1
        if depth > NESTING + 1:
            raise LimitError(f"{name}: nested more than {NESTING} deep")


@cache
def _decoder(wanted: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(wanted)


def parse_json(text: str, wanted: Any) -> Any:
    """Read JSON as a type of msgspec.

    Raises
    ------
    ValueError
        If it is no such thing; the message names keys and kinds of values, and no values.
    """
    if too_deep(text):
        raise ValueError(f"nested more than {NESTING} deep")
    try:
        return _decoder(wanted).decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ValueError(shown(str(error), 200)) from None
