"""Tables, tests and figures of a report, against numbers worked out by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ladtl_np.errors import DataError, UsageError
from ladtl_np.pages import Page, extra_files
from ladtl_np.pages.content import Cell, Figure, Section, Table
from ladtl_np.pages.drawing.figures import LinePanel, band_of, lines
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.report import build_report, study_of
from ladtl_np.report.scores import AVERAGE, Results
from ladtl_np.report.sections.confusion import BOUNDARIES, MISSED, SPURIOUS, count_confusions
from ladtl_np.report.sections.curves import _best
from ladtl_np.report.sections.labels import contrasted
from ladtl_np.report.sections.results import results_section
from ladtl_np.runs.folder import COLUMNS, RunFolder
from ladtl_np.runs.found import find_runs

HOSTILE = "<script>alert(1)</script>"
CANARY = "Zq7canary"
MakeRun = Callable[..., Path]


def scores(f1: float, kinds: dict[str, float] | None = None) -> dict[str, Any]:
    """Scores of a corpus with 100 entities, and of types with 10 each."""

    def counts(share: float, gold: int) -> dict[str, Any]:
        ratios = {"precision": share, "recall": share, "f1": share}
        return {"gold": gold, "predicted": gold, "correct": round(share * gold), **ratios}

    per_type = {kind: counts(share, 10) for kind, share in (kinds or {}).items()}
    report = {"overall": counts(f1, 100), "macro_f1": f1, "per_type": per_type}
    strict = {"overall": counts(f1 - 0.01, 100), "macro_f1": f1, "per_type": per_type}
    return {"conlleval": report, "strict": strict, "illegal_predicted": 3}


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run folder with `RunFolder`, as ``ladtl train`` does."""

    def make_run(
        place: str,
        method: str,
        f1: dict[str, float] | None,
        *,
        seed: int = 0,
        options: str = "",
        data: list[dict[str, Any]] | None = None,
        kinds: dict[str, float] | None = None,
        learning: dict[int, float] | None = None,
        predictions: dict[str, str] | None = None,
    ) -> Path:
        manifest: dict[str, Any] = {"command": ["train", "--seed", str(seed)], "method": method}
        manifest |= {"versions": {"numpy": "2.0"}, "machine": {}, "data": data or []}
        if f1 is not None:
            manifest["results"] = {name: scores(value, kinds) for name, value in f1.items()}
            manifest["best_step"] = 20
        with RunFolder(tmp_path / place) as folder:
            folder.write_text("config.toml", f'method = "x"\nseed = {seed}\n{options}')
            folder.write_manifest(manifest, [])
            folder.begin_metrics()
            for step, value in (learning or {}).items():
                folder.metrics({"step": step, "dev_f1": value, "best": True})
            for name, text in (predictions or {}).items():
                folder.write_text(f"predictions-{name}", text)
        return tmp_path / place

    return make_run


def report_of(*places: Path, **options: Any) -> Page:
    return build_report(study_of(find_runs(places)), **options)


def section_of(report: Page, key: str) -> Section:
    return next(section for section in report.sections if section.key == key)


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


# --- the table of results


def test_means_deviations_and_the_average_are_those_worked_out_by_hand() -> None:
    results = Results(
        {"la-dtl": {"A": {0: 70.0, 1: 74.0}, "B": {0: 60.0, 1: 62.0}}}, {"la-dtl": "la-dtl"}
    )
    cell, average = results.cell("la-dtl", "A"), results.cell("la-dtl", AVERAGE)
    assert cell is not None
    assert average is not None
    assert (cell.n, cell.mean) == (2, 72.0)
    assert cell.deviation == pytest.approx(8**0.5)  # (2^2 + 2^2) / 1
    assert average.mean == 66.5  # of 72 and 61
    assert average.deviation == pytest.approx(4.5**0.5)  # of the seeds' averages 65 and 68


def test_a_row_without_all_tasks_has_no_average() -> None:
    scores = {"la-dtl": {"A": {0: 70.0}, "B": {0: 60.0}}, "crf-l2": {"A": {0: 99.0}}}
    results = Results(scores, {name: name for name in scores})
    assert results.cell("crf-l2", AVERAGE) is None
    assert results.best("A") == {"crf-l2"}
    assert results.best(AVERAGE) == {"la-dtl"}


