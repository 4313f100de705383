"""What each output of a folder was made from: which are complete, and which want doing again.

An output appears when it is whole, so one that exists is complete. Whether it was made from what is
asked for now is told by a record, written once, before work starts. It names for each output the
hashes of its input and model and the options; and the hash of an older output that is to be
replaced, so that this one is not taken for the new one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ladtl_np.commands.support.tag_outputs import RECORD, Item
from ladtl_np.corpus.documents import read_document
from ladtl_np.corpus.limits import TABLE_BYTES
from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.files import write_atomically
from ladtl_np.printable import some_of

__all__ = ["file_sha256", "outputs_to_do"]

FORMAT = 1
_LISTED = 5  # outputs that a message names


class _Output(msgspec.Struct, omit_defaults=True):
    """Which settings, SHA-256 of the input, and of the output that is replaced, "" if none is."""

    settings: int
    input: str
    replaces: str = ""


class _Record(msgspec.Struct):
    format: int
    settings: list[dict[str, str]]
    outputs: dict[str, _Output]


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file."""
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def outputs_to_do(
    folder: Path,
    items: Sequence[Item],
    hashes: Sequence[str],
    settings: Mapping[str, str],
    *,
    overwrite: bool,
    resume: bool,
) -> list[int]:
    """Choose the items whose outputs are to be made, and write the record of them.

    Parameters
    ----------
    folder
        Where the outputs are; held by this process.
    items, hashes
        Inputs and outputs, and the SHA-256 of the inputs.
    settings
        All that the outputs depend on otherwise, in words.
    overwrite
        Whether outputs that are there may be replaced.
    resume
        Whether those that are there stay if they were made from the same.

    Raises
    ------
    UsageError
        If outputs exist that would have to be replaced, without `overwrite`; or a file of the
        record's name that is none.
    """
    record = _read(folder / RECORD)
    wanted = dict(settings)
    stale: list[str] = []
    to_do: list[int] = []
    for number, (item, sha256) in enumerate(zip(items, hashes, strict=True)):
        if not item.output.exists():
            to_do.append(number)
            continue
        why = _difference(record, item, sha256, wanted) if resume else "it exists"
        if why is not None:
            to_do.append(number)
        if why:
            stale.append(f"{item.output}: {why}")
    if stale and not overwrite:
        more = "" if resume else "; or --resume, to keep those that were made from the same"
        raise UsageError(
            f"{len(stale)} of {len(items)} outputs are there already and would be replaced: "
            f"{some_of(stale, _LISTED, '; ')}. Give --overwrite to replace them{more}"
        )
    _write(folder, record, [(items[n], hashes[n]) for n in to_do], wanted)
    return to_do


def _difference(record: _Record, item: Item, sha256: str, wanted: dict[str, str]) -> str | None:
    """Why an output that exists is not the wanted one; "" if it is older and was to be replaced.

    None if it is the wanted one.
    """
    entry = record.outputs.get(item.name)
    if entry is None or not 0 <= entry.settings < len(record.settings):
        return "there is no record of what it was made from"
    there = record.settings[entry.settings]
    differ = sorted(
        key for key in there.keys() | wanted.keys() if there.get(key) != wanted.get(key)
    )
    if differ:
        return f"it was made with another {', '.join(differ)}"
    if entry.input != sha256:
        return "its input has changed"
    older = entry.replaces and file_sha256(item.output) == entry.replaces
    return "" if older else None


def _write(
    folder: Path, old: _Record, to_do: Sequence[tuple[Item, str]], settings: dict[str, str]
) -> None:
    """Record what is going to be made, and keep what is told of other outputs that are there."""
    new = _Record(FORMAT, [settings], {})
    made = {item.name for item, _ in to_do}
    for name, entry in old.outputs.items():
        known = 0 <= entry.settings < len(old.settings)
        if name not in made and known and (folder / name).exists():
            told = old.settings[entry.settings]
            if told not in new.settings:
                new.settings.append(told)
            place = new.settings.index(told)
            new.outputs[name] = msgspec.structs.replace(entry, settings=place)
    for item, sha256 in to_do:
        replaces = file_sha256(item.output) if item.output.exists() else ""
        new.outputs[item.name] = _Output(0, sha256, replaces)
    text = json.dumps(msgspec.to_builtins(new), indent=1) + "\n"  # escapes what is not UTF-8
    write_atomically(folder / RECORD, text.encode("utf-8"))


def _read(path: Path) -> _Record:
    """Read the record, or make an empty one."""
    if not os.path.lexists(path):
        return _Record(FORMAT, [], {})
    try:
        # names that are not UTF-8 stand escaped in it, which msgspec's own parser refuses
        content: Any = json.loads(read_document(path, TABLE_BYTES))
        record: _Record | None = msgspec.convert(content, _Record)
    except (LadtlError, ValueError, RecursionError):
        record = None
    if record is None or record.format != FORMAT:
        raise UsageError(
            f"{path} is no record of this version of what the outputs there were made from; move "
            "it away, or choose another --out-dir"
        )
    return record
