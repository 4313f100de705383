"""Squared MMD by random features: linear in the rows.                  docs/math/mmd.md (19) - (23)

Two rounds of calls: the first adds up cosines and sines over parts of each sample; the second needs
all these sums, and writes what each row receives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.workers import Task, Workers, single_threaded_blas
from ladtl_np.kernels import random_features as kernels
from ladtl_np.layers.mmd import MmdCache, MmdLayout, RowPair, mmd_layout
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "FeatureWork",
    "Sketch",
    "feature_mmd_forward",
    "features_begin",
    "features_layout",
    "mean_features",
    "random_frequencies",
    "seen_variances",
]

LEAST_SEEN = 0.2
"""A Gaussian whose variance is a smaller share of the mean squared distance counts as blind."""
# rows of a part, however many threads there are, so that sums are the same for all of them
PART_ROWS = 512


class Sketch(NamedTuple):
    """A sample that is known by its mean features alone."""

    variances: tuple[float, ...]  # Q
    means: Floats  # (Q, 2, F) of cosines, then of sines


class _Part(NamedTuple):
    """Some rows of one sample of a pair."""

    pair: int
    begin: int  # among the layout's rows
    end: int
    weight: float  # 1 / S or -1 / R


def random_frequencies(rng: np.random.Generator, count: int, width: int) -> Floats:
    """Frequencies (count, width), each drawn as by N(0, I), those of a block orthogonal.

    A block has as many as a row has columns. Its directions are those of a random rotation, its
    lengths are drawn for each by itself (Yu et al. 2016).
    """
    blocks = []
    with single_threaded_blas():
        for _ in range(-(-count // width)):
            drawn = rng.normal(size=(width, width))
            lengths = np.sqrt((rng.normal(size=(width, width)) ** 2).sum(axis=1))
            Q, R = np.linalg.qr(drawn)
            # with this sign the rotation is uniform, and the same by every way to compute it
            blocks.append((Q * np.sign(np.diag(R))).T * lengths[:, None])
    return np.concatenate(blocks)[:count]


def seen_variances(hidden: Floats, rows: Integers, variances: Sequence[float]) -> tuple[float, ...]:
    """Variances that are no small share of the mean squared distance of some rows, (23)."""
    least = LEAST_SEEN * kernels.mean_squared_distance(hidden, rows)
    return tuple(s for s in variances if s >= least)


def features_layout(pairs: Sequence[RowPair]) -> MmdLayout:
    """Rows of the pairs, each pair's gradient in one piece."""
    layout = mmd_layout(pairs)
    whole = np.array([(number, 0, 1) for number in range(len(pairs))], np.int64).reshape(-1, 3)
    return layout._replace(tasks=whole, slots=layout.starts, groups=())


class _Kernel(NamedTuple):
    """What a pair is compared by."""

    variances: tuple[float, ...]  # of the Gaussians that are not blind
    given: Floats | None  # (Q, 2, F) mean features of a source that is known by its sketch
    blind: float  # what blind Gaussians add to the value


