"""Errors planted to show that an audit sees them: `check_plants` and `planted_audit`.

A planted error never stands in a file. A fresh process puts an import hook in front of the module
that it belongs to, before anything of the mathematics is imported; the hook hands out the changed
source, and no bytecode of it is written. Changed kernels must not reach the compile cache, whose
key is the sources on disk. So for a kernel that process does not compile at all: the small audit
takes 5 s without compilation, against 19 s to compile it. Only on a model of real size, where that
would take hours, it compiles, into a folder of its own that goes with it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from ladtl_np.audit.defaults import SENTENCES
from ladtl_np.audit.outcome import Audit, Line, Tell, noted
from ladtl_np.audit.plants import PACKAGE, Plant, plants
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.errors import DataError, LadtlError, UsageError
from ladtl_np.runs.signals import without_interrupts

if TYPE_CHECKING:
    from ladtl_np.audit.subject import Subject

__all__ = ["Looked", "check_plants", "planted_audit"]

PROCESSES = 2
"""Side by side."""
_ABOUT = (
    "Each error is put into a process of its own, and never into a file. A line has passed if the "
    "audit fails because of the error; it says which check was the first to see it."
)


class Looked(NamedTuple):
    """What a planted error is looked for on, as plain values that a fresh process can read.

    Attributes
    ----------
    model
        A model file; a run's folder where there are no corpora.
    corpora
        Files in the target's tags.
    source
        A file in the source's tags, "" for none.
    reading
        How the files are read.
    vocabulary_key
        File of a key, "" for none.
    """

    model: str
    corpora: tuple[str, ...] = ()
    source: str = ""
    reading: ReadOptions = ReadOptions()
    vocabulary_key: str = ""


def check_plants(
    names: Sequence[str] = (),
    *,
    on: Looked | None = None,
    processes: int = PROCESSES,
    seed: int = 0,
    tell: Tell | None = None,
) -> Audit:
    """Plant errors one at a time, and see whether the audits notice each.

    Parameters
    ----------
    names
        Of the errors; none is all.
    on
        A model and sentences; None is the demo.
    processes
        Side by side.
    seed
        As of the audits.
    tell
        Is told how many are done, and of how many.

    Returns
    -------
    Audit
        A line for each error, which has passed if the error was noticed, with what noticed it.

    Raises
    ------
    UsageError
        If a name is none of them, or the mathematics is imported by whatever starts a process.
    """
    chosen = [plant_of(name) for name in names] or list(plants().values())
    found: dict[str, list[Line]] = {}
    for done, (plant, seen) in enumerate(_planted(chosen, on, seed, processes), 1):
        found[plant.name] = seen
        if tell is not None:
            tell(done, len(chosen))
    lines = [_noticed(plant, found[plant.name]) for plant in chosen]
    return Audit("plants", "Planted errors", lines, [_ABOUT])


def planted_audit(name: str, *, on: Looked | None = None, seed: int = 0) -> Audit:
    """The audit of the demo, or of a model, with one error planted: it fails if it notices.

    Raises
    ------
    UsageError
        If there is no such error.
    """
    plant = plant_of(name)
    ((_, lines),) = _planted([plant], on, seed, 1)
    notes = [
        f"Planted in {plant.file}: {plant.tells}",
        f"there was: {' '.join(plant.old.split())}",
        f"there is: {' '.join(plant.new.split())}",
    ]
    return Audit(plant.audit, f"Audit with {name} planted", lines, notes)


def _planted(
    chosen: Sequence[Plant], on: Looked | None, seed: int, processes: int
) -> Iterator[tuple[Plant, list[Line]]]:
    """Each error with what the audit found, as they come; a process for each, so many at a time.

    An error or interrupt ends those at work. Ctrl-C reaches this process alone. What kernels are
    compiled into goes at the end.
    """
    waiting = deque(chosen)
    running: dict[Connection, tuple[Plant, BaseProcess]] = {}
    with tempfile.TemporaryDirectory(prefix="ladtl-planted-") as folder:
        try:
            while waiting or running:
                while waiting and len(running) < processes:
                    plant = waiting.popleft()
                    receiving, process = _start(plant.name, on, seed, folder)
                    running[receiving] = plant, process
                for connection in wait(list(running)):
                    assert isinstance(connection, Connection)
                    plant, process = running.pop(connection)
                    yield plant, _result(plant, connection, process)
        finally:
            for connection, (_, process) in running.items():
                process.terminate()
                process.join()
                connection.close()


def _start(name: str, on: Looked | None, seed: int, folder: str) -> tuple[Connection, BaseProcess]:
    """Start the process of an error; the other end of the connection has what it found."""
    context = get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    own = os.path.join(folder, name)
    process = context.Process(target=_work, args=(name, on, seed, own, sending), daemon=True)
    with without_interrupts():
        process.start()
    sending.close()  # the process has the only other end: when it is gone, reading ends
    return receiving, process


def _result(plant: Plant, connection: Connection, process: BaseProcess) -> list[Line]:
    try:
        found: list[Line] | tuple[int, str] = connection.recv()
    except (EOFError, OSError):
        process.join()
        raise LadtlError(
            f"the process with {plant.name} planted ended with code {process.exitcode} and without "
            "a result; was there not enough memory?"
        ) from None
    process.join()
    connection.close()
    if isinstance(found, list):
        return found
    kinds = {kind.exit_code: kind for kind in (LadtlError, DataError, UsageError)}
    code, message = found
    raise kinds.get(code, LadtlError)(message)


def _work(name: str, on: Looked | None, seed: int, folder: str, sending: Connection) -> None:
    """In a fresh process: send the lines of an audit, or exit code and message of an error."""
    try:
        sending.send(_look(name, on, seed, folder))
    except LadtlError as error:
        sending.send((error.exit_code, str(error)))


def plant_of(name: str) -> Plant:
    """The error of a name.

    Raises
    ------
    UsageError
        If there is none.
    """
    if name not in plants():
        raise UsageError(f"no planted error {name!r}; there are: {', '.join(plants())}")
    return plants()[name]


def _noticed(plant: Plant, lines: list[Line]) -> Line:
    """Whether an audit noticed an error, and where first."""
    failed = [line for line in lines if line.verdict == "failed"]
    check = f"{plant.name} ({plant.file})"
    if not failed:
        return Line(check, "nobody noticed", "a failed check", "failed", plant.tells)
    # a line of one side says which side is wrong, one that compares both does not
    own = [line for line in failed if line.check.startswith(("kernels: ", "reference: "))]
    first = (own or failed)[0]
    told = f"{first.check}: {first.found}"
    return Line(check, f"{len(failed)} checks failed", "a failed check", "passed", told)


def _look(name: str, on: Looked | None, seed: int, folder: str) -> list[Line]:
    """In a fresh process: plant an error, then audit. The audit may stop with an error."""
    plant = plant_of(name)
    if plant.module in sys.modules:
        raise UsageError(
            "the mathematics is imported already when a process starts; let your script's own work "
            'stand under if __name__ == "__main__"'
        )
    if plant.compiled:
        name, value = ("NUMBA_DISABLE_JIT", "1") if on is None else ("NUMBA_CACHE_DIR", folder)
        os.environ[name] = value
    sys.meta_path.insert(0, _Finder(plant))
    try:
        return _lines(plant, on, seed)
    except LadtlError:
        raise
    except Exception as error:
        stopped = f"{type(error).__name__}: {error}"
        return [Line("the audit stopped", stopped, "an end", "failed")]


def _lines(plant: Plant, on: Looked | None, seed: int) -> list[Line]:
    from ladtl_np.audit.equations.check import check_equations
    from ladtl_np.audit.gradients import check_gradients

    subject = _subject(on, seed)
    if plant.module not in sys.modules:
        return [noted(plant.name, "not reached", "the audit does not import what it stands in")]
    if plant.audit == "equations":
        return check_equations(subject, sentences=SENTENCES, seed=seed).lines
    # in a small place an error shows as well as in a large one
    return check_gradients(subject, coordinates=1, directions=0, seed=seed).lines


def _subject(on: Looked | None, seed: int) -> Subject:
    from ladtl_np.audit.annotated import joined
    from ladtl_np.audit.subject import demo_subject, model_subject, run_subject
    from ladtl_np.corpus.read import read_corpus
    from ladtl_np.model.file import load_model

    if on is None:
        return demo_subject(seed)
    if not on.corpora:
        return run_subject(on.model)
    target = joined([read_corpus(path, on.reading) for path in on.corpora])
    source = read_corpus(on.source, on.reading) if on.source else None
    return model_subject(load_model(on.model, on.vocabulary_key or None), target, source)


class _Finder(MetaPathFinder):
    """Finds the one module that an error is planted in."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.plant.module:
            return None
        file = str(PACKAGE / self.plant.file)
        return spec_from_file_location(fullname, file, loader=_Loader(self.plant, file))


class _Loader(SourceLoader):
    """Loads its source with the error in it; a loader without file times writes no bytecode."""

    def __init__(self, plant: Plant, file: str) -> None:
        self.plant, self.file = plant, file

    def get_filename(self, fullname: str) -> str:
        return self.file

    def get_data(self, path: str | bytes) -> bytes:
        with open(path, encoding="utf-8") as stream:
            return self.plant.planted(stream.read()).encode("utf-8")
