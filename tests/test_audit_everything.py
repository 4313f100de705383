"""All audits of a run at once: what is in them, and what one failure does."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from audited_runs import write_tiny_run

from ladtl_np import __version__
from ladtl_np.audit import RunAudit, check_run
from ladtl_np.audit.everything import PARTS
from ladtl_np.errors import UsageError
from ladtl_np.pages import Pen
from ladtl_np.runs.marker import run_files


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run."""
    return write_tiny_run(tmp_path_factory.mktemp("audited"))


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    """What the audit said of its progress."""
    return []


@pytest.fixture(scope="module")
def audited(tiny_run: Path, told: list[tuple[str, int, int]]) -> RunAudit:
    """Its audit."""
    return check_run(tiny_run, seed=5, tell=lambda *now: told.append(now))


def test_every_audit_is_made_and_passes(audited: RunAudit) -> None:
    assert tuple(audit.key for audit in audited.audits) == PARTS
    assert all(audit.lines and audit.count("passed") for audit in audited.audits)
    assert audited.passed
    assert audited.verdict.startswith("passed: ")


def test_progress_goes_through_the_parts_to_their_ends(
    audited: RunAudit, told: list[tuple[str, int, int]]
) -> None:
    assert list(dict.fromkeys(part for part, _, _ in told)) == list(PARTS)
    for part in PARTS:
        shares = [done / total for name, done, total in told if name == part]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0, part


def test_the_record_has_the_hash_of_every_file(audited: RunAudit, tiny_run: Path) -> None:
    record = audited.record
    assert set(record.files) == set(run_files(tiny_run)) >= {"best.safetensors", "manifest.json"}
    for name, digest in record.files.items():
        assert digest == hashlib.sha256((tiny_run / name).read_bytes()).hexdigest()
    files = {role: digest for role, _, digest in record.corpora}
    target = (tiny_run.parent / "target.txt").read_bytes()
    assert files["target"] == hashlib.sha256(target).hexdigest()
    assert record.audited["ladtl_np"] == record.trained["ladtl_np"] == __version__
    assert record.options["seed"] == 5
    assert record.options["tolerance of equations"] == 1e-9


def test_its_parts_of_a_page_and_its_json_hold_the_same(audited: RunAudit) -> None:
    sections = audited.sections(Pen([]))
    assert [section.key for section in sections] == ["overview", *PARTS, "record"]
    rows = [[cell.text for cell in row] for row in sections[0].tables[0].rows]
    plain = audited.to_json()
    assert [row[1] for row in rows] == ["passed"] * len(PARTS)
    assert [int(row[2]) for row in rows] == [
        sum(line["verdict"] == "passed" for line in audit["lines"]) for audit in plain["audits"]
    ]
    assert plain["passed"] is True
    assert plain["record"]["files"] == audited.record.files


def test_one_failed_line_fails_the_whole_and_is_named(tiny_run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_run, tmp_path / "run")
    predictions = folder / "predictions-test.txt"
    text = predictions.read_text("utf-8")
    predictions.write_text(text.replace("S-Sign\n", "O\n", 1), "utf-8")
    audited = check_run(folder)
    assert not audited.passed
    assert audited.verdict == f"failed: data, of {len(PARTS)} audits"
    table = audited.sections(Pen([]))[0].tables[0]
    assert [[c.text for c in row[:2]] for row in table.rows if row[1].best] == [
        [audited.audits[0].title, "failed"]
    ]


def test_a_run_of_one_domain_is_audited_in_what_it_has(tmp_path: Path) -> None:
    run = write_tiny_run(tmp_path / "alone", method="non-transfer", data={"source": ""})
    audited = check_run(run)
    assert audited.passed
    lines = {audit.key: audit.lines for audit in audited.audits}
    assert {line.verdict for line in lines["kl"]} == {line.verdict for line in lines["mmd"]}
    assert {line.verdict for line in lines["mmd"]} == {"noted"}


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        check_run(tmp_path)
