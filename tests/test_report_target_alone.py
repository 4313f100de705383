"""Runs of the target alone stand beside those with a source, however they were run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_report import MakeRun, make_run

from ladtl_np.report.study import Study, study_of
from ladtl_np.runs.found import find_runs

__all__ = ["make_run"]


def data(target: str = "t1", source: str = "", **changes: Any) -> list[dict[str, Any]]:
    """Files of a run, the hashes of which are their names."""
    files = {"source": source, "target": target, "dev": f"{target}-dev", "test": f"{target}-test"}
    facts: dict[str, Any] = {"scheme": "BIOES", "sentences": 5, "tokens": 9} | changes
    return [
        {"role": role, "name": f"{name}/train.txt", "sha256": name, **facts}
        for role, name in files.items()
        if name
    ]


def tasks(study: Study) -> list[tuple[str, str]]:
    return [(run.task, run.method) for run in study.runs]


def test_a_single_run_is_in_the_task_of_its_target(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("r/la-dtl", "la-dtl", {"t": 0.5}, data=data(source="s"))
    make_run("r/non-transfer", "non-transfer", {"t": 0.4}, data=data())
    study = study_of(find_runs([tmp_path / "r"]))
    assert tasks(study) == [("s → t1", "la-dtl"), ("s → t1", "non-transfer")]


def test_of_several_sources_each_has_it(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("r/a/la-dtl", "la-dtl", {"t": 0.5}, data=data(source="s"))
    make_run("r/b/la-dtl", "la-dtl", {"t": 0.5}, data=data(source="other"))
    make_run("alone/0", "non-transfer", {"t": 0.4}, data=data())
    make_run("alone/1", "non-transfer", {"t": 0.3}, data=data(), seed=1)
    study = study_of(find_runs([tmp_path / "r", tmp_path / "alone"]))
    assert study.tasks == ["r/a", "r/b"]
    for task in study.tasks:
        members = study.members(1.0, task)
        assert [(run.method, run.seed) for run in members] == [
            ("la-dtl", 0),
            ("non-transfer", 0),
            ("non-transfer", 1),
        ]
    assert study.left_out == []


@pytest.mark.parametrize(
    "other",
    [
        data("t2"),
        data(scheme="IOB2"),
        data(sentences=6),
        data(tokens=10),
        data()[:2],  # without the test
        [],
    ],
)
def test_other_files_or_files_read_otherwise_are_another_target(
    make_run: MakeRun, tmp_path: Path, other: list[dict[str, Any]]
) -> None:
    make_run("r/x/la-dtl", "la-dtl", {"t": 0.5}, data=data(source="s"))
    make_run("r/y/non-transfer", "non-transfer", {"t": 0.4}, data=other)
    study = study_of(find_runs([tmp_path / "r"]))
    assert tasks(study) == [("x", "la-dtl"), ("y", "non-transfer")]


def test_in_its_own_task_it_stays_and_is_not_repeated(make_run: MakeRun, tmp_path: Path) -> None:
    for task, f1 in (("a-to-t1", 0.4), ("b-to-t1", 0.3)):
        make_run(f"e/{task}/la-dtl/0", "la-dtl", {"t": 0.5}, data=data(source=task))
        make_run(f"e/{task}/non-transfer/0", "non-transfer", {"t": f1}, data=data())
    study = study_of(find_runs([tmp_path / "e"]))
    alone = [run for run in study.runs if run.method == "non-transfer"]
    assert [(run.task, run.f1("t")) for run in alone] == [("a → t1", 40.0), ("b → t1", 30.0)]
    assert (len(study.runs), study.left_out) == (4, [])
    make_run("alone/x", "non-transfer", {"t": 0.1}, data=data())
    study = study_of(find_runs([tmp_path / "e", tmp_path / "alone"]))
    assert (len(study.runs), study.left_out) == (4, ["alone/x"])  # its scores differ
    assert study.tasks == ["e/a → t1", "e/b → t1"]


def test_runs_of_the_target_alone_by_themselves_stay_where_they_are(
    make_run: MakeRun, tmp_path: Path
) -> None:
    make_run("r/x/non-transfer", "non-transfer", {"t": 0.4}, data=data())
    make_run("r/y/non-transfer", "non-transfer", {"t": 0.4}, data=data("t2"))
    assert study_of(find_runs([tmp_path / "r"])).tasks == ["x", "y"]
