"""What a step or a tagging run gives to its threads, recorded while one thread does all of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher
from simulated.schedule import Main, Run, Start, Task, Trace, Wait

from ladtl_np.arrays.workers import Workers

__all__ = ["Call", "Recorder", "record"]

Call = Callable[[], object]

PACKAGE, KERNELS = "ladtl_np", "ladtl_np.kernels"


class Clock:
    """Seconds that passed inside kernels, by kernel."""

    def __init__(self) -> None:
        self.kernels: dict[str, float] = {}

    def timed(self, kernel: Any) -> Callable[..., Any]:
        """A kernel whose calls are counted."""
        name = kernel.py_func.__name__

        def call(*arguments: Any) -> Any:
            begin = time.perf_counter()
            result = kernel(*arguments)
            passed = time.perf_counter() - begin
            self.kernels[name] = self.kernels.get(name, 0.0) + passed
            return result

        return call

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Put timed kernels wherever Python calls kernels; what kernels call stays as it is."""
        replaced: list[tuple[ModuleType, str, Any]] = []
        for name, module in list(sys.modules.items()):
            if not name.startswith(PACKAGE) or name.startswith(KERNELS):
                continue
            for attribute, value in list(vars(module).items()):
                new = self._replacement(value)
                if new is not None:
                    replaced.append((module, attribute, value))
                    setattr(module, attribute, new)
        try:
            yield
        finally:
            for module, attribute, value in replaced:
                setattr(module, attribute, value)

    def _replacement(self, value: Any) -> Any:
        if isinstance(value, Dispatcher):
            return self.timed(value)
        if isinstance(value, ModuleType) and value.__name__.startswith(f"{KERNELS}."):
            names = vars(value).items()
            return SimpleNamespace(
                **{n: self.timed(v) if isinstance(v, Dispatcher) else v for n, v in names}
            )
        return None


class Recorder(Workers):
    """Workers that do every task at once, in order, and note what it took.

    The code around them is told of `threads` threads, so it makes as many shares as it would.
    """

    def __init__(self, threads: int, clock: Clock) -> None:
        super().__init__(1)
        self.threads, self.clock = threads, clock
        self.begin()

    def begin(self) -> None:
        """Forget what was recorded."""
        self.events: list[Main | Run | Start | Wait] = []
        self._needs: list[int] | None = None  # of the task that is being done
        self._number = 0
        self._resume()

    def end(self) -> Trace:
        """Everything since `begin`."""
        self._pause()
        return tuple(self.events)

    def run(self, *tasks: Callable[[], None]) -> None:
        """Do the tasks one after another."""
        if self._needs is not None:  # inside of a task, whose time it is
            for task in tasks:
                task()
            return
        self._pause()
        label = sys._getframe(1).f_code.co_name
        self.events.append(Run(label, tuple(self._timed(task)[0] for task in tasks)))
        self._resume()

    def start(self, task: Callable[[Any], Any]) -> Callable[[], Any]:
        """Do the task; what is returned notes who waits for it."""
        self._pause()
        number = self._number
        self._number += 1
        done, result = self._timed(lambda: self._with_memory(task))
        self.events.append(Start(number, done))
        self._resume()

        def wait() -> Any:
            if self._needs is not None:
                self._needs.append(number)
            else:
                self._pause()
                self.events.append(Wait(number))
                self._resume()
            return result

        return wait

    def _timed(self, task: Callable[[], Any]) -> tuple[Task, Any]:
        self._needs, before = [], dict(self.clock.kernels)
        begin = time.perf_counter()
        result = task()
        passed = time.perf_counter() - begin
        spent = self._spent(before)
        kernel, needs = sum(spent.values()), tuple(self._needs)
        self._needs = None
        label = max(spent, key=spent.__getitem__, default="")
        return Task(label, max(passed - kernel, 0.0), kernel, needs), result

    def _spent(self, before: dict[str, float]) -> dict[str, float]:
        now = self.clock.kernels
        return {name: now[name] - before.get(name, 0.0) for name in now}

    def _resume(self) -> None:
        self._before, self._since = dict(self.clock.kernels), time.perf_counter()

    def _pause(self) -> None:
        passed = time.perf_counter() - self._since
        spent = self._spent(self._before)
        label = max(spent, key=spent.__getitem__, default="")
        label = label if spent.get(label) else ""
        kernel = sum(spent.values())
        self.events.append(Main(label, max(passed - kernel, 0.0), kernel))


def record(make: Callable[[Recorder], Callable[[], object]], threads: int, rounds: int) -> Trace:
    """Median trace of what `make` returns, which works with the recorder that it is given."""
    clock = Clock()
    recorder = Recorder(threads, clock)
    call = make(recorder)
    call()
    traces = []
    with clock.watching():
        for _ in range(rounds):
            recorder.begin()
            call()
            traces.append(recorder.end())
    return tuple(_median(events) for events in zip(*traces, strict=True))


def _median(events: tuple[Any, ...]) -> Main | Run | Start | Wait:
    first = events[0]
    match first:
        case Main(label):
            return Main(label, *_medians(events))
        case Run(label, tasks):
            each = range(len(tasks))
            return Run(label, tuple(_median_task([e.tasks[n] for e in events]) for n in each))
        case Start(number):
            return Start(number, _median_task([event.task for event in events]))
    return first


def _median_task(tasks: list[Task]) -> Task:
    return Task(tasks[0].label, *_medians(tasks), tasks[0].needs)


def _medians(parts: Any) -> tuple[float, float]:
    return tuple(np.median([(part.python, part.kernel) for part in parts], axis=0).tolist())
