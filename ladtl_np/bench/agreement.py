"""Ours and the peer compute the same: checked before anything is timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ladtl_np.errors import LadtlError

__all__ = ["PeerMismatch", "compare_arrays", "compare_tags"]

MOST_OTHER_TAGS = 1e-3  # share of tags that rounding may turn where two paths score the same


class PeerMismatch(LadtlError):
    """Ours and the peer do not compute the same, so timing them would compare nothing."""


def compare_arrays(
    ours: Mapping[str, Any], peer: Mapping[str, Any], tolerance: float, what: str
) -> float:
    """Largest difference over the largest value of each array, by name.

    Raises
    ------
    PeerMismatch
        If a name is missing, a shape differs, or a difference is above `tolerance`.
    """
    if ours.keys() != peer.keys():
        raise PeerMismatch(f"{what}: {sorted(ours.keys() ^ peer.keys())} exist on one side only")
    worst = 0.0
    for name in ours:
        mine, other = np.asarray(ours[name]), np.asarray(peer[name])
        if mine.shape != other.shape:
            raise PeerMismatch(f"{what}: {name} is {mine.shape} here and {other.shape} there")
        scale = max(float(np.abs(mine).max(initial=0.0)), 1e-12)
        error = float(np.abs(mine - other).max(initial=0.0)) / scale
        if not error <= tolerance:  # NaN as well
            raise PeerMismatch(
                f"{what}: {name} differs from the peer's by {error:.1e} of its largest value, "
                f"more than {tolerance:.0e}; nothing was timed"
            )
        worst = max(worst, error)
    return worst


def compare_tags(
    ours: Sequence[Sequence[int]],
    peer: Sequence[Sequence[int]],
    what: str,
    most: float = MOST_OTHER_TAGS,
) -> float:
    """Share of tokens with different tags; raises if it is above `most`."""
    if [len(tags) for tags in ours] != [len(tags) for tags in peer]:
        raise PeerMismatch(f"{what}: the sentences have other lengths than the peer's")
    mine, other = (np.concatenate([np.asarray(tags) for tags in side]) for side in (ours, peer))
    share = float(np.mean(mine != other)) if mine.size else 0.0
    if share > most:
        raise PeerMismatch(f"{what}: {share:.1%} of the tags differ; nothing was timed")
    return share
