"""What the client asks the scheduler itself, and tells it: functions that run in its process."""

from __future__ import annotations

from typing import Any

__all__ = ["WAITING", "expect_long_tasks", "left_as_expected", "taking_tasks"]

WAITING = "ladtl_waiting"
"""What Dask calls the kind of our tasks that wait; the first word of their keys."""

_DURATIONS = "distributed.scheduler.default-task-durations"
_LONG = "24h"


def taking_tasks(dask_scheduler: Any) -> list[str]:
    """Workers that take tasks: not those that are being retired, or that their memory stops."""
    workers = dask_scheduler.workers.values()
    return [worker.address for worker in workers if worker.status.name == "running"]


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
