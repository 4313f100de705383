"""Input that is nearly sound: seeds cut up and put together with pieces that make trouble."""

from __future__ import annotations

import random

import hypothesis.strategies as st
from fuzz.targets import Target

__all__ = ["inputs", "mutated"]


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Seeds with some of their bytes replaced by pieces, and pieces strung together."""
    pieces = st.sampled_from(target.pieces) | st.binary(max_size=4)
    strung = st.lists(pieces, max_size=12).map(b"".join)
    seeds = st.sampled_from(target.seeds())

    @st.composite
    def edited(draw: st.DrawFn) -> bytes:
        data = draw(seeds)
        for _ in range(draw(st.integers(1, 4))):
            start = draw(st.integers(0, len(data)))
            end = min(len(data), start + draw(st.sampled_from((0, 0, 1, 2, 8, 64))))
            data = data[:start] + draw(pieces) + data[end:]
        return data

    return edited() | strung


def mutated(data: bytes, most: int, rng: random.Random, target: Target) -> bytes:
    """One random edit, as the strategy above makes them, for loops without Hypothesis."""
    choice = rng.randrange(5)
    start = rng.randint(0, len(data))
    end = min(len(data), start + rng.choice((0, 0, 1, 2, 8, 64)))
    if choice == 0:
        middle = rng.choice(target.pieces)
    elif choice == 1:
        middle = rng.randbytes(rng.randint(1, 4))
    elif choice == 2:
        other = rng.choice(target.seeds())
        cut = rng.randint(0, len(other))
        middle = other[cut : cut + rng.randint(1, 200)]
    elif choice == 3:
        middle = data[start:end] * rng.randint(2, 5)
    else:
        middle = b""
    return (data[:start] + middle + data[end:])[:most]
