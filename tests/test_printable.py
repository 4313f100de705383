from __future__ import annotations

import pytest

from ladtl_np.printable import counted, shown, some_of


def test_control_and_direction_characters_are_escaped_and_long_text_is_cut() -> None:
    assert shown("a\x1b[31mb\u202ec\n") == "a\\x1b[31mb\\u202ec\\n"
    assert shown("x" * 41) == "x" * 39 + "…"
    assert shown("x" * 40) == "x" * 40


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ([], "none"),
        (["a"], "a"),
        (["a", "b"], "a, b"),
        (["a", "b", "c"], "a, b, and 1 more"),
        (list("abcde"), "a, b, and 3 more"),
    ],
)
def test_the_first_few_are_told_and_how_many_more_there_are(texts: list[str], told: str) -> None:
    assert some_of(texts, 2) == told
    assert some_of(texts, 2, "; ") == told.replace(", ", "; ")


@pytest.mark.parametrize(
    ("things", "thing"),
    [
        ("entities", "entity"),
        ("frequencies", "frequency"),
        ("sketches", "sketch"),
        ("differing sentences", "differing sentence"),
        ("classes", "class"),
        ("sources", "source"),
        ("types", "type"),
        ("-DOCSTART- blocks", "-DOCSTART- block"),
        ("tokens of one letter", "token of one letter"),
    ],
)
def test_one_thing_is_told_in_the_singular(things: str, thing: str) -> None:
    assert counted(1, things) == f"1 {thing}"
    assert counted(0, things) == f"0 {things}"
    assert counted(2_000, things) == f"2,000 {things}"
