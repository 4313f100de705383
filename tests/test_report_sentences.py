"""The report's tests by sentence, against the same test made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from test_report import MakeRun, make_run, report_of, section_of, texts

from ladtl_np.report.sections.sentences import RESAMPLES
from ladtl_np.scoring import sentence_counts
from ladtl_np.scoring.significance import counts_test

__all__ = ["make_run"]

GOLD = [["S-A", "O"], ["O", "S-B"], ["S-A", "S-B"], ["S-A", "O"], ["S-B", "S-B"], ["O", "S-A"]] * 3
RIGHT = GOLD
WRONG = [["O", "O"] if n % 2 else tags for n, tags in enumerate(GOLD)]


def columns(tags: list[list[str]]) -> str:
    """Token, gold tag and predicted tag; the gold ends with one legal tag that tells the scheme."""
    return "".join(
        "".join(f"x\t{g}\t{p}\n" for g, p in zip(gold, guess, strict=True)) + "\n"
        for gold, guess in zip(
            [*GOLD, ["B-A", "I-A", "E-A"]], [*tags, ["B-A", "I-A", "E-A"]], strict=True
        )
    )


def runs(make_run: MakeRun, task: str, method: str, tags: list[list[str]], seeds: int = 2) -> None:
    for seed in range(seeds):
        place = f"e/{task}/{method}/{seed}"
        make_run(place, method, {"t": 0.5}, seed=seed, predictions={"t": columns(tags)})


def test_a_row_is_the_test_over_the_sentences_of_all_tasks(
    make_run: MakeRun, tmp_path: Path
) -> None:
    for task in ("A", "B"):
        runs(make_run, task, "la-dtl", RIGHT)
        runs(make_run, task, "joint-training", WRONG)
    runs(make_run, "A", "crf-l2", RIGHT, seeds=1)
    section = section_of(report_of(tmp_path / "e"), "sentences")
    (table,) = section.tables
    end = ["B-A", "I-A", "E-A"]
    one, other = (
        2 * sentence_counts([*GOLD, end], [*tags, end], "BIOES", "conlleval")
        for tags in (RIGHT, WRONG)
    )
    both = np.concatenate([one, one]), np.concatenate([other, other])
    options = {"alternative": "two-sided", "resamples": RESAMPLES}
    wanted = counts_test(*both, rng=np.random.default_rng(0), **options)
    assert wanted.interval is not None
    assert wanted.resolvable is not None
    joint = next(row for row in texts(table) if row[0] == "joint-training")
    assert joint == [
        *("joint-training", "2", "4", str(2 * (len(GOLD) + 1))),
        f"{100 * wanted.difference:+.2f}",
        *(f"{100 * bound:+.2f}" for bound in wanted.interval),
        f"{wanted.p:.4g}",
        f"{100 * wanted.resolvable:.2f}",
    ]
    equal = next(row for row in texts(table) if row[0] == "crf-l2")
    assert equal[1:5] == ["1", "1", str(len(GOLD) + 1), "+0.00"]
    assert equal[7:] == ["1", "–"]


def test_runs_on_other_gold_tags_are_left_out_and_named(make_run: MakeRun, tmp_path: Path) -> None:
    runs(make_run, "A", "la-dtl", RIGHT, seeds=1)
    text = columns(RIGHT).replace("x\tS-A\t", "x\tS-B\t", 1)
    make_run("e/A/joint-training/0", "joint-training", {"t": 0.5}, predictions={"t": text})
    section = section_of(report_of(tmp_path / "e"), "sentences")
    assert not section.tables  # though the sentences have as many entities in both
    assert "other sentences or gold tags" in section.missing


def test_without_predictions_the_section_is_left_out(make_run: MakeRun, tmp_path: Path) -> None:
    for name in ("joint-training", "la-dtl"):
        make_run(f"e/T/{name}/0", name, {"t": 0.5})
    assert (
        "predictions-t: no such file" in section_of(report_of(tmp_path / "e"), "sentences").missing
    )
