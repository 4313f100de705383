"""Plants the errors of planted_errors.toml, one at a time, and watches for a test that notices.

    python tests/planted_errors.py                  every error of the list
    python tests/planted_errors.py --kind files     those whose kind or file holds the word

An error that no test notices is a failure. Errors by rule are `mutation_lane.py`. As there, a test
runs in a forked process that finds the error in place of the module. What is not noticed so, and
what compiles and caches, is planted in a copy of the whole package: there compiled kernels have the
error, and programs that a test starts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mutation_pool import Watched, measured, run_all
from mutation_process import Error, Outcome
from mutation_watchers import GRADIENTS, PACKAGE, ROOT, WITHOUT, Watchers, watchers_of

COPIED = ("benchmarks", PACKAGE, "tests", "docs", "cli.py", "pyproject.toml", "README.md")
SECONDS = 600  # in the copy; kernels are compiled first


def listed() -> list[Watched]:
    """The errors of planted_errors.toml and those that audits plant, each with its test."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    audits = tomllib.loads((ROOT / PACKAGE / "audit" / "plants.toml").read_text("utf-8"))
    errors = [*table["error"], *({"kind": "plants of audits", **p} for p in audits["plant"])]
    watched = []
    for e in errors:
        module = e["file"].removeprefix(f"{PACKAGE}/")
        own = watchers_of(module).checks if e["test"] == GRADIENTS else None
        watched.append((Error(e["kind"], module, e["old"], e["new"]), Watchers((e["test"],), own)))
    return watched


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


def noticed_in(folder: Path, tests: tuple[str, ...]) -> str:
    """Name of the first test that fails in a copy, "" if all pass."""
    files = [f"tests/{test}.py" for test in tests]
    options = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *files],
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


def planted_in_copies(errors: list[Watched]) -> Iterator[tuple[Error, Outcome]]:
    """Plant each error in a copy of the package, one after the other."""
    for error, watchers in errors:
        with copied() as folder:
            begin, path = time.perf_counter(), folder / PACKAGE / error.module
            whole = path.read_text("utf-8")
            if whole.count(error.old) != 1:
                raise ValueError(f"{path} holds {whole.count(error.old)} times: {error.old!r}")
            path.write_text(whole.replace(error.old, error.new), "utf-8")
            seen = noticed_in(folder, watchers.files)
            yield error, Outcome(seen, time.perf_counter() - begin)


def planted(errors: list[Watched], jobs: int) -> Iterator[tuple[Error, Outcome]]:
    """Plant all errors, and yield what becomes of each."""
    here = [watched for watched in errors if watched[0].module not in WITHOUT]
    left = [watched for watched in errors if watched[0].module in WITHOUT]
    watchers = dict(errors)
    for error, outcome in run_all(here, measured(here), jobs):
        if outcome.seen_by:
            yield error, outcome
        else:
            left.append((error, watchers[error]))
    yield from planted_in_copies(left)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kind", default="", help="only those whose kind or file holds this")
    parser.add_argument("--jobs", type=int, default=2, help="errors at a time, a core each")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what was started, too
    word = options.kind
    errors = [each for each in listed() if word in each[0].rule or word in each[0].module]
    survivors, kinds = [], Counter(error.rule for error, _ in errors)
    for number, (error, (seen, took)) in enumerate(planted(errors, options.jobs), 1):
        if not seen:
            survivors.append(error)
        told = f"{error.module}: {' '.join(error.old.split())[:60]}"
        print(f"{number}/{len(errors)} {told}: {seen or 'SURVIVES'} ({took:.0f} s)", flush=True)
    print(f"\n{len(errors) - len(survivors)} of {len(errors)} planted errors were noticed")
    for kind, count in kinds.items():
        left = sum(error.rule == kind for error in survivors)
        print(f"  {kind}: {count - left} of {count}")
    for error in survivors:
        print(f"\nSURVIVES in {error.module} ({error.rule})\n- {error.old}\n+ {error.new}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
