"""Plants many errors, some at a time, each against its tests in the order of their times."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from mutation_process import (
    Error,
    Mode,
    Outcome,
    awaited,
    found,
    quiet_place,
    start,
    stop,
    times_of,
)
from mutation_watchers import GRADIENTS, Watchers

SECONDS = 300.0  # an error with which the tests run for longer has been noticed

Watched = tuple[Error, Watchers]
Times = dict[Mode, dict[str, float]]
"""Seconds of every test file and gradient check."""


def mode_of(module: str) -> Mode:
    """How the tests of a module run: an error in a kernel must reach its code.

    Kernels run without compilation. Below them stands what writes machine code itself, or is only
    taken when others are compiled.
    """
    if module.startswith("kernels/algebra/"):
        return "compiled anew"
    return "plain" if module.startswith("kernels/") else "compiled"


def measured(errors: Sequence[Watched], kept: Path | None = None) -> Times:
    """Times of the tests on the sound package; refuses if one of them fails.

    Those of a former run are taken from a file, if it is there.
    """
    if kept and kept.exists():
        return dict(json.loads(kept.read_text()))
    times = {}
    for mode in get_args(Mode):
        own = [watchers for error, watchers in errors if mode_of(error.module) == mode]
        files = tuple(dict.fromkeys(file for watchers in own for file in watchers.files))
        if files:
            times[mode] = _of_sound_package(files, mode)
    if kept:
        kept.write_text(json.dumps(times))
    return times


def _of_sound_package(files: tuple[str, ...], mode: Mode) -> dict[str, float]:
    print(f"{len(files)} test files on the sound package, {mode} ...", flush=True)
    with quiet_place() as place:
        begun = time.perf_counter()
        number = start(None, Watchers(files), mode, place)
        outcome = awaited(number, place, begun)
        if outcome.seen_by:
            print((place / f"{number}.out").read_text("utf-8")[-5000:])
            raise SystemExit(f"without any error this fails already: {outcome.seen_by}")
        return times_of(number, place)


def run_all(errors: Sequence[Watched], times: Times, jobs: int) -> Iterator[tuple[Error, Outcome]]:
    """Plant all errors, so many at a time, and yield what becomes of each."""
    waiting, running = iter(errors), {}
    has_seen: dict[str, Counter[str]] = defaultdict(Counter)  # of each module, by test file
    with quiet_place() as place:
        try:
            while True:
                while len(running) < jobs and (watched := next(waiting, None)) is not None:
                    error, watchers = watched
                    mode = mode_of(error.module)
                    own = in_order(watchers, times.get(mode, {}), has_seen[error.module])
                    running[start(error, own, mode, place)] = (error, time.perf_counter())
                if not running:
                    return
                time.sleep(0.05)
                for number, (error, begun) in list(running.items()):
                    outcome = found(number, place, begun, SECONDS)
                    if outcome is not None:
                        del running[number]
                        has_seen[error.module][outcome.seen_by.partition(".py")[0]] += 1
                        yield error, outcome
        finally:
            for number in running:
                stop(number)


def in_order(watchers: Watchers, times: dict[str, float], has_seen: Counter[str]) -> Watchers:
    """First the tests that have seen the module's other errors, then the quickest.

    Of the gradient checks those count that run.
    """
    took = dict(times)
    if watchers.checks is not None:
        starts = tuple(f"{check}." for check in watchers.checks)
        took[GRADIENTS] = sum(each for name, each in times.items() if name.startswith(starts))
    files = sorted(watchers.files, key=lambda file: (-has_seen[file], took.get(file, 0.0)))
    return watchers._replace(files=tuple(files))
