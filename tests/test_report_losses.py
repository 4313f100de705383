"""Types that a method labels worse than a baseline does, and by how much that is no chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_report import MakeRun, make_run, report_of, section_of, texts

from ladtl_np.pages.content import Section
from ladtl_np.report.sections.losses import losses_section
from ladtl_np.report.study import study_of
from ladtl_np.runs.found import find_runs

__all__ = ["make_run"]


def losses(folder: Path) -> Section:
    return losses_section(study_of(find_runs([folder])))


def a_run(
    make_run: MakeRun,
    method: str,
    kinds: dict[str, float],
    *,
    seed: int = 0,
    gold: int = 10,
    pairs: dict[str, str] | None = None,
) -> None:
    place = make_run(f"e/T/{method}/{seed}", method, {"t": 0.5}, seed=seed, kinds=kinds)
    manifest = json.loads((place / "manifest.json").read_text("utf-8"))
    for counts in manifest["results"]["t"]["conlleval"]["per_type"].values():
        counts["gold"] = gold
    apart: dict[str, Any] = {"source_tokens": 9, "target_tokens": 9, "mmd": 1.0}
    manifest["label_mmd"] = [
        {"source": f"S-{source}", "target": f"S-{target}", **apart}
        for target, source in (pairs or {}).items()
    ]
    (place / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def test_a_type_that_loses_is_named_with_its_pair_and_what_chance_explains(
    make_run: MakeRun, tmp_path: Path
) -> None:
    a_run(make_run, "non-transfer", {"A": 0.8, "B": 0.8}, gold=100)
    pairs = {"A": "Surgery", "B": "B"}
    a_run(make_run, "la-dtl", {"A": 0.5, "B": 0.7}, gold=100, pairs=pairs)
    section = losses(tmp_path / "e")
    (row,) = texts(section.tables[0])  # B: 1.96 sqrt((0.16 + 0.21) / 100) = 0.119
    assert row == [
        *("T", "A", "Surgery", "la-dtl", "non-transfer", "100", "50.00", "80.00", "-30.00"),
        *("12.55", "1"),  # 1.96 sqrt((0.16 + 0.25) / 100)
    ]
    assert "label map" in " ".join(section.notes)


def test_from_three_seeds_on_the_seeds_tell_chance(make_run: MakeRun, tmp_path: Path) -> None:
    for seed, (alone, other) in enumerate(((0.70, 0.65), (0.71, 0.67), (0.72, 0.67))):
        a_run(make_run, "non-transfer", {"A": alone, "B": alone}, seed=seed)
        a_run(make_run, "la-dtl", {"A": other, "B": alone - 0.1 * seed}, seed=seed)
    (row,) = texts(losses(tmp_path / "e").tables[0])
    # differences 5, 4, 5: mean 4.67, deviation 0.577, t 4.303: half of the interval is 1.434
    assert (row[1], row[8], row[9], row[10]) == ("A", "-4.67", "1.43", "3")


@pytest.mark.parametrize(("gold", "listed"), [(4, False), (5, True)])
def test_types_of_few_entities_are_left_out(
    make_run: MakeRun, tmp_path: Path, gold: int, listed: bool
) -> None:
    a_run(make_run, "joint-training", {"A": 1.0}, gold=gold)
    a_run(make_run, "crf-l2", {"A": 0.0}, gold=gold)
    section = losses(tmp_path / "e")
    assert bool(section.tables) == listed
    assert section.missing == (
        "" if listed else "no type is below the target alone or joint training by more than chance."
    )


def test_joint_training_is_held_against_the_target_alone_and_not_the_other_way_round(
    make_run: MakeRun, tmp_path: Path
) -> None:
    a_run(make_run, "joint-training", {"A": 0.1, "B": 1.0}, gold=100)
    a_run(make_run, "non-transfer", {"A": 1.0, "B": 0.1}, gold=100)
    (row,) = texts(losses(tmp_path / "e").tables[0])
    assert row[1:5] == ["A", "–", "joint-training", "non-transfer"]


def test_without_a_baseline_the_page_says_so(make_run: MakeRun, tmp_path: Path) -> None:
    a_run(make_run, "la-dtl", {"A": 0.1})
    section = section_of(report_of(tmp_path / "e"), "losses")
    assert "no scores of the target alone or of joint training" in section.missing


def test_a_seed_of_one_method_alone_does_not_count(make_run: MakeRun, tmp_path: Path) -> None:
    a_run(make_run, "non-transfer", {"A": 0.5}, gold=100)
    a_run(make_run, "la-dtl", {"A": 0.5}, gold=100)
    a_run(make_run, "la-dtl", {"A": 0.0}, gold=100, seed=1)
    assert losses(tmp_path / "e").tables == []
