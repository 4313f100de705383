"""Runs in processes of their own on this machine, one process for each run.

Plain ``multiprocessing`` processes, started afresh (*spawn*), rather than a pool. A pool of
``concurrent.futures`` or loky whose worker is killed is broken as a whole: every run under way and
every one that waits gets the same error, and which of them died is not told. Here a process is one
run: if it is killed, exactly that run has failed, with the signal's name, and the others do not
notice. A run's memory goes back to the system when it ends, and no state passes from run to run.
The price is half a second to start Python and load compiled code, against minutes of training.

Ctrl-C reaches this process alone; it ends the workers. A worker whose parent has vanished, by
``kill -9`` say, ends itself, so that nothing goes on writing into folders behind a new start.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

from ladtl_np.experiment.job import Event, Job, explanation, perform
from ladtl_np.runs.signals import without_interrupts

__all__ = ["run_in_processes"]

REPORT_SECONDS = 0.5  # between two reports of progress
END_SECONDS = 15.0  # that a worker has to leave a checkpoint and end when it is told to
STOP_SECONDS = 0.25  # between two questions whether to stop


class _Worker(NamedTuple):
    job: int
    process: multiprocessing.process.BaseProcess
    connection: Connection


def run_in_processes(
    jobs: Sequence[Job], processes: int, stop: Callable[[], bool] | None = None
) -> Generator[Event, None, None]:
    """Execute jobs in their order, at most `processes` at a time.

    All processes have ended when the iterator is exhausted or closed, an exception such as
    KeyboardInterrupt has left it, or `stop`, which is asked several times a second, says so.
    """
    waiting = deque(range(len(jobs)))
    running: dict[Connection, _Worker] = {}
    try:
        while (waiting or running) and not (stop and stop()):
            while waiting and len(running) < processes:
                number = waiting.popleft()
                worker = _start(number, jobs[number])
                running[worker.connection] = worker
                yield Event(number, "started")
            for connection in wait(list(running), STOP_SECONDS if stop else None):
                assert isinstance(connection, Connection)
                event = _event(running[connection])
                if event.kind != "progress":
                    del running[connection]
                yield event
    finally:
        _end(list(running.values()))


def _start(number: int, job: Job) -> _Worker:
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, sending), daemon=True)
    with without_interrupts():
        process.start()
    sending.close()  # the worker has the only other end: when it is gone, reading ends
    return _Worker(number, process, receiving)


def _event(worker: _Worker) -> Event:
    """The next news of a worker; its end, told or not, is news as well."""
    try:
        message = worker.connection.recv()
    except (EOFError, OSError):
        worker.process.join()
        error = _ending(worker.process.exitcode)
        worker.connection.close()
        return Event(worker.job, "failed", error=error)
    if isinstance(message, float):
        return Event(worker.job, "progress", message)
    worker.process.join()
    worker.connection.close()
    if message:
        return Event(worker.job, "failed", error=message)
    return Event(worker.job, "done", 1.0)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        likely = "; was there not enough memory?" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{likely}"
    return f"its process ended with code {code} and without a result"


def _end(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.process.join(END_SECONDS)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.connection.close()


def _work(job: Job, sending: Connection) -> None:
    """Perform a job in the worker: floats are progress, a string is the error, "" if none."""
    _end_with_parent()
    last = time.monotonic()

    def report(share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= REPORT_SECONDS:
            sending.send(float(share))
            last = now

    try:
        if job.base:
            os.chdir(job.base)
        perform(job, report)
    except BaseException as error:
        sending.send(explanation(error) or type(error).__name__)
    else:
        sending.send("")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
