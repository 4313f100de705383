"""Plain threads over kernels that release the GIL, and BLAS kept at one thread inside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from threading import local
from typing import TypeVar

from threadpoolctl import ThreadpoolController

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.team import Task, Team

__all__ = ["Task", "Workers", "single_threaded_blas"]

T = TypeVar("T")


class Workers:
    """Run independent tasks on a fixed number of threads.

    Tasks never share an output, so the bytes of a result do not depend on the number of threads.

    Parameters
    ----------
    threads
        1 runs every task in the caller's thread.

    Attributes
    ----------
    memory
        Where a step's arrays come from; whoever starts a step calls ``memory.reuse()``.
    """

    def __init__(self, threads: int = 1) -> None:
        if threads < 1:
            raise ValueError(f"threads must be at least 1, got {threads}")
        self.threads = threads
        self.memory = Memory()
        self._own = local()
        self._background: ThreadPoolExecutor | None = None
        self._team = Team(threads - 1) if threads > 1 else None

    def run(self, *tasks: Task) -> None:
        """Run all tasks and return when the last has ended; the first error is raised.

        A thread that has ended a task takes the next, so give the longest first.
        """
        if self._team is None or len(tasks) < 2:
            for task in tasks:
                task()
            return
        self._team.run(tasks)

    def start(self, task: Callable[[Memory], T]) -> Callable[[], T]:
        """Begin a task on a thread with a memory of its own; what is returned waits for its result.

        With one thread the task is done at once.
        """
        if self.threads == 1:
            result = self._with_memory(task)
            return lambda: result
        if self._background is None:
            self._background = ThreadPoolExecutor(self.threads)
        return self._background.submit(self._with_memory, task).result

    def _with_memory(self, task: Callable[[Memory], T]) -> T:
        memory: Memory | None = getattr(self._own, "memory", None)
        if memory is None:
            memory = self._own.memory = Memory()
        memory.reuse()
        return task(memory)


@cache
def _controller() -> ThreadpoolController:
    """Every BLAS of this process; looking for them takes a millisecond, so it is done once.

    Kernels call the BLAS of SciPy, which is loaded at their first product: too late to be found
    by a search before it, so it is loaded here.
    """
    import_module("scipy.linalg.cython_blas")
    return ThreadpoolController()


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Keep every BLAS at one thread: ours are the only threads, and sums keep their order."""
    with _controller().limit(limits=1, user_api="blas"):
        yield
