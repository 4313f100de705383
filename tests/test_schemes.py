from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import (
    INSIDE_SCHEMES,
    PREFIXES,
    SCHEMES,
    Span,
    detect_scheme,
    from_bioes,
    illegal_positions,
    legal_start_end_transition,
    spans,
    spans_to_tags,
    split_tag,
    tags_of_types,
    to_bioes,
)

LOSSLESS = [scheme for scheme in SCHEMES if scheme != "IO"]
TYPES = ["LOC", "PER.NAM", "geo-loc"]


@st.composite
def span_sets(draw: st.DrawFn) -> tuple[list[Span], int]:
    found: list[Span] = []
    position = 0
    for gap, length, kind in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(TYPES)))
    ):
        start = position + gap
        position = start + length
        found.append((start, position, kind))
    return found, position + draw(st.integers(0, 2))


def tag_sequences(scheme: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(tags_of_types(TYPES, scheme)), max_size=8)


def conlleval_spans(tags: list[str]) -> list[Span]:
    """The rules of conlleval.py, written as there: one test for a start and one for an end."""
    found, start = [], 0
    before, kind_before = "O", ""
    for position, tag in enumerate([*tags, "O"]):
        letter, _, kind = tag.partition("-")
        ends = before in "ES" or (before in "BI" and letter in "BSO")
        ends = ends or (before != "O" and kind_before != kind)
        starts = letter in "BS" or (before in "ESO" and letter in "EI")
        starts = starts or (letter != "O" and kind_before != kind)
        if before != "O" and ends:
            found.append((start, position, kind_before))
        if letter != "O" and starts:
            start = position
        before, kind_before = letter, kind
    return found


@pytest.mark.parametrize("source", LOSSLESS)
@pytest.mark.parametrize("target", LOSSLESS)
@given(case=span_sets())
def test_every_pair_of_schemes_round_trips(
    source: str, target: str, case: tuple[list[Span], int]
) -> None:
    expected, n = case
    tags = spans_to_tags(expected, n, source)
    there = from_bioes(to_bioes(tags, source), target)
    assert spans(there, target) == expected
    assert from_bioes(to_bioes(there, target), source) == tags
    assert illegal_positions(there, target) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@given(data=st.data())
def test_conversion_is_idempotent_and_legal_on_any_tags(scheme: str, data: st.DataObject) -> None:
    tags = data.draw(tag_sequences(scheme))
    once = to_bioes(tags, scheme)
    assert to_bioes(once, "BIOES") == once
    assert illegal_positions(once, "BIOES") == []
    assert spans(once, "BIOES") == spans(tags, scheme)


@pytest.mark.parametrize("scheme", LOSSLESS)
@given(data=st.data())
def test_legal_sequences_convert_without_loss_and_only_those(
    scheme: str, data: st.DataObject
) -> None:
    tags = tuple(data.draw(tag_sequences(scheme)))
    assert (from_bioes(to_bioes(tags, scheme), scheme) == tags) == (
        illegal_positions(tags, scheme) == []
    )


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES"])
@given(data=st.data())
def test_spans_are_those_of_conlleval(scheme: str, data: st.DataObject) -> None:
    tags = data.draw(tag_sequences(scheme))
    assert spans(tags, scheme) == conlleval_spans(tags)


def test_io_joins_adjacent_spans_of_one_type_only() -> None:
    tags = spans_to_tags([(0, 1, "A"), (1, 2, "A"), (2, 3, "B")], 3, "IO")
    assert spans(tags, "IO") == [(0, 2, "A"), (2, 3, "B")]


def test_bilou_is_bioes_under_other_names() -> None:
    assert from_bioes(["S-A", "B-A", "I-A", "E-A"], "BILOU") == ("U-A", "B-A", "I-A", "L-A")


def test_bmes_is_bioes_under_other_names() -> None:
    bmes = ("S-A", "B-A", "M-A", "E-A")
    assert from_bioes(["S-A", "B-A", "I-A", "E-A"], "BMES") == bmes
    assert to_bioes(bmes, "BMES") == ("S-A", "B-A", "I-A", "E-A")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("O", ("O", "")),
        ("B-geo-loc", ("B", "geo-loc")),
        ("I-PER.NAM", ("I", "PER.NAM")),
        ("S-疾病", ("S", "疾病")),
    ],
)
def test_only_the_first_dash_divides_a_tag(tag: str, expected: tuple[str, str]) -> None:
    assert split_tag(tag) == expected


@pytest.mark.parametrize(
    "tag", ["", "o", "B", "B-", "-A", "PER", "b-PER", "X-PER", "B_PER", "O-A", "B-A ", "O ", "B-\t"]
)
def test_what_is_not_a_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="a tag is O or one of"):
        split_tag(tag)


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ([], "BIOES"),
        (["O", "O"], "BIOES"),
        (["I-A", "I-A", "O"], "IOB1"),
        (["I-A", "B-A", "O"], "IOB1"),
        (["I-A", "O", "I-A", "O", "O", "B-A"], "IOB1"),  # one stray B-
        (["B-A", "O", "B-A", "I-A", "O", "I-A"], "IOB2"),  # one stray I-
        (["I-A", "O", "B-A"], "IOB2"),
        (["B-A"], "IOB2"),
        (["S-A"], "BIOES"),
        (["B-A", "E-A"], "BIOES"),
        (["U-A"], "BILOU"),
        (["B-A", "I-A", "L-A"], "BILOU"),
        (["B-A", "M-A", "E-A", "S-A"], "BMES"),
        (["B-A", "M-A", "E-A", "O", "B-A"], "BMES"),  # as BMEO has single tokens
    ],
)
def test_scheme_is_told_from_the_tags(tags: list[str], scheme: str) -> None:
    assert detect_scheme([tags]) == scheme


