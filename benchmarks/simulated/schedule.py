"""How long recorded work would take on any number of cores, by simulation.

A trace is what the main thread does in its order. Work is either Python, which only one thread at
a time may do (the GIL), or compiled code, which runs side by side. Cores are shared evenly where
more threads want one than there are, and each is slower where several are busy, as measured.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = [
    "Machine",
    "Main",
    "Run",
    "Start",
    "Task",
    "Trace",
    "Wait",
    "chain",
    "seconds",
    "timeline",
    "work",
]

SWITCH = 5e-3
"""Seconds after which a thread that waits for the GIL gets it: Python's own default."""

LEAST = 1e-12
"""Seconds that count as none, because sums are rounded."""


class Task(NamedTuple):
    """Seconds of Python and of compiled code; it first waits for the tasks that it needs."""

    label: str
    python: float
    kernel: float
    needs: tuple[int, ...] = ()


class Main(NamedTuple):
    """Work of the main thread itself."""

    label: str
    python: float
    kernel: float


class Run(NamedTuple):
    """``Workers.run``: the main thread does the first task and waits for all."""

    label: str
    tasks: tuple[Task, ...]


class Start(NamedTuple):
    """``Workers.start``: a task that a thread of the background does; the main thread goes on."""

    number: int
    task: Task


class Wait(NamedTuple):
    """The main thread waits for a task that was started."""

    number: int


Trace = Sequence[Main | Run | Start | Wait]


@dataclass(frozen=True, slots=True)
class Machine:
    """What a simulation knows of the machine.

    Attributes
    ----------
    cores
        Cores, and threads asked for.
    shared_rate
        Speed of a core while others are busy, over its speed alone.
    wake
        Seconds until a sleeping thread has begun a task that it was given.
    hand_over
        Seconds of Python to give a task to another thread.
    """

    cores: int
    shared_rate: float = 1.0
    wake: float = 0.0
    hand_over: float = 0.0


@dataclass(slots=True, eq=False)
class _Thread:
    """A thread and what it has to do, in order.

    Operations are ("python", seconds), ("kernel", seconds), ("wait", numbers of tasks),
    ("help", 0), which takes tasks of `run` as long as there are any, and ("end", task).
    """

    todo: deque[tuple[str, Any]] = field(default_factory=deque)
    left: float = 0.0  # seconds of the first operation, once it has begun

    def does(self, *kinds: str) -> bool:
        return bool(self.todo) and self.todo[0][0] in kinds


class _Simulation:
    def __init__(self, machine: Machine) -> None:
        self.machine, self.now = machine, 0.0
        self.main = _Thread()
        # `run` has the main thread's help; what is started goes on beside the main thread
        self.pools = {
            "run": [_Thread() for _ in range(machine.cores - 1)],
            "start": [_Thread() for _ in range(machine.cores)],
        }
        self.queues: dict[str, deque[tuple[float, int, Task]]] = {
            name: deque() for name in self.pools
        }
        self.threads = [self.main, *(thread for pool in self.pools.values() for thread in pool)]
        self.done: set[int] = set()
        self.gil: deque[_Thread] = deque()

    def give(self, pool: str, number: int, task: Task) -> None:
        """Queue a task for other threads."""
        self.work(self.main, self.machine.hand_over, 0.0)
        self.finish_main()
        self.queues[pool].append((self.now + self.machine.wake, number, task))

    @staticmethod
    def work(thread: _Thread, python: float, kernel: float) -> None:
        turns = math.ceil(python / SWITCH)
        thread.todo += [("python", python / turns)] * turns if python > LEAST else []
        if kernel > LEAST:
            thread.todo.append(("kernel", kernel))

    def finish_main(self) -> None:
        """Go on until the main thread has nothing left to do."""
        while self.main.todo:
            self._advance()

    def _begin(self, thread: _Thread, pool: str) -> None:
        _, number, task = self.queues[pool].popleft()
        after, thread.todo = thread.todo, deque([("wait", task.needs)])
        self.work(thread, task.python, task.kernel)
        thread.todo += [("end", number), *after]

    def _assign(self) -> None:
        """Give queued tasks to threads that are awake and have nothing to do."""
        if self.main.does("help") and self.queues["run"]:
            self._begin(self.main, "run")
        for name, pool in self.pools.items():
            queue = self.queues[name]
            for thread in pool:
                if not thread.todo and queue and queue[0][0] <= self.now + LEAST:
                    self._begin(thread, name)

    def _pass(self, thread: _Thread) -> bool:
        """Leave operations behind that take no time; whether there was one."""
        if not thread.does("wait", "end", "help"):
            return False
        kind, what = thread.todo[0]
        if kind == "wait" and not self.done.issuperset(what):
            return False
        if kind == "end":
            self.done.add(what)
        thread.todo.popleft()
        return True

    def _running(self) -> list[_Thread]:
        """Threads that compute now: not those that wait for tasks or for the GIL."""
        self._assign()
        while any([self._pass(thread) for thread in self.threads]):
            self._assign()
        for thread in self.threads:
            if thread.does("python", "kernel") and not thread.left:
                kind, thread.left = thread.todo[0]
                if kind == "python":
                    self.gil.append(thread)
        holder = self.gil[0] if self.gil else None
        return [each for each in self.threads if each.does("kernel") or each is holder]

    def _advance(self) -> None:
        """Go on to the next end of an operation, or to the next thread that has woken."""
        running, cores = self._running(), self.machine.cores
        if not self.main.todo:
            return
        busy = len(running)
        rate = self.machine.shared_rate if min(busy, cores) > 1 else 1.0
        rate *= min(1.0, cores / max(busy, 1))
        ends = [thread.left / rate for thread in running]
        ends += [queue[0][0] - self.now for queue in self.queues.values() if queue]
        step = min(end for end in ends if end > LEAST)
        self.now += step
        for thread in running:
            thread.left -= step * rate
            if thread.left <= LEAST:
                thread.left = 0.0
                thread.todo.popleft()
                if self.gil and self.gil[0] is thread:
                    self.gil.popleft()


