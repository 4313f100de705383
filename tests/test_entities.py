"""Entities as tools mark them: checked, trimmed, widened, parted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.document import Bounds
from ladtl_np.corpus.entities import (
    fits,
    overlapping,
    trimmed,
    widened,
    without_overlaps,
    wrong,
)
from ladtl_np.corpus.raw import tokenise
from ladtl_np.corpus.schemes import Span


def bounds_of(text: str) -> list[Bounds]:
    raw = tokenise(text, "spaces")
    return list(zip(raw.starts, raw.ends, strict=True))


@pytest.mark.parametrize(
    ("span", "problem"),
    [
        ((0, 3, "X"), ""),
        ((3, 3, "X"), "empty or reversed"),
        ((4, 3, "X"), "empty or reversed"),
        ((-1, 3, "X"), "leaves the text of 5 characters"),
        ((0, 6, "X"), "leaves the text of 5 characters"),
        ((0, 3, ""), "no proper type"),
        ((0, 3, " X"), "no proper type"),
        ((0, 3, "X\ny"), "no proper type"),
        ((0, 3, "X" * 1001), "more than 1,000 characters"),
    ],
)
def test_what_no_text_can_hold(span: Span, problem: str) -> None:
    assert problem in wrong(span, 5)
    assert bool(wrong(span, 5)) == bool(problem)


@pytest.mark.parametrize(
    ("span", "fit"),
    [((0, 2), True), ((0, 7), True), ((1, 2), False), ((0, 3), False), ((2, 7), False)],
)
def test_a_span_fits_where_tokens_start_and_end(span: Bounds, fit: bool) -> None:
    assert fits((*span, "X"), bounds_of("no pain")) == fit
    assert not fits((*span, "X"), [])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (" pain ", "pain"),
        ("\u3000chest pain,", "chest pain"),
        ("pain. ", "pain"),
        ("（胸痛）", "（胸痛）"),  # a pair is part of the name
        ("胸痛）", "胸痛"),
        ("(IL-2", "IL-2"),
        ("(IL-2)", "(IL-2)"),
        ("Yahoo!", "Yahoo!"),
        ("50%", "50%"),
        ("，。", ""),
    ],
)
def test_white_space_and_marks_beside_an_entity_are_trimmed(text: str, left: str) -> None:
    around = f"x{text}y"
    start, end, kind = trimmed((1, 1 + len(text), "X"), around)
    assert (around[start:end], kind) == (left, "X")


@pytest.mark.parametrize(
    ("span", "wide"),
    [((1, 2), "no"), ((1, 5), "no pain"), ((3, 7), "pain"), ((2, 3), ""), ((2, 4), "pain")],
)
def test_ends_within_tokens_are_moved_to_the_tokens(span: Bounds, wide: str) -> None:
    text = "no pain"
    start, end, _ = widened((*span, "X"), bounds_of(text))
    assert text[start:end] == wide


def test_overlaps_are_those_that_begin_within_another() -> None:
    spans = [(5, 9, "B"), (0, 6, "A"), (9, 12, "C"), (1, 2, "D")]
    assert overlapping(spans) == [(1, 2, "D"), (5, 9, "B")]
    assert overlapping([(0, 3, "A"), (3, 4, "A")]) == []


def test_the_longest_or_the_first_is_kept() -> None:
    spans = [(5, 9, "B"), (0, 6, "A"), (9, 12, "C"), (1, 2, "D")]
    assert without_overlaps(spans, "longest") == (
        [(0, 6, "A"), (9, 12, "C")],
        [(1, 2, "D"), (5, 9, "B")],
    )
    assert without_overlaps(spans, "first") == (
        [(1, 2, "D"), (5, 9, "B"), (9, 12, "C")],
        [(0, 6, "A")],
    )
    same = [(0, 3, "A"), (0, 3, "A"), (2, 5, "B")]  # of equal lengths the earlier in the text
    assert without_overlaps(same, "longest")[0] == [(0, 3, "A")]


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6), st.sampled_from("AB")), max_size=12),
    st.sampled_from(["longest", "first"]),
)
def test_what_is_kept_is_disjoint_and_nothing_else_could_be_added(
    drawn: list[tuple[int, int, str]], rule: str
) -> None:
    spans = [(start, start + length, kind) for start, length, kind in drawn]
    kept, left = without_overlaps(spans, rule)  # type: ignore[arg-type]
    assert sorted(kept + left) == sorted(spans)
    assert kept == sorted(kept)
    assert overlapping(kept) == []
    for span in left:
        assert overlapping([*kept, span])
