"""``ladtl experiment``: tiny experiments, continued, killed, failing and refused."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from conftest import Invoke, assert_whole_run, write_corpus
from filelock import FileLock
from programs import group_is_empty, start_program, wait_for
from small_corpora import SMALL, small_corpora, small_corpus

from ladtl_np.commands import ladtl
from ladtl_np.experiment import Event, Job
from ladtl_np.experiment.processes import run_in_processes
from ladtl_np.experiment.runner import run_missing
from ladtl_np.options.config import parse_config, read_config
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.marker import signed_run

METHODS = ("non-transfer", "la-dtl")
CANARY = "Zq7canary"


def write_experiment(folder: Path, **changes: Any) -> Path:
    """Small corpora and an experiment of one task, two methods and two seeds on them."""
    corpora = small_corpora()
    assert corpora.source is not None
    assert corpora.dev is not None
    folder.mkdir(exist_ok=True)
    write_corpus(folder / "source.txt", corpora.source)
    write_corpus(folder / "target.txt", corpora.target)
    write_corpus(folder / "dev.txt", corpora.dev)
    write_corpus(folder / "test.txt", corpora.tests[0])
    table: dict[str, Any] = {
        "tasks": ["news -> tweets"],
        "methods": list(METHODS),
        "seeds": [0, 1],
        "settings": {key: SMALL[key] for key in ("model", "training")},
        "corpora": {
            "news": {"train": "source.txt"},
            "tweets": {"train": "target.txt", "dev": "dev.txt", "test": ["test.txt"]},
        },
    }
    if changes.get("methods") == ["non-transfer"]:  # which has no source
        training = {k: v for k, v in SMALL["training"].items() if k != "source_batch"}
        table["settings"] = table["settings"] | {"training": training}
    path = folder / "my.toml"
    path.write_text(tomli_w.dumps(table | changes), encoding="utf-8")
    return path


def runs_of(out: Path) -> list[Path]:
    return sorted(path.parent for path in out.rglob("config.toml"))


def times(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for run in runs_of(out) for path in run.iterdir()}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an experiment file, and its finished experiment below `out`."""
    folder = tmp_path_factory.mktemp("experiment")
    path = write_experiment(folder)
    with pytest.raises(SystemExit) as end:
        ladtl(["experiment", str(path), "--out", str(folder / "out")])
    assert end.value.code == 0
    return folder


