"""Label-aware and plain squared MMD between the halves of a batch.            docs/math/mmd.md"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.workers import Workers
from ladtl_np.kernels import mmd as kernels
from ladtl_np.kernels.mmd_blocks import BLOCK
from ladtl_np.layers.mmd_variances import LARGEST_VARIANCE
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "MmdCache",
    "MmdLayout",
    "MmdWork",
    "RowPair",
    "label_rows",
    "mmd_backward",
    "mmd_begin",
    "mmd_forward",
    "mmd_layout",
    "mmd_scatter",
]

# A pair with more rows than this is cut into shards, so that several threads can share it; the cut
# does not depend on the number of threads, and so neither do the bytes of the result.
SHARDED_ROWS = 256
SHARDS = 4
# fewer numbers than these are added sooner than a thread is woken
WAKING = 1_000_000
# about how many calls the tasks of a batch become
GROUPS = 12


class RowPair(NamedTuple):
    """The two samples of one MMD: rows of the hidden states, never empty."""

    label: int  # place in the list of matched tags, 0 for the MMD over all tokens
    source: Integers  # (S,)
    target: Integers  # (R,)


class MmdLayout(NamedTuple):
    """How pairs of samples are cut into tasks: depends on the batch alone."""

    rows: Integers  # rows of all pairs, source before target within each
    starts: Integers  # (pairs + 1,) where each pair's rows begin
    sources: Integers  # (pairs,) rows of the source sample
    tasks: Integers  # (tasks, 3) pair, shard, shards
    slots: Integers  # (tasks + 1,) where each task's gradient begins
    groups: tuple[Integers, ...]  # tasks that are done in one call, the costliest first


class MmdCache(NamedTuple):
    """What mmd_backward needs; written by the tasks of mmd_begin, valid for that batch only."""

    layout: MmdLayout
    gradients: Floats  # gradients of MMD^2 by row, a block for each task


class MmdWork(NamedTuple):
    """The MMDs of a batch that are still to be computed.

    Attributes
    ----------
    tasks
        Calls that do it. They share no output and read nothing but the hidden states: in any
        order, on any thread, they give the same bytes.
    parts
        (tasks,) what each of the layout's tasks adds to its pair's value; written by the calls.
    cache
        What mmd_backward needs, once all calls have returned.
    """

    tasks: tuple[Callable[[], None], ...]
    parts: Floats
    cache: MmdCache

    def values(self) -> Floats:
        """Squared MMD of each pair, float64, once all calls have returned.          Eq. (4)"""
        layout = self.cache.layout
        values = np.zeros(layout.sources.size)
        np.add.at(values, layout.tasks[:, 0], self.parts)
        return values


def label_rows(
    source_rows: Integers,
    source_tags: Integers,
    target_rows: Integers,
    target_tags: Integers,
    matched: tuple[Integers, Integers],
) -> tuple[RowPair, ...]:
    """Rows of each matched tag that both halves hold; other tags do not appear at all.  Eq. (5)

    Parameters
    ----------
    source_rows, target_rows
        (N_s,) and (N_t,) rows of the batch that belong to each half.
    source_tags, target_tags
        Gold tags of those rows, each in its own domain's numbering.
    matched
        (M,) source tags and (M,) target tags that mean the same.
    """
    source = _rows_by_tag(source_rows, source_tags, matched[0])
    target = _rows_by_tag(target_rows, target_tags, matched[1])
    return tuple(
        RowPair(label, s, t)
        for label, (s, t) in enumerate(zip(source, target, strict=True))
        if s.size and t.size
    )


def _rows_by_tag(rows: Integers, tags: Integers, wanted: Integers) -> list[Integers]:
    order = np.argsort(tags, kind="stable")
    ordered = tags[order]
    starts = np.searchsorted(ordered, wanted, side="left")
    ends = np.searchsorted(ordered, wanted, side="right")
    return [rows[order[start:end]] for start, end in zip(starts, ends, strict=True)]


def mmd_layout(pairs: Sequence[RowPair]) -> MmdLayout:
    """Cut pairs into tasks: one a pair, up to SHARDS for a large one.

    Neither the cut nor the order depends on the number of threads.
    """
    parts = [part for _, *samples in pairs for part in samples]
    rows = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    sizes = np.array([part.size for part in parts], dtype=np.int64).reshape(-1, 2)
    sources, lengths = sizes[:, 0], sizes.sum(axis=1)
    shards = np.where(lengths > SHARDED_ROWS, np.minimum(SHARDS, -(-lengths // BLOCK)), 1)
    pair = np.repeat(np.arange(len(pairs)), shards)
    shard = np.arange(pair.size) - np.repeat(np.cumsum(shards) - shards, shards)
    tasks = np.stack([pair, shard, shards[pair]], axis=1)
    slots = _offsets(lengths[pair] - shard * BLOCK)  # what blocks_with_gradient needs
    groups = _grouped(lengths[pair] ** 2 / shards[pair])
    return MmdLayout(rows, _offsets(lengths), sources, tasks, slots, groups)


def _offsets(lengths: Integers) -> Integers:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def _grouped(costs: Floats) -> tuple[Integers, ...]:
    """Tasks from the costliest on; the cheap ones together, up to a share of all each time."""
    order = np.argsort(-costs, kind="stable")
    before = np.cumsum(costs[order]) - costs[order]
    share = max(float(costs.sum()), 1.0) / GROUPS
    cuts = np.flatnonzero(np.diff(before // share)) + 1
    return tuple(group for group in np.split(order, cuts) if group.size)


def mmd_begin(
    hidden: Floats, layout: MmdLayout, variances: Sequence[Sequence[float]], memory: Memory
) -> MmdWork:
    """Prepare the squared MMD (biased V-statistic) of each pair of samples.           Eq. (4)

    Parameters
    ----------
    hidden
        (N, 2H) hidden states of the whole batch.
    layout
        Of the pairs, from mmd_layout.
    variances
        For each pair, the variances s_q of the Gaussians ``exp(-d^2 / (2 s_q))``, all positive.
    memory
        Where the gradients lie until mmd_backward has read them.

    Returns
    -------
    MmdWork
        Calls that compute it, and what they write.
    """
    half_inverse, widths = _half_inverse(variances, layout.sources.size)
    parts = np.zeros(len(layout.tasks))
    gradients = memory.empty((int(layout.slots[-1]), hidden.shape[1]), hidden.dtype)
    rows, starts, sources, tasks, slots, groups = layout
    samples = rows, starts, sources, half_inverse.astype(hidden.dtype), widths
    given = (parts, gradients, hidden, *samples, tasks, slots)
    calls = tuple(partial(kernels.mmd_tasks, *given, group) for group in groups)
    return MmdWork(calls, parts, MmdCache(layout, gradients))


def mmd_forward(
    hidden: Floats,
    pairs: Sequence[RowPair],
    variances: Sequence[Sequence[float]],
    workers: Workers,
) -> tuple[Floats, MmdCache]:
    """Squared MMD of each pair of samples as (len(pairs),) float64, and the cache.      Eq. (4)

    Does all that mmd_begin prepares; the cache lies in the workers' memory.
    """
    work = mmd_begin(hidden, mmd_layout(pairs), variances, workers.memory)
    workers.run(*work.tasks)
    return work.values(), work.cache


def mmd_backward(dhidden: Floats, dvalues: Floats, cache: MmdCache, workers: Workers) -> None:
    """Add the gradients of mmd_forward to dhidden (N, 2H), given dvalues (len(pairs),)."""
    count = workers.threads if cache.gradients.size >= WAKING else 1
    workers.run(*mmd_scatter(dhidden, dvalues, cache, count))


def mmd_scatter(
    dhidden: Floats, dvalues: Floats, cache: MmdCache, count: int
) -> list[Callable[[], None]]:
    """Give `count` calls that together do mmd_backward, each for columns of its own.

    Tasks share rows, so they are not what is dealt out.
    """
    layout, gradients = cache
    factors = dvalues.astype(gradients.dtype)
    ends = np.linspace(0, dhidden.shape[1], count + 1).astype(np.int64).tolist()
    given = (dhidden, gradients, layout.rows, layout.starts, layout.tasks, layout.slots, factors)
    return [partial(kernels.scatter_rows, *given, *columns) for columns in pairwise(ends)]


def _half_inverse(variances: Sequence[Sequence[float]], pairs: int) -> tuple[Floats, Integers]:
    """1 / (2 s_q) of each different list, (lists, Q), and which list each pair has."""
    if len(variances) != pairs:
        raise ValueError(f"give variances for each of the {pairs} pairs, got {len(variances)}")
    lists = {id(each): each for each in variances}  # most often all pairs have the same
    if len(set(map(len, lists.values()))) > 1:
        raise ValueError("give every pair the same number of kernel variances")
    for each in lists.values():
        if not len(each) or not all(0.0 < s <= LARGEST_VARIANCE for s in each):
            raise ValueError(
                f"kernel variances must lie in (0, {LARGEST_VARIANCE:g}], got {list(each)}"
            )
    numbers = {name: number for number, name in enumerate(lists)}
    widths = np.array([numbers[id(each)] for each in variances], dtype=np.int64)
    table = np.array(list(lists.values()), dtype=np.float64)
    return (0.5 / table if pairs else np.zeros((0, 0))), widths
