"""Tasks of one kind as the workers of a cluster do them, and how often one may be lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ladtl_np.corpus.unknown import UnknownTokens
from ladtl_np.experiment.cluster.worker import Ending

__all__ = ["Losses", "News", "Work"]

LOSSES = 3  # workers that a task may lose without getting further; then it has failed
FURTHER = 0.05  # of a task: so much more done makes losses void, as it goes on from there
MOST_ATTEMPTS = 100  # of a task, whatever was the reason


class Work(NamedTuple):
    """Tasks of one kind, known by their numbers.

    Attributes
    ----------
    size
        How many.
    threads
        That one takes at most.
    execute
        What a worker calls: with a payload, the task's number and attempt, and the topic of its
        messages.
    payload
        What it needs, given a task's number and how many threads it has.
    finished
        Whether the results of a task are there, as this machine sees them.
    folder
        Where they are.
    """

    size: int
    threads: int
    execute: Callable[[Any, int, int, str], Ending | None]
    payload: Callable[[int, int], Any]
    finished: Callable[[int], bool]
    folder: Callable[[int], Path]


class News(NamedTuple):
    """What happens to a task; `kind` as in `experiment.job.Event`, the rest as in `Ending`."""

    number: int
    kind: Literal["started", "progress", "lost", "done", "failed"]
    share: float = 0.0
    error: str = ""
    code: int = 1
    note: str = ""
    unknown: tuple[UnknownTokens, UnknownTokens | None] | None = None


class Losses:
    """Attempts that were lost.

    Attributes
    ----------
    attempts
        How many, by task.
    reached
        How much of a task is done, as far as its attempt has told.
    """

    def __init__(self) -> None:
        self.attempts: Counter[int] = Counter()
        self.reached: dict[int, float] = {}
        self._workers: Counter[int] = Counter()  # lost since the task got further
        self._before: dict[int, float] = {}  # done when that was counted from 0

    def of_worker(self, number: int, worker: str) -> str:
        """Count a worker that died under a task; tells why the task has failed, "" if it has not.

        A run that takes too much memory kills each of its workers at the same place. One that goes
        on from a checkpoint may lose any number to a batch system that takes machines away.
        """
        reached = self.reached.get(number, 0.0)
        if reached > self._before.get(number, 0.0) + FURTHER:
            self._before[number] = reached
            self._workers[number] = 0
        self._workers[number] += 1
        if self._workers[number] < LOSSES:
            return ""
        return f"it lost its worker {LOSSES} times, at last {worker}; was there not enough memory?"

    def of_attempt(self, number: int, reason: str) -> str:
        """Count an attempt that was lost for whatever reason; tells as `of_worker` does."""
        self.attempts[number] += 1
        if self.attempts[number] < MOST_ATTEMPTS:
            return ""
        return f"it was begun {MOST_ATTEMPTS} times and never ended; at last {reason}"
