"""How predictions differ from gold: which entity is paired with which, and how a page shows it."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.schemes import Span
from ladtl_np.pages.compared import write_compared
from ladtl_np.scoring.differences import differences


@st.composite
def entities(draw: st.DrawFn) -> list[Span]:
    """Entities that do not overlap, in no order."""
    ends = sorted(draw(st.sets(st.integers(0, 20), max_size=10)))
    pairs = [*pairwise(ends)][:: draw(st.integers(1, 2))]
    return draw(st.permutations([(*pair, draw(st.sampled_from("XY"))) for pair in pairs]))


def told(gold: list[Span], predicted: list[Span]) -> list[str]:
    return [
        f"{one.kind} {one.gold and one.gold[:2]} {one.predicted and one.predicted[:2]}"
        for one in differences(gold, predicted)
    ]


@pytest.mark.parametrize(
    ("gold", "predicted", "wanted"),
    [
        ([(0, 2, "X")], [(0, 2, "X")], ["right (0, 2) (0, 2)"]),
        ([(0, 2, "X")], [(0, 2, "Y")], ["type (0, 2) (0, 2)"]),
        ([(0, 2, "X")], [(0, 3, "X")], ["boundary (0, 2) (0, 3)"]),
        ([(0, 2, "X")], [(1, 3, "Y")], ["both (0, 2) (1, 3)"]),
        ([(0, 2, "X")], [(2, 3, "X")], ["missed (0, 2) None", "spurious None (2, 3)"]),
        # one of two that overlap is paired: that of the same type, then the longer overlap
        ([(0, 5, "X")], [(0, 4, "Y"), (4, 5, "X")], ["boundary (0, 5) (4, 5)",
                                                    "spurious None (0, 4)"]),
        ([(0, 5, "X")], [(0, 2, "X"), (2, 5, "X")], ["boundary (0, 5) (2, 5)",
                                                    "spurious None (0, 2)"]),
        ([(0, 1, "X"), (1, 5, "X")], [(0, 5, "X")], ["missed (0, 1) None",
                                                    "boundary (1, 5) (0, 5)"]),
    ],
)  # fmt: skip
def test_pairs(gold: list[Span], predicted: list[Span], wanted: list[str]) -> None:
    assert sorted(told(gold, predicted)) == sorted(wanted)


@given(entities(), entities())
def test_each_entity_is_in_one_pair_and_the_right_ones_are_those_of_scoring(
    gold: list[Span], predicted: list[Span]
) -> None:
    found = differences(gold, predicted)
    assert Counter(one.gold for one in found if one.gold) == Counter(gold)
    assert Counter(one.predicted for one in found if one.predicted) == Counter(predicted)
    right = [one.gold for one in found if one.kind == "right"]
    assert sorted(right, key=str) == sorted({*gold} & {*predicted}, key=str)
    for one in found:
        if one.kind in ("boundary", "both", "type"):
            assert one.gold
            assert one.predicted
            assert max(one.gold[0], one.predicted[0]) < min(one.gold[1], one.predicted[1])
            assert (one.gold[2] == one.predicted[2]) == (one.kind == "boundary")
            assert (one.gold[:2] == one.predicted[:2]) == (one.kind == "type")


def page(gold: list[Span], predicted: list[Span], text: str = "abcdef") -> str:
    pair = Document(text, tuple(gold), "<g>"), Document(text, tuple(predicted))
    return "".join(write_compared([pair], "a & b", "1 < 2"))


def body(gold: list[Span], predicted: list[Span]) -> str:
    """Marks as their own class and label."""
    shown = re.findall('<p dir="auto">(.*?)</p>', page(gold, predicted))[0]
    plain = re.sub('<mark class="t. u0 ([a-z]+)"[^>]*>', r"[\1 ", shown)
    return re.sub(" *<small> (.*?)</small></mark>", r"|\1]", plain)


def test_each_kind_has_its_own_mark_and_its_name_in_words() -> None:
    assert body([(0, 2, "X")], [(0, 2, "X")]) == "[right ab|X]cdef"
    assert body([(0, 2, "X")], []) == "[missed ab|missed: X]cdef"
    assert body([], [(0, 2, "X")]) == "[spurious ab|spurious: X]cdef"
    assert body([(0, 2, "X")], [(0, 2, "Y")]) == "[type ab|wrong type: Y, gold X]cdef"
    assert body([(0, 3, "X")], [(1, 2, "X")]) == (
        "[wanted a[boundary b|wrong boundary: X]c|gold]def"
    )
    assert "wrong type and boundary: Y, gold X" in body([(0, 3, "X")], [(1, 2, "Y")])


def test_a_page_of_differences_counts_shows_and_hides_without_a_script() -> None:
    text = page([(0, 2, "X"), (3, 4, "Y")], [(0, 2, "X")])
    assert '<article class="missed right differs">' in text
    assert 'id="show-differs" checked' in text
    assert "body:has(#show-missed:checked) article:not(.missed)" in text
    assert 'id="show-missed">missed <span>1</span>' in text
    assert "<script" not in text
    assert "<h1>a &amp; b</h1>\n<p>1 &lt; 2</p>" in text
    assert "1 · &lt;g&gt;" in text
    assert 'id="show-all" checked' in page([(0, 2, "X")], [(0, 2, "X")])


def test_a_page_of_differences_tells_probabilities() -> None:
    pair = (
        Document("ab", ((0, 1, "X"),)),
        Document("ab", ((0, 1, "X"), (1, 2, "Y")), probabilities=(0.6, 0.75)),
    )
    assert "spurious: Y<span> 75 %</span>" in "".join(write_compared([pair], "a"))
