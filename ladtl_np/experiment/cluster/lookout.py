"""What the client asks the scheduler itself, and tells it: functions that run in its process."""

from __future__ import annotations

from typing import Any

__all__ = ["WAITING", "expect_long_tasks", "left_as_expected", "registered"]

WAITING = "ladtl_waiting"
"""What Dask calls the kind of our tasks that wait; the first word of their keys."""

_DURATIONS = "distributed.scheduler.default-task-durations"
_LONG = "24h"


def registered(dask_scheduler: Any) -> dict[str, tuple[int, bool]]:
    """Threads of each worker, and whether it takes tasks: one that is being retired does not."""
    return {
        worker.address: (worker.nthreads, worker.status.name == "running")
        for worker in dask_scheduler.workers.values()
    }


def left_as_expected(worker: str, dask_scheduler: Any) -> bool:
    """Whether the last worker of an address that went away was retired rather than lost."""
    gone = False
    for _, event in dask_scheduler.get_events("all"):
        if event.get("action") == "remove-worker" and event.get("worker") == worker:
            gone = bool(event.get("expected"))
    return gone


def expect_long_tasks(dask_scheduler: Any) -> None:
    """Let the scheduler expect that what waits takes long.

    It wants as many workers as do all that waits in some seconds, and takes a task that it has
    never seen for half a second's work: ten of them would be worth one worker.
    """
    import dask

    known = dask.config.get(_DURATIONS) or {}
    dask.config.set({_DURATIONS: {**known, WAITING: _LONG}})
