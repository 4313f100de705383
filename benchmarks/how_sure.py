"""What probabilities cost beside plain tagging: time for the same text, and for long sentences.

    python benchmarks/how_sure.py [--threads 1] [--repeats 7]

Tags the text of the two measured workloads with a model in memory, without probabilities, with
them, and with the best paths, in turns; prints medians and ratios.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter

from ladtl_np.arrays.workers import single_threaded_blas
from ladtl_np.bench.tagging_case import build_tagging_case
from ladtl_np.bench.workloads import WORKLOADS, build_case
from ladtl_np.model.tagging import Tagger

SENTENCES = 400
PATHS = (2, 10)


def ways(tagger: Tagger, sentences: list[list[str]]) -> dict[str, Callable[[], object]]:
    """What is timed."""
    found: dict[str, Callable[[], object]] = {
        "plain": lambda: list(tagger.tag(sentences)),
        "probabilities": lambda: list(tagger.sure(sentences)),
        "marginals": lambda: list(tagger.sure(sentences, marginals=True)),
    }
    for paths in PATHS:
        found[f"{paths} best"] = lambda paths=paths: list(tagger.sure(sentences, paths=paths))  # type: ignore[misc]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    for name, workload in WORKLOADS.items():
        case = build_tagging_case(build_case(workload), sentences=SENTENCES)
        sentences = [line.split() for line in case.lines]
        tagger = Tagger(case.model, threads=given.threads)
        timed: dict[str, list[float]] = {}
        with single_threaded_blas():
            for _ in range(given.repeats + 1):  # the first one warms up
                for way, call in ways(tagger, sentences).items():
                    start = perf_counter()
                    call()
                    timed.setdefault(way, []).append(perf_counter() - start)
        plain = median(timed["plain"][1:])
        print(f"{name}: {case.tokens:,} tokens, {workload.tags} tags, {given.threads} thread(s)")
        for way, seconds in timed.items():
            took = median(seconds[1:])
            print(f"  {way:14} {1e3 * took:8.1f} ms  {took / plain:5.2f} of plain")


if __name__ == "__main__":
    main()
