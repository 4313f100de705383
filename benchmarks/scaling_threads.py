"""What more cores than there are would give a training step and tagging, by simulation.

    python benchmarks/scaling_threads.py docs/results/scaling_threads.md

One thread does what the code would give to 1, 2, ... 64 threads, and every task is timed
(simulated/traces.py). The tasks are then put on as many cores in the order in which the code gives
them (simulated/schedule.py). For 1 and 2 threads the prediction is compared with the clock.
"""

from __future__ import annotations

import argparse
import textwrap
import time
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from simulated.cases import Study, studies
from simulated.changes import with_products_apart, without_python
from simulated.schedule import Machine, Run, Trace, chain, seconds, timeline, work
from simulated.traces import Call, record

from ladtl_np.arrays.processors import allowed
from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.bench.machine import machine
from ladtl_np.bench.peaks import copy_rate, matrix_product_peak
from ladtl_np.kernels.instruction_set import INSTRUCTIONS

CORES = (1, 2, 4, 8, 16, 64)
ROUNDS = 7
COPIED = 2**28  # bytes that the memory is measured with
CROWD = 8  # threads that are measured on the cores there are, beside one and two
MEASURED = (1, 2, CROWD)

WORDS = {
    "encoder_forward": "embeddings, dropout, norm of the weights",
    "bilstm_forward": "LSTM, two directions, way there",
    "loss_step": "two heads, and the MMD",
    "mmd_backward": "MMD's gradient to its rows",
    "bilstm_backward": "LSTM, two directions, way back",
    "update": "AdaGrad",
}
"""What the functions that call `Workers.run` do; others stand with their own name."""
MAIN = "the main thread alone"


class Facts(NamedTuple):
    """What is measured of the machine: GFLOP/s of one and two threads, seconds, bytes a second."""

    one: float
    two: float
    wake: float
    hand_over: float
    bandwidth: float

    def machine(self, cores: int) -> Machine:
        """The same cores, more of them."""
        return Machine(cores, self.two / (2 * self.one), self.wake, self.hand_over)


def median_seconds(*calls: Call, rounds: int) -> list[float]:
    """Median seconds of each call, in turns; what the first two rounds took does not count."""
    samples: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds + 2):
        for call, taken in zip(calls, samples, strict=True):
            begin = time.perf_counter()
            call()
            taken.append(time.perf_counter() - begin)
    return [float(np.median(taken[2:])) for taken in samples]


def measure_machine() -> Facts:
    """Peaks, what waking a thread costs, and how fast memory is copied by two threads."""

    def nothing() -> None:
        pass

    two, many = Workers(2), Workers(9)
    (wake,) = median_seconds(partial(two.run, nothing, nothing), rounds=300)
    (nine,) = median_seconds(partial(many.run, *[nothing] * 9), rounds=300)
    one, both = (matrix_product_peak(threads) for threads in (1, 2))
    return Facts(one, both, wake, max(nine - wake, 0.0) / 7, 1e9 * copy_rate(COPIED, 2))


def limit(trace: Trace, on: Machine, predicted: float, memory: float) -> str:
    """The bound that the prediction is nearest to, and how near where it is not reached."""
    python, kernel = work(trace)
    rate = on.shared_rate if on.cores > 1 else 1.0
    bounds = {
        "all cores compute": (python + kernel) / on.cores / rate,
        "the longest chain": chain(trace) / rate,
        "Python": python,
        "memory": memory,
    }
    name = max(bounds, key=bounds.__getitem__)
    near = 100 * bounds[name] / predicted
    return name if near > 99 else f"{name}, {near:.0f} %"


