"""Experiments on several sources: tasks, folders, results, and what the report says of each."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from conftest import Invoke, write_corpus
from small_corpora import SMALL
from source_corpora import three_sources

from ladtl_np.commands import ladtl
from ladtl_np.errors import UsageError
from ladtl_np.experiment import RunSpec, expand, parse_experiment
from ladtl_np.experiment.task import Task, read_tasks
from ladtl_np.report.scores import Results
from ladtl_np.report.sections.sources import has_several, source_rows, sources_section
from ladtl_np.report.study import study_of
from ladtl_np.runs.found import find_runs

CORPORA = ("a", "b-c", "d", "e")


@pytest.mark.parametrize(
    ("text", "told", "folder"),
    [
        ("a -> d", "a -> d", "a-to-d"),
        ("a+b-c->d", "a + b-c -> d", "a+b-c-to-d"),
        ("d + a -> e", "d + a -> e", "d+a-to-e"),
        ("* -> d", "a + b-c + e -> d", "a+b-c+e-to-d"),
        ("* - b-c -> d", "a + e -> d", "a+e-to-d"),
        ("* - a - e -> d", "b-c -> d", "b-c-to-d"),
    ],
)
def test_a_task_is_told_by_the_sources_that_it_has(text: str, told: str, folder: str) -> None:
    (task,) = read_tasks([text], CORPORA, "my.toml")
    assert (str(task), task.folder) == (told, folder)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a + x -> d", "there is no corpora.x; there are: a, b-c, d, e"),
        ("* - x -> d", "there is no corpora.x"),
        ("* -> x", "there is no corpora.x"),
        ("a + d -> d", "source and target are the same corpus"),
        ("a + a -> d", "names a twice"),
        ("* - a - b-c - e -> d", "leaves no source"),
        ("* + a -> d", r'only "\*" has sources left out'),
        ("a - e -> d", r'only "\*" has sources left out'),
        ("a + -> d", "there is no corpora.;"),
        ("-> d", "is not a pair such as"),
        ("* ->", "is not a pair such as"),
    ],
)
def test_what_is_no_task_is_refused_by_name(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_tasks([text], CORPORA, "my.toml")


def test_a_folder_has_a_name_that_file_systems_take() -> None:
    names = [f"corpus-{'x' * 60}-{number}" for number in range(4)]
    with pytest.raises(UsageError, match="longer than 200 bytes; give the corpora shorter names"):
        read_tasks([f"* -> {names[0]}"], names, "my.toml")


def test_all_pairs_have_one_source_each() -> None:
    tasks = read_tasks("all-pairs", CORPORA, "my.toml")
    assert len(tasks) == 12
    assert tasks[0] == Task(("a",), "b-c")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished experiment: all sources, without the second, and that one alone."""
    folder = tmp_path_factory.mktemp("experiment")
    corpora = three_sources(alike=True)
    files = dict(zip(("one", "two", "three"), corpora.sources, strict=True))
    for name, corpus in (files | {"target": corpora.target, "test": corpora.tests[0]}).items():
        write_corpus(folder / f"{name}.txt", corpus)
    table: dict[str, Any] = {
        "tasks": ["* -> t", "* - two -> t", "two -> t"],
        "methods": ["la-dtl"],
        "settings": {"model": SMALL["model"], "training": {**SMALL["training"], "steps": 10}},
        "corpora": {
            "one": {"train": "one.txt"},
            "two": {"train": "two.txt"},
            "t": {"train": "target.txt", "test": ["test.txt"]},
            "three": {"train": "three.txt"},
        },
    }
    (folder / "my.toml").write_text(tomli_w.dumps(table), "utf-8")
    given = ["experiment", str(folder / "my.toml"), "--out", str(folder / "out"), "--jobs", "1"]
    with pytest.raises(SystemExit) as end:
        ladtl(given)
    assert end.value.code == 0
    return folder


def specs(**changes: Any) -> list[RunSpec]:
    corpora = {name: {"train": f"{name}.txt", "test": ["x.txt"]} for name in ("a", "b", "c")}
    table = {"tasks": ["* -> c"], "methods": ["la-dtl"], "corpora": corpora, **changes}
    return expand(parse_experiment(table, "my.toml", Path("data")), Path("out"))


def test_runs_name_all_sources_and_how_they_are_read() -> None:
    corpora = {name: {"train": f"{name}.txt", "test": ["x.txt"]} for name in ("a", "b", "c")}
    corpora["b"]["format"] = {"token_column": 1}  # type: ignore[assignment]
    (run,) = specs(corpora=corpora)
    sources = run.config.data.sources()
    assert [source.path for source in sources] == ["data/a.txt", "data/b.txt"]
    assert [source.format.token_column for source in sources] == [0, 1]
    (alone,) = specs(methods=["non-transfer"])
    assert alone.config.data.sources() == []


def test_options_of_several_sources_may_be_a_grid_or_a_methods_own() -> None:
    grid = specs(grid={"data.shares": ["size", "equal"], "data.concatenate": [False]})
    assert [run.config.data.shares for run in grid] == ["size", "equal"]
    own = {"la-dtl": {}, "joined": {"method": "la-dtl", "data": {"concatenate": True}}}
    assert [run.config.data.concatenate for run in specs(methods=own)] == [False, True]
    with pytest.raises(UsageError, match=r"data\.concatenate has no effect with one source"):
        specs(methods=own, tasks=["a -> c"])
    with pytest.raises(UsageError, match=r"data\.more_sources is not set there; corpora"):
        specs(settings={"data": {"more_sources": [{"file": "x"}]}})


def test_results_have_the_sources_by_name(done: Path) -> None:
    with (done / "out" / "results.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    assert tasks == ["one + two + three -> t", "one + three -> t", "two -> t"]
    assert (done / "out" / "one+two+three-to-t" / "la-dtl" / "fraction-1" / "seed-0").is_dir()


def test_the_same_call_finds_everything_done(done: Path, invoke: Invoke) -> None:
    before = {path: path.stat().st_mtime_ns for path in (done / "out").rglob("manifest.json")}
    again = invoke("experiment", done / "my.toml", "--out", done / "out", "--jobs", 1)
    assert again.exit_code == 0, again.stderr
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_the_report_says_which_source_gave_what(done: Path) -> None:
    study = study_of(find_runs([done / "out"]))
    assert has_several(study)
    (table,) = sources_section(study).tables
    rows = {row[2].text: [cell.text for cell in row[3:]] for row in table.rows}
    f1 = {run.task: run.f1("test.txt") for run in study.runs}
    every, without = f1["one + two + three → t"], f1["one + three → t"]
    assert rows["two"] == [
        f"{every:.2f}",
        f"{without:.2f}",
        f"{every - without:+.2f}",
        f"{f1['two → t']:.2f}",
    ]
    assert rows["one"] == rows["three"] == [f"{every:.2f}", "–", "–", "–"]


def test_sources_are_compared_over_the_seeds_that_both_tasks_have() -> None:
    scores = {"la-dtl": {"a + b → t": {0: 80.0, 1: 90.0}, "b → t": {1: 85.0, 2: 10.0}}}
    results = Results(scores, {"la-dtl": "la-dtl"})
    rows = {row[2].text: [cell.text for cell in row[3:]] for row in source_rows(results)}
    assert rows == {"a": ["85.00", "85.00", "+5.00", "–"], "b": ["85.00", "–", "–", "85.00"]}
