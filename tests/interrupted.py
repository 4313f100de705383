"""The program started on small files, waited for, signalled and killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

from conftest import CLI, write_corpus
from small_corpora import small_corpora

from ladtl_np.runs.names import BEST, LAST, METRICS
from ladtl_np.runs.replacing import current

__all__ = [
    "content",
    "hashes",
    "small_run",
    "start",
    "wait_for",
    "wait_for_another",
    "written",
]


def small_run(folder: Path, steps: int = 150) -> list[str]:
    """Arguments of a run of a second or two, on files that are written into a folder."""
    corpora = small_corpora()
    assert corpora.source is not None
    assert corpora.dev is not None
    roles = {"source": corpora.source, "target": corpora.target, "dev": corpora.dev}
    roles["test"] = corpora.tests[0]
    files = [(role, write_corpus(folder / f"{role}.txt", c)) for role, c in roles.items()]
    options = {"model.hidden": 6, "model.embedding": 8, "training.evaluate_every": 20}
    settings = [word for key, value in options.items() for word in ("--set", f"{key}={value}")]
    named = [word for role, path in files for word in (f"--{role}", path)]
    return ["train", *named, *settings, "--steps", str(steps), "--threads", "1"]


def start(*arguments: object) -> subprocess.Popen[bytes]:
    """Start the program, in a process group of its own."""
    command = [sys.executable, str(CLI), *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, start_new_session=True)


def wait_for(path: Path, run: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
    """Wait until a file is there or the program has ended."""
    end = time.monotonic() + seconds
    while not path.exists() and run.poll() is None and time.monotonic() < end:
        time.sleep(0.005)


def wait_for_below(folder: Path, name: str, run: subprocess.Popen[bytes]) -> None:
    """The same of a file of that name anywhere below a folder, whose folders come and go."""
    end = time.monotonic() + 60.0
    while run.poll() is None and time.monotonic() < end:
        if any(name in files for _, _, files in os.walk(folder)):  # no error for what has gone
            return
        time.sleep(0.005)


def wait_for_another(path: Path, before: int, run: subprocess.Popen[bytes]) -> None:
    """Wait until a file is newer than one of that time, or the program has ended."""
    end = time.monotonic() + 60.0
    while run.poll() is None and time.monotonic() < end and written(path) == before:
        time.sleep(0.005)


def written(path: Path) -> int:
    """When a file was written, 0 if there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def content(out: Path) -> tuple[bytes, bytes, list[list[str]]]:
    """Both models of a run as a reader finds them, and its metrics without the columns of time."""
    metrics = current(out, METRICS).read_text("utf-8")
    rows = [line.split("\t")[:-2] for line in metrics.splitlines()]
    return current(out, BEST).read_bytes(), current(out, LAST).read_bytes(), rows


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in a folder that is not hidden, and of none below it."""
    return {
        path.name: sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".")
    }
