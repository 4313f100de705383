"""The demo corpus's draws and the markup of its data files."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from ladtl_np.corpus.demo.draws import Draws, ZipfTable
from ladtl_np.corpus.demo.markup import chosen, expand, parse, with_numbers


def test_zipf_table_draws_by_rank():
    draws = Draws("zipf")
    counts = Counter(ZipfTable("abc", shift=0).draw(draws) for _ in range(11_000))
    for item, expected in [("a", 6000), ("b", 3000), ("c", 2000)]:
        assert counts[item] == pytest.approx(expected, rel=0.1)
    with pytest.raises(ValueError, match="at least one"):
        ZipfTable([], shift=1)


def test_draws_are_pinned_and_stay_in_range():
    draws = Draws("pinned")
    assert [draws.below(1000) for _ in range(5)] == [362, 902, 592, 699, 524]
    values = {draws.between(3, 5) for _ in range(200)}
    assert values == {3, 4, 5}


def test_numbers_have_the_decimals_of_their_lower_bound():
    draws = Draws("numbers")
    for _ in range(200):
        assert 2 <= int(with_numbers("<#2-11>", draws)) <= 11
        number = with_numbers("<#0.02-1.20>", draws)
        assert re.fullmatch(r"\d\.\d\d", number)
        assert 0.02 <= float(number) <= 1.2
    assert {chosen("(a|b|)c", draws) for _ in range(99)} == {"ac", "bc", "c"}


def test_a_clause_splits_into_pieces():
    pieces = [tuple(piece) for piece in parse("诉{time}{symptom:咳嗽}。")]
    assert pieces == [("", "诉"), ("time", None), ("symptom", "咳嗽"), ("", "。")]


def test_parts_multiply():
    parts = {"a": ["肺", "胃"], "b": ["炎", "癌"]}
    assert list(expand("<a><b>", parts)) == ["肺炎", "肺癌", "胃炎", "胃癌"]
