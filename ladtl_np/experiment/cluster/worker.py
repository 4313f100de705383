"""What a worker of a Dask cluster does for an experiment: it looks around, and executes runs.

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
from typing import Any, TypedDict

import ladtl_np
from ladtl_np.experiment.job import Job
from ladtl_np.experiment.processes import run_in_processes
from ladtl_np.files import open_private
from ladtl_np.training.trained_model import versions

__all__ = ["Wanted", "execute", "local_versions", "look", "temporary_name"]

LOOK_SECONDS = 60.0  # that a worker has to read all inputs once
FOLDER_SECONDS = 5.0  # until a file that another machine wrote is seen
TELL_SECONDS = 1.0  # between two reports of progress
_SOURCES = "sources of ladtl_np"


class Wanted(TypedDict, total=False):
    """What has to be the same on every machine; plain values, which any version can read.

    `versions` by name, `files` as SHA-256 by absolute path, `base` the folder that relative paths
    start from, `folder` of the experiment, and `token` the name of a file in it.
    """

    versions: dict[str, str]
    files: dict[str, str]
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
    return found + _about_files(wanted.get("files", {}))


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


def _about_files(files: Mapping[str, str]) -> list[str]:
    found = []
    for path, sha256 in files.items():
        try:
            with open(path, "rb") as stream:
                same = hashlib.file_digest(stream, "sha256").hexdigest() == sha256
        except OSError as error:
            found.append(f"cannot read {path}: {error.strerror}")
        else:
            found += [] if same else [f"has another file as {path}"]
    return found


def execute(job: Job, number: int, attempt: int, topic: str) -> str | None:
    """Do one run in a process of its own; a task of Dask.

    Parameters
    ----------
    job
        The run, with absolute paths or a `base`.
    number, attempt
        What the messages call it.
    topic
        Topic of Dask's events that tells ``started``, ``progress`` and ``ended``.

    Returns
    -------
    str or None
        Why it failed, "" if it did not; None if it was stopped.
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    # A worker below a nanny is a daemonic process, which may have no children: they might outlive
    # it. Ours do not.
    multiprocessing.current_process().daemon = False
    told = 0.0

    def tell(kind: str, share: float = 0.0) -> None:
        message = {"run": number, "attempt": attempt, "kind": kind, "share": share}
        worker.log_event(topic, message)

    result = None
    try:
        for event in run_in_processes([job], 1, stop=lambda: not _is_wanted(worker, key)):
            if event.kind == "started":
                tell("started")
            elif event.kind == "progress" and time.monotonic() - told > TELL_SECONDS:
                tell("progress", event.share)
                told = time.monotonic()
            elif event.kind in ("done", "failed"):
                result = event.error
    finally:
        tell("ended")
    return result


def _is_wanted(worker: Any, key: Any) -> bool:
    """Whether a worker still wants the task that it is executing."""
    if worker.status.name in ("closing", "closed", "failed"):
        return False
    task = worker.state.tasks.get(key)
    return task is not None and task.state in ("executing", "long-running")
