"""The files of one training run: options, manifest, metrics, log, models and predictions."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.files import (
    is_temporary,
    make_private_folder,
    open_private,
    sweep_temporary_files,
    write_atomically,
)
from ladtl_np.model.file import Model, save_model
from ladtl_np.runs.names import (
    BEST,
    CHECKPOINT,
    CONFIG,
    LAST,
    LOCK,
    LOG,
    MANIFEST,
    METRICS,
    RECORDS,
    is_predictions,
)

__all__ = ["COLUMNS", "RunFolder", "folder_lock", "leave_folder", "take_folder", "unique_names"]

COLUMNS = (
    *("step", "epoch", "total", "source_nll", "target_nll", "mmd", "param", "reg"),
    *("gradient_norm", "learning_rate", "dev_precision", "dev_recall", "dev_f1"),
    *("dev_strict_f1", "best", "tokens_per_second", "seconds"),
)
"""Columns of metrics.tsv; the last two are the only ones that differ between equal runs."""

_OWN_FILES = (*RECORDS, BEST, LAST, CHECKPOINT)


def folder_lock(path: Path) -> FileLock:
    """Make the lock of a folder, which is not held yet."""
    return FileLock(path / LOCK, mode=0o600)


def take_folder(path: Path, lock: FileLock, user: str, patience: float = 0.0) -> None:
    """Create a private folder and hold its lock, which may take `patience` seconds to come free.

    Raises
    ------
    LadtlError
        If another process, a `user` of its own, holds it.
    UsageError
        If the folder cannot be made or used.
    """
    try:
        make_private_folder(path)
        lock.acquire(timeout=patience)
    except Timeout:
        raise LadtlError(
            f"{path} is in use by another {user}; wait for it, or choose another --out"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be used: {error.strerror}") from None


def leave_folder(lock: FileLock) -> None:
    """Let go of a folder that `take_folder` took."""
    Path(lock.lock_file).unlink(missing_ok=True)  # while held: whoever waits makes a new one
    lock.release()


class RunFolder:
    """Holds a run's folder for one process, from `with` to its end.

    Parameters
    ----------
    path
        The folder; made where it is missing.
    overwrite
        Whether files of an earlier run in it may be removed. Other files are never touched.
    resume
        Whether the run in it goes on: its files stay, and there must be a checkpoint.
    patience
        Seconds that another process has to leave it.

    Raises
    ------
    UsageError
        If the folder is a file, holds anything and `overwrite` is off, or holds what is not a run;
        if there is nothing to resume.
    LadtlError
        If another process is running in it.
    """

    def __init__(
        self, path: Path, *, overwrite: bool = False, resume: bool = False, patience: float = 0.0
    ) -> None:
        self.path = path
        self._patience, self._resume = patience, resume
        if path.exists() and not path.is_dir():
            raise UsageError(f"{path} is a file; --out wants a folder")
        there = sorted(p.name for p in path.iterdir() if p.name != LOCK) if path.is_dir() else []
        if resume and CHECKPOINT not in there:
            raise UsageError(f"{path} has no {CHECKPOINT} to resume from; {_why_none(there)}")
        if there and not (overwrite or resume):
            raise UsageError(
                f"{path} is not empty; choose another folder with --out, or --overwrite to replace "
                "the run in it"
            )
        if there and not _holds_run(there):
            raise UsageError(
                f"{path} holds files but no earlier run; --overwrite only replaces a run. "
                "Choose another folder with --out"
            )
        self._lock = folder_lock(path)

    def __enter__(self) -> Self:
        take_folder(self.path, self._lock, "run", self._patience)
        sweep_temporary_files(self.path, _is_own)
        if self._resume:
            return self
        for name in _OWN_FILES:
            (self.path / name).unlink(missing_ok=True)
        for old in [path for path in self.path.iterdir() if is_predictions(path.name)]:
            old.unlink()
        self._append(METRICS, "\t".join(COLUMNS))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        leave_folder(self._lock)

    def write_text(self, name: str, text: str) -> None:
        """Write a small file whole."""
        write_atomically(self.path / name, text.encode("utf-8"))

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a small JSON file whole."""
        self.write_text(name, json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    def metrics(self, row: Mapping[str, Any]) -> None:
        """Add one evaluation to metrics.tsv."""
        self._append(METRICS, "\t".join(_cell(row.get(name)) for name in COLUMNS))

    def metrics_size(self) -> int:
        """Bytes of metrics.tsv."""
        return (self.path / METRICS).stat().st_size

    def cut_metrics(self, size: int) -> None:
        """Take back the evaluations that came after a checkpoint."""
        path = self.path / METRICS
        write_atomically(path, path.read_bytes()[:size])

    def remove(self, name: str) -> None:
        """Remove one of the run's files, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def log(self, event: str, **values: Any) -> None:
        """Add one line to log.jsonl: numbers and names, never text of the data."""
        line = {"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "event": event, **values}
        self._append(LOG, json.dumps(line, ensure_ascii=False))

    def save(self, name: str, model: Model) -> Path:
        """Write a model."""
        path = self.path / name
        save_model(path, model)
        return path

    def _append(self, name: str, line: str) -> None:
        path = self.path / name
        try:
            if not path.exists():
                os.close(open_private(path))
            with path.open("a", encoding="utf-8", newline="\n") as stream:
                stream.write(line + "\n")
        except OSError as error:
            raise LadtlError(f"{path} could not be written: {error.strerror}") from error


def _holds_run(names: Sequence[str]) -> bool:
    """Whether files are those of a run, even one that was killed before it wrote its options."""
    own = all(_is_own(name) or is_temporary(name) for name in names)
    return own or bool({CONFIG, MANIFEST} & set(names))


def _why_none(names: Sequence[str]) -> str:
    if LAST in names:
        return "its run is finished"
    return "nothing was trained there, or not for long enough; start it without --resume"


def _is_own(name: str) -> bool:
    return name in _OWN_FILES or is_predictions(name)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def unique_names(paths: Sequence[str]) -> list[str]:
    """A short name for each path: its file name, with as many parents as tell it apart."""
    for depth in range(1, 20):
        names = ["-".join(Path(path).parts[-depth:]).replace(os.sep, "") for path in paths]
        if len(set(names)) == len(names):
            return names
    return [f"{number}-{Path(path).name}" for number, path in enumerate(paths, 1)]
