"""Runs tests on a module with an error in it, in a process that is forked from a warm one.

The error stands in no file: an import hook hands the changed source to the interpreter. Numba's
cache of compiled kernels therefore stays that of the sound sources. An error in a kernel must not
meet that cache: such tests run without compilation, as in the lane of `make test-all` that has
NUMBA_DISABLE_JIT=1, or compile into a folder of their own.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any, Literal, NamedTuple

import hypothesis  # noqa: F401  # what the tests import is imported once, before any fork
import msgspec  # noqa: F401
import numba
import numpy  # noqa: F401
import pytest
import scipy.special  # noqa: F401
from click import testing  # noqa: F401
from mutation_watchers import GRADIENTS, PACKAGE, ROOT, Watchers

PASSED, NOTHING_RAN = 0, 5
Mode = Literal["compiled", "plain", "compiled anew"]


class Error(NamedTuple):
    """One change of a module, given as a path below the package."""

    rule: str
    module: str
    old: str
    new: str


class Outcome(NamedTuple):
    """What the tests said."""

    seen_by: str  # the first test that failed, "" if all passed
    seconds: float


class _Changed(importlib.machinery.SourceFileLoader):
    """Loads a module from text in place of its file's."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self.text = text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.text, self.path, "exec", dont_inherit=True)


class _Hook(importlib.abc.MetaPathFinder):
    """Finds the one module whose text is changed."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        self.name, self.path, self.text = name, str(path), text

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname != self.name:
            return None
        loader = _Changed(fullname, self.path, self.text)
        return importlib.util.spec_from_file_location(fullname, self.path, loader=loader)


class _Told:
    """A plugin of pytest: leaves out other modules' gradient checks; tells failures and times."""

    def __init__(self, checks: tuple[str, ...] | None) -> None:
        self.checks, self.failed = checks, ""
        self.times: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        if self.checks is not None:
            items[:] = [item for item in items if self._is_ours(item)]

    def _is_ours(self, item: Any) -> bool:
        if item.path.stem != GRADIENTS:
            return True
        name = item.callspec.params.get("name", "") if hasattr(item, "callspec") else ""
        return str(name).startswith(tuple(f"{check}." for check in self.checks or ()))

    def pytest_runtest_logreport(self, report: Any) -> None:
        file, _, test = report.nodeid.partition("::")
        self.times[Path(file).stem] += report.duration
        if Path(file).stem == GRADIENTS:
            self.times[test.partition("[")[2].rstrip("]")] += report.duration
        if report.failed and not self.failed:
            self.failed = report.nodeid.removeprefix("tests/")

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = f"{report.nodeid} cannot be imported"


def changed(error: Error) -> str:
    """Text of the module with the error in it."""
    whole = (ROOT / PACKAGE / error.module).read_text("utf-8")
    if whole.count(error.old) != 1:
        raise ValueError(f"{error.module} holds {whole.count(error.old)} times: {error.old!r}")
    return whole.replace(error.old, error.new)


def _run(watchers: Watchers, told: _Told) -> int:
    files = [f"tests/{name}.py" for name in watchers.files]
    options = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    # Hypothesis comes with its own plugin, and is imported already
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*options, *files], [told]))


@contextmanager
def quiet_place() -> Iterator[Path]:
    """A folder for what tests write and print; removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start(error: Error | None, watchers: Watchers, mode: Mode, place: Path) -> int:
    """Fork a process that runs the tests; its number. What it found is a file in `place`."""
    if PACKAGE in sys.modules:
        raise RuntimeError(f"{PACKAGE} is imported already, and would stay as it is")
    number = os.fork()
    if number:
        return number
    code = 70
    try:
        os.setsid()
        os.chdir(ROOT)
        sys.path.insert(0, str(ROOT))  # so that no installed package is taken
        output = os.open(place / f"{os.getpid()}.out", os.O_CREAT | os.O_WRONLY, 0o600)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.environ |= {"PYTEST_DEBUG_TEMPROOT": str(place), "PYTHONPATH": str(ROOT)}
        if mode == "plain":
            os.environ["NUMBA_DISABLE_JIT"] = "1"
            numba.config.DISABLE_JIT = 1
        elif mode == "compiled anew":
            os.environ["NUMBA_CACHE_DIR"] = str(place / f"{os.getpid()}-cache")
        if error is not None:
            path = ROOT / PACKAGE / error.module
            name = ".".join((PACKAGE, *Path(error.module).with_suffix("").parts))
            sys.meta_path.insert(0, _Hook(name, path, changed(error)))
        told = _Told(watchers.checks)
        result = _run(watchers, told)
        seen = told.failed or ("" if result in (PASSED, NOTHING_RAN) else f"pytest: {result}")
        times = "".join(f"{name}\t{took}\n" for name, took in told.times.items())
        (place / f"{os.getpid()}.found").write_text(f"{seen}\n{times}", "utf-8")
        code = 0
    except BaseException:  # the process must not return to what its parent was doing
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def found(number: int, place: Path, begun: float, limit: float) -> Outcome | None:
    """The outcome of a process that has ended or takes longer than the limit; None before."""
    ended, status = os.waitpid(number, os.WNOHANG)
    took = time.perf_counter() - begun
    if not ended:
        if took < limit:
            return None
        stop(number)
        return Outcome("no end", took)
    if os.WIFSIGNALED(status):
        return Outcome(f"killed by signal {os.WTERMSIG(status)}", took)
    path = place / f"{number}.found"
    if not path.exists():
        return Outcome("the process ended at once", took)
    return Outcome(path.read_text("utf-8").split("\n")[0], took)


def awaited(number: int, place: Path, begun: float, limit: float = 3600.0) -> Outcome:
    """The outcome of a process, when it has one."""
    try:
        while (outcome := found(number, place, begun, limit)) is None:
            time.sleep(0.1)
    except BaseException:
        stop(number)
        raise
    return outcome


def times_of(number: int, place: Path) -> dict[str, float]:
    """Seconds that every test file took, and every gradient check."""
    rows = (place / f"{number}.found").read_text("utf-8").splitlines()[1:]
    return {name: float(took) for name, _, took in (row.partition("\t") for row in rows)}


def stop(number: int) -> None:
    """End a process and those that it has started."""
    os.killpg(number, signal.SIGKILL)
    os.waitpid(number, 0)
