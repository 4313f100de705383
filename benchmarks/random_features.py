"""The MMD by random features beside the exact one: time and error, as a table of Markdown.

    python benchmarks/random_features.py [--rows 100 1000 10000] [--threads 2] [--kernel median]

Rows are invented hidden states: tanh of 20 hidden causes, seen through a random matrix, with the
target's causes moved a little. Half of the rows are the source's. Errors are means over seeds of
the frequencies; the error of the gradient is the length of the difference, of the exact one's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from ladtl_np.arrays.workers import Workers
from ladtl_np.layers.mmd import RowPair, mmd_backward, mmd_forward
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES, median_variances
from ladtl_np.layers.random_features import feature_mmd_forward, random_frequencies
from ladtl_np.shapes import Floats

WIDTH, CAUSES, SEEDS = 200, 20, 3
COUNTS = WIDTH, 2 * WIDTH, 4 * WIDTH
LEAST = 0.5  # seconds that are measured for each number


def invented(rows: int) -> Floats:
    rng = np.random.default_rng(0)
    mixing = rng.normal(0.0, 0.12, (CAUSES, WIDTH))
    causes = rng.normal(size=(rows, CAUSES))
    causes[rows // 2 :, :3] += 0.8
    return np.tanh(causes @ mixing).astype(np.float32)


def timed(call: Callable[[], object]) -> float:
    """Median seconds of a call that has been made once before."""
    found, begin = [], time.perf_counter()
    while not found or time.perf_counter() - begin < LEAST:
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return float(np.median(found))


class Case:
    """A pair of samples, and both ways to compare them."""

    def __init__(self, rows: int, kernel: str, threads: int) -> None:
        self.hidden, half = invented(rows), rows // 2
        self.pair = RowPair(0, np.arange(half), np.arange(half, rows))
        median = median_variances(self.hidden[:half], self.hidden[half:])
        self.variances = median if kernel == "median" else REFERENCE_VARIANCES
        self.workers = Workers(threads)

    def whole(self, *frequencies: Floats) -> tuple[float, Floats]:
        """Value and gradient, exact without frequencies."""
        self.workers.memory.reuse()
        forward = feature_mmd_forward if frequencies else mmd_forward
        values, cache = forward(
            self.hidden, [self.pair], [self.variances], *frequencies, self.workers
        )
        dhidden = np.zeros_like(self.hidden)
        mmd_backward(dhidden, np.ones(1), cache, self.workers)
        return float(values[0]), dhidden

    def line(self) -> list[str]:
        """A line of the table."""
        value, gradient = self.whole()
        cells = [f"{len(self.hidden):,}", f"{1000 * timed(self.whole):,.2f}"]
        for count in COUNTS:
            errors = []
            for seed in range(SEEDS):
                W = random_frequencies(np.random.default_rng(seed), count, WIDTH)
                found, dhidden = self.whole(W)
                slope = np.linalg.norm(dhidden - gradient) / np.linalg.norm(gradient)
                errors.append((abs(found / value - 1), slope))
            cells.append(f"{1000 * timed(partial(self.whole, W)):,.2f}")
            cells += [f"{100 * error:.1f} %" for error in np.mean(errors, axis=0)]
        return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 300, 1000, 3000, 10_000])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kernel", choices=("reference", "median"), default="reference")
    options = parser.parse_args()
    told = " | ".join(f"{count}: ms | value | gradient" for count in COUNTS)
    print(f"| rows | exact: ms | {told} |\n|{'---|' * (2 + 3 * len(COUNTS))}")
    for rows in options.rows:
        print(f"| {' | '.join(Case(rows, options.kernel, options.threads).line())} |", flush=True)


if __name__ == "__main__":
    main()