def test_scores_that_look_equal_are_both_best() -> None:
    scores = {"la-dtl": {"A": {0: 70.001}}, "la-mmd": {"A": {0: 70.004}}, "crf-l2": {"A": {0: 70}}}
    results = Results(scores, {name: name for name in scores})
    assert results.best("A") == {"la-dtl", "la-mmd", "crf-l2"}


def five(first: float, *, step: float = 0.0) -> dict[int, float]:
    return {seed: first + step * seed for seed in range(5)}


def test_a_dagger_wants_every_baseline_beaten() -> None:
    scores = {
        "non-transfer": {"A": five(50.0), "B": five(50.0)},
        "joint-training": {"A": five(60.0), "B": {**five(60.0), 4: 80.0}},
        "la-mmd": {"A": five(65.0), "B": five(65.0)},
        "la-dtl": {"A": five(70.0), "B": five(70.0)},
    }
    results = Results(scores, {name: name for name in scores})
    tests = results.tests()
    # five differences of one sign: 1/32; one of five with the other sign and as large: more
    assert results.daggers(tests) == {("la-dtl", "A")}
    found = {(t.column, t.baseline): t.test.p for t in tests if t.row == "la-dtl"}
    assert found["A", "joint-training"] == 1 / 32
    assert found["B", "joint-training"] == 6 / 32  # 10 10 10 10 -10: sums of 30 and 50
    assert {t.baseline for t in tests} == {"non-transfer", "joint-training"}


def test_the_best_method_can_have_a_dagger_even_if_it_is_a_baseline() -> None:
    scores = {"non-transfer": {"A": five(50.0)}, "joint-training": {"A": five(60.0)}}
    results = Results(scores, {name: name for name in scores})
    assert results.daggers(results.tests()) == {("joint-training", "A")}


def test_baselines_are_told_by_what_they_are_not_by_their_names() -> None:
    scores = {"mine": {"A": five(50.0)}, "full": {"A": five(60.0)}}
    results = Results(scores, {"mine": "non-transfer", "full": "la-dtl"})
    assert results.daggers(results.tests()) == {("full", "A")}


def test_pairs_are_common_seeds_and_tasks_for_the_average() -> None:
    scores = {
        "la-dtl": {"A": {0: 70.0, 1: 72.0, 2: 90.0}, "B": {0: 60.0}},
        "non-transfer": {"A": {0: 50.0, 1: 54.0}, "B": {0: 40.0, 1: 99.0}},
    }
    results = Results(scores, {name: name for name in scores})
    assert results.pairs("la-dtl", "non-transfer", "A") == [(70.0, 50.0), (72.0, 54.0)]
    assert results.pairs("la-dtl", "non-transfer", AVERAGE) == [(71.0, 52.0), (60.0, 40.0)]


def two_methods(make_run: MakeRun, seeds: int) -> None:
    for seed in range(seeds):
        for task, f1 in (("C-to-R", 0.5), ("C-to-N", 0.6)):
            make_run(f"e/{task}/non-transfer/{seed}", "non-transfer", {"t": f1}, seed=seed)
            make_run(f"e/{task}/la-dtl/{seed}", "la-dtl", {"t": f1 + 0.1}, seed=seed)


def test_the_table_has_methods_by_row_and_tasks_by_column(
    make_run: MakeRun, tmp_path: Path
) -> None:
    two_methods(make_run, 5)
    section = results_section(study_of(find_runs([tmp_path / "e"])))
    table = section.tables[0]
    assert table.header == ["method", "C → N", "C → R", "average"]
    assert texts(table) == [
        ["non-transfer", "60.00 ± 0.00", "50.00 ± 0.00", "55.00 ± 0.00"],
        ["la-dtl", "70.00 ± 0.00†", "60.00 ± 0.00†", "65.00 ± 0.00"],
    ]
    assert [cell.best for cell in table.rows[1]] == [False, True, True, True]
    assert "the average can have no dagger: with 2 tasks the least possible p is 0.25" in " ".join(
        section.notes
    ).replace("The average", "the average")


