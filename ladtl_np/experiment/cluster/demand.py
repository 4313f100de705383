"""Demand that Dask's scheduler sees, so that an adaptive cluster grows with what waits.

We hand out tasks one to each free slot, so the scheduler never has one in its queue, and a cluster
that adapts to its queue would not grow. So there is a placeholder in it for each thread that is
wanted beyond those that are there: a task that wants a resource which no worker has. It is never
executed; `Scheduler.adaptive_target`, which `Cluster.adapt` asks, counts it.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from typing import Any

from ladtl_np.experiment.cluster.lookout import WAITING

__all__ = ["Demand", "missing_tasks"]

MOST = 1000  # placeholders: enough for any cluster, few enough for its scheduler


class Demand:
    """Placeholders at the scheduler.

    Attributes
    ----------
    told
        Whether it knows of any.
    """

    def __init__(self, client: Any) -> None:
        self.told = False
        self._client = client
        self._kind = f"{WAITING}-{secrets.token_hex(8)}"
        self._placed: list[Any] = []
        self._count = 0

    def put(self, tasks: int) -> None:
        """Let there be so many placeholders, at most `MOST`."""
        self.told = True
        wanted = min(tasks, MOST)
        placed = [future for future in self._placed if future.status == "pending"]
        del placed[wanted:]  # the scheduler forgets those that nobody holds
        new = range(self._count, self._count + wanted - len(placed))
        if new:
            self._count = new.stop
            placed += self._client.map(
                wait_for_worker,
                list(new),
                key=[f"{self._kind}-{number}" for number in new],
                resources={WAITING: 1},
                pure=False,
            )
        self._placed = placed


def wait_for_worker(number: int) -> int:
    """Stand in the queue; no worker has the resource that this wants."""
    return number


def missing_tasks(tasks: int, threads: int, running: int, workers: Sequence[int]) -> int:
    """How many placeholders let the scheduler want the workers that all tasks need.

    It wants one thread for each task that it knows, and as many workers as have these threads on
    the average; without any worker, one for each task.

    Parameters
    ----------
    tasks
        How many are to do at a time, those that are running among them.
    threads
        That each takes, if its worker has them.
    running
        How many are running.
    workers
        Threads of each worker that is there.
    """
    if tasks <= running:
        return 0
    if not workers:
        return tasks
    side_by_side = sum(max(1, own // threads) for own in workers) / len(workers)
    wanted = math.ceil(tasks / side_by_side)
    return max(0, math.ceil(wanted * sum(workers) / len(workers)) - running)
