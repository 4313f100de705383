"""``choose = "dev"``: which grid point stands for a task and method, and what is shown of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import Invoke
from test_command_experiment import write_experiment
from test_experiment import folders, small, specs_of
from test_report import report_of, scores, section_of, texts

from ladtl_np.errors import UsageError
from ladtl_np.experiment import load_experiment, plan_experiment
from ladtl_np.experiment.choice import Choice, Listed, choices_of, notes_on
from ladtl_np.options.config import to_toml
from ladtl_np.report import study_of
from ladtl_np.runs.found import find_runs

Scored = dict[str, dict[str, float]]


def point(value: float, *, seeds: int = 2, method: str = "la-dtl") -> list[Listed]:
    """The runs of one grid point; 0.02 is the default."""
    return [
        Listed(
            folder=f"a-to-b/{method}/fraction-1/w={value}/seed-{seed}",
            task="a -> b",
            method=method,
            seed=seed,
            fraction=1.0,
            grid={"w": value},
            default=value == 0.02,
        )
        for seed in range(seeds)
    ]


def chosen_from(
    dev: dict[float, list[float]], tests: dict[float, float] | None = None, **options: Any
) -> Choice:
    """The choice among points with these development F1 by seed, and this test F1."""
    seeds = max(map(len, dev.values()))
    runs = [run for value in dev for run in point(value, seeds=seeds, **options)]
    scored: Scored = {
        run.folder: {"dev": dev[run.grid["w"]][run.seed], "t": (tests or {}).get(run.grid["w"], 0)}
        for run in runs
        if run.seed < len(dev[run.grid["w"]])
    }
    [choice] = choices_of(runs, scored)
    return choice


def value_of(choice: Choice) -> float:
    assert choice.chosen is not None
    return float(choice.chosen.grid["w"])


def test_the_best_mean_over_the_seeds_is_chosen_and_test_scores_decide_nothing() -> None:
    dev = {0.0: [0.5, 0.9], 0.02: [0.72, 0.7], 0.1: [0.8, 0.6]}
    for tests in ({0.0: 0.9, 0.02: 0.1, 0.1: 0.5}, {0.0: 0.1, 0.02: 0.2, 0.1: 0.9}):
        assert value_of(chosen_from(dev, tests)) == 0.02


def test_of_equal_means_the_earlier_point_is_chosen() -> None:
    assert value_of(chosen_from({0.3: [0.5, 0.7], 0.1: [0.6, 0.6], 0.2: [0.7, 0.5]})) == 0.3


def test_a_point_that_lacks_a_seed_is_not_chosen_and_named() -> None:
    choice = chosen_from({0.0: [0.5, 0.5], 0.1: [0.9]})
    assert value_of(choice) == 0.0
    assert choice.missing == ["a-to-b/la-dtl/fraction-1/w=0.1"]
    assert any("1 of 2 points are not finished" in n and "w=0.1" in n for n in notes_on([choice]))


def test_how_far_a_choice_mattered_is_worked_out_by_hand() -> None:
    dev = {0.0: [0.50, 0.54], 0.02: [0.60, 0.64], 0.1: [0.70, 0.74]}
    choice = chosen_from(dev, {0.0: 0.4, 0.02: 0.6, 0.1: 0.5})
    assert choice.spread == pytest.approx(0.2)
    assert choice.lead == pytest.approx(0.1)
    assert choice.deviation == pytest.approx(0.0008**0.5)  # 2 * 0.02^2 / 1 in each
    found = choice.on("t")
    assert found == pytest.approx(
        {"chosen": 0.5, "default": 0.6, "worst": 0.4, "median": 0.5, "oracle": 0.6}
    )
    assert choice.corpora() == ["t"]


def test_a_choice_within_the_deviation_of_the_seeds_says_so() -> None:
    close = chosen_from({0.0: [0.50, 0.60], 0.1: [0.52, 0.60]})
    assert any("chance may have chosen" in note for note in notes_on([close]))
    clear = chosen_from({0.0: [0.50, 0.52], 0.1: [0.60, 0.62]})
    assert notes_on([clear]) == []
    alone = chosen_from({0.0: [0.50], 0.1: [0.60]})
    assert any("one seed" in note for note in notes_on([alone]))


def test_unequal_numbers_of_points_are_told() -> None:
    many = chosen_from({0.0: [0.1, 0.1], 0.1: [0.9, 0.9]})
    one = chosen_from({0.0: [0.1, 0.1]}, method="re-training")
    told = notes_on([many, one])
    assert told == ["methods were chosen from unequal numbers of points: la-dtl 2, re-training 1"]


# --- the file


LA_DTL = {"objective.w_mmd": [0.0, 0.1]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"choose": "dev"}, "choose has no effect without a grid of several points"),
        ({"choose": "test", "grid": {"model.hidden": [4, 8]}}, "Invalid enum value 'test'"),
        (
            {
                "choose": "dev",
                "grid": {"model.hidden": [4, 8]},
                "corpora": {"a": {"train": "a"}, "b": {"train": "b", "test": ["t"]}},
            },
            "corpora.b has no development data to choose by",
        ),
        ({"grid": {"methods": ["crf-l2"], **LA_DTL}}, "grid.methods: there is no methods.crf-l2"),
        ({"grid": {"methods": "la-dtl", **LA_DTL}}, "grid.methods wants a list of names"),
        ({"grid": {"methods": [], **LA_DTL}}, "grid.methods is empty"),
        ({"grid": {"methods": ["la-dtl"] * 2, **LA_DTL}}, "grid.methods names 'la-dtl' twice"),
        ({"grid": {"methods": ["non-transfer"], **LA_DTL}}, "say in the grid which methods"),
    ],
)
def test_a_mistake_is_refused_with_its_place(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        specs_of(**changes)
    assert says in str(caught.value)


def test_each_method_may_have_a_grid_of_its_own() -> None:
    grids = [
        {"methods": ["la-dtl"], **LA_DTL},
        {"methods": ["non-transfer", "la-dtl"], "model.dropout": [0.3]},
    ]
    methods = ["non-transfer", "la-dtl", "crf-l2"]
    found = [folder.split("/", 1)[1] for folder in folders(methods=methods, grid=grids)]
    assert found == [
        "non-transfer/fraction-1/model.dropout=0.3/seed-0",
        "la-dtl/fraction-1/objective.w_mmd=0.0/seed-0",
        "la-dtl/fraction-1/objective.w_mmd=0.1/seed-0",
        "la-dtl/fraction-1/model.dropout=0.3/seed-0",
        "crf-l2/fraction-1/seed-0",
    ]


def test_the_default_is_told_and_points_that_repeat_an_earlier_one_are_left_out() -> None:
    grids = [{"objective.w_mmd": [0.02, 0.1]}, {"objective.w_param": [0.03, 0.1]}]
    changes: dict[str, Any] = {"methods": ["la-dtl"], "grid": grids, "seeds": [0, 1]}
    assert len(specs_of(**changes)) == 8
    specs = specs_of(**changes, choose="dev")
    assert [(spec.grid, spec.default) for spec in specs if spec.seed == 0] == [
        ({"objective.w_mmd": 0.02}, True),
        ({"objective.w_mmd": 0.1}, False),
        ({"objective.w_param": 0.1}, False),
    ]
    moved = specs_of(**changes, settings={"objective": {"w_mmd": 0.1}})
    assert [spec.default for spec in moved if spec.seed == 0] == [False, True, True, False]


def test_runs_are_counted_by_the_points_of_each_method() -> None:
    many = {"methods": ["la-dtl"], "training.steps": list(range(1, 60_000))}
    with pytest.raises(UsageError, match=r"1.2e\+05 runs"):
        specs_of(grid=many, seeds=[0, 1])
    assert len(specs_of(**small(), grid={**many, "training.steps": [5, 6]}, seeds=[0])) == 3


# --- an experiment that is finished

DEV = {
    ("la-dtl", 0.0): (0.50, 0.54),
    ("la-dtl", 0.02): (0.70, 0.74),
    ("la-dtl", 0.1): (0.60, 0.64),
    ("crf-l2", 0.03): (0.60, 0.60),
    ("crf-l2", 0.3): (0.65, 0.65),
}
TEST = {
    ("la-dtl", 0.0): 0.9,
    ("la-dtl", 0.02): 0.5,
    ("la-dtl", 0.1): 0.4,
    ("crf-l2", 0.03): 0.3,
    ("crf-l2", 0.3): 0.2,
}
GRIDS = [
    {"methods": ["la-dtl"], "objective.w_mmd": [0.0, 0.02, 0.1]},
    {"methods": ["crf-l2"], "objective.w_param": [0.03, 0.3]},
]


def write_run(folder: Path, spec: Any, hashes: dict[str, str], f1: dict[str, float]) -> None:
    """What a finished run leaves."""
    run = folder / spec.folder
    run.mkdir(parents=True)
    run.joinpath("config.toml").write_text(to_toml(spec.config), "utf-8")
    data = [
        {"role": file.role, "name": file.path, "sha256": hashes[file.path]}
        for file in spec.config.data.files()
    ]
    results = {name: scores(value) for name, value in f1.items()}
    manifest = {"method": spec.config.method, "data": data, "results": results, "best_step": 3}
    run.joinpath("manifest.json").write_bytes(msgspec.json.encode(manifest))
    run.joinpath("metrics.tsv").write_text("step\tdev_f1\n3\t0.5\n")


@pytest.fixture
def done(tmp_path: Path) -> tuple[Path, Path]:
    """The file of an experiment that chooses, and the folder with all its runs."""
    methods = sorted({method for method, _ in DEV}, reverse=True)
    path = write_experiment(tmp_path, methods=methods, grid=GRIDS, choose="dev")
    out = tmp_path / "out"
    out.mkdir()
    plan = plan_experiment(load_experiment(str(path)), out)
    for spec in plan.specs:
        key = spec.method, next(iter(spec.grid.values()))
        f1 = {"dev": DEV[key][spec.seed], "test.txt": TEST[key]}
        write_run(out, spec, plan.inputs.hashes, f1)
    return path, out


@pytest.fixture
def chosen(done: tuple[Path, Path], invoke: Invoke, untrained: None) -> Path:
    """The folder, once the command has read it back."""
    path, out = done
    out.joinpath("experiment.json").write_bytes(record_of(path, out))
    assert invoke("experiment", path, "--out", out).exit_code == 0
    return out


def record_of(path: Path, out: Path) -> bytes:
    """An experiment's record, which makes a folder one that the command goes on with."""
    from ladtl_np.experiment import record

    plan = plan_experiment(load_experiment(str(path)), out)
    return json.dumps(record.record_of(plan.name, plan.specs, plan.choose)).encode()


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run that is begun fail the test."""

    def refuse(*_: object) -> None:
        pytest.fail("a finished experiment began a run")

    monkeypatch.setattr("ladtl_np.experiment.processes._start", refuse)


def test_a_finished_experiment_is_read_back_and_shows_the_chosen_points(
    chosen: Path, done: tuple[Path, Path], invoke: Invoke
) -> None:
    path, out = done
    before = (out / "results.tsv").read_bytes()
    result = invoke("experiment", path, "--out", out)
    assert result.exit_code == 0
    first, second = result.stdout.split("Chosen by development F1")
    assert "72.00 ± 2.83" in first  # la-dtl with 0.02
    assert "65.00 ± 0.00" in first
    assert not any(number in first for number in ("52.00", "62.00", "60.00"))
    for text in ("│ w_mmd=0.02 ", "│ w_param=0.3 ", "nobody's result"):
        assert text in second
    assert (out / "results.tsv").read_bytes() == before
    rows = list(csv.DictReader(before.decode().splitlines(), delimiter="\t"))
    told = {(row["method"], row["objective.w_mmd"] or row["objective.w_param"]) for row in rows
            if row["chosen"] == "yes"}  # fmt: skip
    assert told == {("la-dtl", "0.02"), ("crf-l2", "0.3")}
    assert len(rows) == 20


def test_json_tells_of_every_point(chosen: Path, done: tuple[Path, Path], invoke: Invoke) -> None:
    path, out = done
    told = json.loads(invoke("experiment", path, "--out", out, "--json").stdout)
    ours = next(choice for choice in told["choices"] if choice["method"] == "la-dtl")
    assert ours["chosen"]["grid"] == {"objective.w_mmd": 0.02}
    assert ours["tests"]["test.txt"] == pytest.approx(
        {"chosen": 0.5, "default": 0.5, "worst": 0.4, "median": 0.5, "oracle": 0.9}
    )
    assert [point["default"] for point in ours["points"]] == [False, True, False]


def test_compare_takes_the_chosen_points_unless_one_is_named(chosen: Path, invoke: Invoke) -> None:
    ours, theirs = (f"{chosen}/*/{method}" for method in ("la-dtl", "crf-l2"))
    told = json.loads(
        invoke("compare", ours, theirs, "--by", "seed", "--corpus", "dev", "--json").stdout
    )
    [comparison] = told["comparisons"]
    assert [row["a"] for row in comparison["pairs"]] == pytest.approx([0.70, 0.74])
    assert [row["b"] for row in comparison["pairs"]] == pytest.approx([0.65, 0.65])
    assert told["left_out"] == [
        "4 runs of A whose grid point is not chosen",
        "2 runs of B whose grid point is not chosen",
    ]
    places = [
        chosen / f"news-to-tweets/la-dtl/fraction-1/objective.w_mmd={value}"
        for value in ("0.0", "0.1")
    ]
    told = json.loads(
        invoke("compare", *places, "--by", "seed", "--corpus", "dev", "--json").stdout
    )
    assert [row["a"] for row in told["comparisons"][0]["pairs"]] == pytest.approx([0.50, 0.54])


def test_compare_says_where_no_point_is_finished(
    chosen: Path, invoke: Invoke, tmp_path: Path
) -> None:
    for run in chosen.glob("*/la-dtl/*/*/seed-1/manifest.json"):
        run.write_text("{}")
    result = invoke("compare", f"{chosen}/*/la-dtl", f"{chosen}/*/crf-l2")
    assert result.exit_code == 2
    assert "no grid point is chosen there yet" in result.stderr


def test_a_report_shows_the_choice_and_uses_the_chosen_points(chosen: Path) -> None:
    report = report_of(chosen)
    results = section_of(report, "results")
    cells = {row[0]: row[1] for row in texts(results.tables[0])}
    assert cells == {"la-dtl": "50.00 ± 0.00", "crf-l2": "20.00 ± 0.00"}
    choice = section_of(report, "choice")
    points, tests = choice.tables
    ours = next(row for row in texts(points) if row[1] == "la-dtl")
    lead = ["news → tweets", "la-dtl", "1"]
    assert ours == [*lead, "objective.w_mmd=0.02", "3", "72.00", "72.00", "52.00", "10.00", "2.83"]
    assert [*lead, "test.txt", "50.00", "50.00", "40.00", "50.00", "90.00"] in texts(tests)
    assert any("nobody's result" in note for note in choice.notes)
    for run in chosen.glob("*/la-dtl/*/*=0.1/seed-1/manifest.json"):
        run.write_text("{}")
    notes = section_of(report_of(chosen), "choice").notes
    assert any(note.startswith("news → tweets, la-dtl: 1 of 3 points") for note in notes)


def test_each_task_has_a_choice_of_its_own(
    done: tuple[Path, Path], chosen: Path, tmp_path: Path
) -> None:
    study = study_of(find_runs([chosen]))
    assert {run.point for run in study.runs if run.chosen and run.method == "la-dtl"} == {
        (("objective.w_mmd", 0.02),)
    }
    assert study.chosen_points() == []
    assert [choice.method for choice in study.choices] == ["la-dtl", "crf-l2"]


def test_a_report_on_a_part_tells_of_its_choices_alone(chosen: Path) -> None:
    study = study_of(find_runs([chosen / "news-to-tweets" / "la-dtl"]))
    assert [choice.method for choice in study.choices] == ["la-dtl"]
    assert {run.chosen for run in study.runs} == {True, False}


def test_a_record_that_was_changed_by_hand_chooses_nothing(chosen: Path) -> None:
    path = chosen / "experiment.json"
    path.write_text(path.read_text("utf-8").replace("news -> tweets", "news -> tweetz"), "utf-8")
    assert study_of(find_runs([chosen])).choices == []
