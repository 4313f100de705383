"""What a seed decides: every kind of chance has a stream of its own, and all are listed here.

So changing one choice leaves the others as they were, and no two share their numbers by accident:
``default_rng(s)`` and ``default_rng([s, 0])``, for one, are the same stream.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

__all__ = ["Chance", "stream"]

Chance = Literal[
    "source sample",
    "target sample",
    "start values",
    "source order",
    "target order",
    "dropout",
    "unknown words",
    "randomisation test",
    "corpus split",
    "audit",
    "search",
    "label order",
    "random features",
    "selection",
]

KEYS: dict[Chance, int] = {
    "source sample": 0,  # which of the source's sentences are used
    "target sample": 1,
    "start values": 2,
    "source order": 3,  # of the sentences, pass by pass
    "target order": 4,
    "dropout": 5,
    "unknown words": 6,  # which singletons
    "randomisation test": 7,  # signs and swaps
    "corpus split": 8,  # which documents go to which part
    "audit": 9,  # coordinates, directions and permutations
    "search": 10,  # points among options
    "label order": 11,  # of the source's sentences that hold a label, pass by pass
    "random features": 12,  # frequencies, once for a run
    "selection": 13,  # of sentences to annotate
}
"""A number once given to a kind of chance stays with it, or every result changes."""


def stream(
    seed: int, chance: Chance, *, first_stage: bool = False, number: int = 0
) -> np.random.Generator:
    """The generator of one kind of chance.

    Parameters
    ----------
    seed
        At least 0, of any size.
    chance
        Which kind.
    first_stage
        Whether it is for the first of two stages of training, which has streams of its own.
    number
        Of the source, from 0 on, where each has one.
    """
    key = (KEYS[chance], int(first_stage), *([number] if number else []))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
