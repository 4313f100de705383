"""How long the program takes to start and to compile, each time in a fresh interpreter.

This module imports nothing heavy: the fresh interpreters import it too.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from ladtl_np.errors import LadtlError

__all__ = ["LIMITS", "compile_seconds", "environment", "fresh", "startup_samples"]

LIMITS: dict[str, float] = {"ladtl --help": 0.3, "first compile": 30.0}
"""Most seconds that are wanted."""

_CACHE = "NUMBA_CACHE_DIR"


def fresh(function: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Call a function in a new interpreter: wall seconds, its start included, and the result."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(function, arguments, there))
    with _empty_main_module():
        start = time.perf_counter()
        process.start()
    there.close()
    try:
        result = here.recv()
    except EOFError:
        raise LadtlError(f"a fresh interpreter failed in {function.__name__}") from None
    process.join()
    return time.perf_counter() - start, result


def _send(function: Callable[..., Any], arguments: tuple[Any, ...], there: Any) -> None:
    there.send(function(*arguments))


@contextmanager
def _empty_main_module() -> Iterator[None]:
    """Keep the fresh interpreter from importing the program that runs now."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def nothing() -> None:
    """What an interpreter alone costs, with the machinery that calls it."""


def show_help() -> str:
    """Run the installed program's ``--help``."""
    (program,) = entry_points(group="console_scripts", name="ladtl")
    sys.argv = ["ladtl", "--help"]
    printed = io.StringIO()
    with redirect_stdout(printed):
        try:
            program.load()()
        except SystemExit as end:
            if end.code:
                raise LadtlError(f"ladtl --help ended with code {end.code}") from None
    return printed.getvalue()


def import_package() -> float:
    """Seconds to import what a training run needs, Numba included."""
    start = time.perf_counter()
    import_module("ladtl_np.training.trainer")
    return time.perf_counter() - start


def warm() -> float:
    """Seconds of the warm-up in a new process: it compiles, or loads what is in the cache."""
    import_package()
    seconds: float = import_module("ladtl_np.training.warm_up").warm_up()
    return seconds


def compile_seconds() -> float:
    """Seconds to compile everything with an empty cache."""
    with tempfile.TemporaryDirectory() as folder, environment(**{_CACHE: folder}):
        seconds: float = fresh(warm)[1]
        return seconds


def startup_samples(rounds: int) -> dict[str, list[float]]:
    """Seconds of each way to start, once a round; the compilation only once, because it is long."""
    samples: dict[str, list[float]] = {
        "interpreter": [],
        "ladtl --help": [],
        "import": [],
        "second warm-up": [],
    }
    fresh(warm)  # fills the cache
    for _ in range(rounds):
        samples["interpreter"].append(fresh(nothing)[0])
        samples["ladtl --help"].append(fresh(show_help)[0])
        samples["import"].append(fresh(import_package)[1])
        samples["second warm-up"].append(fresh(warm)[1])
    samples["first compile"] = [compile_seconds()]
    return samples


@contextmanager
def environment(**variables: str | None) -> Iterator[None]:
    """Set variables for the interpreters that start meanwhile; None unsets one."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