def seconds(trace: Trace, machine: Machine) -> float:
    """Predicted seconds of a trace that was recorded for as many threads as there are cores."""
    return sum(passed for _, passed in timeline(trace, machine))


def timeline(trace: Trace, machine: Machine) -> list[tuple[str, float]]:
    """Label of each event, and the seconds until the main thread has gone past it."""
    simulation = _Simulation(machine)
    unnamed, passed = -1, []  # numbers of tasks that are not started but run
    for event in trace:
        begin, label = simulation.now, ""
        match event:
            case Main(label, python, kernel):
                simulation.work(simulation.main, python, kernel)
            case Run(label, tasks):
                alone = machine.cores == 1 or len(tasks) < 2
                for task in tasks if alone else ():
                    simulation.work(simulation.main, task.python, task.kernel)
                numbers = tuple(range(unnamed, unnamed - len(tasks), -1))
                for number, task in () if alone else zip(numbers, tasks, strict=True):
                    simulation.give("run", number, task)
                if not alone:
                    unnamed -= len(tasks)
                    simulation.main.todo += [("help", 0), ("wait", numbers)]
            case Start(number, task):
                if machine.cores == 1:
                    simulation.work(simulation.main, task.python, task.kernel)
                    simulation.done.add(number)
                else:
                    simulation.give("start", number, task)
            case Wait(number):
                simulation.main.todo.append(("wait", (number,)))
        simulation.finish_main()
        passed.append((label, simulation.now - begin))
    return passed


def work(trace: Trace) -> tuple[float, float]:
    """Seconds of Python and of compiled code, of all threads together."""
    parts = [each for event in trace for each in _parts(event)]
    return sum(part.python for part in parts), sum(part.kernel for part in parts)


def _parts(event: Main | Run | Start | Wait) -> Sequence[Main | Task]:
    match event:
        case Run(_, tasks):
            return tasks
        case Start(_, task):
            return (task,)
        case Main():
            return (event,)
    return ()


def chain(trace: Trace) -> float:
    """Seconds that are left with cores without end, without waking and without a GIL."""
    now, ends = 0.0, {}
    for event in trace:
        match event:
            case Main(_, python, kernel):
                now += python + kernel
            case Run(_, tasks):
                now += max((task.python + task.kernel for task in tasks), default=0.0)
            case Start(number, task):
                begin = max([now, *(ends[needed] for needed in task.needs)])
                ends[number] = begin + task.python + task.kernel
            case Wait(number):
                now = max(now, ends[number])
    return now
