"""Label-aware and plain squared MMD between the halves of a batch.            docs/math/mmd.md"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.kernels import mmd as kernels
from ladtl_np.mmd_variances import LARGEST_VARIANCE
from ladtl_np.shapes import Floats, Integers
from ladtl_np.workers import Workers

__all__ = ["MmdCache", "RowPair", "label_rows", "mmd_backward", "mmd_forward"]


class RowPair(NamedTuple):
    """The two samples of one MMD: rows of the hidden states, never empty."""

    label: int  # place in the list of matched tags, 0 for the MMD over all tokens
    source: Integers  # (S,)
    target: Integers  # (R,)


class MmdCache(NamedTuple):
    """What mmd_backward needs; written by mmd_forward, valid for that batch only."""

    pairs: tuple[RowPair, ...]
    gradients: tuple[Floats, ...]  # (S + R, 2H) of each pair's own MMD^2


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
        Runs the pairs side by side.

    Returns
    -------
    tuple
        (len(pairs),) float64 values, and the cache.
    """
    values = np.zeros(len(pairs))
    gradients = [
        np.empty((pair.source.size + pair.target.size, hidden.shape[1]), hidden.dtype)
        for pair in pairs
    ]

    def share(numbers: list[int]) -> None:
        scratch = _Scratch(hidden.dtype, hidden.shape[1], max(len(gradients[n]) for n in numbers))
        for n in numbers:
            values[n] = _one_pair(gradients[n], hidden, pairs[n], variances[n], scratch)

    shares = _balance([len(gradient) ** 2 for gradient in gradients], workers.threads)
    workers.run(*(lambda numbers=numbers: share(numbers) for numbers in shares if numbers))
    return values, MmdCache(tuple(pairs), tuple(gradients))


def mmd_backward(dhidden: Floats, dvalues: Floats, cache: MmdCache) -> None:
    """Add the gradients of mmd_forward to dhidden (N, 2H), given dvalues (len(pairs),)."""
    for pair, gradient, dvalue in zip(cache.pairs, cache.gradients, dvalues, strict=True):
        factor = gradient.dtype.type(dvalue)
        S = pair.source.size
        # a row belongs to one sample of one label, so no index occurs twice
        dhidden[pair.source] += factor * gradient[:S]
        dhidden[pair.target] += factor * gradient[S:]


class _Scratch:
    """Buffers of one thread, large enough for its largest pair."""

    def __init__(self, dtype: np.dtype[np.floating], width: int, rows: int) -> None:
        self.tile = np.empty(kernels.TILE**2, dtype)
        self.product = np.empty((kernels.TILE, width), dtype)
        self.sums = np.empty((2, kernels.TILE), dtype)
        self.norms = np.empty(rows, dtype)


def _one_pair(
    gradient: Floats, hidden: Floats, pair: RowPair, variances: Sequence[float], scratch: _Scratch
) -> float:
    S, R, dtype = pair.source.size, pair.target.size, hidden.dtype
    if not variances or not all(0.0 < s <= LARGEST_VARIANCE for s in variances):
        raise ValueError(
            f"kernel variances must lie in (0, {LARGEST_VARIANCE:g}], got {list(variances)}"
        )
    P = np.concatenate([hidden[pair.source], hidden[pair.target]])
    P -= P.mean(axis=0)  # changes no distance, and leaves less to cancel in the products
    u = np.concatenate([np.full(S, 1.0 / S, dtype), np.full(R, -1.0 / R, dtype)])
    half_inverse = (0.5 / np.asarray(variances)).astype(dtype)
    return float(
        kernels.mmd_with_gradient(
            gradient, scratch.tile, scratch.product, scratch.sums, scratch.norms, P, u, half_inverse
        )
    )


def _balance(costs: list[int], threads: int) -> list[list[int]]:
    """Deal the most expensive first, each to the share that has least so far."""
    shares: list[list[int]] = [[] for _ in range(threads)]
    loads = [0] * threads
    for n in sorted(range(len(costs)), key=lambda n: -costs[n]):
        least = loads.index(min(loads))
        shares[least].append(n)
        loads[least] += costs[n]
    return shares