@pytest.fixture
def copied(done: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    shutil.copytree(done, tmp_path / "copy")
    return tmp_path / "copy"


def test_each_run_is_an_ordinary_run_folder(done: Path) -> None:
    out = done / "out"
    assert [str(run.relative_to(out)) for run in runs_of(out)] == [
        f"news-to-tweets/{method}/fraction-1/seed-{seed}"
        for method in sorted(METHODS)
        for seed in (0, 1)
    ]
    for run in runs_of(out):
        assert_whole_run(run)


def test_seeds_come_one_after_the_other_and_a_stop_leaves_the_results_so_far(
    invoke: Invoke, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ladtl_np.commands import experiment

    started: list[str] = []

    def stopped(plan: Any, share: Any, **options: Any) -> Any:
        with closing(run_missing(plan, share._replace(processes=1), **options)) as events:
            for event in events:
                if event.kind == "started":
                    started.append(plan.specs[event.job].folder)
                if len(started) == 3:
                    raise KeyboardInterrupt
                yield event

    monkeypatch.setattr(experiment, "run_missing", stopped)
    out = tmp_path / "out"
    result = invoke("experiment", done / "my.toml", "--out", out)
    assert result.exit_code == 130
    assert [folder[-6:] for folder in started] == ["seed-0", "seed-0", "seed-1"]
    assert "Interrupted: 2 of 4 runs done" in result.stderr
    assert f"Results so far: {out / 'results.tsv'}" in result.stderr
    lines, every = (
        (at / "results.tsv").read_text("utf-8").splitlines() for at in (out, done / "out")
    )
    assert lines == [every[0], *(line for line in every if "\t0\t1.0" in line)]
    assert len(lines) == 5


def test_results_are_those_of_the_manifests(done: Path) -> None:
    lines = (done / "out/results.tsv").read_text("utf-8").splitlines()
    rows = list(csv.DictReader(lines, delimiter="\t"))
    which = "task method seed fraction corpus".split()
    assert [[row[name] for name in which] for row in rows] == [
        ["news -> tweets", method, seed, "1.0", corpus]
        for method in METHODS
        for seed in ("0", "1")
        for corpus in ("dev", "test.txt")
    ]
    run = done / "out/news-to-tweets/la-dtl/fraction-1/seed-1"
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    scores = manifest["results"]["test.txt"]
    overall, strict = scores["conlleval"]["overall"], scores["strict"]["overall"]
    told = {
        "precision": f"{overall['precision']:.6f}",
        "recall": f"{overall['recall']:.6f}",
        "f1_conlleval": f"{overall['f1']:.6f}",
        "f1_strict": f"{strict['f1']:.6f}",
        "best_step": str(manifest["best_step"]),
        "updates": str(manifest["updates"]),
        "sentences": str(manifest["sentences"]),
    }
    assert told.items() <= rows[-1].items()


def test_a_run_equals_that_of_the_train_command(done: Path, tmp_path: Path, invoke: Invoke) -> None:
    run = done / "out/news-to-tweets/la-dtl/fraction-1/seed-1"
    again = tmp_path / "again"
    result = invoke("train", "--config", run / "config.toml", "--out", again)
    assert result.exit_code == 0
    for name in ("best.safetensors", "last.safetensors", "predictions-test.txt", "config.toml"):
        assert (run / name).read_bytes() == (again / name).read_bytes()


def test_finished_runs_are_not_repeated(copied: Path, invoke: Invoke) -> None:
    before = times(copied / "out")
    result = invoke("experiment", copied / "my.toml", "--out", copied / "out")
    assert result.exit_code == 0
    assert "4 of 4 runs done (4 of them before)" in result.stderr
    assert "started" not in result.stderr
    assert times(copied / "out") == before
    assert "la-dtl" in result.stdout
    assert "±" in result.stdout
    assert "updates" in result.stdout
    assert "sentences" in result.stdout
    runs = [
        json.loads((run / "manifest.json").read_text("utf-8")) for run in runs_of(copied / "out")
    ]
    cells = [line.split("│") for line in result.stdout.splitlines() if "│" in line]
    for place, name in ((4, "updates"), (5, "sentences")):
        assert {row[place].strip() for row in cells} == {f"{run[name]:,}" for run in runs}


def test_what_the_runs_were_told_is_told_at_the_end(copied: Path, invoke: Invoke) -> None:
    path = runs_of(copied / "out")[0] / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    told = {"kind": "k", "corpus": "c", "count": 3, "what": "something", "cure": "look"}
    path.write_text(json.dumps(manifest | {"remarks": [told]}), "utf-8")
    result = invoke("experiment", copied / "my.toml", "--out", copied / "out", "--json")
    assert result.exit_code == 0, result.stderr
    line = "in 1 of 4 runs: something"
    assert f"warning: c: {line}; look" in result.stderr.splitlines()
    assert line in [remark["what"] for remark in json.loads(result.stdout)["remarks"]]


def test_a_continued_experiment_gives_the_same_bytes(copied: Path, invoke: Invoke) -> None:
    out = copied / "out"
    results = (out / "results.tsv").read_bytes()
    first, second, third, fourth = runs_of(out)
    models = [(run / "best.safetensors").read_bytes() for run in (first, second, third)]
    kept = times(fourth.parent)[fourth / "manifest.json"]
    shutil.rmtree(first)  # never started
    manifest = json.loads((second / "manifest.json").read_text("utf-8"))
    del manifest["results"]  # killed in training
    (second / "manifest.json").write_text(json.dumps(signed_run(manifest, manifest["predictions"])))
    for path in third.iterdir():  # killed before its options were written
        if path.name != "manifest.json":
            path.unlink()
    (third / "manifest.json").write_text(json.dumps(signed_run(manifest, [])))
    (third / ".config.toml.999999.01234567.tmp").write_text("half")
    (out / "results.tsv").unlink()
    result = invoke("experiment", copied / "my.toml", "--out", out, "--jobs", 2, "--json")
    assert result.exit_code == 0
    assert "(1 of them before)" in result.stderr
    assert (out / "results.tsv").read_bytes() == results
    assert [(run / "best.safetensors").read_bytes() for run in (first, second, third)] == models
    assert times(fourth.parent)[fourth / "manifest.json"] == kept
    told = json.loads(result.stdout)
    assert (told["runs"], told["failed"], len(told["results"]), len(told["means"])) == (4, [], 8, 4)
    assert {mean["runs"] for mean in told["means"]} == {2}


def test_a_moved_experiment_is_still_finished(copied: Path, invoke: Invoke) -> None:
    moved = copied.with_name("moved")
    (copied / "out").rename(moved)
    result = invoke("experiment", copied / "my.toml", "--out", moved)
    assert "(4 of them before)" in result.stderr


def test_a_failing_run_is_reported_and_the_others_finish(tmp_path: Path, invoke: Invoke) -> None:
    methods = {"la-dtl": {"optimizer": {"learning_rate": 1e25}}, "non-transfer": {}}
    path = write_experiment(tmp_path, methods=methods, seeds=[0])
    out = tmp_path / "out"
    result = invoke("experiment", path, "--out", out)
    assert result.exit_code == 1
    assert "FAILED  news-to-tweets/la-dtl/fraction-1/seed-0: step " in result.stderr
    assert "diverged" in result.stderr
    assert "1 of 2 runs done, 1 failed" in result.stderr
    stopped = FoundRun(out / "news-to-tweets/la-dtl/fraction-1/seed-0", out).events("stopped")
    assert [event["reason"] for event in stopped or []] == ["diverged"]
    lines = (out / "results.tsv").read_text("utf-8").splitlines()
    assert [line.split("\t")[1] for line in lines[1:]] == ["non-transfer"] * 2
    again = invoke("experiment", path, "--out", out, "--json")
    assert again.exit_code == 1
    [failed] = json.loads(again.stdout)["failed"]
    assert failed["method"] == "la-dtl"
    assert "diverged" in failed["error"]


@pytest.mark.parametrize("demo", [False, True])
def test_a_dry_run_writes_nothing(tmp_path: Path, invoke: Invoke, demo: bool) -> None:
    path = write_experiment(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    which = "demo" if demo else path
    result = invoke("experiment", which, "--out", tmp_path / "out", "--dry-run")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == (16 if demo else 4)
    assert sorted(tmp_path.rglob("*")) == before
    told = invoke("experiment", which, "--out", tmp_path / "out", "--dry-run", "--json")
    assert {run["state"] for run in json.loads(told.stdout)["runs"]} == {"to do"}
    assert sorted(tmp_path.rglob("*")) == before


def test_options_of_the_command_win_over_the_file(tmp_path: Path, invoke: Invoke) -> None:
    path, out = write_experiment(tmp_path), tmp_path / "out"
    settings = ["--set", "training.steps=3"]
    result = invoke("experiment", path, "--out", out, *settings)
    assert result.exit_code == 0, result.output
    steps = [read_config(run / "config.toml")["training"]["steps"] for run in runs_of(out)]
    assert steps == [3] * 4
    assert SMALL["training"]["steps"] != 3
    wrong = invoke("experiment", path, "--out", out, "--set", "training.stepz=3")
    assert wrong.exit_code == 2
    assert "stepz" in wrong.stderr


def test_results_of_other_options_are_only_replaced_when_told(copied: Path, invoke: Invoke) -> None:
    training = {**SMALL["training"], "steps": 20}
    path = write_experiment(copied, settings={"model": SMALL["model"], "training": training})
    out, before = copied / "out", times(copied / "out")
    refused = invoke("experiment", path, "--out", out)
    assert refused.exit_code == 2
    assert "training.steps is 40 there and 20 here" in refused.stderr
    assert "--overwrite" in refused.stderr
    assert times(out) == before
    dry = invoke("experiment", path, "--out", out, "--dry-run")
    assert dry.stdout.count("different") == 4
    assert invoke("experiment", path, "--out", out, "--overwrite").exit_code == 0
    assert {(run / "metrics.tsv").read_text().count("\n") for run in runs_of(out)} == {3}


def test_changed_corpora_are_noticed(copied: Path, invoke: Invoke) -> None:
    write_corpus(copied / "dev.txt", small_corpus("dev", 15, drugs="CDE", seed=9))
    result = invoke("experiment", copied / "my.toml", "--out", copied / "out")
    assert result.exit_code == 2
    assert "were other files" in result.stderr


def test_changed_word_vectors_are_noticed(tmp_path: Path, invoke: Invoke) -> None:
    path = write_experiment(tmp_path, methods=["non-transfer"], seeds=[0])
    table = tomllib.loads(path.read_text("utf-8"))
    table["settings"]["data"] = {"embeddings": "words.txt"}
    path.write_text(tomli_w.dumps(table), encoding="utf-8")
    (tmp_path / "words.txt").write_text("x" + " 0.5" * 8 + "\n", encoding="utf-8")
    assert invoke("experiment", path, "--out", tmp_path / "out").exit_code == 0
    again = invoke("experiment", path, "--out", tmp_path / "out")
    assert (again.exit_code, "started" in again.stderr) == (0, False)
    (tmp_path / "words.txt").write_text("x" + " 0.6" * 8 + "\n", encoding="utf-8")
    changed = invoke("experiment", path, "--out", tmp_path / "out")
    assert changed.exit_code == 2
    assert "were other files" in changed.stderr


def test_an_error_in_a_corpus_is_found_before_the_first_run(tmp_path: Path, invoke: Invoke) -> None:
    path = write_experiment(tmp_path)
    (tmp_path / "test.txt").write_text(f"{CANARY} O\n{CANARY}\n", encoding="utf-8")
    result = invoke("experiment", path, "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert "test.txt:2" in result.stderr
    assert CANARY not in result.output
    assert not (tmp_path / "out").exists()


def test_no_text_of_the_data_is_shown(tmp_path: Path, invoke: Invoke) -> None:
    path = write_experiment(tmp_path, methods=["non-transfer"], seeds=[0])
    text = "".join(f"{CANARY}{n % 9}\tS-X\nplain\tO\n\n" for n in range(30))
    for name in ("target", "dev", "test"):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    result = invoke("experiment", path, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "21 of 30 sentences (70.0 %) repeat" in result.stderr
    assert "30 of 30 sentences (100.0 %) stand word for word in" in result.stderr
    assert CANARY not in result.output
    written = [p for p in (tmp_path / "out").rglob("*") if p.suffix in (".tsv", ".json", ".jsonl")]
    assert written
    assert all(CANARY not in path.read_text("utf-8") for path in written)


def test_a_folder_of_something_else_or_in_use_is_left_alone(
    tmp_path: Path, copied: Path, invoke: Invoke
) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "thesis.txt").write_text("work of years")
    refused = invoke("experiment", copied / "my.toml", "--out", stranger)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "no experiment" in refused.stderr
    assert [path.name for path in stranger.iterdir()] == ["thesis.txt"]
    shutil.rmtree(runs_of(copied / "out")[0])
    with FileLock(copied / "out/.lock"):
        busy = invoke("experiment", copied / "my.toml", "--out", copied / "out")
    assert busy.exit_code == 1
    assert "in use by another experiment" in busy.stderr


def test_more_jobs_than_cores_are_not_run(copied: Path, invoke: Invoke) -> None:
    result = invoke("experiment", copied / "my.toml", "--out", copied / "out", "--jobs", 1000)
    assert result.exit_code == 0
    assert "--jobs 1000 is more than the cores allow" in result.stderr


def test_a_killed_worker_is_one_failed_run(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    data = {"target": str(tmp_path / "target.txt"), "dev": str(tmp_path / "dev.txt")}
    table = {**SMALL, "method": "non-transfer", "data": data}
    endless = {**table, "training": {**SMALL["training"], "steps": 10**7}}
    jobs = [Job(parse_config(t), tmp_path / f"run{n}") for n, t in enumerate((endless, table))]
    ends: dict[int, Event] = {}
    for event in run_in_processes(jobs, 2):
        if event.kind == "progress" and 1 in ends:  # only the endless one is left
            for child in multiprocessing.active_children():
                assert child.pid is not None
                os.kill(child.pid, signal.SIGKILL)
        if event.kind in ("done", "failed"):
            ends[event.job] = event
    assert ends[1].kind == "done"
    assert ends[0].kind == "failed"
    assert "killed by SIGKILL" in ends[0].error
    assert multiprocessing.active_children() == []


def start(path: Path, out: Path) -> subprocess.Popen[str]:
    return start_program("experiment", path, "--out", out, "--jobs", 2)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_when_the_program_ends_its_workers_end(tmp_path: Path, sent: signal.Signals) -> None:
    training = {**SMALL["training"], "steps": 10**6}
    path = write_experiment(tmp_path, settings={"model": SMALL["model"], "training": training})
    out = tmp_path / "out"
    process = start(path, out)
    wait_for(lambda: len(list(out.rglob("best.safetensors"))) == 2)
    if sent == signal.SIGINT:
        os.killpg(process.pid, sent)  # as a terminal does
    else:
        process.kill()
    _, messages = process.communicate(timeout=60)
    assert process.returncode == (130 if sent == signal.SIGINT else -sent)
    assert "Traceback" not in messages
    if sent == signal.SIGINT:
        assert "Interrupted: 0 of 4 runs done" in messages
        assert not (out / ".lock").exists()
    wait_for(lambda: group_is_empty(process.pid), 10)


@pytest.mark.slow
def test_an_experiment_survives_kills_at_random_moments(done: Path, tmp_path: Path) -> None:
    rng = random.Random(0)
    out = tmp_path / "out"
    kills = 0
    while kills < 20:
        process = start(done / "my.toml", out)
        try:
            process.communicate(timeout=rng.uniform(0.3, 6.0))
            shutil.rmtree(rng.choice(runs_of(out)))  # it was too fast: there is more to do now
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
    process = start(done / "my.toml", out)
    process.communicate()
    assert process.returncode == 0
    assert (out / "results.tsv").read_bytes() == (done / "out/results.tsv").read_bytes()
    for run in runs_of(out):
        twin = done / "out" / run.relative_to(out)
        assert (run / "best.safetensors").read_bytes() == (twin / "best.safetensors").read_bytes()
    temporary = [path for path in out.rglob("*.tmp") if path.name.startswith(".")]
    assert temporary == []
