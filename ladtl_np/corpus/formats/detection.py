"""Which format a file has: by the end of its name, and by its start where names do not tell."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ladtl_np.corpus.formats.columns import is_docstart
from ladtl_np.corpus.formats.registry import FORMATS
from ladtl_np.corpus.limits import MIB
from ladtl_np.corpus.lines import open_input
from ladtl_np.corpus.schemes import split_tag
from ladtl_np.corpus.tally import Remark
from ladtl_np.errors import UsageError
from ladtl_np.printable import LONG, shown

__all__ = ["LOOK", "detect", "form_of_text", "remark_on_form"]

LOOK = 1 << 14
"""Bytes of its start by which a text is told to have another form."""
_LOOK = MIB  # bytes from the start
_ENTRIES = 10_000  # entries of a folder
_ROWS, _FEW = 50, 3  # lines by which columns are told, at most and at least
_FORMS = {"jsonl": "JSON lines", "conll": "columns"}
_BY_SUFFIX = {
    suffix: found.name for found in reversed(FORMATS.values()) for suffix in found.suffixes
}
_TASKS = re.compile(r'(?<!\\)"(?:annotations"\s*:|completions"\s*:|data"\s*:\s*\{)')


def detect(path: str | os.PathLike[str]) -> str:
    """Tell the format of a file or a folder, as `FORMATS` names it.

    Files whose names tell nothing are columns, unless they start as JSON does. What can be read
    only once, such as a pipe, is told by its name alone.

    Parameters
    ----------
    path
        The file or folder; ``-`` is standard input, which has columns.

    Raises
    ------
    UsageError
        If it is not there or cannot be read, a folder without annotations, or written only.
    """
    text = os.fspath(path)
    name = _BY_SUFFIX.get(os.path.splitext(text)[1].lower(), "conll")
    if not FORMATS[name].reads:
        raise UsageError(f"{shown(text, LONG)}: files of the format {name} are only written")
    if text == "-":
        return name
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        mode = stat.S_IFREG  # opening it says what is wrong
    if stat.S_ISDIR(mode):
        return _folder(text)
    if not stat.S_ISREG(mode) or name in ("conllu", "spacy"):
        return name
    with open_input(path) as stream:
        start = stream.read(_LOOK).decode("utf-8", "replace").removeprefix("\ufeff").lstrip()
    if start.startswith("["):
        return _of_list(start) if name != "jsonl" else name
    if start.startswith("{"):
        return "jsonl" if name != "conll" or isinstance(_first(start), dict) else name
    return _of_columns(start) if name == "conll" else name


def form_of_text(start: bytes) -> str | None:
    """Tell what form something has whose name says text; None where nothing speaks against text.

    Parameters
    ----------
    start
        Its start, some lines at least.

    Returns
    -------
    str or None
        ``jsonl`` or ``conll``, where it starts as these do.
    """
    text = start.decode("utf-8", "replace").removeprefix("\ufeff")
    record = _first(text.lstrip())
    if isinstance(record, dict) and not record.keys().isdisjoint(("text", "originalText")):
        return "jsonl"
    rows = [re.split(r"\t| +", line) for line in islice(_data_lines(text), _ROWS)]
    widths = {len(row) for row in rows}
    if len(rows) >= _FEW and len(widths) == 1 and all(_is_tag(row[-1]) for row in rows[:-1]):
        return "conll"
    return None


def remark_on_form(start: bytes, cure: str = "--from {form} reads those") -> Iterator[Remark]:
    """Say where what is read as text has another form, by its start, and what to do about it."""
    form = form_of_text(start)
    if form is not None:
        said = f"it looks like {_FORMS[form]}"
        yield Remark("another-form", "", 1, said, cure.format(form=form))


def _folder(name: str) -> str:
    files = (file for _, _, names in os.walk(name) for file in names)
    if any(file.endswith(".ann") for file in islice(files, _ENTRIES)):
        return "brat"
    raise UsageError(f"{shown(name, LONG)}: a folder without .ann files; name a file inside it")


def _first(text: str) -> Any:
    """The JSON value at the start of a text, None where it is none or goes on."""
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _of_list(start: str) -> str:
    """Tell lists of tasks, lists of records, and columns whose first token is a bracket."""
    inner = start[1:].lstrip()
    if inner[:1] not in ("{", "[", "]"):
        return _of_columns(start)
    found = _first(inner)
    if found is None:
        tasks = _TASKS.search(start) is not None
    else:
        tasks = isinstance(found, dict) and (
            not found.keys().isdisjoint(("data", "annotations", "completions"))
            or any(map(_has_regions, found.values()))
        )
    return "label-studio" if tasks else "json"


def _has_regions(value: Any) -> bool:
    return isinstance(value, list) and any(
        isinstance(one, dict) and "start" in one and "labels" in one for one in value
    )


def _of_columns(start: str) -> str:
    rows = islice(_data_lines(start), 2)
    first, second = (row.split("\t") for row in (*rows, "", "")[:2])
    if first[0] in ("1", "1-2", "0.1") and len(first) == 10:
        return "conllu"
    indexed = first[0] == "1" and second[0] in ("2", "1", "")
    return "germeval" if indexed and len(first) > 2 and _is_tag(first[2]) else "conll"


def _data_lines(start: str) -> Iterator[str]:
    for line in start.split("\n"):
        line = line.removesuffix("\r")
        if line.strip(" \t") and not line.startswith(("# ", "#\t")) and not is_docstart(line):
            yield line


def _is_tag(cell: str) -> bool:
    try:
        return bool(split_tag(cell))
    except ValueError:
        return False
