"""Corpora in parts whose entity types have like shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ladtl_np.errors import UsageError

__all__ = ["split"]


def split(
    counts: Sequence[Counter[str]], shares: Sequence[float], rng: np.random.Generator
) -> list[list[int]]:
    """Assign units, such as documents, to parts.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011): the rarest type that is left
    is dealt out first; each unit that has it goes to the part that lacks it most, then to the part
    that lacks units most, then to one by chance.

    Parameters
    ----------
    counts
        Entities of each type in each unit.
    shares
        Share of each part; they add up to 1.
    rng
        Where chance comes from.

    Returns
    -------
    list of list of int
        Numbers of the units of each part, rising.

    Raises
    ------
    UsageError
        If the shares are none, or there are fewer units than parts.
    """
    if not shares or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise UsageError(f"shares must be positive and add up to 1, got {list(shares)}")
    if len(counts) < len(shares):
        raise UsageError(f"{len(counts)} documents or sentences are fewer than {len(shares)} parts")
    order = rng.permutation(len(counts)).tolist()
    total: Counter[str] = Counter()
    for found in counts:
        total.update(found)
    wanted = {kind: [share * count for share in shares] for kind, count in total.items()}
    room = [share * len(counts) for share in shares]
    parts: list[list[int]] = [[] for _ in shares]
    left: dict[int, None] = dict.fromkeys(order)
    holders: dict[str, list[int]] = {kind: [] for kind in total}
    for unit in order:
        for kind in counts[unit]:
            holders[kind].append(unit)

    def give(unit: int, part: int) -> None:
        parts[part].append(unit)
        room[part] -= 1
        for kind, count in counts[unit].items():
            wanted[kind][part] -= count
        del left[unit]

    for kind in sorted(total, key=lambda kind: (len(holders[kind]), kind)):
        # units with many of a type first: what they unbalance, later ones can make good
        for unit in sorted(holders[kind], key=lambda unit: -counts[unit][kind]):
            if unit in left:
                give(unit, _neediest(wanted[kind], room, rng))
    for unit in list(left):
        give(unit, _neediest(room, room, rng))
    for part, units in enumerate(parts):
        if not units:  # a small share of few units
            largest = max(range(len(parts)), key=lambda n: len(parts[n]))
            parts[part].append(parts[largest].pop())
    return [sorted(units) for units in parts]


def _neediest(need: Sequence[float], room: Sequence[float], rng: np.random.Generator) -> int:
    """The part that lacks most; of several the one with most room, of several any."""
    most = max(need)
    parts = [part for part, value in enumerate(need) if value >= most - 1e-9]
    widest = max(room[part] for part in parts)
    parts = [part for part in parts if room[part] >= widest - 1e-9]
    return parts[int(rng.integers(len(parts)))]
