"""A corpus file that the options of a run name."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.errors import UsageError
from ladtl_np.printable import shown

__all__ = ["InputFile", "Role", "require_utf8", "require_writable"]

Role = Literal["source", "target", "dev", "test"]
"""What a corpus is to a run; of ``source`` and ``test`` there may be several."""


class InputFile(NamedTuple):
    """A corpus file of a run.

    Attributes
    ----------
    role
        As in the manifest.
    path
        Where it is.
    format
        How its columns are read.
    """

    role: Role
    path: str
    format: ReadOptions

    @property
    def trains(self) -> bool:
        """Whether the run is trained on it."""
        return self.role in ("source", "target")


def require_utf8(paths: Iterable[str | os.PathLike[str]], name: str) -> None:
    """Refuse paths that cannot be written into TOML, JSON or a page, before any work is done.

    File names are bytes. One that is not UTF-8 can be opened, and a record of it could not be
    written or would name no file. Tabs, line ends and control characters are no hindrance.

    Raises
    ------
    UsageError
        Naming the first of them; `name` is the option or the command that got it.
    """
    for path in paths:
        _require_utf8(os.fspath(path), name)


def _require_utf8(text: str, name: str) -> None:
    if not text.isascii() and not _is_utf8(text):
        encoding = sys.getfilesystemencoding()
        if encoding != "utf-8" and _is_utf8_in_bytes(text):
            raise UsageError(
                f"{name}: Python reads the names of files as {encoding} here, in which "
                f"{shown(text, 200)} is no text; set PYTHONUTF8=1, or LC_ALL to a locale of UTF-8"
            )
        raise UsageError(
            f"{name}: the name {shown(text, 200)} is not UTF-8, in which the records of a run are "
            "written; rename the file, or reach it through a link"
        )


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_utf8_in_bytes(text: str) -> bool:
    """Whether the bytes of a name are UTF-8, however Python has read them."""
    try:
        os.fsencode(text).decode("utf-8")
    except UnicodeError:
        return False
    return True


def require_writable(table: Mapping[str, Any], name: str) -> None:
    """Refuse a nested table with text that is not Unicode, as `require_utf8` does.

    Raises
    ------
    UsageError
        Naming the key.
    """
    for key, value in table.items():
        _require_utf8(key, name)
        place = f"{name}: {shown(key, 100)}"
        if isinstance(value, Mapping):
            require_writable(value, place)
        elif isinstance(value, list | tuple):
            require_utf8([one for one in value if isinstance(one, str)], place)
        elif isinstance(value, str):
            _require_utf8(value, place)
