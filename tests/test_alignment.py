"""Documents to sentences of tokens: what fits, what is refused, what is repaired and told."""

from __future__ import annotations

from typing import Any

import pytest

from ladtl_np.corpus.alignment import Aligned, Cutter, align
from ladtl_np.corpus.document import Document
from ladtl_np.corpus.findings import Findings, FindingsError
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.raw import tokenise
from ladtl_np.corpus.tally import Tally


def spaces(text: str) -> list[tuple[int, int]]:
    raw = tokenise(text, "spaces")
    return list(zip(raw.starts, raw.ends, strict=True))


def no_sentences(text: str, bounds: Any, whole: Any) -> list[int]:
    return [0]


CUTTER = Cutter(spaces, no_sentences)


def aligned(document: Document, **options: Any) -> tuple[Aligned | None, list[str], list[str]]:
    """The result, the findings in words, and the changes."""
    findings, tally = Findings("a"), Tally()
    found = align(document, CUTTER, ReadOptions(**options), findings, tally)
    told: list[str] = []
    try:
        findings.raise_any()
    except FindingsError as error:
        told = [f"{one.place('a')}: {one.what}; {one.cure}" for one in error.findings]
    return found, told, [f"{one.place('a')}: {one.what}" for one in tally.changes]


def test_entities_become_spans_of_tokens_in_order() -> None:
    document = Document("no chest pain now", ((14, 17, "T"), (3, 13, "Sign")), 7, 3)
    found, told, changes = aligned(document)
    assert found is not None
    assert (found.spans, told, changes) == (((1, 3, "Sign"), (3, 4, "T")), [], [])
    (sentence,) = found.sentences()
    assert sentence.tags == ("O", "B-Sign", "E-Sign", "S-T")
    assert (sentence.tokens, sentence.line) == (("no", "chest", "pain", "now"), 3)


def test_a_document_without_annotation_has_no_tags() -> None:
    found, _, _ = aligned(Document("no pain"))
    assert found is not None
    assert found.spans is None
    assert [sentence.tags for sentence in found.sentences()] == [None]


def test_a_document_without_tokens_has_no_sentence() -> None:
    found, _, _ = aligned(Document("  ", ()))
    assert found is not None
    assert list(found.sentences()) == []


@pytest.mark.parametrize(
    ("entities", "what", "cure"),
    [
        (((0, 1, "X"),), "a:3: entity 0..1 starts or ends inside a token", "--repair"),
        (((2, 7, "X"),), "a:3: entity 2..7 starts or ends inside a token or at white", "--repair"),
        (((0, 9, "X"),), "a:3: entity 0..9 leaves the text of 7 characters", "offsets count"),
        (((3, 3, "X"),), "a:3: entity 3..3 is empty", "offsets count"),
        (((0, 2, "X"), (0, 7, "Y")), "a:3: entity 0..7 overlaps the one before it", "--overlaps"),
        (((0, 2, "X"), (0, 2, "X")), "a:3: entity 0..2 overlaps the one before it", "--overlaps"),
    ],
)
def test_what_does_not_fit_is_a_finding_with_a_cure(entities: Any, what: str, cure: str) -> None:
    found, told, changes = aligned(Document("no pain", entities, 5, 3))
    assert found is None
    assert told[0].startswith(what)
    assert cure in told[0]
    assert changes == []


def test_all_that_is_wrong_with_a_document_is_told() -> None:
    _, told, _ = aligned(Document("no pain", ((0, 1, "X"), (2, 5, "Y"), (0, 9, "Z"))))
    assert len(told) == 3


def test_offsets_in_utf16_are_suspected_where_the_text_could_have_them() -> None:
    _, told, _ = aligned(Document("😀 pain", ((0, 9, "X"),)))
    assert "UTF-16" in told[0]
    _, told, _ = aligned(Document("x pain", ((0, 9, "X"),)))
    assert "UTF-16" not in told[0]


def test_the_file_within_a_folder_is_named() -> None:
    _, told, _ = aligned(Document("no pain", ((0, 1, "X"),), line=2, file="b.ann"))
    assert told[0].startswith("a/b.ann:2: ")


def test_repairs_trim_and_widen_and_are_told_one_by_one() -> None:
    entities = ((0, 3, "X"), (4, 6, "Y"), (2, 3, "Z"))
    found, told, changes = aligned(Document("no pain", entities, line=3), repair=True)
    assert found is not None
    assert (found.spans, told) == (((0, 1, "X"), (1, 2, "Y")), [])
    assert changes == [
        "a:3: entity 0..3 is 0..2 now",
        "a:3: entity 4..6 is 3..7 now",
        "a:3: entity 2..3 holds no token; left out",
    ]


def test_repairs_trim_marks_off_entities_that_fit_too() -> None:
    found, _, changes = aligned(Document("no pain , x", ((3, 9, "X"),)), repair=True)
    assert found is not None
    assert found.spans == ((1, 2, "X"),)
    assert changes == ["a: entity 3..9 is 3..7 now"]


def test_repairs_do_not_mend_what_no_text_can_hold() -> None:
    found, told, _ = aligned(Document("no pain", ((0, 99, "X"),)), repair=True)
    assert found is None
    assert "leaves the text" in told[0]


def test_overlaps_are_resolved_by_the_rule_that_was_asked_for() -> None:
    document = Document("no chest pain", ((3, 8, "X"), (3, 13, "Y")))
    longest, _, changes = aligned(document, overlaps="longest")
    assert longest is not None
    assert longest.spans == ((1, 3, "Y"),)
    assert changes == ["a: entity 3..8 overlaps one that is kept; left out"]
    first, _, _ = aligned(document, overlaps="first")
    assert first is not None
    assert first.spans == ((1, 2, "X"),)


def test_tokens_and_sentences_of_the_file_are_kept() -> None:
    document = Document(
        "nopain x", ((2, 6, "X"),), tokens=((0, 2), (2, 6), (7, 8)), sentences=(0, 7)
    )
    found, told, _ = aligned(document)
    assert told == []
    assert found is not None
    assert [s.tokens for s in found.sentences()] == [("no", "pain"), ("x",)]
    assert [s.tags for s in found.sentences()] == [("O", "S-X"), ("O",)]


def test_a_sentence_of_the_file_does_not_part_an_entity() -> None:
    document = Document("chest pain now", ((0, 10, "X"),), sentences=(0, 6, 11))
    found, _, _ = aligned(document)
    assert found is not None
    assert found.starts == (0, 2)


def test_parts_are_documents_of_one_sentence() -> None:
    document = Document(
        "a pain x",
        ((2, 6, "X"),),
        9,
        4,
        tokens=((0, 1), (2, 6), (7, 8)),
        sentences=(0, 2),
    )
    found, _, _ = aligned(document)
    assert found is not None
    assert list(found.parts()) == [
        Document("a", (), 9, 4, tokens=((0, 1),)),
        Document("pain x", ((0, 4, "X"),), 9, 4, tokens=((0, 4), (5, 6))),
    ]


def test_tags_of_iob1_part_neighbours_within_a_sentence_only() -> None:
    document = Document("a b c", ((0, 1, "X"), (2, 3, "X"), (4, 5, "X")), sentences=(0, 2))
    found, _, _ = aligned(document)
    assert found is not None
    assert [s.tags for s in found.sentences("IOB1")] == [("I-X",), ("I-X", "B-X")]
