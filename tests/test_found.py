"""Run folders found and read back: which there are, what they hold, and what is wrong in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ladtl_np.errors import DataError, UsageError
from ladtl_np.runs.folder import RunFolder
from ladtl_np.runs.found import FoundRun, find_runs, runs_below, without_seed

RESULTS = {
    "t": {side: {"overall": {"f1": f1}} for side, f1 in (("conlleval", 0.5), ("strict", 0.4))}
}


@pytest.fixture
def make_runs(tmp_path: Path) -> Callable[..., Path]:
    """Make folders with a manifest that tells their own name as the method."""

    def make_runs(*places: str) -> Path:
        for place in places:
            (tmp_path / place).mkdir(parents=True, exist_ok=True)
            (tmp_path / place / "manifest.json").write_text(json.dumps({"method": place}), "utf-8")
        return tmp_path

    return make_runs


MakeRuns = Callable[..., Path]


def told(runs: list[FoundRun]) -> dict[str, str]:
    """Manifests by the names of the runs."""
    assert len({run.name for run in runs}) == len(runs)
    return {run.name: run.manifest.method for run in runs}


# --- which runs there are


def test_runs_are_named_by_the_way_to_them(make_runs: MakeRuns) -> None:
    place = make_runs("e/b/1", "e/b/0", "e/a", "e/a/c", "f") / "e"
    (place / "b" / "empty").mkdir()
    runs = runs_below(place)
    named = [("a/c", "e/a/c"), ("a", "e/a"), ("b/0", "e/b/0"), ("b/1", "e/b/1")]
    assert list(told(runs).items()) == named
    assert {run.root for run in runs} == {place}
    assert [run.folder for run in runs] == [place / run.name for run in runs]
    assert told(runs_below(str(place / "a" / "c"))) == {".": "e/a/c"}


def test_a_star_stands_for_one_folder_and_is_part_of_the_name(make_runs: MakeRuns) -> None:
    folder = make_runs("r/A/x[1]/0", "r/A/x[1]/1", "r/B/x[1]/0", "r/B/y/0", "r/x[1]/0", "r/A/x1/0")
    assert told(runs_below(folder / "r" / "*" / "x[1]")) == {
        "A/0": "r/A/x[1]/0",
        "A/1": "r/A/x[1]/1",
        "B/0": "r/B/x[1]/0",
    }
    named = told(runs_below(folder / "r" / "B*" / "*" / "0"))
    assert named == {"B/x[1]": "r/B/x[1]/0", "B/y": "r/B/y/0"}
    make_runs("r/*/x/0")  # a folder of that very name is meant first
    assert told(runs_below(folder / "r" / "*")) == {"x/0": "r/*/x/0"}


def test_runs_of_several_places_are_seen_from_what_these_share(make_runs: MakeRuns) -> None:
    folder = make_runs("r/A/x/0", "r/A/y/0", "r/B/x/0")
    both = find_runs([folder / "r" / "A" / "x", folder / "r" / "B"])
    assert told(both) == {"A/x/0": "r/A/x/0", "B/x/0": "r/B/x/0"}
    assert told(find_runs([folder / "r" / "A"])) == {"x/0": "r/A/x/0", "y/0": "r/A/y/0"}
    assert told(find_runs([folder / "r" / "A" / "x" / "0"])) == {".": "r/A/x/0"}


def test_a_run_that_is_named_twice_is_found_once(make_runs: MakeRuns) -> None:
    folder = make_runs("r/A/0", "r/B/0")
    places = [folder / "r" / "B", folder / "r", folder / "r" / "A" / ".." / "A"]
    assert list(told(find_runs(places)).items()) == [("B/0", "r/B/0"), ("A/0", "r/A/0")]


def test_a_pattern_names_what_it_fits(make_runs: MakeRuns) -> None:
    folder = make_runs("r/A/x/0", "r/A/y/0", "r/B/x/0")
    fitting = [folder / "r" / "A" / "x", folder / "r" / "B" / "x"]
    assert find_runs([folder / "r" / "*" / "x"]) == find_runs(fitting)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("nowhere", "no such folder; name a run folder, or one that holds runs"),
        ("a-file", "no such folder"),
        ("empty", "no run in it; looked for manifest.json there and in all folders below"),
        ("emp*", "no run in it"),
        ("*/nothing", "no run in it"),
        ("**/x", "** is not understood"),
    ],
)
def test_a_place_without_runs_is_named(tmp_path: Path, place: str, says: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a-file").touch()
    for find in (runs_below, lambda place: find_runs([place])):
        with pytest.raises(UsageError) as caught:
            find(f"{tmp_path}/{place}")
        assert str(caught.value).startswith(f"{tmp_path}/{place}: {says}")


@pytest.mark.parametrize(
    "seed", ["0", "12", "seed-0", "seed_1", "seed=2", "seed3", "run-4", "run5"]
)
def test_a_last_folder_that_is_a_seed_is_no_part_of_the_task(seed: str) -> None:
    assert without_seed(("A", seed)) == ("A",)
    assert FoundRun(Path(), Path(), ("A", "b", seed)).task == "A/b"
    assert FoundRun(Path(), Path(), (seed,)).task == "."


@pytest.mark.parametrize(
    "parts", [(), ("0", "A"), ("seeds-0",), ("x0",), ("0x",), ("seed",), ("-1",)]
)
def test_what_is_no_seed_stays(parts: tuple[str, ...]) -> None:
    assert without_seed(parts) == parts


# --- what a run holds


def test_what_a_run_wrote_is_read_back(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run") as folder:
        folder.write_text("config.toml", "seed = 3\n[data]\ntarget_fraction = 0.1\n")
        data = [{"role": "dev", "sha256": "d"}, {"role": "test", "sha256": "t"}]
        results = {"dev": RESULTS["t"], "x": RESULTS["t"]}
        folder.write_manifest({"data": data, "results": results, "best_step": 2}, [])
        folder.begin_metrics()
        folder.metrics({"step": 1, "dev_f1": 0.25})
        folder.metrics({"step": 2})
        folder.log("vectors", sha256="v")
        folder.log("end", best_step=2)
    run = FoundRun.at(tmp_path / "run")
    assert run.options == {"seed": 3, "data.target_fraction": 0.1}
    assert run.learning == [(1, 0.25)]
    assert run.tests() == ["x"]
    assert [(name, scores.f1("conlleval")) for name, scores in run.results.items()] == [
        ("dev", 0.5),
        ("x", 0.5),
    ]
    assert run.results["x"].f1("strict") == 0.4
    assert [getattr(run.data_of(name), "sha256", None) for name in ("dev", "x", "y")] == [
        *("d", "t", None),
    ]
    assert run.predictions("x") == tmp_path / "run" / "predictions-x"
    events = run.events("vectors")
    assert events is not None
    assert [event["sha256"] for event in events] == ["v"]


def test_a_run_may_lack_all_but_its_manifest(make_runs: MakeRuns) -> None:
    run = FoundRun.at(make_runs("run") / "run")
    assert (run.options, run.learning, run.results, run.tests()) == ({}, [], {}, [])
    assert run.events("vectors") is None
    with pytest.raises(UsageError, match=r"not a run folder; looked for manifest\.json in it"):
        FoundRun.at(run.folder.parent)


@pytest.mark.parametrize(
    ("name", "content", "asked", "says"),
    [
        ("manifest.json", '{"results": 3}', "manifest", ": not the manifest of a run: "),
        ("manifest.json", "{", "results", ": not the manifest of a run: "),
        ("manifest.json", "\xff", "results", ":1: not UTF-8 at byte offset 0 "),
        ("config.toml", "seed = ", "options", ": not a TOML file in UTF-8: "),
        ("config.toml", "\xff", "options", ":1: not UTF-8 at byte offset 0 "),
        ("metrics.tsv", "step\tdev_f1\nx\t0.5\n", "learning", ":2: no step and F1 in this line"),
        ("metrics.tsv", "dev_f1\n\n0.5\n", "learning", ":3: no step and F1 in this line"),
        ("metrics.tsv", "step\n1\t2\n", "learning", ":2: 2 cells under 1 headings"),
        ("metrics.tsv", "\xff", "learning", ":1: not UTF-8 at byte offset 0 "),
    ],
)
def test_a_damaged_file_is_named_when_it_is_asked_for(
    make_runs: MakeRuns, name: str, content: str, asked: str, says: str
) -> None:
    folder = make_runs("run") / "run"
    (folder / name).write_text(content, "latin-1")
    (run,) = runs_below(folder)
    for _ in range(2):
        with pytest.raises(DataError) as caught:
            getattr(run, asked)
        assert str(caught.value).startswith(f"{folder / name}{says}")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"updates_before": 30}, [(40, 0.5), (50, 0.25)]),  # an unfinished run
        ({"updates_before": 30, "updates": 50}, [(40, 0.5), (50, 0.25)]),
        ({"updates": 120}, [(110, 0.5), (120, 0.25)]),  # an earlier run
        ({}, [(10, 0.5), (20, 0.25)]),
    ],
    ids=str,
)
def test_learning_counts_the_updates_of_the_stage_before(
    make_runs: MakeRuns, told: dict[str, int], expected: list[tuple[int, float]]
) -> None:
    folder = make_runs("run") / "run"
    (folder / "manifest.json").write_text(json.dumps(told), "utf-8")
    (folder / "metrics.tsv").write_text("step\tdev_f1\n10\t0.5\n20\t0.25\n", "utf-8")
    assert FoundRun.at(folder).learning == expected


@pytest.mark.parametrize("text", ["", "step\tdev_f1\n", "step\tdev_f1\n1\t", "step\tdev_f1\n1\t\n"])
def test_a_table_that_has_only_begun_has_no_points(make_runs: MakeRuns, text: str) -> None:
    folder = make_runs("run") / "run"
    (folder / "metrics.tsv").write_text(text, "utf-8")
    assert FoundRun.at(folder).learning == []


@pytest.mark.parametrize("text", ['{"event": "vectors"}\n{"ev', "\xff\n"])
def test_a_log_that_cannot_be_read_is_none(make_runs: MakeRuns, text: str) -> None:
    folder = make_runs("run") / "run"
    (folder / "log.jsonl").write_text(text, "latin-1")
    assert FoundRun.at(folder).events("vectors") is None


@pytest.mark.parametrize(
    ("manifest", "finished"),
    [
        ({"results": RESULTS}, True),
        ({"results": {}}, True),
        ({"results": None}, False),
        ({}, False),
        ({"results": {"t": {}}}, False),
        ({"results": {"t": {**RESULTS["t"], "strict": {"overall": {"f1": 7}}}}}, False),
        ([], False),
        (None, False),
    ],
)
def test_only_a_manifest_with_scores_is_that_of_a_finished_run(
    tmp_path: Path, manifest: Any, finished: bool
) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    run = FoundRun(tmp_path, tmp_path)
    assert run.finished() == (run.manifest if finished else None)


@pytest.mark.parametrize("content", ["", "{", "\xff"])
def test_a_damaged_manifest_is_not_that_of_a_finished_run(tmp_path: Path, content: str) -> None:
    run = FoundRun(tmp_path, tmp_path)
    assert run.finished() is None
    (tmp_path / "manifest.json").write_text(content, "latin-1")
    assert run.finished() is None
