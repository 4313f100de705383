"""Standard streams as every command finds them, whatever the locale and whoever closed them."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO

__all__ = ["prepare_streams"]


def prepare_streams() -> None:
    """Let data be UTF-8, messages UTF-8 or escaped, and every standard stream be open.

    A stream that was closed before the program started leaves a number that the next file to be
    opened would get. In its place stands one on which reading or writing fails, so that no data is
    lost in silence; messages go nowhere.
    """
    if sys.stdin is None:
        sys.stdin = _closed(0, os.O_WRONLY)
    if sys.stdout is None:
        sys.stdout = _closed(1, os.O_RDONLY)
    if sys.stderr is None:
        sys.stderr = _closed(2, os.O_WRONLY)
    # bytes of a name that are no text stay readable
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    if isinstance(sys.stderr, TextIOWrapper):
        told = "utf-8" if sys.stderr.encoding.lower().replace("_", "-") == "utf-8" else "ascii"
        sys.stderr.reconfigure(encoding=told, errors="backslashreplace")


def _closed(number: int, flags: int) -> TextIO:
    """A stream to nowhere, under its usual number if that is free."""
    opened = os.open(os.devnull, flags)
    if opened != number and not _is_open(number):
        os.dup2(opened, number)
        os.close(opened)
        opened = number
    os.set_inheritable(opened, True)
    return open(opened, "r" if number == 0 else "w", encoding="utf-8")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
