"""``ladtl audit all``: the folder that an auditor files."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest
from audited_runs import write_tiny_run
from conftest import Invoke

FILES = {"index.html", "audit.json"}


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run."""
    return write_tiny_run(tmp_path_factory.mktemp("audited"))


def test_a_page_and_numbers_are_written_for_their_owner_alone(
    invoke: Invoke, tiny_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "audit ü"
    result = invoke("audit", "all", tiny_run, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert "none failed" in result.stdout
    assert "index.html and audit.json hold all lines" in result.stderr
    assert {path.name for path in out.iterdir()} == FILES
    assert {stat.S_IMODE(path.stat().st_mode) for path in (out, *out.iterdir())} == {0o600, 0o700}
    page = (out / "index.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "Made by ladtl audit all" in page
    assert "default-src 'none'" in page
    numbers = json.loads((out / "audit.json").read_text("utf-8"))
    assert numbers["passed"] is True
    for audit in numbers["audits"]:
        for line in audit["lines"]:
            assert line["verdict"] in page


def test_a_failed_line_is_printed_and_ends_with_1_after_all_is_written(
    invoke: Invoke, tiny_run: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "predictions-test.txt").unlink()
    result = invoke("audit", "all", run, "--out", tmp_path / "audit", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["passed"] is False
    assert told == json.loads((tmp_path / "audit" / "audit.json").read_text("utf-8"))
    again = invoke("audit", "all", run, "--out", tmp_path / "audit", "--overwrite")
    assert again.exit_code == 1
    assert "failed data: " in again.stdout
    assert "failed: data" in (tmp_path / "audit" / "index.html").read_text("utf-8")


def test_an_audit_that_is_there_stays_without_overwrite(
    invoke: Invoke, tiny_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "audit"
    out.mkdir()
    (out / "audit.json").write_text("{}")
    result = invoke("audit", "all", tiny_run, "--out", out)
    assert result.exit_code == 2
    assert "--overwrite" in result.stderr
    assert (out / "audit.json").read_text() == "{}"
    assert {path.name for path in out.iterdir()} == {"audit.json"}


@pytest.mark.parametrize("name", ["best.safetensors", "notes.txt"])
def test_a_folder_with_other_files_is_never_written_into(
    invoke: Invoke, tiny_run: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "audit"
    out.mkdir()
    (out / name).write_text("mine")
    result = invoke("audit", "all", tiny_run, "--out", out, "--overwrite")
    assert result.exit_code == 2
    assert "holds other files" in result.stderr
    assert [path.name for path in out.iterdir()] == [name]


def test_a_file_is_no_folder(invoke: Invoke, tiny_run: Path, tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("mine")
    result = invoke("audit", "all", tiny_run, "--out", tmp_path / "audit")
    assert (result.exit_code, (tmp_path / "audit").read_text()) == (2, "mine")
    assert "is no folder" in result.stderr


def test_what_is_no_run_leaves_nothing_behind(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("audit", "all", tmp_path, "--out", tmp_path / "audit")
    assert result.exit_code == 2
    assert not (tmp_path / "audit").exists()
