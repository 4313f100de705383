"""``ladtl audit equations``: output, JSON, page, exit codes, wrong input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from audited_runs import write_tiny_run
from conftest import Invoke

from ladtl_np.audit.equations import transfer


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_run(tmp_path_factory.mktemp("audited"))


def test_a_run_is_looked_at_on_its_training_sentences(invoke: Invoke, tiny_run: Path) -> None:
    result = invoke("audit", "equations", tiny_run, "--limit", 3)
    assert result.exit_code == 0
    assert "Equations 1 to 6, computed twice and three times" in result.stdout
    assert "0 failed" in result.stdout
    assert "Eq. (1): log Z, scaled space against all paths" in result.stdout
    assert "Loss of sec. 4.2" in result.stdout
    assert "Looked at 3 of the source and 3 of the target" in result.stderr
    assert "first tokens" in result.stderr


def test_a_model_on_corpora_of_both_domains(invoke: Invoke, tiny_run: Path) -> None:
    folder = tiny_run.parent
    model = tiny_run / "best.safetensors"
    arguments = ("audit", "equations", model, folder / "dev.txt", folder / "test.txt")
    alone = invoke(*arguments, "--limit", 2)
    assert (alone.exit_code, "stand in" in alone.stderr) == (0, True)
    both = invoke(*arguments, "--limit", 50, "--source", folder / "source.txt", "--json")
    (audit,) = json.loads(both.stdout)["audits"]
    assert (audit["audit"], audit["passed"]) == ("equations", True)
    names = [row["where"] for row in audit["numbers"]["sentences"]]
    assert sum(name.startswith("source") for name in names) == 40
    assert sum(name.startswith("target") for name in names) == 30


def test_the_page_has_every_sentence(invoke: Invoke, tiny_run: Path, tmp_path: Path) -> None:
    page = tmp_path / "equations.html"
    result = invoke("audit", "equations", tiny_run, "--limit", 2, "--out", page)
    assert result.exit_code == 0
    text = page.read_text("utf-8")
    assert "Each sentence under its own domain" in text
    assert "every check passed" in text
    refused = invoke("audit", "equations", tiny_run, "--out", page)
    assert (refused.exit_code, "--overwrite" in refused.stderr) == (2, True)


def test_a_difference_beyond_the_tolerance_is_exit_code_1(
    invoke: Invoke, tiny_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = transfer.parameter_transfer_forward

    def wrong(*given: Any) -> float:
        return float(real(*given)) + 1e-4

    monkeypatch.setattr(transfer, "parameter_transfer_forward", wrong)
    arguments = ("audit", "equations", tiny_run, "--limit", 2)
    result = invoke(*arguments)
    assert result.exit_code == 1
    assert "L_p: layers against reference" in result.stdout.partition("passed  ")[0]
    assert invoke(*arguments, "--tolerance", 0.001).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--limit", "0"), "--limit"),
        (("--tolerance", "0"), "--tolerance"),
        (("--source", "x.txt"), "--source has no effect"),
        (("--scheme", "IOB2"), "--scheme has no effect without CORPUS files"),
    ],
)
def test_options_that_change_nothing_are_refused(
    arguments: tuple[str, ...], told: str, invoke: Invoke, tiny_run: Path
) -> None:
    result = invoke("audit", "equations", tiny_run, *arguments)
    assert (result.exit_code, told in result.stderr) == (2, True)


def test_a_model_file_without_a_corpus_is_refused(invoke: Invoke, tiny_run: Path) -> None:
    result = invoke("audit", "equations", tiny_run / "best.safetensors")
    assert (result.exit_code, "name annotated files" in result.stderr) == (2, True)


def test_sentences_in_other_tags_are_refused(invoke: Invoke, tiny_run: Path) -> None:
    strange = tiny_run.parent / "strange.txt"
    strange.write_text("a\tS-Planet\n", "utf-8")
    result = invoke("audit", "equations", tiny_run, strange)
    assert (result.exit_code, "Planet" in result.stderr) == (3, True)
