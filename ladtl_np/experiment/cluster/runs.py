"""Runs of an experiment on a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec

from ladtl_np.experiment.cluster.scheduler import Cluster
from ladtl_np.experiment.cluster.tasks import do_on_cluster
from ladtl_np.experiment.cluster.work import Work
from ladtl_np.experiment.cluster.worker import Wanted, execute, local_versions, temporary_name
from ladtl_np.experiment.expansion import RunSpec
from ladtl_np.experiment.job import Event, Job
from ladtl_np.experiment.runner import Share
from ladtl_np.files import write_atomically
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.names import MANIFEST

__all__ = ["run_on_cluster", "share_workers", "token_in"]

# A run whose worker was lost may still be held: by the child of a worker that lost only its
# connection, for seconds; on NFS by a machine that is gone, for 90 s.
PATIENCE = 120.0


def share_workers(cluster: Cluster, specs: Sequence[RunSpec], wanted: int | None) -> Share:
    """How many runs are side by side on the workers that are there, and the threads of each."""
    threads = max(spec.config.threads for spec in specs)
    return Share(cluster.side_by_side(threads, wanted), threads)


def run_on_cluster(
    jobs: Sequence[Job],
    cluster: Cluster,
    out: Path,
    hashes: Mapping[str, str],
    most: int | None = None,
) -> Generator[Event, None, None]:
    """Execute jobs on the workers of a cluster.

    When the iterator is exhausted or closed, or an exception such as KeyboardInterrupt has left
    it, all runs have ended or been told to.

    Parameters
    ----------
    jobs
        The runs.
    cluster
        Where to.
    out
        Folder of the experiment, which all machines share.
    hashes
        SHA-256 of the files that the runs read, by path.
    most
        How many at a time on the whole cluster; None for as many as it has threads for.

    Raises
    ------
    UsageError
        If a worker does not see the folder or the files.
    LadtlError
        If the scheduler is lost and stays away.
    """
    if not jobs:
        return
    maps = {path for job in jobs for path in job.config.data.label_maps()}
    base = "" if all(map(os.path.isabs, [*hashes, *maps])) else os.getcwd()
    sent = [
        job._replace(folder=Path(os.path.abspath(job.folder)), base=base, patience=PATIENCE)
        for job in jobs
    ]
    with token_in(out) as token:
        wanted = Wanted(
            versions=local_versions(),
            files={os.path.abspath(path): sha256 for path, sha256 in hashes.items()},
            base=base,
            folder=os.path.abspath(out),
            token=token,
        )
        with closing(do_on_cluster(_work(sent), cluster, wanted, most)) as news:
            for told in news:
                yield Event(told.number, told.kind, told.share, told.error)


@contextmanager
def token_in(out: Path) -> Iterator[str]:
    """Keep a file by which workers know a folder; gives its name."""
    path = out / temporary_name()
    write_atomically(path, b"")
    try:
        yield path.name
    finally:
        path.unlink(missing_ok=True)


def _work(jobs: Sequence[Job]) -> Work:
    before = [_manifest(job.folder) for job in jobs]  # of results that are to be replaced

    def payload(number: int, threads: int) -> Job:
        job = jobs[number]
        own = min(job.config.threads, threads)
        return job._replace(config=msgspec.structs.replace(job.config, threads=own))

    def finished(number: int) -> bool:
        folder = jobs[number].folder
        done = FoundRun(folder, folder).finished() is not None
        return done and _manifest(folder) != before[number]

    threads = max(job.config.threads for job in jobs)
    return Work(len(jobs), threads, execute, payload, finished, lambda n: jobs[n].folder)


def _manifest(folder: Path) -> bytes | None:
    with suppress(OSError):
        return (folder / MANIFEST).read_bytes()
    return None
