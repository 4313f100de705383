"""The files of one training run: options, manifest, metrics, log, models and predictions."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from ladtl_np.errors import DataError, LadtlError, UsageError
from ladtl_np.files import (
    is_temporary,
    open_private,
    refused,
    require_apart,
    require_space,
    sweep_temporary_files,
    write_atomically,
)
from ladtl_np.model.file import Model, save_model
from ladtl_np.runs.lock import FolderLock
from ladtl_np.runs.marker import holds_run, is_own_name, run_files, signed_run
from ladtl_np.runs.names import BEST, CHECKPOINT, LAST, LOCK, LOG, MANIFEST, METRICS, NEW
from ladtl_np.runs.replacing import begin_replacing, finish_replacing, is_complete, replace_run

__all__ = ["COLUMNS", "RunFolder", "Use", "unique_names"]

COLUMNS = (
    *("step", "epoch", "total", "source_nll", "target_nll", "mmd", "param", "reg"),
    *("source_share", "w_mmd", "w_param", "w_reg"),
    *("gradient_norm", "learning_rate", "dev_precision", "dev_recall", "dev_f1"),
    *("dev_strict_f1", "best", "tokens_per_second", "seconds"),
)
"""Columns of metrics.tsv; the last two are the only ones that differ between equal runs."""

Use = Literal["new", "replace", "resume", "continue"]


class RunFolder:
    """Holds a run's folder for one process, from `with` to its end.

    Parameters
    ----------
    path
        The folder; made where it is missing.
    use
        ``new``: it must be empty. ``replace``: an earlier run in it stays until the new one is
        complete. ``resume``: its interrupted run goes on. ``continue``: the same where there is
        something to go on from, else ``replace``. Files that are no run's are never touched.
    patience
        Seconds that another process has to leave it.

    Attributes
    ----------
    work
        Where this run writes: `path`, or a folder inside it while an earlier run is there.

    Raises
    ------
    UsageError
        If the folder is a file, or what it holds does not fit `use`. This is looked at twice: when
        this object is made, before anything is read, and again under the lock.
    LadtlError
        If another process is running in it.
    """

    def __init__(self, path: Path, use: Use = "new", *, patience: float = 0.0) -> None:
        self.path, self.work, self.use = path, path, use
        self._patience = patience
        self._lock = FolderLock(path, "run")
        if path.exists() and not path.is_dir():
            raise UsageError(f"{path} is a file; --out wants a folder")
        if not is_complete(path):
            self._require_fit()

    def __enter__(self) -> Self:
        self._lock.take(self._patience)
        try:
            sweep_temporary_files(self.path, is_own_name)
            finish_replacing(self.path)
            self._require_fit()
            self.work = self._resumable() or self._begun()
            sweep_temporary_files(self.work, is_own_name)
        except BaseException:
            self._lock.leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.work != self.path:
            with contextlib.suppress(OSError):
                self.work.rmdir()  # where nothing was written
        self._lock.leave()

    @property
    def resumes(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return self.use in ("resume", "continue") and (self.work / CHECKPOINT).is_file()

    def restart(self) -> None:
        """Start afresh where a checkpoint does not fit; what there is stays until then."""
        self.work, self.use = self._begun(), "replace"

    def protect(self, inputs: Iterable[str], predictions: Sequence[str] = ()) -> None:
        """Refuse a run that would remove or replace what is not its own.

        Parameters
        ----------
        inputs
            Files that are read.
        predictions
            Files that the run will write besides those that every run has.

        Raises
        ------
        UsageError
            If an input is one of the earlier run's files, or a file of a name that is to be
            written is not.
        """
        own = run_files(self.path)
        require_apart([self.path / name for name in own], inputs)
        for name in predictions:
            if (self.path / name).exists() and name not in own:
                raise UsageError(
                    f"{self.path / name} is no file of the run that is to be replaced, and would "
                    "be; move it away, or choose another --out"
                )

    def require_space(self, size: int) -> None:
        """Refuse a run whose files of `size` bytes in all would not fit on the disk."""
        require_space(self.path, size, "a run with its models and a checkpoint")

    def write_text(self, name: str, text: str) -> None:
        """Write a small file whole."""
        write_atomically(self.work / name, text.encode("utf-8"))

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a small JSON file whole."""
        self.write_text(name, json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    def write_manifest(self, manifest: Mapping[str, Any], predictions: Sequence[str]) -> None:
        """Write the manifest, which marks the folder as a run; the first file of a run."""
        self.write_json(MANIFEST, signed_run(manifest, predictions))

    def begin_metrics(self) -> None:
        """Write the heading of metrics.tsv."""
        self.write_text(METRICS, "\t".join(COLUMNS) + "\n")

    def metrics(self, row: Mapping[str, Any]) -> None:
        """Add one evaluation to metrics.tsv."""
        self._append(METRICS, "\t".join(_cell(row.get(name)) for name in COLUMNS))

    def metrics_size(self) -> int:
        """Bytes of metrics.tsv, which are on the disk then."""
        self._sync(METRICS)
        return (self.work / METRICS).stat().st_size

    def cut_metrics(self, size: int) -> None:
        """Take back the evaluations that came after a checkpoint.

        Raises
        ------
        DataError
            If there are fewer than the checkpoint knows of.
        """
        path = self.work / METRICS
        content = path.read_bytes() if path.is_file() else b""
        if len(content) < size:
            raise DataError(
                f"{path}: shorter than when the checkpoint was written; start again with "
                "--overwrite"
            )
        write_atomically(path, content[:size])

    def kept(self) -> str:
        """Say which files of an unfinished run there are, and that an earlier run stays."""
        there = [str(self.work / name) for name in (BEST, LAST) if (self.work / name).is_file()]
        told = f"There {'is' if len(there) == 1 else 'are'} {' and '.join(there)}" if there else ""
        stays = f"the earlier run in {self.path} is as it was" if self.work != self.path else ""
        return "; ".join(filter(None, (told or "No model was written", stays))) + "."

    def remove(self, name: str) -> None:
        """Remove one of the run's files, if it is there."""
        path = self.work / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise LadtlError(f"{path} could not be removed: {error.strerror}") from error

    def complete(self) -> None:
        """Let the run, all of whose files are written, take the place of an earlier one."""
        for name in (METRICS, LOG):
            self._sync(name)
        if self.work != self.path:
            replace_run(self.path)
            self.work = self.path

    def log(self, event: str, **values: Any) -> None:
        """Add one line to log.jsonl: numbers and names, never text of the data."""
        line = {"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "event": event, **values}
        self._append(LOG, json.dumps(line, ensure_ascii=False))

    def save(self, name: str, model: Model) -> Path:
        """Write a model."""
        path = self.work / name
        save_model(path, model)
        return path

    def _append(self, name: str, line: str) -> None:
        path = self.work / name
        try:
            if not path.exists():
                os.close(open_private(path))
            with path.open("a", encoding="utf-8", newline="\n") as stream:
                stream.write(line + "\n")
        except OSError as error:
            raise refused(path, error) from error

    def _sync(self, name: str) -> None:
        path = self.work / name
        try:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        except FileNotFoundError:
            pass
        except OSError as error:
            raise refused(path, error) from error

    def _resumable(self) -> Path | None:
        """Where the interrupted run is that goes on."""
        if self.use in ("resume", "continue"):
            for place in (self.path / NEW, self.path):
                if (place / CHECKPOINT).is_file():
                    return place
        return None

    def _begun(self) -> Path:
        """Where a run that starts afresh writes."""
        new = begin_replacing(self.path)
        if _others(self.path):
            return new
        new.rmdir()
        return self.path

    def _require_fit(self) -> None:
        """Refuse a folder whose content does not fit what it is to be used for."""
        if self._resumable() is not None:
            return
        path, there = self.path, _others(self.path)
        if self.use == "resume":
            raise UsageError(f"{path} has no {CHECKPOINT} to resume from; {_why_none(there)}")
        if self.use == "new" and (there or (path / NEW).exists()):
            raise UsageError(
                f"{path} is not empty; choose another folder with --out, or --overwrite to replace "
                "the run in it"
            )
        if there and not holds_run(path):
            raise UsageError(
                f"{path} holds files, and no {MANIFEST} as this version of ladtl_np writes it: not "
                "a run that --overwrite may replace. Choose another folder with --out"
            )


def _others(path: Path) -> list[str]:
    """Names in a folder but for its lock and what is only begun."""
    if not path.is_dir():
        return []
    return sorted(n for n in os.listdir(path) if n not in (LOCK, NEW) and not is_temporary(n))


def _why_none(names: Sequence[str]) -> str:
    if LAST in names:
        return "its run is finished"
    return "nothing was trained there, or not for long enough; start it without --resume"


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
