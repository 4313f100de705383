"""A Dask scheduler and its workers as processes on this machine, which end with the test."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from programs import wait_for

if TYPE_CHECKING:
    import psutil  # comes with distributed, which need not be there

Process = subprocess.Popen[bytes]


class Run(NamedTuple):
    """A run under way: its folder, the worker that it belongs to, and its own process."""

    folder: Path
    worker: Process
    process: psutil.Process


class DaskProcesses:
    """A scheduler and workers, each with all of its children in a process group of its own.

    Used by `with`: whatever happens, everything has ended after it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.scheduler: Process
        self.workers: list[Process] = []
        self.address = ""
        self._all: list[tuple[Process, Path]] = []

    def __enter__(self) -> Self:
        self.folder.mkdir(exist_ok=True)
        try:
            self._start_scheduler(0)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process, _log in reversed(self._all):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start_scheduler(self, port: int) -> None:
        self.file.unlink(missing_ok=True)
        self.scheduler = self._start("scheduler", "--port", str(port))
        self.address = wait_for(self._read_address)

    def restart_scheduler(self) -> None:
        """Kill the scheduler, and start another one on its address."""
        address = self.address
        self.scheduler.kill()
        self.scheduler.wait()
        self._start_scheduler(int(address.rpartition(":")[2]))
        assert self.address == address

    def start_workers(self, *threads: int, nanny: bool = False) -> None:
        """Start a worker for each number of threads and wait until the scheduler knows them."""
        before = len(self._all)
        for count in threads:
            place = str(self.folder / f"worker-{len(self._all)}")
            options = ("--nthreads", str(count))
            kind = "--nanny" if nanny else "--no-nanny"
            worker = self._start("worker", kind, *options, "--local-directory", place)
            self.workers.append(worker)
        for _, log in self._all[before:]:
            wait_for(lambda log=log: b"Registered to" in log.read_bytes())

    def _start(self, kind: str, *options: str) -> Process:
        common = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(self.file))
        return self._open("-m", "dask", kind, *common, *options)

    def _open(self, *arguments: str) -> Process:
        path = self.folder / f"{len(self._all)}.log"
        with open(path, "wb") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments], stdout=log, stderr=log, start_new_session=True
            )
        self._all.append((process, path))
        return process

    def _read_address(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            return str(json.loads(self.file.read_bytes())["address"])
        return ""

    def runs(self) -> dict[Path, Process]:
        """Folder of each run under way, and who started it."""
        return {run.folder: run.worker for run in self._runs()}

    def writers(self, folder: Path) -> list[Process]:
        """Workers that have a file open in a folder."""
        import psutil

        found = []
        for worker in self.workers:
            with contextlib.suppress(psutil.Error):
                opened = psutil.Process(worker.pid).open_files()
                if any(Path(file.path).parent == folder for file in opened):
                    found.append(worker)
        return found

    def stop_run(self, ready: Callable[[Path], bool]) -> Run:
        """Wait until there is a run whose folder is `ready`, and stop its process, by SIGSTOP.

        So it is under way however long the test takes to go on. Whoever calls resumes it.
        """
        return wait_for(lambda: self._stopped(ready))  # type: ignore[no-any-return]

    def _stopped(self, ready: Callable[[Path], bool]) -> Run | None:
        import psutil

        for run in self._runs():
            with contextlib.suppress(psutil.Error):
                if ready(run.folder):
                    run.process.suspend()
                    if run in self._runs():  # it has not ended meanwhile
                        return run
                    run.process.resume()
        return None

    def _runs(self) -> list[Run]:
        """All runs under way, found by the locks that they hold."""
        import psutil

        found = []
        for worker in self.workers:
            with contextlib.suppress(psutil.Error):
                for process in psutil.Process(worker.pid).children(recursive=True):
                    for file in process.open_files():
                        if Path(file.path).name == ".lock":
                            found.append(Run(Path(file.path).parent, worker, process))
        return found


class AdaptiveCluster(DaskProcesses):
    """A scheduler that starts and retires up to two workers by itself, from none."""

    def _start_scheduler(self, port: int) -> None:
        program = Path(__file__).with_name("adaptive_cluster.py")
        self.scheduler = self._open(str(program), str(self.folder))
        self.workers = [self.scheduler]  # they are its children
        self.address = wait_for(self._read_address)

    def sizes(self) -> list[int]:
        """How many workers there were, each time that the number had changed."""
        return [int(number) for number in self._printed("workers")]

    def _read_address(self) -> str:
        return next(iter(self._printed("address")), "")

    def _printed(self, word: str) -> list[str]:
        lines = self._all[0][1].read_text("utf-8").split("\n")[:-1]
        return [line.split()[1] for line in lines if line.startswith(f"{word} ")]
