"""A Dask scheduler and its workers as processes on this machine, which end with the test."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from programs import wait_for

Process = subprocess.Popen[bytes]


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
            self.scheduler = self._start("scheduler", "--port", "0")
            self.address = wait_for(self._read_address)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process, _log in reversed(self._all):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def start_workers(self, *threads: int, nanny: bool = False) -> None:
        """Start a worker for each number of threads and wait until the scheduler knows them."""
        before = len(self._all)
        for count in threads:
            place = str(self.folder / f"worker-{len(self._all)}")
            options = ("--nthreads", str(count), "--death-timeout", "10")
            kind = "--nanny" if nanny else "--no-nanny"
            worker = self._start("worker", kind, *options, "--local-directory", place)
            self.workers.append(worker)
        for _, log in self._all[before:]:
            wait_for(lambda log=log: b"Registered to" in log.read_bytes())

    def _start(self, kind: str, *options: str) -> Process:
        common = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(self.file))
        path = self.folder / f"{len(self._all)}.log"
        with open(path, "wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", kind, *common, *options],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._all.append((process, path))
        return process

    def _read_address(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            return str(json.loads(self.file.read_bytes())["address"])
        return ""

    def runs(self) -> dict[Path, Process]:
        """Folder of each run under way, found by the lock that it holds, and who started it."""
        import psutil

        found = {}
        for worker in self.workers:
            with contextlib.suppress(psutil.Error):
                for process in psutil.Process(worker.pid).children(recursive=True):
                    for file in process.open_files():
                        if Path(file.path).name == ".lock":
                            found[Path(file.path).parent] = worker
        return found
