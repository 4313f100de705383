"""Runs on a Dask cluster: which worker does which run, and what becomes of those whose worker dies.

The client hands out the runs itself, one to each free slot of a worker, rather than all at once to
Dask's scheduler. So threads times runs on a worker are never more than its threads, whatever the
threads of a run; a worker that joins later is asked whether it can take part before it gets its
first run; and how often a run may lose its worker is said here, not in the cluster's configuration.
"""

from __future__ import annotations

import os
import queue
import secrets
import time
from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ladtl_np.experiment.cluster.scheduler import Cluster, slots
from ladtl_np.experiment.cluster.worker import Wanted, execute, local_versions, temporary_name
from ladtl_np.experiment.job import Event, Job, explanation
from ladtl_np.files import write_atomically
from ladtl_np.runs.found import FoundRun

__all__ = ["run_on_cluster"]

LOSSES = 3  # workers that a run may lose; then it has failed
POLL_SECONDS = 0.25  # between two looks at what has ended
WORKERS_SECONDS = 1.0  # between two looks at which workers there are
ALONE_SECONDS = 60.0  # without a worker until the rest is given up
ARRIVE_SECONDS = 60.0  # until a shared disk shows here what was written there
RESULT_SECONDS = 10.0  # that a line of text has to come from a worker
STOP_SECONDS = 10.0  # that runs have to end when they are cancelled
# A run whose worker was lost may still be held: by the child of a worker that lost only its
# connection, for seconds; on NFS by a machine that is gone, for 90 s.
PATIENCE = 120.0


