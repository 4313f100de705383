"""The section on simulated annotation: its curves, and tokens that reach an F1, by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from test_report import MakeRun, change_manifest, make_run, report_of, section_of, texts

from ladtl_np.report.sections.annotation import tokens_to_reach

__all__ = ["make_run"]

SCORES = {"random": (0.4, 0.5, 0.8), "span-diverse": (0.4, 0.6, 0.8)}
SHARES = (0.05, 0.1, 1.0)


def write_rounds(make_run: MakeRun, task: str, seeds: int = 1) -> None:
    for strategy, values in SCORES.items():
        for share, f1 in zip(SHARES, values, strict=True):
            for seed in range(seeds):
                place = f"e/{task}/la-dtl/fraction-{share:g}/strategy={strategy}/seed-{seed}"
                options = '[data]\ntarget_fraction = 1.0\ntarget_chosen = "x"\n'
                run = make_run(place, "la-dtl", {"t": f1}, seed=seed, options=options)
                chosen = {"name": "x", "sha256": "0"}
                change_manifest(
                    run, target_tokens_used=int(1000 * share) + seed, target_chosen=chosen
                )


def test_each_strategy_is_a_method_and_its_tokens_are_those_to_reach_a_random_tenth(
    make_run: MakeRun, tmp_path: Path
) -> None:
    write_rounds(make_run, "A-to-B")
    report = report_of(tmp_path / "e")
    section = section_of(report, "annotation")
    shares, reached = section.tables
    assert texts(shares)[:2] == [
        ["A → B", "la-dtl", "random", "0.05", "50", "1", "40.00"],
        ["A → B", "la-dtl", "random", "0.1", "100", "1", "50.00"],
    ]
    halfway = math.sqrt(50 * 100)  # half of the way from 40 to 60 over the logarithm
    assert texts(reached) == [
        ["A → B", "la-dtl", "random", "50.00", "100", "100", "80.00", "1000", "100"],
        [
            *("A → B", "la-dtl", "span-diverse", "50.00", f"{halfway:.0f}", f"{halfway:.0f}"),
            *("80.00", "1000", "100"),
        ],
    ]
    notes = " ".join(section.notes)
    assert "la-dtl, span-diverse: the F1 of a random tenth with at most 60 %" in notes
    assert "on 0 of 1 tasks" in notes
    names = {cell for row in texts(section_of(report, "results").tables[0]) for cell in row[:1]}
    assert "la-dtl, span-diverse" in str(names)


def test_bands_are_over_the_seeds(make_run: MakeRun, tmp_path: Path) -> None:
    write_rounds(make_run, "A-to-B", seeds=2)
    section = section_of(report_of(tmp_path / "e"), "annotation")
    assert [row[4:6] for row in texts(section.tables[0])[:2]] == [["50", "2"], ["100", "2"]]
    assert len(section.figures) == 1


def test_other_reports_have_no_such_section(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("e/T/la-dtl/strategy=random/seed-0", "la-dtl", {"t": 0.5})
    assert "annotation" not in [s.key for s in report_of(tmp_path / "e").sections]


@pytest.mark.parametrize(
    ("points", "f1", "tokens"),
    [
        ([(10, 40.0), (1000, 60.0)], 50.0, 100.0),
        ([(10, 40.0), (1000, 60.0)], 40.0, 10.0),
        ([(10, 40.0), (1000, 60.0)], 60.0, 1000.0),
        ([(10, 40.0), (1000, 60.0)], 61.0, None),
        ([(10, 40.0), (20, 70.0), (40, 30.0), (80, 70.0)], 70.0, 20.0),
        ([], 1.0, None),
    ],
)
def test_between_two_shares_the_line_is_straight_over_the_logarithm(points, f1, tokens) -> None:
    found = tokens_to_reach(points, f1)
    assert found == (None if tokens is None else pytest.approx(tokens))
