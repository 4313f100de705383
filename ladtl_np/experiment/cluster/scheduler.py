"""A Dask cluster: which workers it has, and whether they can do the work."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.experiment.cluster.worker import Wanted, local_versions, look
from ladtl_np.experiment.expansion import RunSpec
from ladtl_np.experiment.runner import Share

__all__ = ["Cluster", "slots"]

_LISTED = 10  # machines that a message names


class Cluster:
    """A connection to the scheduler of a cluster.

    Parameters
    ----------
    client
        Client of `distributed`.
    address
        Of the scheduler, for messages.

    Attributes
    ----------
    refused
        Why workers that came later, and are still there, cannot take part.
    """

    def __init__(self, client: Any, address: str) -> None:
        self.client = client
        self.address = address
        self.refused: dict[str, list[str]] = {}
        self._ready: set[str] = set()

    def threads(self) -> dict[str, int]:
        """Address and number of threads of each worker.

        Raises
        ------
        LadtlError
            If the scheduler has gone.
        """
        try:
            if self.client.status == "running":
                return dict(self.client.nthreads())
        except (OSError, asyncio.CancelledError):
            pass
        raise LadtlError(
            f"the Dask scheduler at {self.address} has gone; what is finished stays, and the same "
            "command continues with the rest"
        )

    def share(self, specs: Sequence[RunSpec], wanted: int | None) -> Share:
        """How many runs are side by side on all workers, and the threads of each at most."""
        threads = max(spec.config.threads for spec in specs)
        most = sum(slots(self.threads(), threads).values())
        return Share(min(wanted or most, most), threads)

    def ready(self, wanted: Wanted) -> dict[str, int]:
        """Threads of the workers that can take part now; each is asked once, when it is new."""
        there = self.threads()
        new = there.keys() - self._ready - self.refused.keys()
        refused = self.refused | (self._complaints(wanted, new) if new else {})
        self.refused = {name: told for name, told in refused.items() if name in there}
        self._ready = there.keys() - self.refused.keys()
        return {name: there[name] for name in there if name in self._ready}

    def require_ready(self, wanted: Wanted) -> None:
        """Ask all workers that are there now.

        Raises
        ------
        UsageError
            If one of them cannot take part; names it and says why.
        """
        self.ready(wanted)
        self._require_none(self.refused)

    def require_environment(self) -> None:
        """Check that there are workers, and that all machines have the same versions.

        Raises
        ------
        UsageError
            If not; says what differs and where.
        """
        workers = self.threads()
        if not workers:
            raise UsageError(
                f"the Dask scheduler at {self.address} has no workers; start some with "
                f"`dask worker {self.address}` on the machines that are to do the runs"
            )
        wanted = Wanted(versions=local_versions())
        try:  # it reads tasks as well
            answer = self.client.run_on_scheduler(look, wanted)
        except Exception as error:
            answer = error
        told = {"the scheduler": _told(answer)} if _told(answer) else {}
        self._require_none(told | self._complaints(wanted, workers))

    def _complaints(self, wanted: Wanted, workers: Collection[str]) -> dict[str, list[str]]:
        """What keeps workers from taking part, in words; only those that cannot are listed."""
        answers = self.client.run(look, wanted, workers=list(workers), on_error="return")
        return {name: told for name, answer in answers.items() if (told := _told(answer))}

    def _require_none(self, complaints: Mapping[str, Sequence[str]]) -> None:
        if not complaints:
            return
        lines = [f"  {name} {'; '.join(told)}" for name, told in sorted(complaints.items())]
        more = [f"  and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
        start = f"not every machine of the Dask cluster at {self.address} can do these runs:"
        raise UsageError("\n".join([start, *lines[:_LISTED], *more]))


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
    """How many runs each worker does at a time: threads times runs are never more than it has.

    A worker with fewer threads than a run wants does one at a time, with the threads it has.
    """
    return {name: max(1, own // threads) for name, own in workers.items()}
