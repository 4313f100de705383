"""Plants errors in a copy of the package, one at a time, and watches for a test that notices.

    python tests/planted_errors.py                  every error of planted_errors.toml
    python tests/planted_errors.py --kind files     those whose kind or file holds the word

An error that no test notices is a failure. Errors by rule are `mutation_lane.py`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("ladtl_np", "tests", "docs", "cli.py", "pyproject.toml", "README.md")
SECONDS = 300  # a mutant that runs for longer has been noticed


@dataclass(frozen=True)
class Error:
    """One change of one file, and the tests that should notice it."""

    kind: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def listed() -> list[Error]:
    """The errors of planted_errors.toml, and those that audits plant."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    found = [Error(e["kind"], e["file"], e["old"], e["new"], (e["test"],)) for e in table["error"]]
    audits = tomllib.loads((ROOT / "ladtl_np" / "audit" / "plants.toml").read_text("utf-8"))
    return found + [
        Error("plants of audits", f"ladtl_np/{p['file']}", p["old"], p["new"], (p["test"],))
        for p in audits["plant"]
    ]


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of what the tests need, with compiled kernels of its own."""
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        folder = Path(name)
        for part in COPIED:
            source = ROOT / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "results", "_build")
                shutil.copytree(source, folder / part, ignore=ignored)
            else:
                shutil.copy(source, folder / part)
        yield folder


def notices(folder: Path, tests: tuple[str, ...]) -> str:
    """Name of the first test that fails, "" if all pass."""
    files = [f"tests/{test}.py" for test in tests]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-m",
        "not slow",
        "-p",
        "no:cacheprovider",
        *files,
    ]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "no end"
    if done.returncode <= 0:
        return f"killed by signal {-done.returncode}" if done.returncode else ""
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if not failed:
        raise RuntimeError(f"the tests could not be run:\n{done.stdout}{done.stderr}")
    return failed[0].split(" - ")[0].removeprefix("FAILED ").removeprefix("ERROR ")


def plant(folder: Path, error: Error) -> str:
    """Which test notices an error; the copy is whole again afterwards."""
    path = folder / error.file
    whole = path.read_text("utf-8")
    if whole.count(error.old) != 1:
        raise ValueError(f"{error.file} holds {whole.count(error.old)} times: {error.old!r}")
    path.write_text(whole.replace(error.old, error.new), "utf-8")
    try:
        return notices(folder, error.tests)
    finally:
        path.write_text(whole, "utf-8")


def planted(errors: list[Error], jobs: int) -> list[Error]:
    """Plant all errors, `jobs` at a time and each in its own copy; returns those that survive."""
    every = tuple(dict.fromkeys(test for error in errors for test in error.tests))
    waiting = iter(enumerate(errors, 1))
    taking = Lock()

    def work() -> list[Error]:
        survivors = []
        with copied() as folder:
            if red := notices(folder, every):
                raise SystemExit(f"without any planted error this fails already: {red}")
            while True:
                with taking:
                    number, error = next(waiting, (0, None))
                if error is None:
                    return survivors
                begin = time.perf_counter()
                seen = plant(folder, error)
                if not seen:
                    survivors.append(error)
                took = time.perf_counter() - begin
                told = f"{error.file}: {' '.join(error.old.split())[:60]}"
                place = f"{number}/{len(errors)}"
                print(f"{place} {told}: {seen or 'SURVIVES'} ({took:.0f} s)", flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        workers = [pool.submit(work) for _ in range(jobs)]
        return [error for worker in workers for error in worker.result()]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kind", default="", help="only those whose kind or file holds this")
    parser.add_argument("--jobs", type=int, default=2, help="errors at a time, a core each")
    options = parser.parse_args()
    errors = [e for e in listed() if options.kind in e.kind or options.kind in e.file]
    survivors = planted(errors, options.jobs)
    caught = len(errors) - len(survivors)
    print(f"\n{caught} of {len(errors)} planted errors were noticed")
    for kind, count in Counter(error.kind for error in errors).items():
        left = sum(error.kind == kind for error in survivors)
        print(f"  {kind}: {count - left} of {count}")
    for error in survivors:
        print(f"\nSURVIVES in {error.file} ({error.kind})\n- {error.old}\n+ {error.new}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
