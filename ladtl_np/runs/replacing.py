"""A run that takes the place of an earlier one in its folder: when it is complete, and as a whole.

The new run is written into a folder of its own inside the run's folder. When all of it is on the
disk, a record there says so, with the earlier run's files that have no successor. From then on the
new run is the run: its files are moved up one by one, and whoever finds the record, the next
process that takes the folder or one that only reads, goes on where the first was stopped.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from ladtl_np.corpus.documents import parse_json, read_document
from ladtl_np.corpus.limits import JSON_BYTES
from ladtl_np.errors import LadtlError
from ladtl_np.files import make_private_folder, refused, sync_folder, write_atomically
from ladtl_np.runs.marker import is_own_name, run_files
from ladtl_np.runs.names import MANIFEST, NEW

__all__ = ["begin_replacing", "current", "finish_replacing", "is_complete", "replace_run"]

COMPLETE = "complete.json"
"""Record in the new run's folder; lists what of the earlier run is removed."""


def begin_replacing(path: Path) -> Path:
    """Make the empty folder of a new run; an attempt that was given up is removed.

    Raises
    ------
    LadtlError
        If the disk refuses.
    """
    new = path / NEW
    try:
        if new.exists():
            shutil.rmtree(new)
        make_private_folder(new)
    except OSError as error:
        raise refused(new, error) from error
    return new


def is_complete(path: Path) -> bool:
    """Whether a new run is complete, and perhaps not moved up yet."""
    return (path / NEW / COMPLETE).is_file()


def current(path: Path, name: str) -> Path:
    """Where a reader finds a file of a run: with the new run, if that is the run already."""
    new = path / NEW / name
    return new if is_complete(path) and new.exists() else path / name


def replace_run(path: Path) -> None:
    """Declare the new run complete and move it up.

    Raises
    ------
    LadtlError
        If the disk refuses. Before the record is written the earlier run stays; after it the new
        run is complete, and `finish_replacing` goes on.
    """
    new = path / NEW
    following = {each.name for each in new.iterdir()}
    left = [name for name in run_files(path) if name not in following]
    try:
        sync_folder(new)
    except OSError as error:
        raise refused(new, error) from error
    write_atomically(new / COMPLETE, json.dumps({"remove": left}).encode("utf-8"))
    finish_replacing(path)


def _left_over(path: Path) -> list[str]:
    """Files of the earlier run that have no successor, as the record says; never others."""
    place = path / NEW / COMPLETE
    try:
        record = parse_json(read_document(place, JSON_BYTES), dict[str, list[str]])
        names = record["remove"]
    except (LadtlError, ValueError, KeyError):
        raise LadtlError(f"{place}: not written by ladtl_np; remove {path / NEW}") from None
    return [name for name in names if is_own_name(name) and Path(name).name == name]


def finish_replacing(path: Path) -> None:
    """Move up what a complete new run has left, under the folder's lock; else nothing happens.

    Raises
    ------
    LadtlError
        If the disk refuses.
    """
    if not is_complete(path):
        return
    new, left = path / NEW, _left_over(path)
    try:
        names = {each.name for each in new.iterdir() if is_own_name(each.name)}
        for name in sorted(names - {MANIFEST}):
            os.replace(new / name, path / name)
        for name in left:
            (path / name).unlink(missing_ok=True)
        if MANIFEST in names:
            os.replace(new / MANIFEST, path / MANIFEST)
        sync_folder(path)
        (new / COMPLETE).unlink()
        shutil.rmtree(new)
    except OSError as error:
        told = refused(path, error)
        raise LadtlError(
            f"{told}. The new run is complete; what is still in {new} is moved up when a run is "
            "next started in this folder"
        ) from error