class _Run(NamedTuple):
    future: Any
    worker: str
    attempt: int


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
        If the scheduler is lost.
    """
    if not jobs:
        return
    maps = {job.config.data.label_map for job in jobs} - {""}
    base = "" if all(map(os.path.isabs, [*hashes, *maps])) else os.getcwd()
    sent = [
        job._replace(folder=Path(os.path.abspath(job.folder)), base=base, patience=PATIENCE)
        for job in jobs
    ]
    with _token(out) as token:
        wanted = Wanted(
            versions=local_versions(),
            files={os.path.abspath(path): sha256 for path, sha256 in hashes.items()},
            base=base,
            folder=os.path.abspath(out),
            token=token,
        )
        runs = _Runs(sent, cluster, wanted, most or len(jobs))
        try:
            yield from runs.events()
        except Exception:
            cluster.threads()  # explains what Dask raises in its own words when the scheduler goes
            raise
        finally:
            runs.close()


@contextmanager
def _token(out: Path) -> Iterator[str]:
    """A file by which workers know the folder."""
    path = out / temporary_name()
    write_atomically(path, b"")
    try:
        yield path.name
    finally:
        path.unlink(missing_ok=True)


class _Runs:
    """The jobs on their way: waiting, running on a worker, or written and not yet seen here."""

    def __init__(self, jobs: Sequence[Job], cluster: Cluster, wanted: Wanted, most: int) -> None:
        self.jobs, self.cluster, self.wanted, self.most = jobs, cluster, wanted, most
        self.threads = max(job.config.threads for job in jobs)
        self.waiting = deque(range(len(jobs)))
        self.running: dict[int, _Run] = {}
        self.arriving: dict[int, float] = {}
        self.losses: Counter[int] = Counter()
        self.workers: dict[str, int] = {}
        self.looked = self.seen = time.monotonic()  # when workers were looked for, and there
        self.known: set[tuple[int, int]] = set()  # run and attempt that a worker has begun
        self.begun: set[tuple[int, int]] = set()  # and has not ended
        self.topic = f"ladtl-{secrets.token_hex(8)}"
        self.messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        cluster.client.subscribe_topic(self.topic, lambda event: self.messages.put(event[1]))

    def events(self) -> Iterator[Event]:
        """Hand out, listen, collect, until nothing is left."""
        self.cluster.require_ready(self.wanted)
        self.workers = self.cluster.ready(self.wanted)
        while self.waiting or self.running or self.arriving:
            if time.monotonic() - self.looked > WORKERS_SECONDS:
                yield from self._find_workers()
            self._hand_out()
            yield from self._told()
            yield from self._ended()
            yield from self._arrived()

    def close(self) -> None:
        """Cancel what is left and wait until the workers have stopped it."""
        client = self.cluster.client
        if client.status != "running":
            return
        with suppress(OSError):
            client.cancel([run.future for run in self.running.values()], force=True)
        deadline = time.monotonic() + STOP_SECONDS
        while self.begun and time.monotonic() < deadline:
            with suppress(queue.Empty):
                self._take_in(self.messages.get(timeout=POLL_SECONDS))
        client.unsubscribe_topic(self.topic)

    def _find_workers(self) -> Iterator[Event]:
        """Runs whose worker is gone wait again; if all workers stay away, they have failed."""
        self.workers = self.cluster.ready(self.wanted)
        self.looked = time.monotonic()
        for number, run in list(self.running.items()):
            if run.worker not in self.workers:
                yield self._lost(number)
        if self.workers:
            self.seen = self.looked
        elif self.looked - self.seen > ALONE_SECONDS:
            others = "".join(f"; {name} {told[0]}" for name, told in self.cluster.refused.items())
            while self.waiting:
                yield Event(self.waiting.popleft(), "failed", error=f"no worker is left{others}")

    def _hand_out(self) -> None:
        free = Counter(slots(self.workers, self.threads))
        free.subtract(run.worker for run in self.running.values())
        while self.waiting and free and len(self.running) < self.most:
            [(worker, count)] = free.most_common(1)
            if count < 1:
                return
            free[worker] -= 1
            number = self.waiting.popleft()
            self.running[number] = self._submit(number, worker)

    def _submit(self, number: int, worker: str) -> _Run:
        job, attempt = self.jobs[number], self.losses[number]
        threads = min(job.config.threads, self.workers[worker])
        job = job._replace(config=msgspec.structs.replace(job.config, threads=threads))
        future = self.cluster.client.submit(
            execute,
            job,
            number,
            attempt,
            self.topic,
            key=f"{self.topic}-{number}-{attempt}",
            workers=[worker],
            allow_other_workers=False,
            pure=False,
        )
        return _Run(future, worker, attempt)

    def _told(self) -> Iterator[Event]:
        """What workers tell of their runs, as soon as there is anything."""
        with suppress(queue.Empty):
            message = self.messages.get(timeout=POLL_SECONDS)
            while True:
                number, kind = message["run"], message["kind"]
                self._take_in(message)
                run = self.running.get(number)
                if kind != "ended" and run is not None and run.attempt == message["attempt"]:
                    yield Event(number, kind, message["share"])
                message = self.messages.get_nowait()

    def _take_in(self, message: Mapping[str, Any]) -> None:
        place = message["run"], message["attempt"]
        if message["kind"] == "ended":
            self.begun.discard(place)
        elif message["kind"] == "started":
            self.begun.add(place)
            self.known.add(place)

    def _ended(self) -> Iterator[Event]:
        """Collect the runs whose task has ended, in whatever way."""
        for number, run in list(self.running.items()):
            if run.future.status == "pending" or self.cluster.client.status != "running":
                continue
            result = _result(run.future)
            if result is None:
                yield self._lost(number)
                continue
            del self.running[number]
            self.begun.discard((number, run.attempt))
            if (number, run.attempt) not in self.known:
                yield Event(number, "started")
            if result:
                yield Event(number, "failed", error=result)
            else:
                self.arriving[number] = time.monotonic() + ARRIVE_SECONDS

    def _lost(self, number: int) -> Event:
        """Let a run wait for another worker, or give it up."""
        run = self.running.pop(number)
        run.future.cancel(force=True)
        self.begun.discard((number, run.attempt))
        self.losses[number] += 1
        if self.losses[number] == LOSSES:
            error = f"it lost its worker {LOSSES} times, at last {run.worker}; was there not enough"
            return Event(number, "failed", error=f"{error} memory?")
        self.waiting.appendleft(number)
        return Event(number, "lost", error=f"its worker {run.worker} has gone; it starts again")

    def _arrived(self) -> Iterator[Event]:
        """Runs whose results this machine can read."""
        for number, deadline in list(self.arriving.items()):
            folder = self.jobs[number].folder
            with suppress(OSError):
                os.listdir(folder)  # lets NFS look again
            if FoundRun(folder, folder).finished() is not None:
                del self.arriving[number]
                yield Event(number, "done", 1.0)
            elif time.monotonic() > deadline:
                del self.arriving[number]
                error = f"it has ended, but its results cannot be read here, in {folder}"
                yield Event(number, "failed", error=error)


def _result(future: Any) -> str | None:
    """What a task that has ended tells: why its run failed, "" if not, None if it has to be redone.

    A run that fails is a result. An error is Dask's own, which may have lost patience with workers
    that die.
    """
    if future.status == "error":
        error = future.exception()
        return None if type(error).__name__ == "KilledWorker" else explanation(error)
    try:
        return future.result(RESULT_SECONDS)  # type: ignore[no-any-return]
    except Exception:
        return None  # cancelled by somebody else, or its worker has gone meanwhile
