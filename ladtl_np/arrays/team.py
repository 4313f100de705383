"""Threads that share out the tasks of one call and are ready for the next one at once.

A helper that is out of work looks for the next call for a tenth of a millisecond before it sleeps:
the phases of a training step follow one another faster than the system wakes a thread. No more
threads compute at once than there are processors, because others would take turns with them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from weakref import finalize

import numpy as np

from ladtl_np.arrays.processors import allowed
from ladtl_np.kernels.spinning import spin
from ladtl_np.shapes import Integers

__all__ = ["SPIN_TURNS", "Task", "Team"]

Task = Callable[[], None]

# looks at a flag before a thread sleeps, of 25 to 60 nanoseconds each
SPIN_TURNS = 4000
# int64 numbers between two flags, so that no two are in one cache line, nor in a pair of them
APART = 16


class _Call:
    """The tasks of one call, and how many have not ended."""

    def __init__(self, number: int, tasks: Sequence[Task], flags: Integers) -> None:
        self.number, self._flags = number, flags
        self._waiting = deque(enumerate(tasks))
        self._left, self._guard = len(tasks), Lock()
        self.errors: dict[int, BaseException] = {}
        self.ended = Lock()
        self.ended.acquire()

    def work(self) -> None:
        """Take tasks until none is waiting; whoever ends the last one tells the caller."""
        while True:
            try:
                number, task = self._waiting.popleft()
            except IndexError:
                return
            try:
                task()
            except BaseException as error:
                self.errors[number] = error
            with self._guard:
                self._left -= 1
                last = not self._left
            if last:
                self._flags[0] = self.number
                self.ended.release()


class _Helper:
    """One thread beside the caller's; knows nothing of the team, which may thus be collected."""

    def __init__(self, flags: Integers, place: int, turns: int) -> None:
        self._flags, self._place, self._turns = flags, place, turns
        self._guard, self._bell = Lock(), Lock()
        self._bell.acquire()
        self._asleep = False
        self._calls = 0
        self._call: _Call | None = None

    def ask(self, call: _Call | None) -> None:
        """Hand over a call, or None to end the thread."""
        with self._guard:
            self._call = call
            self._calls += 1
            self._flags[self._place] = self._calls
            ring, self._asleep = self._asleep, False
        if ring:
            self._bell.release()

    def loop(self) -> None:
        """Work until told to end."""
        heard = 0
        while True:
            if not spin(self._flags, self._place, heard + 1, self._turns):
                with self._guard:
                    sleeps = self._asleep = self._calls == heard
                if sleeps:
                    self._bell.acquire()
            with self._guard:
                heard, call, self._call = self._calls, self._call, None
            if call is None:
                return
            call.work()


class Team:
    """A number of threads beside the caller's.

    Parameters
    ----------
    helpers
        How many at most; they start with the first call that has work for them.
    """

    def __init__(self, helpers: int) -> None:
        helpers = min(helpers, allowed() - 1)
        self._turns = SPIN_TURNS
        self._flags = np.zeros((helpers + 1) * APART, np.int64)
        self._helpers = [_Helper(self._flags, (n + 1) * APART, self._turns) for n in range(helpers)]
        self._started = self._calls = 0
        self._free = Lock()
        finalize(self, _dismiss, self._helpers)

    def run(self, tasks: Sequence[Task]) -> None:
        """Run all tasks and return when the last has ended; of all errors the first is raised.

        A call from inside a task, or beside another thread's call, is done by its own thread.
        """
        if not self._free.acquire(blocking=False):
            for task in tasks:
                task()
            return
        try:
            call = self._begin(tasks)
            try:
                call.work()
                spin(self._flags, 0, call.number, self._turns)
            finally:  # an interrupted caller, too, leaves no task running
                call.ended.acquire()
        finally:
            self._free.release()
        if call.errors:
            raise call.errors[min(call.errors)]

    def _begin(self, tasks: Sequence[Task]) -> _Call:
        self._calls += 1
        call = _Call(self._calls, tasks, self._flags)
        wanted = min(len(tasks) - 1, len(self._helpers))
        while self._started < wanted:
            helper = self._helpers[self._started]
            Thread(target=helper.loop, name="ladtl_np worker", daemon=True).start()
            self._started += 1
        for helper in self._helpers[:wanted]:
            helper.ask(call)
        return call


def _dismiss(helpers: Sequence[_Helper]) -> None:
    for helper in helpers:
        helper.ask(None)
