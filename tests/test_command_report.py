from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from conftest import Invoke, run_program, write_corpus

from ladtl_np.corpus.sentence import Corpus
from ladtl_np.runs.folder import RunFolder
from ladtl_np.training.preparation import Corpora


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two methods and two seeds, written as ``ladtl train`` writes them."""
    for method, f1 in (("joint-training", 0.5), ("la-dtl", 0.6)):
        for seed in range(2):
            overall = {"gold": 10, "predicted": 10, "correct": 5, "precision": f1, "recall": f1}
            report = {"overall": {**overall, "f1": f1}, "per_type": {}}
            results = {"test.txt": {"conlleval": report, "strict": report}}
            with RunFolder(tmp_path / "runs" / "C-to-R" / method / str(seed)) as folder:
                folder.write_text("config.toml", f"seed = {seed}\n")
                folder.write_manifest({"method": method, "results": results}, [])
                folder.begin_metrics()
                folder.metrics({"step": 10, "dev_f1": f1 / 2})
    return tmp_path / "runs"


def test_it_writes_a_page_and_says_what_is_missing(
    invoke: Invoke, runs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    result = invoke("report", runs, "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "report.html: 4 runs, 1 task, 2 methods, 2 seeds" in result.stderr
    assert "without confusion of entity types: no gold and predicted tags" in result.stderr
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_json_tells_what_was_put_in(invoke: Invoke, runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    result = invoke("report", runs, "--out", out, "--title", "Mine", "--json")
    told = json.loads(result.stdout)
    assert (told["title"], told["holds"]) == ("Mine", "4 runs, 1 task, 2 methods, 2 seeds")
    sections = {section["section"]: section for section in told["sections"]}
    assert sections["results"]["tables"][0]["rows"] == [
        ["joint-training", "50.00 ± 0.00"],
        ["la-dtl", "60.00 ± 0.00"],
    ]
    assert sections["results"]["tables"][0]["best"] == [[1, 1]]
    assert sections["grid"]["missing"]
    assert "<title>Mine</title>" in out.read_text("utf-8")


def test_figures_and_tables_have_a_folder(invoke: Invoke, runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    arguments = ("report", runs / "C-to-R", "--out", tmp_path / "r.html", "--figures", folder)
    assert invoke(*arguments).exit_code == 0
    names = {path.name for path in folder.iterdir()}
    assert {"learning-1.svg", "learning-1.png", "learning-1.tsv", "results-1.tsv"} <= names
    assert (folder / "results-1.tsv").read_text("utf-8").split("\n")[2] == "la-dtl\t60.00 ± 0.00"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert "exists; give --overwrite" in invoke(*arguments).stderr
    assert invoke(*arguments, "--overwrite").exit_code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_run_folders_can_be_named_one_by_one(invoke: Invoke, runs: Path, tmp_path: Path) -> None:
    folders = [runs / "C-to-R" / name / "0" for name in ("la-dtl", "joint-training")]
    page = invoke("report", *folders, "--out", "-")
    assert page.exit_code == 0
    assert page.stdout.startswith("<!doctype html>")
    assert "2 runs, 1 task, 2 methods, 1 seed" in page.stdout


def test_a_pattern_names_run_folders(invoke: Invoke, runs: Path) -> None:
    folders = [runs / "C-to-R" / name / "0" for name in ("joint-training", "la-dtl")]
    page = invoke("report", *folders, "--out", "-")
    pattern = invoke("report", runs / "C-to-R" / "*" / "0", "--out", "-")
    assert pattern.exit_code == 0
    assert pattern.stdout == page.stdout


def test_two_methods_can_be_chosen(invoke: Invoke, runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    result = invoke("report", runs, "--out", out, "--methods", "la-dtl", "nope")
    assert result.exit_code == 2
    assert "no run has the method 'nope'; there are: joint-training, la-dtl" in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "nowhere: no such folder"),
        (("runs", "--out", "-", "--json"), "--json and a page on standard output"),
        (("runs", "--out", "runs"), "runs is a folder"),
        (("runs", "--out", "none/r.html"), "its folder does not exist"),
        (("runs", "--out", "runs/C-to-R/la-dtl/0/manifest.json", "--overwrite"), "also an input"),
    ],
)
def test_wrong_usage_is_refused(
    invoke: Invoke,
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke("report", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_without_its_libraries_the_extra_is_named(
    invoke: Invoke, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("matplotlib", "jinja2"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            result = invoke("report", runs, "--out", tmp_path / "r.html")
        assert result.exit_code == 2
        assert "pip install 'ladtl-np[report]'" in result.stderr


def test_help_needs_none_of_them() -> None:
    code = (
        "import sys\nfrom ladtl_np.commands.report import command\n"
        "assert not {'matplotlib', 'jinja2', 'scipy.stats'} & set(sys.modules)\n"
    )
    done = os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code])
    assert done == 0


def test_a_real_run_becomes_a_page(tiny_corpus: Corpora, tmp_path: Path) -> None:
    named: dict[str, Corpus | None] = {
        "source": tiny_corpus.source,
        "target": tiny_corpus.target,
        "dev": tiny_corpus.dev,
        "test": tiny_corpus.tests[0],
    }
    arguments: list[str] = []
    for role, corpus in named.items():
        assert corpus is not None
        arguments += [f"--{role}", write_corpus(tmp_path / f"{role}.txt", corpus)]
    run = tmp_path / "run"
    small = ("--steps", "4", "--set", "training.evaluate_every=2", "--set", "model.hidden=4")
    done = run_program("train", *arguments, "--out", run, *small)
    assert done.returncode == 0, done.stderr
    page = run_program("report", run, "--out", "-", TZ="Asia/Tokyo", PYTHONHASHSEED="1")
    assert page.returncode == 0, page.stderr
    text = page.stdout.decode("utf-8")
    for key in ("results", "learning", "confusion", "scorers", "leakage", "provenance"):
        assert f'<section id="{key}">' in text
    assert "ladtl train --source" in text
    again = run_program("report", run, "--out", "-", TZ="UTC", PYTHONHASHSEED="2")
    assert again.stdout == page.stdout
