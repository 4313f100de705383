"""``ladtl tune``: a small search, continued, interrupted, killed, refused."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import Invoke, write_corpus
from programs import group_is_empty, start_program, wait_for
from small_corpora import SMALL, small_corpora

from ladtl_np.commands import tune
from ladtl_np.experiment.job import Event, Job, perform
from ladtl_np.model.file import load_model
from ladtl_np.options.config import parse_config, read_config
from ladtl_np.runs.found import FoundRun

SPACE = """
optimizer.learning_rate = { low = 0.02, high = 0.5, log = true }
objective.kernel = ["reference", "median"]
"""
SETTINGS = [
    f"{section}.{key}={value}"
    for section in ("model", "training")
    for key, value in SMALL[section].items()
    if key != "steps"
]


class Executor:
    """Does jobs in this process, one after the other, and remembers them."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.before: Callable[[Job], None] = lambda job: None

    def __call__(
        self, jobs: Sequence[Job], processes: int, stop: Callable[[], bool] | None = None
    ) -> Generator[Event, None, None]:
        for number, job in enumerate(jobs):
            if stop and stop():
                return
            yield Event(number, "started")
            try:
                self.before(job)
            except ValueError as error:
                yield Event(number, "failed", error=str(error))
                continue
            self.jobs.append(job)
            perform(job, lambda share: None)
            yield Event(number, "done", 1.0)

    @property
    def names(self) -> list[tuple[str, int]]:
        return [(f"{job.folder.parent.name}/{job.folder.name}", job.until) for job in self.jobs]


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Executor:
    found = Executor()
    monkeypatch.setattr(tune, "run_in_processes", found)
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small corpora and a space."""
    folder = tmp_path_factory.mktemp("tune")
    corpora = small_corpora()
    assert corpora.source is not None
    assert corpora.dev is not None
    write_corpus(folder / "source.txt", corpora.source)
    write_corpus(folder / "target.txt", corpora.target)
    write_corpus(folder / "dev.txt", corpora.dev)
    write_corpus(folder / "test.txt", corpora.tests[0])
    (folder / "space.toml").write_text(SPACE, "utf-8")
    return folder


def line(files: Path, out: Path, *more: Any, steps: int = 40) -> list[Any]:
    roles = [part for role in ("source", "target", "dev") for part in
             (f"--{role}", files / f"{role}.txt")]  # fmt: skip
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    space = ["--space", files / "space.toml"]
    return ["tune", *roles, *settings, *space, "--steps", steps, "--out", out, *more]


def table(out: Path) -> list[dict[str, str]]:
    lines = (out / "trials.tsv").read_text("utf-8").splitlines()
    return list(csv.DictReader(lines, delimiter="\t"))


def test_a_search_ends_in_options_a_table_and_a_run(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke
) -> None:
    out = tmp_path / "out"
    result = invoke(*line(files, out, "--runs", 5))
    assert result.exit_code == 0, result.stderr
    assert executor.names[:5] == [(f"point={n:04}/seed-0", 20) for n in range(5)]
    assert [until for _, until in executor.names[5:]] == [0] * len(executor.names[5:])
    rows = table(out)
    assert len(rows) == 5
    assert rows[0]["state"] == "chosen"
    finished = [row for row in rows if row["share"] == "1"]
    assert "0" in {row["point"] for row in finished}
    assert 2 <= len(finished) <= 3
    assert max(float(row["dev_f1"]) for row in finished) == float(rows[0]["dev_f1"])
    assert {row["state"] for row in rows[len(finished) :]} == {"stopped"}
    chosen = int(rows[0]["point"])
    run = FoundRun.at(out / "best")
    assert f"{run.results['dev'].f1('conlleval'):.6f}" == rows[0]["dev_f1"]
    first = out / f"point={chosen:04}" / "seed-0"
    model = out / "best" / "best.safetensors"
    assert model.read_bytes() == (first / "best.safetensors").read_bytes()
    assert load_model(model).config.method == "la-dtl"
    assert run.tests() == []
    for text in ("Development F1 in percent", "learning_rate", "gap", "Chosen: point"):
        assert text in result.stdout + result.stderr
    again = tmp_path / "again"
    assert invoke("train", "--config", out / "config.toml", "--out", again).exit_code == 0
    assert (again / "best.safetensors").read_bytes() == model.read_bytes()


def test_a_finished_search_trains_nothing_again_and_a_larger_one_goes_further(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke
) -> None:
    out = tmp_path / "out"
    invoke(*line(files, out, "--runs", 3))
    before = {path: path.read_bytes() for path in out.glob("*.t*")}
    executor.jobs.clear()
    assert invoke(*line(files, out, "--runs", 3)).exit_code == 0
    assert executor.jobs == []
    assert before == {path: path.read_bytes() for path in out.glob("*.t*")}
    assert invoke(*line(files, out, "--runs", 4)).exit_code == 0
    assert executor.names[0] == ("point=0003/seed-0", 20)  # the others have come that far
    assert len(table(out)) == 4


def test_promise_04_an_interrupted_search_goes_on_to_the_same_result(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert invoke(*line(files, whole, "--runs", 5)).exit_code == 0
    count = len(executor.jobs)
    for stop_at in (2, 3):
        executor.jobs.clear()

        def interrupt(job: Job, last: int = stop_at) -> None:
            if len(executor.jobs) == last:
                raise KeyboardInterrupt

        executor.before = interrupt
        result = invoke(*line(files, broken, "--runs", 5))
        assert result.exit_code == 130
        assert "The same command goes on with the rest" in result.stderr
        assert not (broken / ".lock").exists()
        tried = [job.config for job in executor.jobs]
        assert len(table(broken)) >= len(tried)  # what was found so far
        assert (broken / "config.toml").exists() == any(
            r["state"] == "chosen" for r in table(broken)
        )
    executor.before = lambda job: None
    executor.jobs.clear()
    assert invoke(*line(files, broken, "--runs", 5)).exit_code == 0
    assert len(executor.jobs) == count - 5
    assert table(broken) == table(whole)
    name = "best/best.safetensors"
    assert (broken / name).read_bytes() == (whole / name).read_bytes()


def test_a_budget_of_one_run_is_the_options_as_they_are(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke
) -> None:
    result = invoke(*line(files, tmp_path / "out", "--runs", 1, "--json"))
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert executor.names == [("point=0000/seed-0", 0)]
    assert told["chosen"]["values"] == {}
    assert (told["effects"], told["tests"]) == ([], {})


def test_every_seed_of_what_reaches_the_end_counts(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke
) -> None:
    out = tmp_path / "out"
    result = invoke(*line(files, out, "--runs", 5, "--seeds", 2, "--set", "seed=3"))
    assert result.exit_code == 0
    assert {name.rpartition("/")[2] for name, _ in executor.names} == {"seed-3", "seed-4"}
    [row] = [row for row in table(out) if row["state"] == "chosen"]
    runs = [FoundRun(path, out) for path in (out / f"point={int(row['point']):04}").iterdir()]
    mean = sum(run.results["dev"].f1("conlleval") for run in runs) / 2
    assert (row["seeds"], row["dev_f1"]) == ("2", f"{mean:.6f}")
    assert row["deviation"]


def test_the_time_that_was_worked_counts_in_all_calls_together(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke, monkeypatch: Any
) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr(tune, "time", SimpleNamespace(monotonic=lambda: clock["now"]))

    def work(job: Job) -> None:
        clock["now"] += 30.0

    executor.before = work
    out = tmp_path / "out"
    assert invoke(*line(files, out, "--minutes", 2.5)).exit_code == 0
    assert executor.names[0] == ("point=0000/seed-0", 0)
    assert len(executor.jobs) == 5
    record = json.loads((out / "search.json").read_text("utf-8"))
    assert record["seconds"] == 150.0
    executor.jobs.clear()
    clock["now"] = 9000.0
    before = table(out)
    assert invoke(*line(files, out, "--minutes", 2.5)).exit_code == 0
    assert executor.jobs == []
    assert table(out) == before  # though the time was up at once
    assert len({row["point"] for row in before}) > 1
    assert invoke(*line(files, out, "--minutes", 3.5)).exit_code == 0
    assert len(executor.jobs) == 2


def test_too_little_time_for_one_point_is_said(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke, monkeypatch: Any
) -> None:
    clock = iter(range(0, 10**6, 60))
    monkeypatch.setattr(tune, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    result = invoke(*line(files, tmp_path / "out", "--minutes", 0.5))
    assert result.exit_code == 1
    assert "the time was up before any point came to its end" in result.stderr


def test_tests_are_scored_at_the_end_alone(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke
) -> None:
    out, test = tmp_path / "out", files / "test.txt"
    result = invoke(*line(files, out, "--runs", 2, "--json", "--test", test))
    assert result.exit_code == 0
    assert all(job.config.data.test == [] for job in executor.jobs)
    told = json.loads(result.stdout)["tests"]["test.txt"]["conlleval"]["overall"]["f1"]
    model = out / "best/best.safetensors"
    scored = json.loads(invoke("evaluate", "--model", model, test, "--json").stdout)
    assert scored["results"][0]["scores"]["conlleval"]["overall"]["f1"] == told
    config = parse_config(read_config(out / "config.toml"))
    assert config.data.test == [str(test)]


def test_a_point_that_fails_is_told_and_not_chosen(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke
) -> None:
    def fail(job: Job) -> None:
        if job.folder.parent.name == "point=0001":
            raise ValueError("training diverged")

    executor.before = fail
    result = invoke(*line(files, tmp_path / "out", "--runs", 3))
    assert result.exit_code == 0
    assert "warning: point 1, seed 0 failed: training diverged" in result.stderr
    assert table(tmp_path / "out")[-1]["state"] == "failed"

    def fail_all(job: Job) -> None:
        raise ValueError("training diverged")

    executor.before = fail_all
    result = invoke(*line(files, tmp_path / "none", "--runs", 2))
    assert result.exit_code == 1
    assert "error: no point came to its end" in result.stderr
    assert not (tmp_path / "none/config.toml").exists()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--runs", 3, "--minutes", 1], "two budgets"),
        (["--runs", 1, "--seeds", 2], "--runs 1 is less than one point"),
        (["--set", "optimizer.learning_rate=0.1"], "learning_rate is set as well"),
        (["--method", "crf-l2"], "objective.kernel has no effect with method crf-l2"),
        (["--set", "training.stepz=1"], "unknown field `stepz`"),
        (["--config", "none.toml"], "none.toml: no such file"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke, more: list[Any], says: str
) -> None:
    result = invoke(*line(files, tmp_path / "out", *more))
    assert result.exit_code == 2
    assert says in result.stderr
    assert executor.jobs == []
    assert not (tmp_path / "out").exists()


def test_a_dry_run_tells_the_plan_and_writes_nothing(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke
) -> None:
    given = line(files, tmp_path / "out", "--runs", 9, "--dry-run")
    told = invoke(*given).stdout.splitlines()
    assert told == [
        "optimizer.learning_rate: 0.02 to 0.5, evenly in the logarithm",
        "objective.kernel: reference, median",
        "9 points to 25 % of the steps: 9 runs",
        "3 points to 50 % of the steps: 3 runs",
        "1 points to 100 % of the steps: 1 runs",
    ]
    plan = json.loads(invoke(*given, "--json").stdout)
    assert plan["rungs"][1] == {"share": 0.5, "points": 3, "runs": 3}
    assert executor.jobs == []
    assert not (tmp_path / "out").exists()


def test_corpora_are_needed(files: Path, tmp_path: Path, invoke: Invoke) -> None:
    target = ["--target", files / "target.txt"]
    dev = ["--dev", files / "dev.txt"]
    for given, says in (
        ([], "--target"),
        (target, "name them with --dev"),
        ([*target, *dev], "learns from a source domain"),
    ):
        result = invoke("tune", *given, "--out", tmp_path / "out")
        assert result.exit_code == 2
        assert says in result.stderr


def test_promise_05_another_search_or_other_files_in_the_folder_are_refused(
    files: Path, tmp_path: Path, executor: Executor, invoke: Invoke
) -> None:
    out = tmp_path / "out"
    assert invoke(*line(files, out, "--runs", 1)).exit_code == 0
    for more, says in (
        (["--set", "model.emission_bias=true"], "model.emission_bias was False and is True"),
        (["--set", "seed=4"], "seed was 0 and is 4"),
        (["--set", f"data.dev={files / 'test.txt'}"], ""),
    ):
        given = line(files, out, "--runs", 1, *more)
        if not says:
            given[given.index("--dev") + 1] = files / "test.txt"
            given = [*given[: given.index("--out")], "--out", out, "--runs", 1]
            says = "another file is read as dev"
        result = invoke(*given)
        assert result.exit_code == 2, more
        assert f"holds another search: {says}" in result.stderr
    mapped, label_map = tmp_path / "mapped", tmp_path / "map.toml"
    setting = ["--set", f"data.label_map={label_map}"]
    label_map.write_text('Drug = "Drug"\n')
    assert invoke(*line(files, mapped, "--runs", 1, *setting)).exit_code == 0
    label_map.write_text('Sign = "Sign"\n')
    result = invoke(*line(files, mapped, "--runs", 1, *setting))
    assert "holds another search: another file is read as label map" in result.stderr
    moved = tmp_path / "moved.txt"
    moved.write_bytes((files / "dev.txt").read_bytes())
    given = line(files, out, "--runs", 1)
    given[given.index("--dev") + 1] = moved
    assert invoke(*given).exit_code == 0  # the same content under another name
    stranger = tmp_path / "thesis"
    stranger.mkdir()
    (stranger / "thesis.txt").write_text("work of years")
    result = invoke(*line(files, stranger, "--runs", 1))
    assert result.exit_code == 2
    assert [path.name for path in stranger.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "sent", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)]
)
def test_promise_06_when_the_program_ends_its_workers_end(
    files: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    out = tmp_path / "out"
    process = start_program(*line(files, out, "--runs", 4, "--jobs", 1, steps=10**6))
    wait_for(lambda: list(out.rglob("best.safetensors")))
    if sent == signal.SIGINT:
        os.killpg(process.pid, sent)  # as a terminal does
    else:
        process.kill()
    _, messages = process.communicate(timeout=60)
    assert process.returncode == (130 if sent == signal.SIGINT else -sent)
    assert "Traceback" not in messages
    wait_for(lambda: group_is_empty(process.pid), 10)
    if sent == signal.SIGINT:
        assert "Interrupted: 0 of 4 runs done" in messages
        assert list(out.rglob("checkpoint.safetensors"))
