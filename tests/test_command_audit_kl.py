"""``ladtl audit kl``: output, JSON, page, exit codes, wrong input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from audited_runs import write_tiny_run
from conftest import Invoke

from ladtl_np.audit import bounds


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_run(tmp_path_factory.mktemp("audited"))


def test_a_run_is_looked_at_before_and_after_training(invoke: Invoke, tiny_run: Path) -> None:
    result = invoke("audit", "kl", tiny_run)
    assert result.exit_code == 0
    assert "Divergence of the two CRFs, and its bounds: 28 passed, 0 failed" in result.stdout
    assert "before training: KL <= (b - a)^2 / 8" in result.stdout
    assert "on 15 of 15 sentences" in result.stdout
    assert "2 √(c₁ L_p)" in result.stdout
    assert "development corpus" in result.stderr


def test_a_model_file_needs_a_corpus_and_does_not_know_its_start(
    invoke: Invoke, tiny_run: Path
) -> None:
    model, test = tiny_run / "best.safetensors", tiny_run.parent / "test.txt"
    result = invoke("audit", "kl", model, test, test)
    assert result.exit_code == 0
    assert "14 passed, 0 failed" in result.stdout
    assert "on 30 of 30 sentences" in result.stdout
    assert "started from" in result.stderr
    assert "stand in" not in result.stderr
    refused = invoke("audit", "kl", model)
    assert (refused.exit_code, "name a CORPUS" in refused.stderr) == (2, True)


def test_json_has_every_sentence(invoke: Invoke, tiny_run: Path) -> None:
    dev = tiny_run.parent / "dev.txt"
    result = invoke("audit", "kl", tiny_run, dev, "--limit", 4, "--json")
    (audit,) = json.loads(result.stdout)["audits"]
    assert (audit["audit"], audit["passed"]) == ("kl", True)
    assert {stage: len(found) for stage, found in audit["numbers"].items()} == {
        "before training": 4,
        "after training": 4,
    }
    for each in audit["numbers"]["after training"]:
        assert 0 <= each["kl"] <= each["hoeffding"] <= each["quadratic"]


def test_the_page_has_the_figure_and_is_not_overwritten(
    invoke: Invoke, tiny_run: Path, tmp_path: Path
) -> None:
    page = tmp_path / "kl.html"
    assert invoke("audit", "kl", tiny_run, "--out", page).exit_code == 0
    text = page.read_text("utf-8")
    assert "tightness after training" in text
    assert "every check passed" in text
    assert invoke("audit", "kl", tiny_run, "--out", page).exit_code == 2
    assert invoke("audit", "kl", tiny_run, "--out", page, "--overwrite").exit_code == 0


def test_a_bound_that_does_not_hold_is_exit_code_1(
    invoke: Invoke, tiny_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(found: Any) -> Any:
        return [(1.0, 0.0)]

    monkeypatch.setitem(bounds.CHECKS, "lemma A.2: b - a <= 2 epsilon, and so KL", broken)
    result = invoke("audit", "kl", tiny_run)
    assert result.exit_code == 1
    assert "on 0 of 15 sentences" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--limit", "0"), "--limit"),
        (("--scheme", "IOB2"), "--scheme has no effect"),
    ],
)
def test_options_that_change_nothing_are_refused(
    arguments: tuple[str, ...], told: str, invoke: Invoke, tiny_run: Path
) -> None:
    result = invoke("audit", "kl", tiny_run, *arguments)
    assert (result.exit_code, told in result.stderr) == (2, True)


def test_what_is_no_run_and_no_model_is_refused(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("audit", "kl", tmp_path)
    assert (result.exit_code, "not a run folder" in result.stderr) == (2, True)
    page = tmp_path / "page.html"
    page.write_text("x")
    result = invoke("audit", "kl", page, page)
    assert result.exit_code != 0
