"""Parts with like shares of every type."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from ladtl_np.corpus.splitting import split
from ladtl_np.errors import UsageError


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_every_unit_goes_to_one_part() -> None:
    counts = [Counter(a=n % 3) for n in range(50)]
    parts = split(counts, [0.6, 0.3, 0.1], chance())
    assert sorted(unit for part in parts for unit in part) == list(range(50))
    assert [len(part) for part in parts] == pytest.approx([30, 15, 5], abs=5)
    assert all(part == sorted(part) for part in parts)


def test_rare_types_are_shared_out_as_well_as_common_ones() -> None:
    drawn = chance(3)
    counts = [Counter(common=int(drawn.integers(1, 6))) for _ in range(190)]
    counts += [Counter(rare=1, common=1) for _ in range(10)]
    for seed in range(5):
        parts = split(counts, [0.8, 0.2], chance(seed))
        total = [sum((counts[unit] for unit in part), Counter()) for part in parts]
        assert [one["rare"] for one in total] == [8, 2]
        assert total[0]["common"] / sum(one["common"] for one in total) == pytest.approx(
            0.8, abs=0.03
        )


def test_equal_seeds_give_equal_parts_and_others_do_not() -> None:
    counts = [Counter(a=1) for _ in range(40)]
    one, same, other = (split(counts, [0.5, 0.5], chance(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_no_part_is_empty() -> None:
    parts = split([Counter() for _ in range(3)], [0.98, 0.01, 0.01], chance())
    assert [len(part) for part in parts] == [1, 1, 1]


@pytest.mark.parametrize("shares", [[], [0.5, 0.4], [1.5, -0.5], [0.0, 1.0]])
def test_shares_that_are_none_are_refused(shares: list[float]) -> None:
    with pytest.raises(UsageError, match="add up to 1"):
        split([Counter()] * 9, shares, chance())


def test_too_few_units_are_refused() -> None:
    with pytest.raises(UsageError, match="1 documents or sentences are fewer than 2 parts"):
        split([Counter()], [0.5, 0.5], chance())
