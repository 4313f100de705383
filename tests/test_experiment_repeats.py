"""Equal runs of an experiment are trained once, and each still has a whole folder of its own."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import msgspec
import pytest
from conftest import Invoke, write_corpus
from small_corpora import small_config, small_corpus
from test_command_experiment import runs_of, write_experiment

from ladtl_np.experiment.job import Event, Job
from ladtl_np.experiment.repeats import run_each_once
from ladtl_np.runs.folder import RunFolder


def write_run(folder: Path, text: str) -> None:
    with RunFolder(folder) as run:
        run.write_text("predictions-test", text)
        run.write_manifest({"results": {}}, ["predictions-test"])


class Recorder:
    """Executes jobs by writing small run folders, and remembers them."""

    def __init__(self, fails: str = "") -> None:
        self.jobs: list[Job] = []
        self.fails = fails

    def __call__(self, jobs: Sequence[Job]) -> Generator[Event, None, None]:
        self.jobs += jobs
        for number, job in enumerate(jobs):
            yield Event(number, "started")
            if job.folder.name == self.fails:
                yield Event(number, "failed", error="it broke")
            else:
                write_run(job.folder, f"of {job.folder.name}")
                yield Event(number, "done", 1.0)


def jobs_in(folder: Path, seeds: str) -> list[Job]:
    """A job for each digit, which is its seed; equal digits are equal runs."""
    return [Job(small_config(seed=int(seed)), folder / f"run-{n}") for n, seed in enumerate(seeds)]


def test_each_distinct_run_is_executed_once_and_the_others_get_its_files(tmp_path: Path) -> None:
    jobs, execute = jobs_in(tmp_path, "01011"), Recorder()
    ends = {e.job: e.kind for e in run_each_once(jobs, [], execute) if e.kind != "started"}
    assert ends == {0: "done", 1: "done", 2: "equal", 3: "equal", 4: "equal"}
    assert [job.folder.name for job in execute.jobs] == ["run-0", "run-1"]
    told = [(job.folder / "predictions-test").read_text("utf-8") for job in jobs]
    assert told == ["of run-0", "of run-1", "of run-0", "of run-1", "of run-1"]
    assert {p.stat().st_mode & 0o777 for p in jobs[4].folder.iterdir()} == {0o600}


def test_a_finished_run_answers_an_equal_one(tmp_path: Path) -> None:
    jobs, execute = jobs_in(tmp_path, "00"), Recorder()
    write_run(jobs[0].folder, "from before")
    assert [e.kind for e in run_each_once(jobs[1:], jobs[:1], execute)] == ["equal"]
    assert execute.jobs == []
    assert (jobs[1].folder / "predictions-test").read_text("utf-8") == "from before"


def test_threads_are_no_difference_and_word_vectors_are_one(tmp_path: Path) -> None:
    one, two, three = jobs_in(tmp_path, "000")
    two = two._replace(config=msgspec.structs.replace(two.config, threads=2))
    execute = Recorder()
    list(run_each_once([one, two, three._replace(vectors="a hash")], [], execute))
    assert [job.folder.name for job in execute.jobs] == ["run-0", "run-2"]


def test_a_run_that_equals_a_failed_one_has_failed(tmp_path: Path) -> None:
    events = list(run_each_once(jobs_in(tmp_path, "010"), [], Recorder(fails="run-0")))
    assert [e.job for e in events if e.kind == "failed" and e.error == "it broke"] == [0, 2]
    assert [e.job for e in events if e.kind == "done"] == [1]


def test_a_folder_that_cannot_be_written_is_a_failed_run(tmp_path: Path) -> None:
    jobs = jobs_in(tmp_path, "00")
    jobs[1].folder.mkdir()
    (jobs[1].folder / "thesis.txt").write_text("not a run", encoding="utf-8")
    *_, last = run_each_once(jobs, [], Recorder())
    assert (last.job, last.kind) == (1, "failed")
    assert "not a run" in last.error


@pytest.mark.parametrize("name", ["non-transfer", "la-dtl"])
def test_only_the_target_alone_is_the_same_run_for_every_source(
    name: str, tmp_path: Path, invoke: Invoke
) -> None:
    write_corpus(tmp_path / "other.txt", small_corpus("other", 30, drugs="FG", seed=9))
    corpora = {
        "news": {"train": "source.txt"},
        "mail": {"train": "other.txt"},
        "tweets": {"train": "target.txt", "dev": "dev.txt", "test": ["test.txt"]},
    }
    tasks = ["news -> tweets", "mail -> tweets"]
    path = write_experiment(tmp_path, corpora=corpora, tasks=tasks, methods=[name], seeds=[0])
    result = invoke("experiment", path, "--out", tmp_path / "out")
    assert result.exit_code == 0
    equal = [line for line in result.stderr.split("\n") if " equal " in line]
    assert len(equal) == (name == "non-transfer")
    assert "2 of 2 runs done" in result.stderr
    assert len(runs_of(tmp_path / "out")) == 2
    rows = (tmp_path / "out/results.tsv").read_text("utf-8").splitlines()[1:]
    assert [row.split("\t")[0] for row in rows] == [task for task in tasks for _ in range(2)]
    again = invoke("experiment", path, "--out", tmp_path / "out")
    assert "2 of 2 runs done (2 of them before)" in again.stderr
