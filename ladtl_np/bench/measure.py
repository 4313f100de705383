"""Medians and quartiles of two ways to do a thing, measured in turns."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ladtl_np.arrays.workers import single_threaded_blas

__all__ = ["Part", "Spread", "Timed", "interleave", "spread_of"]

Timed = Callable[[], object]

SAMPLE_SECONDS = 0.005  # a shorter call is repeated, and its sample is the mean
MOST_CALLS = 500
SETTLE_SECONDS = 0.01  # idle threads of the side before stop spinning in this time


def _as_it_is(result: Any) -> Any:
    return result


class Part(NamedTuple):
    """Something to be timed on one side."""

    call: Timed
    view: Callable[[Any], Any] = _as_it_is  # its result in the form that both sides compare


class Spread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds of one call: median and quartiles of the rounds."""

    median: float
    low: float  # first quartile
    high: float  # third quartile
    rounds: int

    def overlaps(self, other: Spread) -> bool:
        """Whether the quartile ranges have a value in common."""
        return self.low <= other.high and other.low <= self.high


def spread_of(samples: list[float]) -> Spread:
    """Median and quartiles of samples in seconds."""
    low, median, high = np.quantile(samples, [0.25, 0.5, 0.75]).tolist()
    return Spread(median, low, high, len(samples))


def interleave(sides: Mapping[str, Timed], rounds: int) -> dict[str, Spread]:
    """Time every side once a round, so that a drift of the machine meets all of them.

    The first call of each side is not timed: it compiles, or loads, or allocates. In a round each
    side waits until the threads of the one before are asleep, refills the caches with one call if
    that is cheap, and is then timed over as many calls as make a sample of some milliseconds.

    Parameters
    ----------
    sides
        What to call, by name.
    rounds
        Samples of each side, at least 1.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    with _undisturbed():
        calls = {name: _calls(side) for name, side in sides.items()}
        samples: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, side in sides.items():
                time.sleep(SETTLE_SECONDS)
                if calls[name] > 1:
                    side()
                samples[name].append(_seconds(side, calls[name]))
    return {name: spread_of(values) for name, values in samples.items()}


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No collection of garbage inside a sample, and one thread for the BLAS below our kernels.

    The peer has threads of its own, which this does not touch.
    """
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        with single_threaded_blas():
            yield
    finally:
        if collecting:
            gc.enable()


def _calls(side: Timed) -> int:
    """Calls in one sample of a side, found after its first call."""
    side()
    seconds = max(_seconds(side, 1), 1e-7)
    return int(np.clip(np.ceil(SAMPLE_SECONDS / seconds), 1, MOST_CALLS))


def _seconds(side: Timed, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        side()
    return (time.perf_counter() - start) / calls