class FeatureWork:
    """The MMDs of a batch by random features that are still to be computed.

    Attributes
    ----------
    tasks
        Calls of the first round, in any order and on any thread; then `values`, then `back`.
    """

    def __init__(
        self,
        hidden: Floats,
        layout: MmdLayout,
        kernels_of: Sequence[_Kernel],
        frequencies: Floats,
        memory: Memory,
    ) -> None:
        self._hidden, self._layout, self._kernels = hidden, layout, kernels_of
        self._factors = kernels.packed_frequencies(frequencies.astype(hidden.dtype))
        self._count = len(frequencies)
        self._gradients = memory.empty((layout.rows.size, hidden.shape[1]), hidden.dtype)
        self._parts = list(_parts(layout))
        Q = [len(kernels_of[part.pair].variances) for part in self._parts]
        self._sums = [np.zeros((each, 2, self._count)) for each in Q]
        self._differences = list[Floats]()
        self.tasks: tuple[Task, ...] = tuple(
            partial(kernels.feature_sums, sums, hidden, *self._read(part), part.weight)
            for part, sums in zip(self._parts, self._sums, strict=True)
        )

    def _read(self, part: _Part) -> tuple[Integers, Any, Floats]:
        """Rows of a part, frequencies, and the multiples of them that its Gaussians take."""
        scales = 0.5 / np.pi / np.sqrt(np.array(self._kernels[part.pair].variances, np.float64))
        rows = self._layout.rows[part.begin : part.end]
        return rows, self._factors, scales.astype(self._hidden.dtype)

    def values(self) -> Floats:
        """Squared distance of each pair's mean features, once all tasks have returned.  (20)"""
        pairs = zip(self._kernels, self.differences(), strict=True)
        return np.array([each.blind + float((d * d).sum()) / self._count for each, d in pairs])

    def differences(self) -> list[Floats]:
        """Difference of the mean features of each pair, once all tasks have returned."""
        found: list[Floats] = []
        for each in self._kernels:
            found.append(np.zeros((len(each.variances), 2, self._count)))
            if each.given is not None:
                found[-1] += each.given
        for part, sums in zip(self._parts, self._sums, strict=True):
            found[part.pair] += sums
        self._differences = found
        return found

    def back(self) -> tuple[list[Task], MmdCache]:
        """Calls that write the gradients of the values, and the cache for mmd_backward.   (22)"""
        calls = [partial(kernels.feature_gradient, *self._slopes(part)) for part in self._parts]
        return list[Task](calls), MmdCache(self._layout, self._gradients)

    def _slopes(self, part: _Part) -> tuple[Any, ...]:
        rows, factors, scales = self._read(part)
        widths = np.sqrt(np.array(self._kernels[part.pair].variances, np.float64))
        before = 2.0 * part.weight / self._count / widths
        slopes = (self._differences[part.pair] * before[:, None, None]).astype(self._hidden.dtype)
        to = self._gradients[part.begin : part.end]
        return to, self._hidden, rows, factors, scales, slopes


def features_begin(
    hidden: Floats,
    layout: MmdLayout,
    samples: Sequence[Sequence[float] | Sketch],
    frequencies: Floats,
    memory: Memory,
) -> FeatureWork:
    """Prepare the squared MMD of each pair of samples, (20).

    Parameters
    ----------
    hidden
        (N, 2H) hidden states of the whole batch.
    layout
        Of the pairs, from features_layout.
    samples
        For each pair the variances of its Gaussians, of which blind ones are left out, (23); or the
        sketch of its source, which then has no rows.
    frequencies
        (F, 2H), float64.
    memory
        Where the gradients lie until mmd_backward has read them.
    """
    chosen = [
        _Kernel(sample.variances, sample.means, 0.0)
        if isinstance(sample, Sketch)
        else _seen(hidden, layout, number, sample)
        for number, sample in enumerate(samples)
    ]
    return FeatureWork(hidden, layout, chosen, frequencies, memory)


def _seen(hidden: Floats, layout: MmdLayout, number: int, variances: Sequence[float]) -> _Kernel:
    """The Gaussians of a pair that are not blind; each other one adds 1 / S + 1 / R."""
    first, last = layout.starts[number : number + 2]
    seen = seen_variances(hidden, layout.rows[first:last], variances)
    S = layout.sources[number]
    return _Kernel(seen, None, (len(variances) - len(seen)) * (1.0 / S + 1.0 / (last - first - S)))


def _parts(layout: MmdLayout) -> Iterator[_Part]:
    """Both samples of every pair, in parts."""
    for pair, size in enumerate(layout.sources.tolist()):
        first, last = layout.starts[pair : pair + 2].tolist()
        for begin, end, sign in ((first, first + size, 1.0), (first + size, last, -1.0)):
            for at in range(begin, end, PART_ROWS):
                yield _Part(pair, at, min(at + PART_ROWS, end), sign / (end - begin))


def feature_mmd_forward(
    hidden: Floats,
    pairs: Sequence[RowPair],
    samples: Sequence[Sequence[float] | Sketch],
    frequencies: Floats,
    workers: Workers,
) -> tuple[Floats, MmdCache]:
    """Squared MMDs by random features as (len(pairs),) float64, and the cache of mmd_backward."""
    layout = features_layout(pairs)
    work = features_begin(hidden, layout, samples, frequencies, workers.memory)
    workers.run(*work.tasks)
    values = work.values()
    calls, cache = work.back()
    workers.run(*calls)
    return values, cache


def mean_features(
    hidden: Floats, rows: Integers, variances: Sequence[float], frequencies: Floats
) -> Floats:
    """Mean features (Q, 2, F) of some rows, (19)."""
    work = features_begin(
        hidden,
        features_layout([RowPair(0, rows, rows[:0])]),
        [Sketch(tuple(variances), np.zeros((len(variances), 2, len(frequencies))))],
        frequencies,
        Memory(),
    )
    for task in work.tasks:
        task()
    return work.differences()[0]
