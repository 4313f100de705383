"""Label-aware and plain squared MMD between the halves of a batch.            docs/math/mmd.md"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.workers import Workers
from ladtl_np.kernels import mmd as kernels
from ladtl_np.layers.mmd_variances import LARGEST_VARIANCE
from ladtl_np.shapes import Floats, Integers

__all__ = ["MmdCache", "RowPair", "label_rows", "mmd_backward", "mmd_forward"]


# A pair with more rows than this is cut into shards, so that several threads can share it; the cut
# does not depend on the number of threads, and so neither do the bytes of the result.
SHARDED_ROWS = 256
SHARDS = 4


class RowPair(NamedTuple):
    """The two samples of one MMD: rows of the hidden states, never empty."""

    label: int  # place in the list of matched tags, 0 for the MMD over all tokens
    source: Integers  # (S,)
    target: Integers  # (R,)


class MmdCache(NamedTuple):
    """What mmd_backward needs; written by mmd_forward, valid for that batch only."""

    rows: Integers  # rows of all pairs, source before target within each
    starts: Integers  # (pairs + 1,) where each pair's rows begin
    tasks: Integers  # (tasks, 3) pair, shard, shards
    slots: Integers  # (tasks,) where each task's gradient begins
    gradients: Floats  # gradients of MMD^2 by row, a block for each task


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


def mmd_forward(
    hidden: Floats,
    pairs: Sequence[RowPair],
    variances: Sequence[Sequence[float]],
    workers: Workers,
) -> tuple[Floats, MmdCache]:
    """Squared MMD (biased V-statistic) of each pair of samples, and the cache.          Eq. (4)

    Parameters
    ----------
    hidden
        (N, 2H) hidden states of the whole batch.
    pairs
        The samples.
    variances
        For each pair, the variances s_q of the Gaussians ``exp(-d^2 / (2 s_q))``, all positive.
    workers
        Runs the pairs side by side; the cache lies in their memory.

    Returns
    -------
    tuple
        (len(pairs),) float64 values, and the cache.
    """
    half_inverse = _half_inverse(variances, len(pairs)).astype(hidden.dtype)
    rows = np.concatenate([np.zeros(0, np.int64), *(part for pair in pairs for part in pair[1:])])
    sources = np.array([pair.source.size for pair in pairs], dtype=np.int64)
    sizes = np.array([pair.source.size + pair.target.size for pair in pairs], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    tasks = np.array(_tasks(sizes), dtype=np.int64).reshape(-1, 3)
    lengths = sizes[tasks[:, 0]]
    slots = np.cumsum(lengths) - lengths
    parts = np.zeros(len(tasks))
    gradients = workers.memory.empty((int(lengths.sum()), hidden.shape[1]), hidden.dtype)
    empty, n = workers.memory.empty, rows.size
    P, u, norms = empty((n, hidden.shape[1]), hidden.dtype), *empty((2, n), hidden.dtype)
    given = (P, u, norms, hidden, rows, starts, sources)
    shares = _balance(sizes.tolist(), workers.threads)
    workers.run(*(partial(kernels.gather_pairs, *given, share) for share in shares if share.size))
    shares = _balance((lengths**2 / tasks[:, 2]).tolist(), workers.threads)
    work = (parts, gradients, P, u, norms, starts, half_inverse, tasks, slots)
    workers.run(*(partial(kernels.mmd_tasks, *work, share) for share in shares if share.size))
    values = np.zeros(len(pairs))
    np.add.at(values, tasks[:, 0], parts)
    return values, MmdCache(rows, starts, tasks, slots, gradients)


def mmd_backward(dhidden: Floats, dvalues: Floats, cache: MmdCache, workers: Workers) -> None:
    """Add the gradients of mmd_forward to dhidden (N, 2H), given dvalues (len(pairs),)."""
    rows, starts, tasks, slots, gradients = cache
    factors = dvalues.astype(gradients.dtype)
    # each thread takes columns of its own, because tasks share rows
    ends = np.linspace(0, dhidden.shape[1], workers.threads + 1).astype(np.int64).tolist()
    given = (dhidden, gradients, rows, starts, tasks, slots, factors)
    workers.run(*(partial(kernels.scatter_rows, *given, *columns) for columns in pairwise(ends)))


def _half_inverse(variances: Sequence[Sequence[float]], pairs: int) -> Floats:
    """1 / (2 s_q) for each pair, (pairs, Q)."""
    if len(variances) != pairs:
        raise ValueError(f"give variances for each of the {pairs} pairs, got {len(variances)}")
    if len(set(map(len, variances))) > 1:
        raise ValueError("give every pair the same number of kernel variances")
    for each in variances:
        if not len(each) or not all(0.0 < s <= LARGEST_VARIANCE for s in each):
            raise ValueError(
                f"kernel variances must lie in (0, {LARGEST_VARIANCE:g}], got {list(each)}"
            )
    return 0.5 / np.array(variances, dtype=np.float64) if pairs else np.zeros((0, 0))


def _tasks(sizes: Integers) -> list[tuple[int, int, int]]:
    """One task a pair, and SHARDS for a large one, however many threads there are."""
    return [
        (pair, shard, shards)
        for pair, size in enumerate(sizes.tolist())
        for shards in [SHARDS if size > SHARDED_ROWS else 1]
        for shard in range(shards)
    ]


def _balance(costs: list[float], threads: int) -> list[Integers]:
    """Deal the most expensive first, each to the share that has least so far."""
    shares: list[list[int]] = [[] for _ in range(threads)]
    loads = [0.0] * threads
    for n in sorted(range(len(costs)), key=lambda n: -costs[n]):
        least = loads.index(min(loads))
        shares[least].append(n)
        loads[least] += costs[n]
    return [np.array(share, dtype=np.int64) for share in shares]
