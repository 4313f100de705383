"""A Dask cluster: which workers it has, whether they can do the work, and how many are wanted."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.experiment.cluster.demand import Demand, missing_tasks
from ladtl_np.experiment.cluster.lookout import expect_long_tasks, left_as_expected, taking_tasks
from ladtl_np.experiment.cluster.worker import Wanted, local_versions, look
from ladtl_np.printable import some_of

__all__ = ["Cluster", "SchedulerGoneError", "slots", "told_minutes"]

CLOSE_SECONDS = 5.0  # that saying goodbye may take
RETRY_SECONDS = 1.0  # between two looks for a scheduler, or for workers
_LISTED = 10  # machines that a message names, and what is wrong with each


class SchedulerGoneError(LadtlError):
    """The connection to the scheduler has broken."""


class Cluster:
    """A connection to the scheduler of a cluster.

    Parameters
    ----------
    client
        Client of `distributed`.
    address
        Of the scheduler, for messages.
    connect
        Makes a new client after the connection has broken.
    patience
        Seconds to wait while the scheduler is away, or while there is no worker.

    Attributes
    ----------
    refused
        Why workers that came later, and are still there, cannot take part.
    there
        Threads of all workers that were registered when `ready` looked last.
    demand
        What the scheduler is told of the tasks that wait.
    """

    def __init__(
        self,
        client: Any,
        address: str,
        connect: Callable[[], Any],
        patience: float,
    ) -> None:
        self.client, self.address, self.patience = client, address, patience
        self.refused: dict[str, list[str]] = {}
        self.there: dict[str, int] = {}
        self.demand = Demand(client)
        self._connect = connect
        self._ready: set[str] = set()

    def threads(self) -> dict[str, int]:
        """Address and number of threads of each worker.

        Raises
        ------
        SchedulerGoneError
            If the scheduler has gone.
        """
        try:
            if self.client.status == "running":
                return dict(self.client.nthreads())
        except (OSError, asyncio.CancelledError):
            pass
        raise SchedulerGoneError(
            f"the Dask scheduler at {self.address} has gone; what is finished stays, and the same "
            "command continues with the rest"
        )

    def taking_tasks(self) -> set[str]:
        """Workers that take tasks now; Dask's scheduler writes a line into its log for this."""
        return set(self.client.run_on_scheduler(taking_tasks))

    def broken(self, error: BaseException) -> bool:
        """Whether an error comes from a connection that has broken."""
        gone = SchedulerGoneError, OSError, asyncio.CancelledError
        return isinstance(error, gone) or self.client.status != "running"

    def reconnect(self) -> None:
        """Connect anew, as soon as the scheduler answers; all that was known of workers is void.

        Dask's own client would come back to the same scheduler as well, but without its futures
        and without its subscriptions, and gives up after the time that one connection may take.

        Raises
        ------
        SchedulerGoneError
            If it stays away for `patience` seconds.
        UsageError
            If what came back has other versions.
        """
        deadline = time.monotonic() + self.patience
        while True:
            self.close()
            try:
                self.client = self._connect()
                self.demand = Demand(self.client)
                self._require_none(self._about_scheduler())
                break
            except UsageError:
                raise
            except LadtlError:
                if time.monotonic() > deadline:
                    raise SchedulerGoneError(
                        f"the Dask scheduler at {self.address} has gone, and did not come back in "
                        f"{told_minutes(self.patience)}; what is finished stays, and the same "
                        "command continues with the rest"
                    ) from None
                time.sleep(RETRY_SECONDS)
        self._ready.clear()
        self.refused.clear()
        self.there.clear()

    def close(self) -> None:
        """Say goodbye, if anybody listens."""
        with suppress(OSError, TimeoutError, asyncio.CancelledError):
            self.client.close(timeout=CLOSE_SECONDS)

    def side_by_side(self, threads: int, wanted: int | None) -> int:
        """How many tasks of so many threads all workers do at a time, or as many as are wanted."""
        most = sum(slots(self.threads(), threads).values())
        return min(wanted or most, most)

    def want(self, tasks: int, threads: int, running: int) -> None:
        """Tell the scheduler how many tasks are to do, those that are running among them."""
        if not self.demand.told:
            self.client.run_on_scheduler(expect_long_tasks)
        workers = {name: own for name, own in self.there.items() if name not in self.refused}
        waiting = missing_tasks(tasks, threads, running, list(workers.values()))
        self.demand.put(waiting)

    def ready(self, wanted: Wanted) -> dict[str, int]:
        """Threads of the workers that can take a task now; each is asked once, when it is new."""
        self.there = there = self.threads()
        new = there.keys() - self._ready - self.refused.keys()
        refused = self.refused | (self._complaints(wanted, new) if new else {})
        self.refused = {name: told for name, told in refused.items() if name in there}
        self._ready = there.keys() - self.refused.keys()
        return {name: there[name] for name in there if name in self._ready}

    def left_as_expected(self, worker: str) -> bool:
        """Whether a worker that is gone was retired, rather than lost."""
        return bool(self.client.run_on_scheduler(left_as_expected, worker))

    def require_ready(self, wanted: Wanted, tasks: int, threads: int) -> None:
        """Wait until there is a worker, and ask all that are there then.

        Raises
        ------
        UsageError
            If one of them cannot take part; names it and says why. If none comes.
        """
        deadline = time.monotonic() + self.patience
        while not self.threads():
            if time.monotonic() > deadline:
                raise UsageError(
                    f"the Dask scheduler at {self.address} has no workers, and none came in "
                    f"{told_minutes(self.patience)}; start some with `dask worker {self.address}` "
                    "on the machines that are to do the work"
                )
            self.want(tasks, threads, 0)
            time.sleep(min(RETRY_SECONDS, self.patience))
        self.ready(wanted)
        self._require_none(self.refused)

    def require_environment(self) -> None:
        """Check that all machines that are there have the same versions.

        Raises
        ------
        UsageError
            If not; says what differs and where.
        """
        told = self._about_scheduler()
        wanted = Wanted(versions=local_versions())
        workers = self.client.nthreads()  # which a scheduler without this package knows, too
        self._require_none(told | (self._complaints(wanted, workers) if workers else {}))

    def _about_scheduler(self) -> dict[str, list[str]]:
        """What keeps the scheduler from taking part: it reads tasks as well."""
        try:
            answer = self.client.run_on_scheduler(look, Wanted(versions=local_versions()))
        except Exception as error:
            if self.client.status != "running" or isinstance(error, OSError):
                raise SchedulerGoneError(f"the scheduler at {self.address} has gone") from None
            answer = error
        return {"the scheduler": _told(answer)} if _told(answer) else {}

    def _complaints(self, wanted: Wanted, workers: Collection[str]) -> dict[str, list[str]]:
        """What keeps workers from taking part, in words; only those that cannot are listed."""
        answers = self.client.run(look, wanted, workers=list(workers), on_error="return")
        return {name: told for name, answer in answers.items() if (told := _told(answer))}

    def _require_none(self, complaints: Mapping[str, Sequence[str]]) -> None:
        if not complaints:
            return
        lines = [
            f"{name} {some_of(told, _LISTED, '; ')}" for name, told in sorted(complaints.items())
        ]
        start = f"not every machine of the Dask cluster at {self.address} can do this work:"
        raise UsageError(f"{start}\n  " + some_of(lines, _LISTED, "\n  "))


def told_minutes(seconds: float) -> str:
    """A time to wait, in words."""
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{math.ceil(seconds)} s"


def _told(answer: object) -> list[str]:
    """The complaints in an answer, which is an error where the question could not be asked."""
    if not isinstance(answer, BaseException):
        assert isinstance(answer, list)
        return answer
    error = f"{type(answer).__name__}: {answer}"  # Dask wraps some errors into another's text
    if "ImportError" in error or "ModuleNotFoundError" in error:
        return [f"cannot load ladtl_np ({error}); every machine wants the environment of this one"]
    return [f"cannot be asked ({error})"]


def slots(workers: Mapping[str, int], threads: int) -> dict[str, int]:
    """How many tasks each worker does at a time: threads times tasks are never more than it has.

    A worker with fewer threads than a task wants does one at a time, with the threads it has.
    """
    return {name: max(1, own // threads) for name, own in workers.items()}