def test_too_few_seeds_for_any_dagger_are_told_plainly(make_run: MakeRun, tmp_path: Path) -> None:
    two_methods(make_run, 3)
    section = results_section(study_of(find_runs([tmp_path / "e"])))
    assert "†" not in str(texts(section.tables[0]))
    notes = " ".join(section.notes)
    assert "In 2 of 2 tasks there are too few pairs for a dagger, whatever the scores" in notes
    assert "with 3 seeds the least possible p is 0.125" in notes


def test_what_holds_for_all_tables_is_said_once(make_run: MakeRun, tmp_path: Path) -> None:
    for share, seeds in ((0.1, 1), (0.5, 1), (1, 2)):
        for seed in range(seeds):
            for name in ("non-transfer", "la-dtl"):
                options = f"data.target_fraction = {share}\n"
                place = f"e/T/{name}/fraction-{share}/{seed}"
                make_run(place, name, {"t": 0.5}, seed=seed, options=options)
    notes = results_section(study_of(find_runs([tmp_path / "e"]))).notes
    few = [note.split(": ")[0] for note in notes if "too few pairs" in note]
    share = "of the target"
    assert few == [f"0.1 {share}; 0.5 {share}", f"1 {share}"]
    two_methods(make_run, 3)
    notes = results_section(study_of(find_runs([tmp_path / "e"]))).notes
    assert sum("average can have no dagger" in note for note in notes) == 1


def test_fewer_runs_than_elsewhere_are_marked(make_run: MakeRun, tmp_path: Path) -> None:
    for seed, name in ((0, "la-dtl"), (1, "la-dtl"), (0, "crf-l2")):
        make_run(f"e/T/{name}/{seed}", name, {"t": 0.5}, seed=seed)
    table = results_section(study_of(find_runs([tmp_path / "e"]))).tables[0]
    assert texts(table) == [["crf-l2", "50.00 (1)"], ["la-dtl", "50.00 ± 0.00"]]


def change_manifest(place: Path, **changes: Any) -> None:
    manifest = json.loads((place / "manifest.json").read_text("utf-8"))
    (place / "manifest.json").write_text(json.dumps(manifest | changes), "utf-8")


def test_the_updates_of_both_stages_stand_behind_the_scores(
    make_run: MakeRun, tmp_path: Path
) -> None:
    for seed, updates in enumerate((900, 1200)):
        place = make_run(f"e/T/la-dtl/{seed}", "la-dtl", {"t": 0.5}, seed=seed)
        change_manifest(place, updates=updates, sentences=30 * updates)
    make_run("e/T/crf-l2/0", "crf-l2", {"t": 0.5})
    section = results_section(study_of(find_runs([tmp_path / "e"])))
    assert section.tables[0].header == ["method", "T", "updates", "sentences"]
    assert [row[2:] for row in texts(section.tables[0])] == [
        ["–", "–"],
        ["900–1,200", "27,000–36,000"],
    ]
    assert "Updates are the mini-batches" in " ".join(section.notes)


def test_runs_whose_last_evaluation_was_the_best_are_counted_and_told(
    make_run: MakeRun, tmp_path: Path
) -> None:
    rising = {"kind": "still-improving", "corpus": "d", "count": 9, "what": "w", "cure": "more"}
    for seed in range(3):
        place = make_run(f"e/T/la-dtl/{seed}", "la-dtl", {"t": 0.5}, seed=seed, learning={10: 0.5})
        change_manifest(place, remarks=[rising] if seed else [])
    report = report_of(tmp_path / "e")
    (note,) = section_of(report, "learning").notes
    assert note.startswith("In 2 of 3 runs the last evaluation was the best")
    assert "la-dtl (2)" in note
    (table,) = (t for t in section_of(report, "provenance").tables if t.name == "remarks")
    assert texts(table) == [["d", "w", "more", "2"]]


def test_what_manifests_tell_is_escaped(make_run: MakeRun, tmp_path: Path) -> None:
    place = make_run("e/T/la-dtl/0", "la-dtl", {"t": 0.5})
    told = {"kind": "x", "corpus": HOSTILE, "count": 1, "what": HOSTILE, "cure": HOSTILE}
    change_manifest(place, remarks=[told])
    page = report_of(tmp_path / "e").html()
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3


