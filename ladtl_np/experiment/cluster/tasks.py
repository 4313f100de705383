"""Tasks on a Dask cluster: which worker does which, and what becomes of those whose worker dies.

The client hands out the tasks itself, one to each free slot of a worker, rather than all at once to
Dask's scheduler. So threads times tasks on a worker are never more than its threads, whatever the
threads of a task; a worker that joins later is asked whether it can take part before it gets its
first task; and how often a task may lose its worker is said in `work`, not in the cluster's
configuration. The scheduler is told how many wait (`demand`), so that a cluster can grow with them.
"""

from __future__ import annotations

import asyncio
import os
import queue
import secrets
import time
from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from ladtl_np.experiment.cluster.scheduler import Cluster, slots, told_minutes
from ladtl_np.experiment.cluster.work import Losses, News, Work
from ladtl_np.experiment.cluster.worker import Ending, Wanted
from ladtl_np.experiment.job import explanation

__all__ = ["do_on_cluster"]

POLL_SECONDS = 0.25  # between two looks at what has ended
WORKERS_SECONDS = 1.0  # between two looks at which workers there are
ARRIVE_SECONDS = 60.0  # until a shared disk shows here what was written there
RESULT_SECONDS = 10.0  # that a line of text has to come from a worker
STOP_SECONDS = 10.0  # that tasks have to end when they are cancelled


class _Running(NamedTuple):
    future: Any
    worker: str
    attempt: int


def do_on_cluster(
    work: Work, cluster: Cluster, wanted: Wanted, most: int | None = None
) -> Generator[News, None, None]:
    """Have tasks done by the workers of a cluster.

    When the iterator is exhausted or closed, or an exception such as KeyboardInterrupt has left
    it, all tasks have ended or been told to.

    Parameters
    ----------
    work
        The tasks.
    cluster
        Where to.
    wanted
        What a worker must have to take part.
    most
        How many at a time on the whole cluster; None for as many as it has threads for.

    Raises
    ------
    UsageError
        If a worker that is there at the start cannot take part, or none comes.
    LadtlError
        If the scheduler is lost and stays away.
    """
    tasks = _Tasks(work, cluster, wanted, most or work.size)
    try:
        yield from tasks.news()
    finally:
        tasks.close()


