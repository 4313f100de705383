"""Files tagged by the workers of a Dask cluster: what the client asks for, and what a worker does.

A file is a task in the worker's own process, which keeps the model that it has read: a tagger has
no state that threads would share, and the tags do not depend on threads. Between two chunks a task
asks whether it is still wanted, and ends without an output if not.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ladtl_np.commands.support.tag_options import Source, TagOptions
from ladtl_np.commands.support.tag_outputs import Item
from ladtl_np.commands.support.tag_record import file_sha256
from ladtl_np.commands.support.tagging import make_tagger, tag_file
from ladtl_np.errors import LadtlError
from ladtl_np.experiment.cluster.runs import token_in
from ladtl_np.experiment.cluster.scheduler import Cluster
from ladtl_np.experiment.cluster.tasks import do_on_cluster
from ladtl_np.experiment.cluster.work import News, Work
from ladtl_np.experiment.cluster.worker import Ending, Post, Wanted, local_versions
from ladtl_np.experiment.job import explanation

if TYPE_CHECKING:
    from ladtl_np.model.file import Model

__all__ = ["tag_on_cluster", "tag_on_worker"]


class TagJob(NamedTuple):
    """What a worker needs to tag a file: absolute paths, and the hash of the model."""

    source: Source
    output: str
    options: TagOptions
    model_sha256: str


class _Stopped(Exception):
    """The worker does not want the task any more."""


def tag_on_cluster(
    items: Sequence[Item],
    hashes: Sequence[str],
    options: TagOptions,
    model_sha256: str,
    folder: Path,
    cluster: Cluster,
) -> Generator[News, None, None]:
    """Tag files on the workers of a cluster, which see them and the output folder.

    Parameters
    ----------
    items, hashes
        Inputs and outputs, and the SHA-256 of the inputs.
    options, model_sha256
        How to tag, and the hash of the model.
    folder
        The output folder; held by this process.
    cluster
        Where to.

    Raises
    ------
    UsageError
        If a worker does not see the model, the files or the folder.
    LadtlError
        If the scheduler is lost and stays away.
    """
    options = options.on_other_machines()
    sources = [
        Source(os.path.abspath(item.source), item.source, sha256)
        for item, sha256 in zip(items, hashes, strict=True)
    ]
    before = [_identity(item.output) for item in items]  # of outputs that are to be replaced

    def payload(number: int, threads: int) -> TagJob:
        output = os.path.abspath(items[number].output)
        return TagJob(sources[number], output, options, model_sha256)

    def finished(number: int) -> bool:
        now = _identity(items[number].output)
        return now is not None and now != before[number]

    work = Work(
        len(items), options.threads, tag_on_worker, payload, finished,
        lambda number: items[number].output.parent,
    )  # fmt: skip
    with token_in(folder) as token:
        wanted = Wanted(
            versions=local_versions(),
            files={name: file_sha256(name) for name in options.files()},
            sizes={source.path: os.path.getsize(source.path) for source in sources},
            folder=os.path.abspath(folder),
            token=token,
        )
        with closing(do_on_cluster(work, cluster, wanted)) as news:
            yield from news


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def tag_on_worker(job: TagJob, number: int, attempt: int, topic: str) -> Ending | None:
    """Tag a file; a task of Dask.

    Parameters
    ----------
    job
        The file.
    number, attempt, topic
        As for `Post`.

    Returns
    -------
    Ending or None
        How it ended; None if it was stopped.
    """
    with Post(number, attempt, topic) as post:

        def report(share: float) -> None:
            if not post.wanted():
                raise _Stopped
            post.progress(share)

        try:
            options = job.options
            model = _KEPT.model(options, job.model_sha256)
            tagger = make_tagger(model, options)
            found = tag_file(job.source, job.output, tagger, options, report)
        except _Stopped:
            return None
        except (LadtlError, OSError, MemoryError) as error:
            return Ending(explanation(error), getattr(error, "exit_code", LadtlError.exit_code))
        return Ending("", note=found.note, unknown=(found.unknown, model.dev_unknown))


class _Kept:
    """The model that was read last in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[str, str, str | None] = ("", "", None)
        self._model: Model | None = None

    def model(self, options: TagOptions, sha256: str) -> Model:
        """Read a model, unless it is the one that was read last."""
        from ladtl_np.model.file import load_model
        from ladtl_np.model.wider import with_vectors

        path, vocabulary_key, embeddings = options.loading()
        wanted = path, sha256, embeddings
        with self._lock:
            if self._model is None or self._key != wanted:
                self._model = None  # makes room first
                if file_sha256(path) != sha256:
                    raise LadtlError(f"{path} has changed since the command started")
                model = load_model(path, vocabulary_key)
                self._model = with_vectors(model, embeddings) if embeddings else model
                self._key = wanted
            return self._model


_KEPT = _Kept()
