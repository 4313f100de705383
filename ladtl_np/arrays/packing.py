"""Packed ragged rows: sequences by falling length, time-major, no padding anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ladtl_np.shapes import Integers

__all__ = ["Packing", "pack", "step_offsets"]


@dataclass(frozen=True, slots=True)
class Packing:
    """Where each token of a list of sentences stands in the packed order.

    Attributes
    ----------
    order
        (B,) place in the list of each packed rank; longest first, ties in list order.
    offsets
        (T + 1,) step t is the rows ``offsets[t]:offsets[t + 1]``.
    rows
        (N,) packed row of each token, tokens in the order of the list.
    """

    order: Integers
    offsets: Integers
    rows: Integers

    @property
    def sentences(self) -> int:
        """Number of sentences B."""
        return int(self.order.size)

    @property
    def tokens(self) -> int:
        """Number of tokens N."""
        return int(self.offsets[-1])

    @property
    def lengths(self) -> Integers:
        """Tokens (B,) of each sentence of the list."""
        found = np.empty_like(self.order)
        active = np.diff(self.offsets)  # sentences of more than t tokens, by t
        found[self.order] = np.searchsorted(-active, -np.arange(self.order.size), side="left")
        return found


def pack(lengths: Integers) -> Packing:
    """Lay out sentences of the given lengths (B,); every length must be at least 1."""
    lengths = np.asarray(lengths, dtype=np.int64)
    if lengths.size and lengths.min() < 1:
        raise ValueError("every sentence needs at least one token; drop empty sentences first")
    order = np.argsort(-lengths, kind="stable")
    offsets = step_offsets(lengths)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    starts = np.cumsum(lengths) - lengths
    time = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    rows = offsets[time] + np.repeat(rank, lengths)
    return Packing(order, offsets, rows)


def step_offsets(lengths: Integers) -> Integers:
    """Where each step of the packed layout begins, and its end."""
    # sentences longer than t are active at step t: all but those that end there or before
    ended = np.cumsum(np.bincount(lengths, minlength=1))
    offsets = np.zeros(ended.size, dtype=np.int64)
    np.cumsum(lengths.size - ended[:-1], out=offsets[1:])
    return offsets
