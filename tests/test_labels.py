from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.labels import LabelMap, TagSet, describe_match, matched_tags
from ladtl_np.corpus.schemes import split_tag
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import DataError, UsageError

NEWS = TagSet.of_types(["PER", "LOC", "ORG", "MISC"])
TWEETS = TagSet.of_types(["person", "geo-loc", "company", "other", "movie"])
PAIRS = {"PER": "person", "LOC": "geo-loc", "ORG": "company", "MISC": "other"}


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "map.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_tag_set_holds_all_prefixes_of_the_types_seen() -> None:
    corpus = Corpus("c", (Sentence(("a", "b"), ("I-X", "O")), Sentence(("c",))), "IOB1")
    tags = TagSet.from_corpora([corpus])
    assert tags.tags == ("O", "B-X", "I-X", "E-X", "S-X")
    assert tags.types == ("X",)
    assert TagSet.from_corpora([]).tags == ("O",)


def test_tags_become_rows_and_back() -> None:
    rows = NEWS.encode(["O", "S-PER", "B-LOC"])
    assert rows.dtype == np.int64
    assert NEWS.decode(rows) == ("O", "S-PER", "B-LOC")
    assert NEWS.encode([]).shape == (0,)


def test_unknown_tags_are_named_or_become_minus_one() -> None:
    with pytest.raises(DataError, match="B-Y, S-X; its types: LOC, MISC, ORG, PER"):
        NEWS.encode(["O", "S-X", "B-Y"])
    assert NEWS.encode(["O", "S-X"], strict=False).tolist() == [0, -1]


def test_a_tag_set_may_be_in_iob2() -> None:
    corpus = Corpus("c", (Sentence(("a", "b"), ("B-X", "E-X")), Sentence(("c",), ("S-A",))))
    tags = TagSet.from_corpora([corpus], "IOB2")
    assert tags == TagSet(("O", "B-A", "I-A", "B-X", "I-X"), "IOB2")
    assert tags != TagSet(tags.tags)
    with pytest.raises(ValueError, match="the tag of row 1 is not one of IOB2"):
        TagSet(("O", "S-X"), "IOB2")
    rows = matched_tags(tags, TagSet.of_types(["X"], "IOB2"))
    assert [found.tolist() for found in rows] == [[0, 3, 4], [0, 1, 2]]


@pytest.mark.parametrize("tags", [(), ("B-X",), ("O", "O"), ("O", "U-X"), ("O", "X")])
def test_what_is_no_tag_set_is_refused(tags: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="tag"):
        TagSet(tags)


def test_equal_types_match_without_a_map() -> None:
    source, target = TagSet.of_types(["A", "B", "D"]), TagSet.of_types(["B", "C", "D"])
    source_rows, target_rows = matched_tags(source, target)
    assert source.decode(source_rows) == target.decode(target_rows)
    assert len(source_rows) == 9
    assert source_rows.dtype == target_rows.dtype == np.int64
    assert source_rows.flags.c_contiguous


def test_domains_without_common_types_share_o() -> None:
    source_rows, target_rows = matched_tags(NEWS, TWEETS)
    assert source_rows.tolist() == target_rows.tolist() == [0]


def test_a_map_pairs_types_and_so_all_their_prefixes() -> None:
    source_rows, target_rows = matched_tags(NEWS, TWEETS, LabelMap(PAIRS))
    pairs = zip(NEWS.decode(source_rows), TWEETS.decode(target_rows), strict=True)
    for source, target in pairs:
        assert split_tag(source)[0] == split_tag(target)[0]
        assert PAIRS.get(split_tag(source)[1], "") == split_tag(target)[1]
    assert len(source_rows) == 17


def test_equal_types_still_match_beside_a_map_unless_it_uses_them() -> None:
    source, target = TagSet.of_types(["A", "B", "C", "D"]), TagSet.of_types(["A", "B", "C", "D"])
    label_map = LabelMap({"A": "B", "D": ""})
    assert list(label_map.partners(source.types, target.types).values()) == [
        "B", None, "C", None
    ]  # fmt: skip
    assert len(matched_tags(source, target, label_map)[0]) == 9


@given(
    source=st.sets(st.sampled_from("ABCDE")),
    target=st.sets(st.sampled_from("ABCDE")),
    data=st.data(),
)
def test_matching_is_one_to_one(source: set[str], target: set[str], data: st.DataObject) -> None:
    partners = data.draw(st.permutations(sorted(target)))
    keys = data.draw(st.permutations(sorted(source)))
    count = data.draw(st.integers(0, min(len(partners), len(keys))))
    label_map = LabelMap(dict(zip(keys[:count], partners, strict=False)))
    rows = matched_tags(TagSet.of_types(source), TagSet.of_types(target), label_map)
    for side in rows:
        assert len(set(side.tolist())) == len(side) >= 1 + 4 * count


@pytest.mark.parametrize(
    "text",
    [
        'LOC = "geo-loc"\n"PER.NAM" = "person"\n',
        '[types]\nLOC = "geo-loc"\nPER.NAM = "person"\n',
        '\ufeffPER.NAM = "person"\r\nLOC = "geo-loc"\r\n',
    ],
)
def test_maps_are_read_from_toml(tmp_path: Path, text: str) -> None:
    label_map = LabelMap.read(write(tmp_path, text))
    assert dict(label_map.pairs) == {"LOC": "geo-loc", "PER.NAM": "person"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('A = "x"\nB = "x"\n', "two source types are paired with x"),
        ('A = "x"\nA = "y"\n', "not a TOML file"),
        ("A = 1\n", "A must be a type in quotes"),
        ("A\n", "not a TOML file"),
        (b"\xff", "not UTF-8 at byte offset 0"),
        ('A = "x"\n[types]\nB = "y"\n', "every pair into the table"),
        (b"a = " + b"[" * 100_000, "nested more than 32 deep"),
    ],
)
def test_damaged_maps_are_refused(tmp_path: Path, text: str | bytes, what: str) -> None:
    with pytest.raises(DataError, match=what):
        LabelMap.read(write(tmp_path, text))


def test_a_missing_map_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        LabelMap.read(tmp_path / "none.toml")


def test_types_that_a_side_lacks_are_named_with_those_it_has() -> None:
    with pytest.raises(DataError, match="PRE not among the source's types, which are: LOC, MISC"):
        matched_tags(NEWS, TWEETS, LabelMap({"PRE": "person"}))
    with pytest.raises(DataError, match="nobody not among the target's types, which are: company"):
        matched_tags(NEWS, TWEETS, LabelMap({"PER": "nobody"}))


def test_the_match_is_printed_type_by_type() -> None:
    assert describe_match(NEWS, TWEETS, LabelMap({**PAIRS, "MISC": ""})) == (
        "Matched tags: 13 (source has 17, target 21)\n"
        "  matched types:  O, LOC = geo-loc, ORG = company, PER = person\n"
        "  only in source: MISC\n"
        "  only in target: movie, other"
    )
    assert describe_match(NEWS, NEWS).endswith("only in source: none\n  only in target: none")
