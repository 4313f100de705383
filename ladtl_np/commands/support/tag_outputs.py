"""The files that ``ladtl tag --out-dir`` reads and writes, each pair known before work starts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ladtl_np.commands.support.converting import PAIR
from ladtl_np.corpus.formats.registry import FORMATS
from ladtl_np.corpus.lines import display_name
from ladtl_np.errors import UsageError
from ladtl_np.files import require_apart
from ladtl_np.printable import LONG, shown, some_of
from ladtl_np.runs.marker import is_kept

__all__ = ["RECORD", "Item", "files_below", "pair_outputs"]

RECORD = "ladtl-tag.json"
"""File of the output folder that tells what each output was made from."""

SUFFIXES = {found.name: found.suffixes[0] for found in FORMATS.values() if found.suffixes} | {
    "brat": PAIR,
    "terminal": ".txt",
}
"""Suffix of an output by its format."""

_READ = (".text", *(suffix for found in FORMATS.values() for suffix in found.suffixes))
"""Suffixes that the output's replaces."""
_LISTED = 5  # files that a message names


class Item(NamedTuple):
    """An input, and the output that it has: its path, and its path below the folder."""

    source: str
    output: Path
    name: str


def pair_outputs(
    inputs: Sequence[str], folder: Path, style: str, others: Sequence[str]
) -> list[Item]:
    """Find all files, and what their outputs are called.

    Parameters
    ----------
    inputs
        Files, and folders that stand for the files in them: all but hidden ones, in the order of
        their paths, which their outputs keep.
    folder
        Where the outputs go.
    style
        Output format.
    others
        Files that are read beside the inputs, such as the model; they are no outputs either.

    Raises
    ------
    UsageError
        If an input is none, two inputs have the same output, or an output is an input.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; --out-dir wants a folder")
    items = [
        Item(source, folder / name, name)
        for place in inputs
        for source, below in _files(place, folder)
        for name in [_renamed(below, SUFFIXES[style])]
    ]
    if not items:
        raise UsageError(
            f"there is no file in {some_of(inputs, _LISTED)}; hidden ones are left out"
        )
    _require_apart(items)
    _require_no_input(items, others)
    _require_writable(items, folder)
    return items


def _files(place: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The files that an argument stands for, with their paths below it."""
    if place == "-":
        raise UsageError("standard input has no name for an output; --out-dir wants files")
    if not os.path.isdir(place):
        yield from files_below(place)
        return
    inside, real = os.path.realpath(place), os.path.realpath(folder)
    if os.path.commonpath([inside, real]) == inside:
        raise UsageError(
            f"{folder} lies in {place}, so its files would be inputs the next time; choose another "
            "--out-dir"
        )
    yield from files_below(place)


def files_below(place: str) -> Iterator[tuple[str, str]]:
    """Yield a file, or the files of a folder and below it, with their paths in there.

    Hidden ones are left out, and annotations that lie beside their text.

    Raises
    ------
    UsageError
        If one cannot be read, or is a link to a folder.
    """
    if not os.path.isdir(place):
        _require_file(place)
        yield place, os.path.basename(place)
        return
    for top, folders, names in os.walk(place, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if os.path.islink(os.path.join(top, name)):
                raise UsageError(
                    f"{os.path.join(top, name)} is a link to a folder, which is not followed; name "
                    "that folder as an input, or remove the link"
                )
        for name in sorted(name for name in names if not name.startswith(".")):
            if name.endswith(PAIR):  # annotations, of the text beside it
                continue
            path = os.path.join(top, name)
            _require_file(path)
            yield path, os.path.relpath(path, place)


def _refuse(error: OSError) -> None:
    raise UsageError(f"{error.filename} cannot be read: {error.strerror}") from error


def _require_file(path: str) -> None:
    if not os.path.exists(path):
        raise UsageError(f"{path}: no such file; is the path right, seen from here?")
    if not os.path.isfile(path):
        raise UsageError(f"{path} is neither a file nor a folder")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{path} may not be read by you")


def _renamed(name: str, suffix: str) -> str:
    stem, old = os.path.splitext(name)
    return (stem if old.lower() in _READ else name) + suffix


def _require_apart(items: Sequence[Item]) -> None:
    by_output: dict[str, Item] = {}
    for item in items:
        other = by_output.setdefault(item.name, item)
        if other is not item:
            raise UsageError(
                f"{display_name(other.source)} and {display_name(item.source)} would have the same "
                f"output {item.name}; tag them into two folders"
            )
    folders = {os.fspath(parent) for item in items for parent in Path(item.name).parents}
    for item in items:
        if item.name in folders:
            raise UsageError(
                f"the output {item.name} of {item.source} is the folder of another output; tag "
                "them into two folders"
            )


def _require_no_input(items: Sequence[Item], others: Sequence[str]) -> None:
    """Refuse outputs that are inputs, under whatever name or link, or that may not be replaced."""
    outputs = [item.output for item in items]
    outputs += [item.output.with_suffix(".txt") for item in items if item.output.suffix == PAIR]
    require_apart(outputs, [*others, *(item.source for item in items)])
    for item in items:
        if item.output.is_dir():
            raise UsageError(f"{item.output} is a folder; a file of this name is to be written")
        if item.output.exists() and not item.output.is_file():
            raise UsageError(f"{item.output} is no ordinary file; choose another --out-dir")
        if is_kept(Path(os.path.realpath(item.output))):
            raise UsageError(f"{item.output} is part of a run; choose another --out-dir")


def _require_writable(items: Sequence[Item], folder: Path) -> None:
    for place in {folder, *(item.output.parent for item in items)}:
        there = next(path for path in (place, *place.resolve().parents) if path.exists())
        if not there.is_dir():
            raise UsageError(f"{shown(str(there), LONG)} is a file where a folder is wanted")
        if not os.access(there, os.W_OK | os.X_OK):
            raise UsageError(f"{there} may not be written by you; choose another --out-dir")
