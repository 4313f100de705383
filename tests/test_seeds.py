"""Every kind of chance has a stream that no other kind, seed or stage shares."""

from __future__ import annotations

from itertools import product
from typing import get_args

import numpy as np

from ladtl_np.options.seeds import KEYS, Chance, stream

SEEDS = (0, 1, 2, 7, 2**32, 2**32 + 1, 2**64, 2**96 + 5)


def test_every_kind_of_chance_has_a_key_of_its_own() -> None:
    assert set(KEYS) == set(get_args(Chance))
    assert len(set(KEYS.values())) == len(KEYS)


def test_no_two_streams_are_the_same() -> None:
    drawn = [
        stream(seed, chance, first_stage=first).integers(2**63)
        for seed, chance, first in product(SEEDS, KEYS, (False, True))
    ]
    assert len(set(drawn)) == len(drawn)
    # nor is one of them what a seed alone gives, or a seed beside a number
    plain = [np.random.default_rng(seed).integers(2**63) for seed in SEEDS]
    plain += [np.random.default_rng([s, n]).integers(2**63) for s in SEEDS[:4] for n in range(9)]
    assert not set(drawn) & set(plain)


def test_a_stream_never_changes_between_versions() -> None:
    assert stream(3, "dropout").integers(1000, size=4).tolist() == [810, 888, 258, 433]
    first = stream(3, "dropout", first_stage=True)
    assert first.integers(1000, size=4).tolist() == [155, 827, 105, 106]
