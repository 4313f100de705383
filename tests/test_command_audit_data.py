"""``ladtl audit data``: what it prints, writes and refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from audited_runs import write_tiny_run
from conftest import Invoke


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run."""
    return write_tiny_run(tmp_path_factory.mktemp("audit-data"))


def test_a_sound_run_ends_with_0(invoke: Invoke, run_folder: Path) -> None:
    result = invoke("audit", "data", run_folder)
    assert result.exit_code == 0
    assert "0 failed" in result.stdout
    assert "scored again with the model" in result.stdout.replace("\n", " ")
    assert "computed again" in result.stderr


def test_json_has_the_hashes(invoke: Invoke, run_folder: Path) -> None:
    told = json.loads(invoke("audit", "data", run_folder, "--json").stdout)
    audit = told["audits"][0]
    assert (told["subject"], audit["audit"], audit["passed"]) == (str(run_folder), "data", True)
    assert [table["name"] for table in audit["tables"]] == ["data-corpora", "data-overlap"]
    assert all(len(corpus["sha256"]) == 64 for corpus in audit["numbers"]["corpora"])


def test_a_page_is_written_and_nothing_of_the_run_is(
    invoke: Invoke, run_folder: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in run_folder.parent.rglob("*.*")}
    out = tmp_path / "page.html"
    assert invoke("audit", "data", run_folder, "--out", out).exit_code == 0
    page = out.read_text("utf-8")
    assert "Sentences in two corpora" in page
    assert "Data and scores" in page
    assert {path: path.read_bytes() for path in run_folder.parent.rglob("*.*")} == before
    assert invoke("audit", "data", run_folder, "--out", out).exit_code == 2


def test_a_failed_line_ends_with_1(invoke: Invoke, run_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run_folder, tmp_path / "run")
    (folder / "predictions-test.txt").unlink()
    result = invoke("audit", "data", folder)
    assert result.exit_code == 1
    assert "1 failed" in result.stdout


def test_moved_files_are_found_by_their_options(
    invoke: Invoke, run_folder: Path, tmp_path: Path
) -> None:
    here = tmp_path / "elsewhere.txt"
    shutil.copy(run_folder.parent / "target.txt", here)
    assert invoke("audit", "data", run_folder, "--target", here).exit_code == 0
    assert invoke("audit", "data", run_folder, "--target", tmp_path / "none").exit_code == 1
    two = ("--test", here, "--test", here)
    refused = invoke("audit", "data", run_folder, *two)
    assert refused.exit_code == 2
    assert "1 test file" in refused.stderr


def test_wrong_places_are_refused(invoke: Invoke, run_folder: Path, tmp_path: Path) -> None:
    assert "not a run folder" in invoke("audit", "data", tmp_path).stderr
    corpus = run_folder.parent / "target.txt"
    before = corpus.read_bytes()
    assert invoke("audit", "data", run_folder, "--out", corpus, "--overwrite").exit_code == 2
    assert corpus.read_bytes() == before
    text = tmp_path / "text.txt"
    text.write_bytes(b"\xff\xfe\xff\n")
    assert invoke("audit", "data", run_folder, "--vectors-text", text).exit_code == 3
    assert invoke("audit", "data", run_folder, "--vectors-text", tmp_path / "no").exit_code == 2
