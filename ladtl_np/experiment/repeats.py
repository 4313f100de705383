"""Equal runs are done once: the target alone, say, is the same run for every source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from ladtl_np.errors import LadtlError
from ladtl_np.experiment.job import Event, Execute, Job, explanation
from ladtl_np.files import write_atomically
from ladtl_np.runs.folder import RunFolder
from ladtl_np.runs.names import LOCK, MANIFEST

__all__ = ["copy_run", "run_each_once"]

_OWN = {MANIFEST, LOCK}  # the manifest comes last: it says that the run is finished


def run_each_once(
    jobs: Sequence[Job], present: Sequence[Job], execute: Execute
) -> Generator[Event, None, None]:
    """Execute jobs; one that equals another, but for its folder and threads, gets its files.

    Parameters
    ----------
    jobs
        What is to be done.
    present
        Runs of the same experiment that are finished.
    execute
        Does those that equal no other.

    Yields
    ------
    Event
        Of kind ``equal`` for a job that took the files of another.
    """
    finished = {_key(job): job.folder for job in present}
    firsts: dict[bytes, int] = {}
    others: dict[int, list[int]] = defaultdict(list)
    for number, job in enumerate(jobs):
        key = _key(job)
        if key in finished:
            yield _copied(number, job, finished[key])
        elif key in firsts:
            others[firsts[key]].append(number)
        else:
            firsts[key] = number
    numbers = list(firsts.values())
    with closing(execute([jobs[number] for number in numbers])) as events:
        for event in events:
            done = event._replace(job=numbers[event.job])
            yield done
            for number in others[done.job]:
                if done.kind == "done":
                    yield _copied(number, jobs[number], jobs[done.job].folder)
                elif done.kind == "failed":
                    yield done._replace(job=number)


def _key(job: Job) -> bytes:
    """All that a run's results depend on; equal paths of one experiment are equal files."""
    return msgspec.json.encode([msgspec.structs.replace(job.config, threads=1), job.vectors])


def copy_run(folder: Path, place: Path) -> None:
    """Copy a finished run's folder to another place, whose earlier run stays until then.

    Raises
    ------
    LadtlError
        If the place holds something else or is in use.
    """
    with RunFolder(place, "replace") as copy:
        names = sorted({path.name for path in folder.iterdir() if path.is_file()} - _OWN)
        for name in [*names, MANIFEST]:
            write_atomically(copy.work / name, (folder / name).read_bytes())
        copy.complete()


def _copied(number: int, job: Job, folder: Path) -> Event:
    """Make the run folder of a job from that of an equal one."""
    try:
        copy_run(folder, job.folder)
    except (LadtlError, OSError) as error:
        return Event(number, "failed", error=explanation(error))
    return Event(number, "equal", 1.0)