def test_a_sentence_boundary_parts_spans_when_the_scheme_is_told() -> None:
    assert detect_scheme([["I-A"], ["B-A"], ["B-A"]]) == "IOB2"


@pytest.mark.parametrize("other", ["I", "L", "U"])
def test_bmes_beside_others_is_refused(other: str) -> None:
    with pytest.raises(ValueError, match=rf"BMES \(M-\) and of others \({other}-\)"):
        detect_scheme([["M-A", f"{other}-A"]])


def test_bioes_beside_bilou_is_refused() -> None:
    with pytest.raises(ValueError, match=r"BIOES .* BILOU"):
        detect_scheme([["S-A"], ["U-A"]])


@pytest.mark.parametrize(
    ("tags", "scheme", "expected", "bioes"),
    [
        (["I-A", "I-A"], "IOB2", [0], ["B-A", "E-A"]),
        (["B-A", "I-B"], "IOB2", [1], ["S-A", "S-B"]),
        (["O", "B-A"], "IOB1", [1], ["O", "S-A"]),
        (["I-B", "B-A"], "IOB1", [1], ["S-B", "S-A"]),
        (["B-A", "O"], "BIOES", [0], ["S-A", "O"]),
        (["B-A", "I-A"], "BIOES", [1], ["B-A", "E-A"]),
        (["E-A", "E-A"], "BIOES", [0, 1], ["S-A", "S-A"]),
        (["I-A"], "BIOES", [0], ["S-A"]),
        (["B-A", "S-A", "I-A"], "BIOES", [0, 2], ["S-A", "S-A", "S-A"]),
        (["B-A", "E-B"], "BIOES", [0, 1], ["S-A", "S-B"]),
        (["B-A", "L-A", "L-A"], "BILOU", [2], ["B-A", "E-A", "S-A"]),
        (["B-A", "M-A", "E-A", "B-A"], "BMES", [3], ["B-A", "I-A", "E-A", "S-A"]),
        (["M-A", "E-A", "M-B", "S-B"], "BMES", [0, 2], ["B-A", "E-A", "S-B", "S-B"]),
        (["B-A", "M-A", "O"], "BMES", [1], ["B-A", "E-A", "O"]),
    ],
)
def test_illegal_tags_are_listed_and_read_as_conlleval_does(
    tags: list[str], scheme: str, expected: list[int], bioes: list[str]
) -> None:
    assert illegal_positions(tags, scheme) == expected
    assert list(to_bioes(tags, scheme)) == bioes


def test_a_prefix_of_another_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="E- does not belong to the scheme IOB2"):
        spans(["E-A"], "IOB2")
    with pytest.raises(ValueError, match="unknown tag scheme"):
        spans(["O"], "BMESX")


@pytest.mark.parametrize(
    "bad", [[(0, 0, "A")], [(2, 1, "A")], [(-1, 1, "A")], [(0, 4, "A")], [(0, 1, "")],
            [(0, 2, "A"), (1, 3, "B")]]
)  # fmt: skip
def test_spans_that_do_not_fit_are_refused(bad: list[Span]) -> None:
    with pytest.raises(ValueError, match="must have a type"):
        spans_to_tags(bad, 3, "BIOES")


def test_all_prefixes_of_a_type_are_listed_seen_or_not() -> None:
    assert tags_of_types(["b", "a", "b"]) == [
        "O", "B-a", "I-a", "E-a", "S-a", "B-b", "I-b", "E-b", "S-b"
    ]  # fmt: skip
    assert len(tags_of_types(["a"], "BILOU")) == 1 + len(PREFIXES["BILOU"])


@pytest.mark.parametrize("scheme", INSIDE_SCHEMES)
@given(data=st.data())
def test_legal_masks_allow_exactly_the_legal_sequences(scheme: str, data: st.DataObject) -> None:
    tags = tags_of_types(TYPES[:2], scheme)
    start, end, transition = legal_start_end_transition(tags, scheme)
    rows = data.draw(st.lists(st.integers(0, len(tags) - 1), min_size=1, max_size=4))
    allowed = start[rows[0]] and end[rows[-1]] and transition[rows[:-1], rows[1:]].all()
    assert allowed == (illegal_positions([tags[row] for row in rows], scheme) == [])


@pytest.mark.parametrize(("scheme", "m"), [("BIOES", 13), ("IOB2", 7)])
def test_legal_masks_have_their_shapes_and_no_dead_end(scheme: str, m: int) -> None:
    start, end, transition = legal_start_end_transition(tags_of_types(TYPES, scheme), scheme)
    assert start.shape == end.shape == (m,)
    assert transition.shape == (m, m)
    assert start.dtype == end.dtype == transition.dtype == np.bool_
    assert transition.any(axis=0).all()
    assert transition.any(axis=1).all()
    assert legal_start_end_transition(["O"], scheme).transition.all()


@pytest.mark.parametrize("scheme", sorted({*SCHEMES, "XYZ"} - {*INSIDE_SCHEMES}))
def test_no_model_has_tags_of_another_scheme(scheme: str) -> None:
    with pytest.raises(ValueError, match="a model's tags are in one of"):
        legal_start_end_transition(["O"], scheme)
    with pytest.raises(ValueError, match="a tag set is in one of"):
        TagSet(("O",), scheme)
