"""The parts of a search: where points are drawn from, which go on, what an option did."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import write_corpus
from small_corpora import SMALL, small_corpora

from ladtl_np.errors import UsageError
from ladtl_np.experiment.job import Job, perform
from ladtl_np.options.config import Config, parse_config
from ladtl_np.options.methods import METHODS
from ladtl_np.tuning.effects import effects_of
from ladtl_np.tuning.halving import Rung, TrialRun, budgeted, rungs, unbounded, whole_runs
from ladtl_np.tuning.space import Range, Space, config_at, default_space, draw, read_space
from ladtl_np.tuning.trials import Trials

# --- what goes on


def points_by_rung(found: Iterator[Rung]) -> list[list[int]]:
    return [list(dict.fromkeys(run.point for run in rung.runs)) for rung in found]


def test_a_third_of_the_points_goes_on_and_the_first_one_in_any_case() -> None:
    f1 = {0: 0.1, 1: 0.5, 2: 0.9, 3: 0.2, 4: 0.8, 5: 0.3, 6: 0.4, 7: 0.7, 8: 0.6}
    asked = []

    def score(point: int, share: float) -> float:
        asked.append((point, share))
        return f1[point] if share < 0.5 else -f1[point]

    found = list(rungs(range(9), 1, score))
    assert [(rung.number, rung.of, rung.share) for rung in found] == [
        (1, 3, 0.25),
        (2, 3, 0.5),
        (3, 3, 1.0),
    ]
    # the second comparison turns the order round
    assert points_by_rung(iter(found)) == [[*range(9)], [0, 2, 4, 7], [0, 7]]
    assert (3, 1.0) not in asked


def test_failed_points_go_last_and_the_earlier_of_equals_goes_on() -> None:
    found = rungs(range(4), 1, lambda point, share: None if point == 1 else 0.5)
    assert points_by_rung(found) == [[0, 1, 2, 3], [0, 2]]
    assert points_by_rung(rungs(range(4), 1, lambda *_: None)) == [[0, 1, 2, 3], [0, 1]]


def test_all_seeds_are_run_at_the_end_alone() -> None:
    found = list(rungs(range(4), 3, lambda point, share: float(point)))
    assert [run.seed for run in found[0].runs] == [0, 0, 0, 0]
    assert found[1].runs == [TrialRun(p, seed) for p in (0, 2, 3) for seed in (0, 1, 2)]


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_a_budget_is_never_exceeded_and_used_as_far_as_it_goes(seeds: int) -> None:
    for runs in (*range(seeds, 60), 200):
        begun = {run for rung in budgeted(runs, seeds, lambda p, s: 0.1 * p) for run in rung.runs}
        assert len(begun) <= runs
        if seeds == 1:
            assert len(begun) == runs


def test_a_budget_of_one_is_the_options_as_they_are() -> None:
    [rung] = budgeted(1, 1, lambda *_: 0.5)
    assert rung.runs == [TrialRun(0, 0)]
    assert rung.share == 1.0
    with pytest.raises(UsageError, match="--runs 2 is less than one point with --seeds 3"):
        budgeted(2, 3, lambda *_: 0.5)


def test_a_search_without_end_begins_with_the_options_as_they_are() -> None:
    endless = unbounded(1, lambda point, share: float(point))
    first = [next(endless) for _ in range(7)]
    assert points_by_rung(iter(first)) == [
        [0],
        [*range(1, 10)],
        [7, 8, 9],
        [9],
        [*range(10, 19)],
        [16, 17, 18],
        [18],
    ]


def test_a_bracket_is_as_large_as_it_is_asked_to_be() -> None:
    sizes = iter([4, 1])
    endless = unbounded(1, lambda point, share: float(point), lambda: next(sizes))
    first = [next(endless) for _ in range(4)]
    assert points_by_rung(iter(first)) == [[0], [1, 2, 3, 4], [3, 4], [5]]


def test_brackets_cost_whole_runs() -> None:
    assert [whole_runs(n, 1) for n in (1, 3, 4)] == [1.0, 3.0, 4 * 0.5 + 2 * 0.5]
    assert whole_runs(9, 1) == 9 * 0.25 + 3 * 0.25 + 1 * 0.5
    assert whole_runs(9, 3) == whole_runs(9, 1) + 2


# --- where points are drawn from


def config_of(method: str = "la-dtl", **changes: Any) -> Config:
    data = {"target": "t", "dev": "d", "source": "" if method == "non-transfer" else "s"}
    return parse_config({"method": method, "data": data, **changes})


SPACE: Space = {
    "optimizer.learning_rate": Range(0.01, 1.0, log=True),
    "model.dropout": Range(0.2, 0.6),
    "model.hidden": Range(1, 3),
    "objective.kernel": ["reference", "median", [1.0, 2.0]],
}


def test_points_are_draws_of_the_seed_and_do_not_depend_on_each_other() -> None:
    points = [draw(SPACE, 3, number) for number in range(40)]
    assert points[0] == {}
    assert points == [draw(SPACE, 3, number) for number in range(40)]
    assert points[5] != draw(SPACE, 4, 5)
    assert len({str(point) for point in points}) == 40


def test_values_fill_their_ranges_and_lists() -> None:
    points = [draw(SPACE, 0, number) for number in range(1, 400)]
    rates = sorted(point["optimizer.learning_rate"] for point in points)
    assert 0.01 <= rates[0] < 0.012
    assert 0.9 < rates[-1] <= 1.0
    assert 0.07 < rates[200] < 0.14  # the middle of the logarithms is 0.1
    dropouts = sorted(point["model.dropout"] for point in points)
    assert 0.37 < dropouts[200] < 0.43
    assert {point["model.hidden"] for point in points} == {1, 2, 3}
    assert {str(point["objective.kernel"]) for point in points} == {
        "reference",
        "median",
        "[1.0, 2.0]",
    }
    assert all(len(f"{rate:g}") <= 7 for rate in rates)
    whole = Range(1, 100, log=True)
    assert [whole.at(share) for share in (0.0, 0.5, 0.999999)] == [1, 10, 100]


@pytest.mark.parametrize("method", METHODS)
def test_the_default_space_has_only_what_changes_something(method: str) -> None:
    config = config_of(method)
    space = default_space(config, set())
    assert "optimizer.learning_rate" in space
    assert ("objective.w_mmd" in space) == (METHODS[method].mmd != "none")
    assert ("objective.w_param" in space) == METHODS[method].parameter_transfer
    assert ("mask.shared_fraction" in space) == (method == "domain-mask")
    assert ("reload.emission" in space) == (method == "re-training")
    for number in range(5):
        config_at(config, draw(space, 0, number))


def test_what_the_user_has_set_is_not_searched() -> None:
    assert "model.dropout" not in default_space(config_of(), {"model.dropout"})
    off = config_of(objective={"w_mmd": 0.0})
    space = default_space(off, {"objective.w_mmd"})
    assert "objective.kernel" not in space  # which has no effect then
    assert "objective.w_param" in space


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no option in it"),
        ("model.dropout = 0.3", "model.dropout wants a list of values, or a range such as"),
        ("model.dropout = [0.3]", "model.dropout: one value; set it with --set"),
        ("model.dropout = []", "model.dropout is empty"),
        ("model.dropout = [0.3, 0.3]", "names 0.3 twice"),
        ("model.dropout = { low = 0.3 }", "missing required field `high`"),
        ("model.dropout = { low = 0.3, high = 0.2 }", "low must be below high"),
        ("model.dropout = { low = 0.0, high = 0.2, log = true }", "low must be above 0 with log"),
        ("model.dropout = { low = 0.1, high = 0.2, lgo = true }", "unknown field `lgo`"),
        ("model.dropout = { low = 0.5, high = 1.5 }", "dropout must lie in [0, 1)"),
        ("model.hidden = { low = 1.5, high = 8.0 }", "model.hidden"),
        ("model.dropouts = [0.1, 0.2]", "unknown field `dropouts`"),
        ("seed = [1, 2]", "seed says what the task is"),
        ("data.target_fraction = [0.1, 0.2]", "data.target_fraction says what the task is"),
        ("threads = [1, 2]", "threads says what the task is"),
        ("mask.shared_fraction = [0.1, 0.2]", "mask.shared_fraction has no effect with method"),
        ("cd.width = [1.0, 2.0]", "cd.width has no effect with method la-dtl"),
        ("characters.lower = [true, false]", "characters.lower has no effect without"),
        ("training.steps = [100, 200]", "training.steps is set as well"),
        ("model = 3", "model wants a list"),
        ("= 3", "s.toml"),
    ],
)
def test_a_mistake_in_a_space_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError) as caught:
        read_space(path, config_of(), {"training.steps"})
    assert says in str(caught.value)
    assert "s.toml" in str(caught.value)


def test_an_option_that_works_with_some_of_the_others_may_be_searched(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("objective.w_mmd = [0.0, 0.1]\nobjective.kernel = ['reference', 'median']\n")
    assert list(read_space(path, config_of(), set())) == ["objective.w_mmd", "objective.kernel"]
    path.write_text("data.source_fraction = [0.5, 1.0]\n", "utf-8")
    assert list(read_space(path, config_of(), set())) == ["data.source_fraction"]


def test_the_page_shows_the_default_space() -> None:
    root = Path(__file__).parents[1]
    page = (root / "docs/tuning.md").read_text("utf-8")
    file = (root / "ladtl_np/tuning/space.toml").read_text("utf-8")
    [shown] = re.findall(r"```toml\n(.*?)```", page, re.S)
    assert file.partition("\n\n")[2] == shown


def test_options_of_a_start_are_searched_with_that_start(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("reload.emission = [true, false]\n", "utf-8")
    warm = config_of(training={"start": "source-model"})
    assert list(read_space(path, warm, set())) == ["reload.emission"]
    assert "reload.emission" in default_space(warm, set())
    path.write_text(
        "training.start = ['random', 'source-model']\nreload.emission = [true, false]\n"
    )
    with pytest.raises(UsageError, match=r"reload\.emission has no effect with method la-dtl"):
        read_space(path, config_of(), set())
    with pytest.raises(UsageError, match=r"at some points reload\.emission has no effect"):
        read_space(path, warm, set())


def test_a_schedule_may_be_one_of_the_values(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("objective.source_share = [0.3, 'linear(0.9, 0)']\n", "utf-8")
    space = read_space(path, config_of(), set())
    config = config_at(config_of(), {"objective.source_share": "linear(0.9, 0)"})
    assert config.objective.source_share == "linear(0.9, 0)"
    assert {draw(space, 0, n)["objective.source_share"] for n in range(1, 9)} == {
        0.3,
        "linear(0.9, 0)",
    }


# --- what an option did


def test_halves_and_values_are_compared_with_their_error() -> None:
    space: Space = {"x": Range(0.0, 1.0), "k": ["a", "b"]}
    tried = [
        ({}, 0.9),  # the options as they were are no draw
        ({"x": 0.1, "k": "a"}, 0.1),
        ({"x": 0.2, "k": "b"}, 0.3),
        ({"x": 0.8, "k": "a"}, 0.5),
        ({"x": 0.9, "k": "b"}, 0.7),
    ]
    first, second = effects_of(space, tried)
    assert (first.key, second.key) == ("x", "k")
    assert [tuple(part) for part in first.parts] == [
        ("0.1 to 0.2", 2, pytest.approx(0.2)),
        ("0.8 to 0.9", 2, pytest.approx(0.6)),
    ]
    assert first.gap == pytest.approx(0.4)
    assert first.error == pytest.approx((0.02 / 2 + 0.02 / 2) ** 0.5)
    assert first.sure
    assert second.gap == pytest.approx(0.2)
    assert not second.sure
    assert effects_of(space, tried[:4]) == []


# --- what runs have come to


def trials_in(folder: Path) -> Trials:
    config = config_of(training={"steps": 100, "evaluate_every": 10})
    return Trials(config, {"model.dropout": [0.1, 0.2]}, 2, folder)


def write_metrics(folder: Path, scores: dict[int, float]) -> None:
    folder.mkdir(parents=True)
    rows = "".join(f"{step}\t{f1}\n" for step, f1 in scores.items())
    (folder / "metrics.tsv").write_text(f"step\tdev_f1\n{rows}", "utf-8")


def test_a_run_is_compared_by_its_best_score_up_to_a_step(tmp_path: Path) -> None:
    trials, run = trials_in(tmp_path), TrialRun(3, 1)
    spec = trials.spec(run)
    assert spec.folder == "point=0003/seed-1"
    assert [trials.until(spec, share) for share in (0.25, 0.5, 1.0)] == [20, 50, 100]
    assert trials.f1(run, 0.25) is None
    write_metrics(tmp_path / spec.folder, {10: 0.3, 20: 0.1, 30: 0.7, 40: 0.4})
    assert trials.f1(run, 0.25) == 0.3
    assert trials.f1(run, 0.5) is None  # at 40 of 50
    assert trials.f1(run, 1.0) is None
    assert trials.finished(3) is None


def test_steps_of_a_comparison_are_evaluations(tmp_path: Path) -> None:
    trials = trials_in(tmp_path)
    for steps, every, wanted in ((1000, 100, 200), (100, 100, 100), (90, 100, 90), (10, 4, 4)):
        training = {"steps": steps, "evaluate_every": every}
        spec = replace(trials.spec(TrialRun(0, 0)), config=config_of(training=training))
        assert trials.until(spec, 0.25) == wanted


# --- a run that waits


def test_a_run_that_waits_goes_on_to_the_bytes_of_one_that_did_not(tmp_path: Path) -> None:
    corpora = small_corpora()
    assert corpora.source is not None
    assert corpora.dev is not None
    named = {"source": corpora.source, "target": corpora.target, "dev": corpora.dev}
    data = {role: write_corpus(tmp_path / role, corpus) for role, corpus in named.items()}
    for method in ("la-dtl", "re-training"):
        config = parse_config({**SMALL, "method": method, "data": data})
        whole, waiting = tmp_path / f"{method}-whole", tmp_path / f"{method}-waiting"
        perform(Job(config, whole), lambda share: None)
        for until, rows in ((15, 2), (25, 3)):
            perform(Job(config, waiting, until=until), lambda share: None)
            metrics = (waiting / "metrics.tsv").read_text("utf-8").splitlines()
            assert len(metrics) == rows + 1
            assert (waiting / "checkpoint.safetensors").is_file()
            assert not (waiting / "last.safetensors").exists()
        perform(Job(config, waiting, until=40), lambda share: None)
        for name in ("best.safetensors", "last.safetensors"):
            assert (whole / name).read_bytes() == (waiting / name).read_bytes()
        assert not (waiting / "checkpoint.safetensors").exists()
