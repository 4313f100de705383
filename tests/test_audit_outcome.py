"""What an audit's lines say, in words, in JSON and on a page."""

from __future__ import annotations

import math

import pytest

from ladtl_np.audit import Audit, Line
from ladtl_np.audit.outcome import held, noted, steps_of
from ladtl_np.pages import Pen


@pytest.mark.parametrize(
    ("error", "verdict"), [(1e-7, "passed"), (1e-6, "passed"), (2e-6, "failed")]
)
def test_an_error_may_reach_the_tolerance_and_no_more(error: float, verdict: str) -> None:
    assert held("x", error, 1e-6).verdict == verdict


def test_an_error_that_is_no_number_fails() -> None:
    assert held("x", math.nan, 1e-6).verdict == "failed"
    assert held("x", math.inf, 1e-6).verdict == "failed"


def audit() -> Audit:
    lines = [held("good", 0.0, 1.0), noted("known", "3", "why"), held("bad", 2.0, 1.0, "row 4")]
    return Audit("gradients", "Gradients", lines, ["What was compared."])


def test_one_failed_line_fails_the_audit_and_comes_first() -> None:
    found = audit()
    assert not found.passed
    assert found.summary == "1 passed, 1 failed, 1 noted"
    rows = [[cell.text for cell in row] for row in found.table().rows]
    assert rows == [
        ["bad", "failed", "2", "at most 1", "row 4"],
        ["good", "passed", "0", "at most 1", ""],
        ["known", "noted", "3", "", "why"],
    ]
    assert Audit("a", "A", [held("good", 0.0, 1.0), noted("known", "3")]).passed


def test_places_have_a_column_where_there_are_some() -> None:
    placed, bare = audit().table(), Audit("a", "A", [held("good", 0.0, 1.0)]).table()
    assert (placed.header[-1], placed.names) == ("where", 5)
    assert (bare.header[-1], bare.names) == ("wanted", 4)
    assert [len(row) for row in (placed.rows[0], bare.rows[0])] == [5, 4]


def test_it_reads_as_text_and_as_plain_values() -> None:
    text = str(audit())
    assert text.splitlines() == [
        "Gradients: 1 passed, 1 failed, 1 noted",
        "  passed good: 0, wanted at most 1",
        "  noted  known: 3 (why)",
        "  failed bad: 2, wanted at most 1 (row 4)",
    ]
    told = audit().to_json()
    assert (told["audit"], told["passed"], told["notes"]) == (
        "gradients",
        False,
        ["What was compared."],
    )
    assert told["lines"][2] == {
        "check": "bad",
        "found": "2",
        "wanted": "at most 1",
        "verdict": "failed",
        "detail": "row 4",
    }


def test_control_characters_of_names_are_escaped_everywhere() -> None:
    hostile = Audit("a", "A", [Line("a\x1b[2J", "1", "", "noted")])
    assert "\x1b" not in str(hostile)
    assert "\x1b" not in str(hostile.to_json())


def test_figures_are_drawn_for_a_page_alone() -> None:
    def draw(pen: Pen) -> list[object]:
        raise LookupError

    drawn = Audit("a", "A", [], draw=draw)  # type: ignore[arg-type]
    drawn.to_json()
    with pytest.raises(LookupError):
        drawn.section(Pen([]))
    assert audit().section(Pen([])).tables[0].name == "audit-gradients"


def test_progress_counts_its_steps_and_stays_at_the_end() -> None:
    told: list[tuple[int, int]] = []
    step = steps_of(lambda *share: told.append(share), 2)
    for _ in range(3):
        step()
    steps_of(None, 2)()
    assert told == [(1, 2), (2, 2), (2, 2)]
