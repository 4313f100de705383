"""``ladtl audit gradients``: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from audited_runs import write_tiny_run
from conftest import Invoke, write_corpus

from ladtl_np.objective import step
from ladtl_np.training.preparation import Corpora

FEW = ("--coordinates", 1, "--directions", 0, "--limit", 2)


def test_without_arguments_the_demo_passes_and_is_a_page(invoke: Invoke, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = invoke("audit", "gradients", *FEW, "--out", page)
    assert result.exit_code == 0, result.stdout
    assert "kernels: target_crf.A" in result.stdout
    assert "reference: characters.embedding" in result.stdout
    assert "invented sentences" in result.stderr
    assert "kernels: target_crf.A" in page.read_text("utf-8")
    again = invoke("audit", "gradients", *FEW, "--out", page)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "--overwrite" in again.stderr


def test_a_wrong_gradient_is_exit_code_1(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "regulariser_backward", lambda *_: None)
    result = invoke("audit", "gradients", *FEW, "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["subject"] == "demo"
    (audit,) = told["audits"]
    assert audit["passed"] is False
    failed = [line["check"] for line in audit["lines"] if line["verdict"] == "failed"]
    assert "kernels: forward.W" in failed


def test_a_model_and_a_run_are_looked_at_on_their_sentences(
    invoke: Invoke, tiny_model_file: str, gold_file: str, tiny_corpus: Corpora, tmp_path: Path
) -> None:
    assert tiny_corpus.source is not None
    source = write_corpus(tmp_path / "source.conll", tiny_corpus.source)
    line = ("audit", "gradients", tiny_model_file, gold_file, *FEW, "--json")
    alone, both = invoke(*line), invoke(*line, "--source", source)
    notes = [json.loads(found.stdout)["audits"][0]["notes"] for found in (alone, both)]
    assert ["stand in" in " ".join(note) for note in notes] == [True, False]
    run = write_tiny_run(tmp_path / "tiny")
    found = invoke("audit", "gradients", run, *FEW, "--json")
    assert found.exit_code == 0, found.stderr
    assert json.loads(found.stdout)["subject"] == str(run)


def test_a_planted_error_is_exit_code_1_and_says_what_it_is(invoke: Invoke) -> None:
    result = invoke("audit", "gradients", "--plant", "reference-regulariser-2")
    assert result.exit_code == 1
    assert "there was: dP: Floats = 2 * dvalue * P" in result.stderr
    assert "there is: dP: Floats = dvalue * P" in result.stderr
    assert "parameter_transfer.regulariser_backward" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{model}", "name annotated files beside it"),
        ("{folder}", "not a run folder"),
        ("--source {gold}", "--source has no effect without a MODEL"),
        ("--scheme IOB2", "--scheme has no effect without a MODEL"),
        ("--vocabulary-key {gold}", "--vocabulary-key has no effect without a MODEL"),
        ("{folder} --source {gold}", "--source has no effect without CORPUS files"),
        ("{model} {gold} --repair", "--repair has no effect without documents"),
        ("{model} no-such-file", "no-such-file"),
        ("--tolerance 0", "--tolerance"),
        ("--plant nothing", "no planted error 'nothing'; there are: forget-gate, "),
        ("--plant all --coordinates 3", "--coordinates has no effect with --plant"),
        ("--plant all --tolerance 0.1", "--tolerance has no effect with --plant"),
        ("--plant all --source {gold}", "--source has no effect without a MODEL"),
        ("--plant all {folder} --scheme IOB2", "--scheme has no effect without CORPUS files"),
        ("--plant all {model} {gold} --repair", "--repair has no effect without documents"),
        ("--plant mmd-sign {folder}", "not a run folder"),
        ("--out {folder}", "is a folder"),
        ("--out {gold}", "exists"),
    ],
)
def test_wrong_input_is_told(
    arguments: str,
    said: str,
    invoke: Invoke,
    tiny_model_file: str,
    gold_file: str,
    tmp_path: Path,
) -> None:
    places = {"model": tiny_model_file, "gold": gold_file, "folder": tmp_path}
    line = [part.format(**places) for part in arguments.split()]
    result = invoke("audit", "gradients", *line)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