def study_lines(study: Study, facts: Facts) -> list[str]:
    """One number of cores a row; below them the phases of a step."""
    memory = study.moved / facts.bandwidth
    times = median_seconds(*map(study.real, MEASURED), rounds=2 * ROUNDS)
    clock = dict(zip(MEASURED, times, strict=True))
    traces = {cores: record(partial(study.make, cores), cores, ROUNDS) for cores in CORES}
    training = any(isinstance(event, Run) for event in traces[1])
    lines = [
        "| cores | predicted, ms | times as fast | measured, ms | error | cores busy | limit "
        f"| without Python |{' products apart |' * training}",
        "|--:|--:|--:|--:|--:|--:|---|--:|" + "--:|" * training,
    ]
    alone, phases = seconds(traces[1], facts.machine(1)), {}
    for cores, trace in traces.items():
        on = facts.machine(cores)
        predicted = max(seconds(trace, on), memory)
        phases[cores] = by_phase(trace, on)
        others = [without_python(trace)]
        others += [with_products_apart(trace, cores, study.sizes)] * training
        would_be = " | ".join(f"{alone / max(seconds(each, on), memory):.1f}" for each in others)
        lines.append(
            f"| {cores} | {1e3 * predicted:.1f} | {alone / predicted:.2f} "
            f"| {measured(clock, cores, predicted)} "
            f"| {100 * sum(work(trace)) / (cores * predicted):.0f} % "
            f"| {limit(trace, on, predicted, memory)} | {would_be} |"
        )
    python, kernel = work(traces[1])
    told = (
        f"{study.tokens:,} tokens. Of {1e3 * (python + kernel):.0f} ms on one thread Python takes "
        f"{1e3 * python:.1f}. {study.moved / 1e6:,.0f} MB go through memory at most, which takes "
        f"two threads {1e3 * memory:.1f} ms. {CROWD} threads on {allowed()} cores took "
        f"{1e3 * clock[CROWD]:.1f} ms, {100 * (clock[CROWD] / clock[2] - 1):+.0f} % beside two."
    )
    told = textwrap.fill(told, 100)
    return [f"## {study.title}", "", told, "", *lines, "", *(phase_lines(phases) * training)]


def measured(clock: Mapping[int, float], cores: int, predicted: float) -> str:
    """Milliseconds of the clock and the error of the prediction, where there are as many cores."""
    if cores > allowed() or cores not in clock:
        return " | "
    return f"{1e3 * clock[cores]:.1f} | {100 * (predicted / clock[cores] - 1):+.0f} %"


def by_phase(trace: Trace, on: Machine) -> dict[str, float]:
    """Seconds that the main thread spends in each phase; its own work is one."""
    found: dict[str, float] = defaultdict(float)
    for event, (label, passed) in zip(trace, timeline(trace, on), strict=True):
        found[WORDS.get(label, label) if isinstance(event, Run) else MAIN] += passed
    return dict(found)


def phase_lines(phases: Mapping[int, Mapping[str, float]]) -> list[str]:
    """Milliseconds of each phase by number of cores."""
    lines = ["| phase, ms | " + " | ".join(map(str, CORES)) + " |", "|---|" + "--:|" * len(CORES)]
    for name in sorted(phases[1], key=lambda name: name == MAIN):
        values = " | ".join(f"{1e3 * phases[cores].get(name, 0.0):.2f}" for cores in CORES)
        lines.append(f"| {name} | {values} |")
    return [*lines, ""]


def page() -> str:
    """Measure everything and return it as Markdown."""
    with single_threaded_blas():
        facts = measure_machine()
        lines = [line for study in studies() for line in study_lines(study, facts)]
    known = machine()
    return "\n".join(
        [
            "# More threads than two, simulated",
            "",
            "Written by `benchmarks/scaling_threads.py`. [More than two",
            "threads](../performance.md#more-than-two-threads) says what it means.",
            "",
            f"* Machine: {known['cpu']}, {known['cores']} cores, {INSTRUCTIONS.name}.",
            f"* Products: {facts.one:.0f} GFLOP/s on one thread, {facts.two:.0f} on two. So a core",
            f"  beside busy ones has {100 * facts.machine(2).shared_rate:.0f} % of its speed.",
            f"* A thread has begun {1e6 * facts.wake:.0f} µs after it was given a task; to give it "
            f"takes {1e6 * facts.hand_over:.1f} µs.",
            f"* Memory: {facts.bandwidth / 1e9:.0f} GB/s copied by two threads, taken for all.",
            "",
            *lines,
        ]
    )


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=Path, nargs="?", help="the Markdown file to write")
    given = parser.parse_args()
    (given.page or Path("/dev/stdout")).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