class _Tasks:
    """Tasks on their way: waiting, running on a worker, or done and not yet seen here."""

    def __init__(self, work: Work, cluster: Cluster, wanted: Wanted, most: int) -> None:
        self.work, self.cluster, self.wanted, self.most = work, cluster, wanted, most
        self.waiting = deque(range(work.size))
        self.running: dict[int, _Running] = {}
        self.arriving: dict[int, tuple[float, Ending]] = {}  # until when, and how it ended
        self.losses = Losses()
        self.workers: dict[str, int] = {}
        self.looked = 0.0  # when workers were looked for
        self.seen = time.monotonic()  # when there was one
        self.known: set[tuple[int, int]] = set()  # task and attempt that a worker has begun
        self.begun: set[tuple[int, int]] = set()  # and has not ended
        self.messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._listen()

    def _listen(self) -> None:
        self.topic = f"ladtl-{secrets.token_hex(8)}"
        self.cluster.client.subscribe_topic(self.topic, lambda event: self.messages.put(event[1]))

    def news(self) -> Iterator[News]:
        """Hand out, listen, collect, until nothing is left."""
        self.cluster.require_ready(self.wanted, min(self.work.size, self.most), self.work.threads)
        while self.waiting or self.running or self.arriving:
            try:
                yield from self._round()
            except (Exception, asyncio.CancelledError) as error:
                if not self.cluster.broken(error):
                    raise
                yield from self._connect_again()

    def _round(self) -> Iterator[News]:
        if time.monotonic() - self.looked > WORKERS_SECONDS:
            yield from self._find_workers()
        yield from self._hand_out()
        yield from self._told()
        yield from self._ended()
        yield from self._arrived()

    def close(self) -> None:
        """Cancel what is left and wait until the workers have stopped it."""
        client = self.cluster.client
        if client.status != "running":
            return
        with suppress(OSError, asyncio.CancelledError):
            self.cluster.demand.put(0)
            client.cancel([task.future for task in self.running.values()], force=True)
        deadline = time.monotonic() + STOP_SECONDS
        while self.begun and time.monotonic() < deadline:
            with suppress(queue.Empty):
                self._take_in(self.messages.get(timeout=POLL_SECONDS))
        client.unsubscribe_topic(self.topic)

    def _connect_again(self) -> Iterator[News]:
        """What was running is taken up again once there is a scheduler; its workers ended it."""
        for number in sorted(self.running, reverse=True):
            yield self._again(number, "the connection to the scheduler broke")
        self.begun.clear()
        self.cluster.reconnect()
        self._listen()
        self.workers.clear()
        self.looked, self.seen = 0.0, time.monotonic()

    def _find_workers(self) -> Iterator[News]:
        """Tasks whose worker is gone wait again; if all workers stay away, they have failed."""
        self.workers = self.cluster.ready(self.wanted)
        self.looked = time.monotonic()
        for number, task in list(self.running.items()):
            if task.worker not in self.cluster.there:
                yield self._lost(number)
        to_do = min(len(self.waiting) + len(self.running), self.most)
        self.cluster.want(to_do, self.work.threads, len(self.running))
        if self.workers or self.running:
            self.seen = self.looked
        elif self.looked - self.seen > self.cluster.patience:
            others = "".join(f"; {name} {told[0]}" for name, told in self.cluster.refused.items())
            error = f"no worker is left, and none came in {told_minutes(self.cluster.patience)}"
            while self.waiting:
                yield News(self.waiting.popleft(), "failed", error=error + others)

    def _hand_out(self) -> Iterator[News]:
        free = self._free()
        if not (self.waiting and any(count > 0 for count in free.values())):
            return
        taking = self.cluster.taking_tasks()
        self.workers = {name: own for name, own in self.workers.items() if name in taking}
        free = self._free()
        while self.waiting and free and len(self.running) < self.most:
            [(worker, count)] = free.most_common(1)
            if count < 1:
                return
            number = self.waiting.popleft()
            # an attempt may have ended though its word was lost
            if self.losses.attempts[number] and self.work.finished(number):
                yield News(number, "done", 1.0)
                continue
            free[worker] -= 1
            self.running[number] = self._submit(number, worker)

    def _free(self) -> Counter[str]:
        """Slots of each worker that no task has."""
        free = Counter(slots(self.workers, self.work.threads))
        free.subtract(task.worker for task in self.running.values() if task.worker in free)
        return free

    def _submit(self, number: int, worker: str) -> _Running:
        attempt = self.losses.attempts[number]
        threads = min(self.work.threads, self.workers[worker])
        future = self.cluster.client.submit(
            self.work.execute,
            self.work.payload(number, threads),
            number,
            attempt,
            self.topic,
            key=f"{self.topic}-{number}-{attempt}",
            workers=[worker],
            allow_other_workers=False,
            pure=False,
        )
        return _Running(future, worker, attempt)

    def _told(self) -> Iterator[News]:
        """What workers tell of their tasks, as soon as there is anything."""
        with suppress(queue.Empty):
            message = self.messages.get(timeout=POLL_SECONDS)
            while True:
                number, kind = message["run"], message["kind"]
                self._take_in(message)
                task = self.running.get(number)
                if kind != "ended" and task is not None and task.attempt == message["attempt"]:
                    self.losses.reached[number] = message["share"]
                    yield News(number, kind, message["share"])
                message = self.messages.get_nowait()

    def _take_in(self, message: Mapping[str, Any]) -> None:
        place = message["run"], message["attempt"]
        if message["kind"] == "ended":
            self.begun.discard(place)
        elif message["kind"] == "started":
            self.begun.add(place)
            self.known.add(place)

    def _ended(self) -> Iterator[News]:
        """Collect the tasks that have ended, in whatever way."""
        for number, task in list(self.running.items()):
            if task.future.status == "pending":
                continue
            if task.future.status == "cancelled":  # not by us: the client lost its scheduler
                raise ConnectionError("tasks were cancelled")
            result = _result(task.future)
            if result is None:
                yield self._lost(number)
                continue
            del self.running[number]
            self.begun.discard((number, task.attempt))
            if (number, task.attempt) not in self.known:
                yield News(number, "started")
            if result.error:
                yield News(number, "failed", 0.0, result.error, result.code)
            else:
                self.arriving[number] = time.monotonic() + ARRIVE_SECONDS, result

    def _lost(self, number: int) -> News:
        """Let a task whose worker has gone wait for another, or give it up."""
        task = self.running[number]
        task.future.cancel(force=True)
        error = ""
        if not self.cluster.left_as_expected(task.worker):
            error = self.losses.of_worker(number, task.worker)
        return self._again(number, f"its worker {task.worker} has gone", error)

    def _again(self, number: int, reason: str, error: str = "") -> News:
        """Let a task wait, unless there is an error or that was done too often."""
        task = self.running.pop(number)
        self.begun.discard((number, task.attempt))
        error = self.losses.of_attempt(number, reason) or error
        if error:
            return News(number, "failed", error=error)
        self.waiting.appendleft(number)
        return News(number, "lost", error=f"{reason}; it is taken up again")

    def _arrived(self) -> Iterator[News]:
        """Tasks whose results this machine can read."""
        for number, (deadline, ending) in list(self.arriving.items()):
            folder = self.work.folder(number)
            with suppress(OSError):
                os.listdir(folder)  # lets NFS look again
            if self.work.finished(number):
                del self.arriving[number]
                yield News(number, "done", 1.0, note=ending.note, unknown=ending.unknown)
            elif time.monotonic() > deadline:
                del self.arriving[number]
                error = f"it has ended, but its results cannot be read here, in {folder}"
                yield News(number, "failed", error=error)


def _result(future: Any) -> Ending | None:
    """How a task has ended; None if it has to be redone.

    A task that fails has a result. An error is Dask's own, which may have lost patience with
    workers that die.
    """
    if future.status == "error":
        error = future.exception()
        return None if type(error).__name__ == "KilledWorker" else Ending(explanation(error))
    try:
        return future.result(RESULT_SECONDS)  # type: ignore[no-any-return]
    except (Exception, asyncio.CancelledError):
        return None  # its worker has gone meanwhile