def test_several_test_corpora_have_a_table_each(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("e/T/la-dtl/0", "la-dtl", {"dev": 0.9, "a": 0.5, "b": 0.4})
    tables = results_section(study_of(find_runs([tmp_path / "e"]))).tables
    assert [(t.caption, texts(t)[0][1]) for t in tables] == [
        ("F1 on a", "50.00"),
        ("F1 on b", "40.00"),
    ]


# --- which run is what


def test_runs_of_an_experiment_are_told_by_their_folders(make_run: MakeRun, tmp_path: Path) -> None:
    place = "e/C-to-N/mine/fraction-0.1/objective.w_mmd=0.02/seed-3"
    make_run(place, "la-dtl", {"t": 0.5}, seed=3, options="[data]\ntarget_fraction = 0.1\n")
    (tmp_path / "e" / "results.tsv").write_text("task\tmethod\nC -> N\tmine\n", "utf-8")
    (run,) = study_of(find_runs([tmp_path / "e"])).runs
    assert (run.task, run.method, run.base, run.fraction, run.seed) == (
        *("C → N", "mine", "la-dtl", 0.1, 3),
    )


def test_single_runs_are_named_by_their_manifests(make_run: MakeRun, tmp_path: Path) -> None:
    data = [{"role": "source", "name": "c/train.txt"}, {"role": "target", "name": "n/train.txt"}]
    places = [make_run(f"r/x{n}", "la-dtl", {"t": 0.5}, seed=n, data=data) for n in range(2)]
    runs = study_of(find_runs(places)).runs
    assert [(run.task, run.method, run.seed) for run in runs] == [
        ("x0", "la-dtl", 0),
        ("x1", "la-dtl", 1),
    ]
    (alone,) = study_of(find_runs(places[:1])).runs
    assert alone.task == "c → n"


@pytest.mark.parametrize(("f1", "named"), [(0.5, []), (0.6, ["T/la-dtl/1"])])
def test_a_repeated_run_counts_once_and_is_named_if_it_differs(
    make_run: MakeRun, tmp_path: Path, f1: float, named: list[str]
) -> None:
    make_run("e/T/la-dtl/0", "la-dtl", {"t": 0.5}, seed=7)
    make_run("e/T/la-dtl/1", "la-dtl", {"t": f1}, seed=7)
    study = study_of(find_runs([tmp_path / "e"]))
    assert (len(study.runs), study.left_out) == (1, named)
    assert study.runs[0].f1("t") == 50.0


def grid_of_runs(make_run: MakeRun, *, dev: bool) -> None:
    """Two values of an option; the second is best on dev, the first on the test corpus."""
    for value, on_dev, on_test in ((0.01, 0.5, 0.9), (0.02, 0.6, 0.8)):
        for seed in range(2):
            f1 = {"t": on_test} | ({"dev": on_dev} if dev else {})
            options = f"[objective]\nw_mmd = {value}\n"
            place = f"e/T/la-dtl/objective.w_mmd={value}/{seed}"
            make_run(place, "la-dtl", f1, seed=seed, options=options)


def test_the_development_corpus_chooses_among_a_grid(make_run: MakeRun, tmp_path: Path) -> None:
    grid_of_runs(make_run, dev=True)
    report = report_of(tmp_path / "e")
    results = section_of(report, "results")
    assert texts(results.tables[0]) == [["la-dtl", "80.00 ± 0.00"]]
    assert "la-dtl: objective.w_mmd=0.02" in " ".join(results.notes)
    grid = section_of(report, "grid")
    assert [row[:5] for row in texts(grid.tables[0])] == [
        ["T", "la-dtl", "0.01", "2", "90.00"],
        ["T", "la-dtl", "0.02", "2", "80.00"],
    ]


def test_each_option_is_varied_where_it_was_tried_most(make_run: MakeRun, tmp_path: Path) -> None:
    """A star around (0.02, 0.03), whose best point is at one of its ends."""
    points = {
        (0.01, 0.03): 70,
        (0.02, 0.03): 71,
        (0.04, 0.03): 72,
        (0.02, 0.1): 80,
        (0.02, 0.3): 75,
    }
    for number, ((w_mmd, w_param), f1) in enumerate(points.items()):
        options = f"[objective]\nw_mmd = {w_mmd}\nw_param = {w_param}\n"
        scores = {"t": f1 / 100, "dev": f1 / 100}
        make_run(f"e/T/la-dtl/{number}", "la-dtl", scores, seed=0, options=options)
    by_mmd, by_param = section_of(report_of(tmp_path / "e"), "grid").tables
    assert [(row[2], row[4]) for row in texts(by_mmd)] == [
        ("0.01", "70.00"),
        ("0.02", "71.00"),
        ("0.04", "72.00"),
    ]
    assert [(row[2], row[4]) for row in texts(by_param)] == [
        ("0.03", "71.00"),
        ("0.1", "80.00"),
        ("0.3", "75.00"),
    ]


def test_without_development_scores_every_grid_point_has_a_row(
    make_run: MakeRun, tmp_path: Path
) -> None:
    grid_of_runs(make_run, dev=False)
    table = results_section(study_of(find_runs([tmp_path / "e"]))).tables[0]
    names = [row[0] for row in texts(table)]
    assert names == [f"la-dtl, objective.w_mmd={value}" for value in ("0.01", "0.02")]


# --- curves, labels, confusion


def test_a_band_is_the_interval_of_the_mean() -> None:
    band = band_of({200: [60.0, 62.0], 100: [50.0]})
    assert (band.x, band.mean) == ([100, 200], [50.0, 61.0])
    half = 12.706205 * 1.0  # t of 1 degree of freedom x sqrt(2) / sqrt(2)
    assert (band.low[1], band.high[1]) == pytest.approx((61 - half, 61 + half), rel=1e-6)
    assert band.low[0] != band.low[0]


def test_curves_by_step_and_by_share(make_run: MakeRun, tmp_path: Path) -> None:
    for share, f1 in ((0.1, 0.5), (0.5, 0.6)):
        for seed in range(2):
            make_run(
                f"e/T/la-dtl/fraction-{share}/{seed}",
                "la-dtl",
                {"t": f1 + seed / 100},
                seed=seed,
                options=f"[data]\ntarget_fraction = {share}\n",
                learning={10: 0.2, 20: 0.4 + seed / 10},
            )
    report = report_of(tmp_path / "e")
    shares = section_of(report, "fractions").tables[0]
    assert [row[2:5] for row in texts(shares)] == [["0.1", "2", "50.50"], ["0.5", "2", "60.50"]]
    learning = section_of(report, "learning")
    assert len(learning.figures) == 2
    assert [row[2:5] for row in texts(learning.tables[0])] == [
        ["10", "2", "20.00"],
        ["20", "2", "45.00"],
    ]


def test_weights_that_change_are_drawn_and_others_are_not(
    make_run: MakeRun, tmp_path: Path
) -> None:
    for name, share in (("la-dtl", "linear(0.9, 0.1)"), ("joint-training", 0.3)):
        place = make_run(f"e/T/{name}/0", name, {"t": 0.5})
        change_manifest(place, weights={"source_share": share, "w_mmd": "constant(0.02)"})
    section = section_of(report_of(tmp_path / "e"), "schedules")
    assert texts(section.tables[0]) == [["source_share", "la-dtl", "linear(0.9, 0.1)"]]
    assert len(section.figures) == 1
    for name in ("la-dtl", "joint-training"):
        change_manifest(tmp_path / f"e/T/{name}/0", weights={"source_share": 0.3})
    assert "schedules" not in [found.key for found in report_of(tmp_path / "e").sections]


def test_a_ring_stands_at_the_best_mean_that_most_runs_reach() -> None:
    values = {10.0: [50.0, 60.0], 20.0: [58.0, 58.0], 30.0: [58.0, 58.0], 40.0: [99.0]}
    assert _best(values) == (20.0, 58.0)


def test_stages_before_count_as_updates_in_the_curves(make_run: MakeRun, tmp_path: Path) -> None:
    for name, before in (("la-dtl", 0), ("re-training", 30)):
        place = make_run(f"e/T/{name}/0", name, {"t": 0.5}, learning={10: 0.3, 20: 0.4})
        change_manifest(place, updates_before=before)
    section = section_of(report_of(tmp_path / "e"), "learning")
    assert [row[1:3] for row in texts(section.tables[0])] == [
        *(["re-training", "40"], ["re-training", "50"], ["la-dtl", "10"], ["la-dtl", "20"]),
    ]
    assert section.figures[0].caption.startswith("Development F1 by updates")


def test_types_are_compared_and_the_gain_over_joint_training_is_told(
    make_run: MakeRun, tmp_path: Path
) -> None:
    for name, first in (("joint-training", 0.4), ("crf-l2", 0.5), ("la-dtl", 0.9)):
        make_run(f"e/T/{name}/0", name, {"t": first}, kinds={"Drug": first, "Sign": 0.5})
    study = study_of(find_runs([tmp_path / "e"]))
    assert contrasted(study) == ["la-dtl", "joint-training"]
    chosen = section_of(build_report(study, methods=("la-dtl", "crf-l2")), "labels").tables[0]
    assert chosen.header[2:] == [
        *("gold", "la-dtl", "crf-l2", "gain over crf-l2", "gain over joint-training"),
    ]
    assert texts(chosen) == [
        ["T", "Drug", "10", "90.00", "50.00", "+40.00", "+50.00"],
        ["T", "Sign", "10", "50.00", "50.00", "+0.00", "+0.00"],
    ]
    with pytest.raises(UsageError, match="no run has the method 'nope'; there are"):
        contrasted(study, ("nope", "la-dtl"))


def test_every_gold_and_every_predicted_span_is_counted_once() -> None:
    gold = [["B-A", "E-A", "O", "S-B", "O", "S-A"], ["S-A", "O"]]
    predicted = [["B-A", "E-A", "O", "S-A", "S-B", "O"], ["B-A", "E-A"]]
    found = count_confusions(gold, predicted, "BIOES")
    assert dict(found) == {
        ("A", "A"): 1,
        ("B", "A"): 1,
        ("A", MISSED): 1,
        (SPURIOUS, "B"): 1,
        ("A", BOUNDARIES): 1,
        (BOUNDARIES, "A"): 1,
    }
    assert sum(n for (row, _), n in found.items() if row in "AB") == 4
    assert sum(n for (_, column), n in found.items() if column in "AB") == 4


def columns_of(*sentences: str) -> str:
    return "\n".join(
        "".join(f"{CANARY}\t{tags}\n" for tags in sentence.split()) for sentence in sentences
    ).replace("/", "\t")


def test_gold_is_in_the_predictions_or_in_the_corpus_that_the_manifest_names(
    make_run: MakeRun, tmp_path: Path
) -> None:
    corpus = tmp_path / "gold.txt"
    corpus.write_text(columns_of("S-A S-B", "O S-A"), "utf-8")
    data = [
        {"role": "target", "name": str(corpus), "scheme": "BIOES"},
        {"role": "test", "name": str(corpus), "scheme": "BIOES"},
    ]
    for seed, text in (
        ("0", columns_of("S-A/S-A S-B/S-A", "O/O S-A/O")),
        ("1", columns_of("S-A S-A", "O O")),
    ):
        place = f"e/T/la-dtl/{seed}"
        make_run(place, "la-dtl", {"t": 0.5}, seed=int(seed), data=data, predictions={"t": text})
    report = report_of(tmp_path / "e")
    (table,) = section_of(report, "confusion").tables
    assert table.header[1:] == ["A", "B", BOUNDARIES, MISSED]
    assert texts(table) == [
        ["A", "2", "0", "0", "2"],
        ["B", "2", "0", "0", "0"],
        [BOUNDARIES, "0", "0", "0", "0"],
        [SPURIOUS, "0", "0", "0", "0"],
    ]
    (leak,) = texts(section_of(report, "leakage").tables[0])
    assert leak[3:] == ["target", "2", "2", "100.00"]
    assert CANARY not in report.html()
    assert not any(CANARY.encode() in content for content in extra_files(report).values())


def test_what_cannot_be_read_is_left_out_and_said(make_run: MakeRun, tmp_path: Path) -> None:
    data = [{"role": "target", "name": "gone.txt"}, {"role": "test", "name": "away.txt"}]
    make_run("e/T/la-dtl/0", "la-dtl", {"t": 0.5}, data=data, predictions={"t": columns_of("S-A")})
    report = report_of(tmp_path / "e")
    assert "away.txt is not there" in section_of(report, "confusion").missing
    assert "away.txt is not there" in section_of(report, "leakage").missing
    page = report.html()
    for key in ("learning", "fractions", "grid", "labels", "confusion", "leakage"):
        assert section_of(report, key).missing
        assert f'id="{key}"' not in page


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "predictions-t has no gold tags, and the manifest names no file that has"),
        ([{"role": "test", "name": "test.txt"}], "predictions-t holds other sentences than test"),
    ],
)
def test_predictions_without_their_gold_are_left_out_and_said(
    make_run: MakeRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: list[dict[str, Any]],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test.txt").write_text("other S-A\n", "utf-8")
    make_run("e/T/la-dtl/0", "la-dtl", {"t": 0.5}, data=data, predictions={"t": columns_of("S-A")})
    assert says in section_of(report_of(tmp_path / "e"), "confusion").missing


def test_an_unfinished_run_gives_a_page_too(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("e/T/la-dtl/0", "la-dtl", None, learning={10: 0.5})
    report = report_of(tmp_path / "e")
    assert "no run has finished" in section_of(report, "results").missing
    assert section_of(report, "learning").figures
    assert "1 of 1 runs have no results" in report.html()


# --- the page


class _Page(HTMLParser):
    """Collects tags and addresses, and checks that elements are closed in order."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.references: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "xlink:href", "src") and not (value or "").startswith("data:"):
                self.references.add(value or "")
            self.references |= {f"#{found}" for found in re.findall(r"url\(#(.*?)\)", value or "")}

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def hostile_report(make_run: MakeRun, tmp_path: Path) -> Page:
    """Names with markup, quotes, control and direction characters everywhere a name can be."""
    nasty = f"{HOSTILE}\"'&$x^2$\x1b[31m\u202e"
    data = [{"role": "test", "name": f"{nasty}/t", "sha256": nasty, "scheme": "BIOES"}]
    tags = columns_of("S-<b>/S-<b> O/S-<b>")
    for method in (HOSTILE.replace("/", ""), "joint-training"):
        make_run(
            f"e/<b>&T/{method}/0",
            method,
            {"dev": 0.5, "t": 0.6},
            data=data,
            kinds={nasty: 0.5, "价值": 0.4},
            learning={10: 0.3, 20: 0.4},
            predictions={"t": tags},
        )
    return report_of(tmp_path / "e", title=nasty, png=True)


def test_hostile_names_are_escaped_everywhere(make_run: MakeRun, tmp_path: Path) -> None:
    report = hostile_report(make_run, tmp_path)
    page = report.html()
    parser = _Page()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    assert not parser.tags & {"script", "b", "iframe", "object", "link", "img"}
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    for name, content in extra_files(report).items():
        assert name.endswith(".png") or b"\x1b" not in content, name
        if name.endswith(".svg"):
            assert b"<script" not in content
            ElementTree.fromstring(content)
    assert "\x1b" not in json.dumps([s.to_json() for s in report.sections], ensure_ascii=False)


def test_the_page_asks_nothing_of_anybody(make_run: MakeRun, tmp_path: Path) -> None:
    page = hostile_report(make_run, tmp_path).html()
    assert re.findall(r'(?<!xmlns=")(?<!xmlns:xlink=")https?://', page) == []
    assert "Content-Security-Policy\" content=\"default-src 'none'; script-src 'none';" in page
    assert "@import" not in page
    parser = _Page()
    parser.feed(page)
    assert len(set(parser.ids)) == len(parser.ids)
    assert parser.references <= {f"#{name}" for name in parser.ids}


def test_figures_take_the_colour_of_the_text_around_them(make_run: MakeRun, tmp_path: Path) -> None:
    report = hostile_report(make_run, tmp_path)
    for section in report.sections:
        for figure in section.figures:
            assert "currentColor" in figure.svg
            assert "#ffffff" not in figure.svg
            assert "#000000" not in figure.svg
            assert figure.png.startswith(b"\x89PNG")


def test_a_figure_is_followed_by_its_numbers(make_run: MakeRun, tmp_path: Path) -> None:
    report = hostile_report(make_run, tmp_path)
    for section in report.sections:
        shown = [t for figure in section.figures for t in section.tables_of(figure)]
        assert {t.name for t in shown + section.other_tables()} == {t.name for t in section.tables}
    learning = section_of(report, "learning")
    assert learning.tables_of(learning.figures[0]) == learning.tables
    assert "The same in numbers (4 rows)" in report.html()
    ten = Figure("confusion-1", "", ""), Table("confusion-10-1", "", [], [])
    assert Section("c", "c", figures=[ten[0]], tables=[ten[1]]).tables_of(ten[0]) == []


@pytest.mark.parametrize("name", ["demo:cardiology", "out/synthetic/cardiology/test.txt", "c.txt"])
def test_synthetic_text_is_called_so(make_run: MakeRun, tmp_path: Path, name: str) -> None:
    make_run("e/T/la-dtl/0", "la-dtl", {"t": 0.5}, data=[{"role": "test", "name": name}])
    page = report_of(tmp_path / "e").html()
    assert ("Made on synthetic text" in page) == (name != "c.txt")


def test_zero_has_a_place_on_a_logarithmic_axis() -> None:
    band = band_of({value: [50.0] for value in (0, 0.01, 0.1, 1)})
    figure = lines(Pen(["m"]), "f", "c", [LinePanel("p", {"m": band}, places=True)], x="x", y="y")
    root = ElementTree.fromstring(figure.svg)
    places = {e.text: float(e.get("x", "0")) for e in root.iter() if e.tag.endswith("}text")}
    zero, *others = (places[text] for text in ("0", "0.01", "0.1", "1"))
    assert 0 < zero < others[0] - 20
    assert others[2] - others[1] == pytest.approx(others[1] - others[0], abs=0.1)


def test_equal_runs_give_equal_bytes(make_run: MakeRun, tmp_path: Path) -> None:
    report = hostile_report(make_run, tmp_path)
    again = report_of(tmp_path / "e", title=report.title, png=True)
    assert again.html() == report.html()
    assert extra_files(again) == extra_files(report)


def test_tables_of_values_hold_no_formula() -> None:
    row = [Cell("=1+1"), Cell("-0.52"), Cell("+3.10 ± 0.20†"), Cell("@x"), Cell("a\tb\n")]
    text = Table("t", "c", list("abcde"), [row]).to_tsv()
    assert text == "a\tb\tc\td\te\n'=1+1\t-0.52\t+3.10 ± 0.20†\t'@x\ta\\tb\\n\n"


# --- damaged folders


def test_damaged_files_are_named(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("e/0", "la-dtl", {"t": 0.5})
    metrics = folder / "metrics.tsv"
    row = "\t".join("1" for _ in COLUMNS)
    metrics.write_text("\t".join(COLUMNS) + f"\n{row}\n10\t1.0", "utf-8")
    # a torn last line is not read
    assert len(texts(section_of(report_of(folder), "learning").tables[0])) == 1
    metrics.write_text("\t".join(COLUMNS) + f"\n{row.replace('1', 'x')}\n", "utf-8")
    with pytest.raises(DataError, match=r"metrics.tsv:2: no step and F1"):
        report_of(folder)
    metrics.write_text("\t".join(COLUMNS) + "\n1\t2\n", "utf-8")
    with pytest.raises(DataError, match=rf"metrics.tsv:2: 2 cells under {len(COLUMNS)} headings"):
        report_of(folder)
    (folder / "config.toml").write_text("seed = ", "utf-8")
    with pytest.raises(DataError, match=r"config.toml: not a TOML file"):
        report_of(folder)
    (folder / "results.tsv").write_text("task\tmethod\nA\n", "utf-8")
    with pytest.raises(DataError, match=r"results.tsv:2: 1 cells under 2 headings"):
        report_of(folder)
    (folder / "results.tsv").unlink()
    (folder / "manifest.json").write_text('{"results": 3}', "utf-8")
    with pytest.raises(DataError, match="not the manifest of a run"):
        report_of(folder)
    with pytest.raises(UsageError, match="no such folder"):
        report_of(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no run in it"):
        report_of(tmp_path / "empty")
