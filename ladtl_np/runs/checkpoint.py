"""A run's checkpoint: the trainer's state in a file, and what it has to be taken up with."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from ladtl_np.errors import ModelFileError
from ladtl_np.files import write_atomically
from ladtl_np.model.container import Arrays, Container, open_container, pack
from ladtl_np.model.formats import converted, format_name, require_format
from ladtl_np.model.strict_json import decode_strictly
from ladtl_np.model.verify import Check, checked, checksum_finding, file_finding
from ladtl_np.options.config import Config, differing_options
from ladtl_np.printable import shown
from ladtl_np.training.prepared import Prepared
from ladtl_np.training.state import TrainerState, capture, restore
from ladtl_np.training.trainer import Trainer

__all__ = [
    "SELDOM",
    "Checkpoint",
    "Every",
    "Timer",
    "made_of",
    "read_checkpoint",
    "resume",
    "verify_checkpoint",
    "write_checkpoint",
]

FORMAT = 1
_WANTED = "the checkpoint of an interrupted run"
_AGAIN = "; start again with --overwrite"


class Every(NamedTuple):
    """How much may be lost: so many seconds of work, or so many steps where that is given."""

    seconds: float = 300.0
    steps: int = 0


SELDOM = Every()
"""So that no more than five minutes are lost."""


class Checkpoint(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a checkpoint says, but for its arrays.

    Attributes
    ----------
    format
        What kind of file it is.
    state
        Where the trainer stands.
    config, data, versions
        Options; hashes of the corpora, by role and name, of the vocabulary and of the tags that
        match; versions that results depend on.
    metrics
        Bytes of metrics.tsv at that moment; what came later is written again.
    """

    format: str
    state: TrainerState
    config: Config
    data: dict[str, str]
    versions: dict[str, str]
    metrics: int

    def differences(
        self, config: Config, data: dict[str, str], versions: dict[str, str]
    ) -> list[str]:
        """What would make another run of it, in words; threads and folders do not."""
        told = [
            f"{key} was {before!r}, is {now!r}"
            for key, before, now in differing_options(self.config, config)
        ]
        for name in sorted(self.data.keys() | data.keys()):
            if self.data.get(name) != data.get(name):
                told.append(f"{shown(name, 200)} is another one")
        for name in sorted(self.versions.keys() | versions.keys()):
            if self.versions.get(name) != versions.get(name):
                told.append(f"{name} was {self.versions.get(name)}, is {versions.get(name)}")
        return told


def write_checkpoint(
    path: Path,
    trainer: Trainer,
    data: dict[str, str],
    versions: dict[str, str],
    metrics: int,
) -> None:
    """Write a trainer that stands between two events; the file before is replaced or stays.

    Raises
    ------
    LadtlError
        If the disk refuses.
    """
    state, arrays = capture(trainer)
    header = Checkpoint(
        format=format_name("checkpoint", FORMAT),
        state=state,
        config=trainer.config,
        data=data,
        versions=versions,
        metrics=metrics,
    )
    text = json.dumps(msgspec.to_builtins(header), ensure_ascii=False, sort_keys=True)
    write_atomically(path, pack(arrays, text))


def read_checkpoint(path: Path) -> tuple[Checkpoint, Arrays]:
    """Read a checkpoint and check its form.

    Raises
    ------
    ModelFileError
        If it is damaged, or not one.
    """
    with open_container(path, _WANTED) as held:
        return _header(held), held.arrays()


def _header(held: Container) -> Checkpoint:
    try:
        plain = decode_strictly(held.text, len(held.text))
    except ValueError as error:
        raise ModelFileError(f"{held.name}: the checkpoint is damaged: {error}{_AGAIN}") from None
    require_format(held.name, plain, "checkpoint", FORMAT, _WANTED)
    return converted(held.name, plain, Checkpoint)


CHECKS = ("file", "format", "checksum", "values")


def verify_checkpoint(path: Path) -> list[Check]:
    """Make the checks of a checkpoint that need no run; one for each name in `CHECKS`."""
    return checked(CHECKS, lambda: _findings(path))


def _findings(path: Path) -> Iterator[str]:
    with open_container(path, _WANTED) as held:
        yield file_finding(held)
        header = _header(held)
        yield f"{header.format}, after step {header.state.step:,}"
        arrays = held.arrays()
        yield checksum_finding(held)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelFileError(f"{path}: {shown(name)} holds values that are not finite")
    yield f"{sum(array.size for array in arrays.values()):,} numbers, all finite"


def resume(trainer: Trainer, path: Path, state: TrainerState, arrays: Arrays) -> None:
    """Put a fresh trainer where the checkpoint says.

    Raises
    ------
    ModelFileError
        If its arrays are not those of this run.
    """
    try:
        restore(trainer, state, arrays)
    except (KeyError, ValueError) as error:
        raise ModelFileError(
            f"{path}: the checkpoint does not fit this run: {shown(str(error), 200)}; start again "
            "with --overwrite"
        ) from None


def made_of(prepared: Prepared) -> dict[str, str]:
    """Hashes of what preparation made of files that are not corpora: words, tags that match."""
    words = "\n".join(prepared.vocabulary.words)
    objective = prepared.objective
    matched = [tie.matched for tie in objective.ties] or [objective.matched]
    pairs = [rows.tolist() for each in matched for rows in each]
    made = {"the vocabulary": words, "the label map": str(pairs)}
    hashes = {
        name: sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        for name, text in made.items()
    }
    if prepared.from_file is not None:
        hashes["the source's file"] = prepared.from_file.file.checksum
    if prepared.vectors is not None:
        hashes["the file of word vectors"] = prepared.vectors.file.sha256
    if prepared.chosen is not None:
        hashes["the file of chosen sentences"] = prepared.chosen.sha256
    return hashes


class Timer:
    """Says when the next checkpoint is due."""

    def __init__(self, every: Every) -> None:
        self.every, self._steps, self._last = every, 0, time.monotonic()

    def due(self) -> bool:
        """Whether it is, asked once a step."""
        self._steps += 1
        if self.every.steps:
            found = self._steps >= self.every.steps
        else:
            found = time.monotonic() - self._last >= self.every.seconds
        if found:
            self._steps, self._last = 0, time.monotonic()
        return found
