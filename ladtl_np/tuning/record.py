"""What the search in a folder is made of, and the time that it has taken."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from ladtl_np.corpus.dotted import flattened
from ladtl_np.errors import UsageError
from ladtl_np.experiment.state import unnamed
from ladtl_np.files import is_temporary, sweep_temporary_files, write_atomically
from ladtl_np.options.config import portable
from ladtl_np.printable import LONG, shown, some_of
from ladtl_np.runs.lock import FolderLock
from ladtl_np.runs.marker import SEARCH, search_record, signed
from ladtl_np.runs.names import LOCK, SEARCH_RECORD
from ladtl_np.runs.records import numbered
from ladtl_np.tuning.trials import Trials

__all__ = ["Record", "held_record"]

_LISTED = 3  # differences that a message names


class Record:
    """The record of a search, on the disk whenever it is written.

    Attributes
    ----------
    seconds
        That the search has worked, in all calls together.
    """

    def __init__(self, out: Path, made_of: Mapping[str, Any], seconds: float) -> None:
        self._out, self._made_of, self.seconds = out, made_of, seconds

    def write(self) -> None:
        """Write it down."""
        content = signed({"made_of": self._made_of, "seconds": round(self.seconds, 1)}, SEARCH)
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        write_atomically(self._out / SEARCH_RECORD, text.encode("utf-8"))


@contextmanager
def held_record(trials: Trials, hashes: Mapping[str, str]) -> Iterator[Record]:
    """Hold the folder of a search for this process, with its record.

    Parameters
    ----------
    trials
        The search.
    hashes
        SHA-256 of what it reads, by path.

    Raises
    ------
    UsageError
        If the folder holds anything else, or a search of other options, space or data: which.
    LadtlError
        If another process is at it.
    """
    out = trials.out
    _require_search(out)
    lock = FolderLock(out, "search")
    lock.take()
    try:
        sweep_temporary_files(out)
        _require_search(out)
        made_of = _made_of(trials, hashes)
        before = search_record(out)
        if before is not None:
            _require_same(out, before, made_of)
        record = Record(out, made_of, _seconds(before))
        record.write()
        yield record
    finally:
        lock.leave()


def _made_of(trials: Trials, hashes: Mapping[str, str]) -> dict[str, Any]:
    """All that its runs depend on, as JSON has it."""
    data = trials.config.data
    # files are compared by what is in them
    config = unnamed(portable(trials.config), "embeddings", "label_map")
    paths: dict[str, str] = {}
    for file in data.files():
        paths[numbered(file.role, paths)] = file.path
    for path in data.label_maps():
        paths[numbered("label map", paths)] = path
    paths["word vectors"] = data.embeddings
    content = {
        "options": flattened(msgspec.to_builtins(config)),
        "space": msgspec.to_builtins(trials.space),
        "files": {role: hashes[path] for role, path in paths.items() if path},
    }
    plain: dict[str, Any] = json.loads(json.dumps(content))
    return plain


def _require_same(out: Path, before: Mapping[str, Any], made_of: Mapping[str, Any]) -> None:
    earlier = before.get("made_of")
    told = []
    for part, now in made_of.items():
        then = earlier.get(part) if isinstance(earlier, dict) else None
        then = then if isinstance(then, dict) else {}
        for key in dict.fromkeys([*then, *now]):
            if part == "files" and then.get(key) != now.get(key):
                told.append(f"another file is read as {key}")
            elif then.get(key) != now.get(key):
                told.append(f"{key} was {then.get(key)!r} and is {now.get(key)!r}")
    if told:
        raise UsageError(
            f"{out} holds another search: {shown(some_of(told, _LISTED, '; '), LONG)}. Give it the "
            "same options and files, or choose another --out"
        )


def _seconds(before: Mapping[str, Any] | None) -> float:
    found = (before or {}).get("seconds", 0.0)
    return float(found) if isinstance(found, int | float) and found >= 0 else 0.0


def _require_search(out: Path) -> None:
    """Refuse a folder that holds anything but a search."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out wants a folder")
    names = os.listdir(out) if out.is_dir() else []
    there = [name for name in names if name != LOCK and not is_temporary(name)]
    if there and search_record(out) is None:
        raise UsageError(
            f"{out} holds files, and no {SEARCH_RECORD} as this version of ladtl_np writes it; "
            "choose another folder with --out"
        )
