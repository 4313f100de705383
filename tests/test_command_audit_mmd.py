"""``ladtl audit mmd``: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from audited_runs import write_tiny_run
from conftest import Invoke

from ladtl_np.audit.mmd import lines as mmd_lines

QUICK = ("--permutations", 19, "--batches", 1)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run."""
    return write_tiny_run(tmp_path_factory.mktemp("audit-mmd"))


def test_it_prints_lines_and_tables(invoke: Invoke, run_folder: Path) -> None:
    result = invoke("audit", "mmd", run_folder, *QUICK)
    assert result.exit_code == 0
    told = result.stdout.replace("\n", " ")
    for part in (
        "kernel and reference",
        "passed",
        "0 failed",
        "S-Sign",
        "1e+06",
        "before training",
    ):
        assert part in told
    assert "whole sentences" in result.stderr


def test_json_has_lines_tables_and_numbers(invoke: Invoke, run_folder: Path) -> None:
    result = invoke("audit", "mmd", run_folder, *QUICK, "--json", "--seed", 1)
    told = json.loads(result.stdout)
    audit = told["audits"][0]
    assert told["subject"] == str(run_folder)
    assert (audit["audit"], audit["passed"]) == ("mmd", True)
    assert [table["name"] for table in audit["tables"]] == [
        *("mmd-labels", "mmd-widths", "mmd-gradients")
    ]
    label = audit["numbers"]["networks"]["after"]["labels"][0]
    assert {"label", "mmd", "p", "expected", "floor"} <= label.keys()


def test_a_training_can_be_looked_at_again(invoke: Invoke, run_folder: Path) -> None:
    before = {path: path.read_bytes() for path in run_folder.iterdir()}
    result = invoke("audit", "mmd", run_folder, *QUICK, "--retrain", "--json")
    assert len(json.loads(result.stdout)["audits"][0]["numbers"]["training"]) == 4
    assert {path: path.read_bytes() for path in run_folder.iterdir()} == before


def test_the_page_has_the_plane_before_and_after(
    invoke: Invoke, run_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "page.html"
    assert invoke("audit", "mmd", run_folder, *QUICK, "--out", out).exit_code == 0
    page = out.read_text("utf-8")
    assert page.count("<svg") == 1
    for part in ("before training", "after training", "B-Drug", "circles for the source"):
        assert part in page
    assert invoke("audit", "mmd", run_folder, *QUICK, "--out", out).exit_code == 2
    assert invoke("audit", "mmd", run_folder, *QUICK, "--out", out, "--overwrite").exit_code == 0


def test_a_failed_check_ends_with_1(
    invoke: Invoke, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = mmd_lines.mmd_forward

    def wrong(*given):
        values, cache = right(*given)
        return np.array(values) / 2, cache

    monkeypatch.setattr(mmd_lines, "mmd_forward", wrong)
    result = invoke("audit", "mmd", run_folder, *QUICK)
    assert result.exit_code == 1
    assert "failed" in result.stdout


def test_moved_files_are_found_by_their_options(invoke: Invoke, tmp_path: Path) -> None:
    folder = write_tiny_run(tmp_path / "here")
    moved = tmp_path / "target.txt"
    (tmp_path / "here/target.txt").rename(moved)
    result = invoke("audit", "mmd", folder, *QUICK)
    assert result.exit_code == 2
    assert "--target" in result.stderr
    assert invoke("audit", "mmd", folder, *QUICK, "--target", moved).exit_code == 0


@pytest.mark.parametrize("method", ["non-transfer", "re-training"])
def test_a_run_of_one_domain_at_a_time_is_refused(
    invoke: Invoke, tmp_path: Path, method: str
) -> None:
    folder = write_tiny_run(tmp_path / "run", method=method)
    result = invoke("audit", "mmd", folder, *QUICK)
    assert result.exit_code == 2
    assert "one domain at a time" in result.stderr


def test_wrong_places_are_refused(invoke: Invoke, run_folder: Path, tmp_path: Path) -> None:
    assert "not a run folder" in invoke("audit", "mmd", tmp_path).stderr
    corpus = run_folder.parent / "target.txt"
    before = corpus.read_bytes()
    for out in (corpus, run_folder / "best.safetensors"):
        result = invoke("audit", "mmd", run_folder, "--out", out, "--overwrite")
        assert result.exit_code == 2
    assert corpus.read_bytes() == before
