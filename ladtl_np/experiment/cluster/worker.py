"""What a worker of a Dask cluster does: it looks around, and executes runs of an experiment.

A run is a process of its own here as well, a child of the Dask worker. In the worker's own threads
runs would share a process: the limit of BLAS threads holds for a whole process, so one run's end
would lift it for the others, whose sums then add in another order; a thread cannot be stopped; and
a run that takes too much memory would take the worker and all of its runs along. A child is stopped
by a signal, is killed alone, and ends itself when its worker is killed (`processes`).

The worker's thread waits for the child, and asks its worker a few times a second whether the run is
still wanted there: it is not when it was cancelled, when the client that asked for it is gone, or
when the worker is closing. Dask takes back what was cancelled but cannot stop what is running.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self, TypedDict

import ladtl_np
from ladtl_np.corpus.unknown import UnknownTokens
from ladtl_np.experiment.job import Job
from ladtl_np.experiment.processes import run_in_processes
from ladtl_np.files import open_private
from ladtl_np.training.trained_model import versions

__all__ = ["Ending", "Post", "Wanted", "execute", "local_versions", "look", "temporary_name"]

LOOK_SECONDS = 60.0  # that a worker has to read all inputs once
FOLDER_SECONDS = 5.0  # until a file that another machine wrote is seen
TELL_SECONDS = 1.0  # between two reports of progress
_SOURCES = "sources of ladtl_np"


class Wanted(TypedDict, total=False):
    """What has to be the same on every machine; plain values, which any version can read.

    `versions` by name, `files` as SHA-256 by absolute path, `sizes` of further files in bytes,
    `base` the folder that relative paths start from, `folder` where the results go, and `token` the
    name of a file in it.
    """

    versions: dict[str, str]
    files: dict[str, str]
    sizes: dict[str, int]
    base: str
    folder: str
    token: str


def local_versions() -> dict[str, str]:
    """Versions that results depend on, and a hash of this package's modules."""
    package = Path(ladtl_np.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes())
    return versions() | {_SOURCES: digest.hexdigest()[:12]}


def temporary_name() -> str:
    """Name of a file of this process that is swept if the process dies (`files`)."""
    return f".cluster.{os.getpid()}.{secrets.token_hex(4)}.tmp"


async def look(wanted: Wanted) -> list[str]:
    """What keeps this machine from taking part, in words; empty if nothing does.

    Dask runs it on the worker's event loop, so the work is done in a thread.
    """
    try:
        return await asyncio.wait_for(asyncio.to_thread(complaints, wanted), LOOK_SECONDS)
    except TimeoutError:
        return [f"has not read its inputs in {LOOK_SECONDS:.0f} s; does its file system hang?"]


def complaints(wanted: Wanted) -> list[str]:
    """What `look` tells."""
    here = local_versions()
    found = [
        f"has {name} {here.get(name, '(none)')} where this machine has {version}"
        for name, version in wanted.get("versions", {}).items()
        if here.get(name) != version
    ]
    if found:
        return found
    if "folder" in wanted:
        found += _about_folder(Path(wanted["folder"]), wanted["token"])
    base = wanted.get("base", "")
    if base and not Path(base).is_dir():
        found.append(f"does not see the folder {base}, which relative paths start from")
        return found
    return found + _about_files(wanted.get("files", {}), wanted.get("sizes", {}))


def _about_folder(folder: Path, token: str) -> list[str]:
    deadline = time.monotonic() + FOLDER_SECONDS
    while not (folder / token).is_file():
        if time.monotonic() > deadline:
            other = "sees another folder as" if folder.is_dir() else "does not see the folder"
            return [f"{other} {folder}; --out has to be on a disk that all machines share"]
        time.sleep(FOLDER_SECONDS / 20)
    mine = folder / temporary_name()
    try:
        os.close(open_private(mine))
        mine.unlink()
    except OSError as error:
        return [f"cannot write to {folder}: {error.strerror}"]
    return []


def _about_files(files: Mapping[str, str], sizes: Mapping[str, int]) -> list[str]:
    found: list[str] = []
    for path in [*files, *sizes]:
        try:
            same = _sha256(path) == files[path] if path in files else _size(path) == sizes[path]
        except OSError as error:
            found.append(f"cannot read {path}: {error.strerror}")
        else:
            found += [] if same else [f"has another file as {path}"]
    return found


def _sha256(path: str) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _size(path: str) -> int:
    with open(path, "rb") as stream:
        return os.fstat(stream.fileno()).st_size


class Ending(NamedTuple):
    """How a task ended.

    Attributes
    ----------
    error, code
        Why it failed, "" if it did not, and the error's exit code.
    note
        What to tell of it.
    unknown
        Of tagging: tokens that the model does not know, of the input and of its development data.
    """

    error: str
    code: int = 1
    note: str = ""
    unknown: tuple[UnknownTokens, UnknownTokens | None] | None = None


class Post:
    """What a task has to do with its worker: it tells of itself, and asks whether it is wanted.

    Used by `with`, in the task's own thread; tells ``started`` and ``ended``.

    Parameters
    ----------
    number, attempt
        What the messages call it.
    topic
        Topic of Dask's events that its messages go to.
    """

    def __init__(self, number: int, attempt: int, topic: str) -> None:
        from distributed import get_worker

        self._worker = get_worker()
        self._key = self._worker.get_current_task()
        self._number, self._attempt, self._topic = number, attempt, topic
        self._told = 0.0

    def __enter__(self) -> Self:
        self._tell("started")
        return self

    def __exit__(self, *_: object) -> None:
        self._tell("ended")

    def progress(self, share: float) -> None:
        """Tell how much is done, now and then."""
        if time.monotonic() - self._told > TELL_SECONDS:
            self._tell("progress", share)
            self._told = time.monotonic()

    def wanted(self) -> bool:
        """Whether the worker still wants the task that it is executing."""
        if self._worker.status.name in ("closing", "closed", "failed"):
            return False
        task = self._worker.state.tasks.get(self._key)
        return task is not None and task.state in ("executing", "long-running")

    def _tell(self, kind: str, share: float = 0.0) -> None:
        message = {"run": self._number, "attempt": self._attempt, "kind": kind, "share": share}
        self._worker.log_event(self._topic, message)


def execute(job: Job, number: int, attempt: int, topic: str) -> Ending | None:
    """Do one run in a process of its own; a task of Dask.

    Parameters
    ----------
    job
        The run, with absolute paths or a `base`.
    number, attempt, topic
        As for `Post`.

    Returns
    -------
    Ending or None
        How it ended; None if it was stopped.
    """
    # A worker below a nanny is a daemonic process, which may have no children: they might outlive
    # it. Ours do not.
    multiprocessing.current_process().daemon = False
    result = None
    with Post(number, attempt, topic) as post:
        for event in run_in_processes([job], 1, stop=lambda: not post.wanted()):
            if event.kind == "progress":
                post.progress(event.share)
            elif event.kind in ("done", "failed"):
                result = Ending(event.error)
    return result
