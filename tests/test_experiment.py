"""An experiment file: what it expands to, and what is wrong in it."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ladtl_np.arrays.processors import allowed
from ladtl_np.corpus.tally import Remark
from ladtl_np.errors import DataError, UsageError
from ladtl_np.experiment import (
    RunSpec,
    expand,
    load_experiment,
    packaged_experiments,
    parse_experiment,
)
from ladtl_np.experiment.inputs import own_files, read_inputs
from ladtl_np.experiment.record import record_of
from ladtl_np.experiment.results import (
    from_to,
    method_labels,
    read_results,
    remarks_of_runs,
    write_results,
)
from ladtl_np.experiment.runner import share_cores
from ladtl_np.experiment.state import state_of
from ladtl_np.options.config import Config, to_toml

BASE = Path("data")
OUT = Path("out")


def small(**changes: Any) -> dict[str, Any]:
    """The table of an experiment of one task, with some keys replaced; None leaves one out."""
    table: dict[str, Any] = {
        "tasks": ["a -> b"],
        "methods": ["non-transfer", "la-dtl"],
        "corpora": {
            "a": {"train": "a/train.txt", "format": {"token_column": 1}},
            "b": {"train": "b/train.txt", "dev": "b/dev.txt", "test": ["b/test.txt", "b/new.txt"]},
        },
    }
    table |= changes
    return {key: value for key, value in table.items() if value is not None}


def specs_of(**changes: Any) -> list[RunSpec]:
    return expand(parse_experiment(small(**changes), "my.toml", BASE), OUT)


def folders(**changes: Any) -> list[str]:
    return [spec.folder for spec in specs_of(**changes)]


def test_development_and_test_corpora_may_be_read_in_another_way() -> None:
    files = {"train": "b/t", "dev": "b/d", "test": ["b/e"], "format": {"scheme": "IOB1"}}
    files |= {"dev_format": {"format": "brat"}, "test_format": {"scheme": "IO"}}
    spec = specs_of(corpora={"a": {"train": "a/t"}, "b": files})[0]
    read = {file.role: file.format for file in spec.config.data.files()}
    assert (read["target"].scheme, read["dev"].scheme, read["test"].scheme) == (
        "IOB1",
        "IOB1",
        "IO",
    )
    assert (read["dev"].format, read["test"].format) == ("brat", "auto")


def test_runs_are_listed_by_task_method_fraction_grid_point_and_seed() -> None:
    grid = {"model": {"hidden": [8, 16]}, "optimizer.learning_rate": [0.1]}
    assert folders(seeds=[3, 1], fractions=[0.1, 1.0], grid=grid, methods=["la-dtl"]) == [
        f"a-to-b/la-dtl/fraction-{fraction}/model.hidden={hidden},optimizer.learning_rate=0.1/{seed}"
        for fraction in ("0.1", "1")
        for hidden in (8, 16)
        for seed in ("seed-3", "seed-1")
    ]


def test_a_folder_does_not_depend_on_what_else_there_is() -> None:
    alone = folders(methods=["la-dtl"])
    more = folders(
        seeds=[5, 0],
        fractions=[0.5, 1.0],
        methods=["crf-l2", "la-dtl"],
        tasks="all-pairs",
        corpora=small()["corpora"] | {"a": {"train": "a", "test": ["t"]}},
    )
    assert alone == ["a-to-b/la-dtl/fraction-1/seed-0"]
    assert set(alone) < set(more)
    assert len(more) == len(set(more)) == 2 * 2 * 2 * 2


def test_a_run_has_the_options_of_preset_settings_method_and_grid_and_the_later_wins() -> None:
    [plain, special] = specs_of(
        preset="paper",
        settings={"model": {"hidden": 7}, "training": {"steps": 5, "patience": 1}},
        methods={"la-dtl": {}, "long": {"method": "la-dtl", "training": {"steps": 6}}},
        grid={"training.patience": [2]},
        seeds=[9],
        fractions=[0.25],
    )
    config = plain.config
    assert (config.method, config.seed, config.threads) == ("la-dtl", 9, 1)
    assert (config.model.embedding, config.model.hidden) == (128, 7)
    assert (config.training.steps, config.training.patience) == (5, 2)
    assert special.config.training.steps == 6
    assert (special.method, special.config.method) == ("long", "la-dtl")
    assert config.data.target_fraction == 0.25
    assert (config.data.source, config.data.target) == ("data/a/train.txt", "data/b/train.txt")
    assert config.data.test == ["data/b/test.txt", "data/b/new.txt"]
    assert (config.data.source_format.token_column, config.data.target_format.token_column) == (
        1,
        0,
    )


def test_a_method_without_a_source_reads_none() -> None:
    data = specs_of()[0].config.data
    assert (data.source, data.dev) == ("", "data/b/dev.txt")


def test_options_of_one_run_do_not_leak_into_another() -> None:
    table = small(settings={"data": {"source_fraction": 0.5}}, preset="paper")
    experiment = parse_experiment(table, "my.toml", BASE)
    first, again = expand(experiment, OUT), expand(experiment, OUT)
    assert first == again
    assert experiment.settings == {"data": {"source_fraction": 0.5}}
    assert first[0].config.data.source == ""


def test_several_grids_are_joined_not_multiplied() -> None:
    grids = [{"objective.w_mmd": [0.0, 0.1]}, {"objective.w_param": [0.2]}]
    specs = specs_of(methods=["la-dtl"], grid=grids)
    points = [(spec.config.objective.w_mmd, spec.config.objective.w_param) for spec in specs]
    assert points == [(0.0, 0.03), (0.1, 0.03), (0.02, 0.2)]


def test_a_method_may_have_seeds_of_its_own() -> None:
    methods = {"crf-l2": {}, "la-dtl": {"seeds": [4, 5, 6]}}
    found = [(spec.method, spec.seed) for spec in specs_of(methods=methods, seeds=[0])]
    assert found == [("crf-l2", 0), ("la-dtl", 4), ("la-dtl", 5), ("la-dtl", 6)]


def test_values_that_no_folder_can_be_named_after_get_names_of_their_own() -> None:
    kernels: list[Any] = [[1.0, 2.0], [1.0], "median"]
    names = folders(methods=["la-dtl"], grid={"objective.kernel": kernels})
    assert len(set(names)) == 3
    assert all("[" not in name and " " not in name for name in names)
    assert names[2].endswith("/objective.kernel=median/seed-0")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seedz": [1]}, "my.toml: Object contains unknown field `seedz`"),
        ({"tasks": None}, "tasks"),
        ({"tasks": ["a to b"]}, "is not a pair"),
        ({"tasks": ["a -> c"]}, "there is no corpora.c"),
        ({"tasks": ["a -> a"]}, "same corpus"),
        ({"tasks": ["b -> a"]}, "corpora.a has neither test nor dev"),
        ({"tasks": "some"}, "all-pairs"),
        ({"tasks": []}, "tasks is empty"),
        ({"methods": []}, "methods is empty"),
        ({"methods": ["magic"]}, "my.toml: methods.magic: method 'magic' is not one of"),
        ({"methods": ["la-dtl", "la-dtl"]}, "methods names 'la-dtl' twice"),
        ({"methods": {"x/y": {"method": "la-dtl"}}}, "'x/y'"),
        ({"methods": {"la-dtl": {"model": {"hiddens": 1}}}}, "methods.la-dtl: Object contains"),
        ({"seeds": [1, 1]}, "seeds names 1 twice"),
        ({"seeds": []}, "seeds is empty"),
        ({"seeds": [-1]}, "seed must not be negative"),
        ({"seeds": ["x"]}, "seeds[0]"),
        ({"methods": {"la-dtl": {"seeds": 3}}}, "my.toml: methods.la-dtl.seeds: Expected `array`"),
        ({"methods": {"la-dtl": {"seeds": [0, 0]}}}, "methods.la-dtl.seeds names 0 twice"),
        ({"methods": {"la-dtl": {"seeds": []}}}, "methods.la-dtl.seeds is empty"),
        ({"methods": {"la-dtl": {"seeds": [-1]}}}, "seed must not be negative"),
        ({"fractions": [0.0]}, "target_fraction"),
        ({"settings": {"trainings": {"steps": 1}}}, "my.toml: settings: Object contains unknown"),
        ({"settings": {"training": {"stepz": 1}}}, "`stepz` - at `training`"),
        ({"settings": {"seed": 1}}, "settings: seed is not set there; seeds says it"),
        ({"settings": {"data": {"source_format": {"scheme": "IO"}}}}, "corpora.NAME.format"),
        ({"settings": {"mask": {"shared_fraction": 0.5}}}, "no effect with method non-transfer"),
        ({"grid": {"model.hidden": 8}}, "grid.model.hidden wants a list"),
        ({"grid": {"model.hidden": []}}, "grid.model.hidden wants a list"),
        ({"grid": {"model.hidden": [8, 8]}}, "grid.model.hidden names 8 twice"),
        ({"grid": {"model.hiddens": [8]}}, "grid model.hiddens=8: Object contains unknown field"),
        ({"grid": {"objective.w_mmd": [0.1, 0.2]}}, "no effect with method non-transfer"),
        ({"grid": {"seed": [1]}}, "seeds says it"),
        ({"preset": "best"}, "preset 'best'"),
        ({"corpora": {"a": {"train": "a", "tets": []}}}, "corpora.a: Object contains unknown"),
        ({"corpora": {"a": {"train": "a", "format": {"columnz": 1}}}}, "`columnz` - at `format`"),
        ({"corpora": {"a": {}}}, "corpora.a: wants train"),
        ({"corpora": {"a": {"demo": "dermatology"}}}, "demo 'dermatology' is not one of"),
        ({"corpora": {"a": {"demo": "cardiology", "train": "a"}}}, "comes with its own files"),
        ({"corpora": {"../a": {"train": "a"}}}, "the name '../a'"),
        ({"label_map": {"X": 1}}, "label_map.X"),
    ],
)
def test_a_mistake_is_refused_with_its_place(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        specs_of(**changes)
    assert says in str(caught.value)
    assert "my.toml" in str(caught.value) or "preset" in says


def test_two_runs_never_share_a_folder() -> None:
    corpora = {"a": {"train": "a"}, "A": {"train": "a"}, "b": {"train": "b", "test": ["t"]}}
    with pytest.raises(UsageError, match="two runs would write to"):
        folders(corpora=corpora, tasks=["a -> b", "A -> b"])


def test_an_option_of_one_method_goes_to_that_method_alone() -> None:
    methods = {"domain-mask": {"mask": {"shared_fraction": 0.5}}, "la-dtl": {}}
    fractions = [spec.config.mask.shared_fraction for spec in specs_of(methods=methods)]
    assert fractions == [0.5, pytest.approx(1 / 3)]


PACKAGED = {
    "active": 1920,
    "active-weibo": 480,
    "demo": 16,
    "figure4": 160,
    "figure5": 78,
    "sources": 80,
    "sources-joined": 80,
    "table2": 612,
    "table2-large": 60,
    "table4": 92,
    "table5": 45,
}


@pytest.mark.parametrize("name", packaged_experiments())
def test_packaged_experiments_expand(name: str) -> None:
    experiment = load_experiment(name, data=Path("corpora"))
    specs = expand(experiment, OUT)
    assert len(specs) == PACKAGED[name]
    assert f"ladtl experiment {name}" in packaged_experiments()[name].read_text("utf-8")
    if name != "demo":
        assert all(spec.config.data.target.startswith("corpora/") for spec in specs)
        with pytest.raises(UsageError, match="--data"):
            load_experiment(name)


def test_the_files_of_the_docs_expand() -> None:
    page = Path(__file__).parents[1] / "docs/experiments.md"
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.S)
    whole, methods, choosing, several = blocks
    table = tomllib.loads(whole)
    assert len(expand(parse_experiment(table, "docs", BASE), OUT)) == 18
    variants = expand(parse_experiment(table | tomllib.loads(methods), "docs", BASE), OUT)
    assert len(variants) == 24
    assert {spec.config.joint.crf for spec in variants} == {"separate", "shared"}
    assert len(expand(parse_experiment(table | tomllib.loads(choosing), "docs", BASE), OUT)) == 36
    left_out = expand(parse_experiment(table | tomllib.loads(several), "docs", BASE), OUT)
    tasks = [str(task) for task in dict.fromkeys(run.task for run in left_out)]
    assert tasks == ["news + chats -> tweets", "chats -> tweets", "news -> tweets"]


def test_the_wheel_would_hold_the_packaged_experiments() -> None:
    folder = Path(__file__).parents[1] / "ladtl_np" / "experiment" / "packaged"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.toml" for name in packaged_experiments()
    )


def test_a_name_that_is_neither_file_nor_experiment_lists_the_experiments(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=", ".join(PACKAGED)):
        load_experiment("tabel2")
    with pytest.raises(UsageError, match="no such file"):
        load_experiment(str(tmp_path / "none.toml"))


def test_synthetic_corpora_and_label_maps_are_files_of_the_experiment() -> None:
    table = small(
        corpora={"a": {"demo": "neurology"}, "b": {"demo": "cardiology"}, "c": {"train": "c"}},
        label_map={"PER": {"NAM": "person"}},
    )
    experiment = parse_experiment(table, "my.toml", BASE)
    own = own_files(experiment)
    assert list(own.contents)[:3] == [
        f"synthetic/neurology/{s}.txt" for s in ("train", "dev", "test")
    ]
    assert len(own.contents) == 7
    assert own.contents[own.label_map] == b'[types]\n"PER.NAM" = "person"\n'
    specs = expand(experiment, OUT, str(OUT / own.label_map))
    assert [spec.config.data.label_map for spec in specs] == ["", f"out/{own.label_map}"]
    other = own_files(experiment._replace(label_map={"PER": "person"}))
    assert other.label_map != own.label_map
    inputs = read_inputs(specs, own, OUT)
    assert [line for line in map(str, inputs.remarks) if "601 sentences (0.2 %)" not in line] == []
    assert set(inputs.hashes) == {f"out/{name}" for name in own.contents if "neuro" not in name} - {
        f"out/{own.label_map}"
    } | {"out/synthetic/neurology/train.txt"}


def test_a_label_map_is_checked_before_anything_runs(tmp_path: Path) -> None:
    twice = parse_experiment(small(label_map={"A": "x", "B": "x"}), "my.toml", tmp_path)
    with pytest.raises(DataError, match="two source types"):
        own_files(twice)
    missing = parse_experiment(small(label_map="types.toml"), "my.toml", tmp_path)
    with pytest.raises(UsageError, match="no such file"):
        own_files(missing)


def test_repeated_and_shared_sentences_are_counted_without_their_text(tmp_path: Path) -> None:
    (tmp_path / "train").write_text("x\tO\n\nx\tO\n\ny\tS-A\n\nz\tO\n", encoding="utf-8")
    (tmp_path / "test").write_text("x\tO\n\nw\tS-A\n", encoding="utf-8")
    corpora = {"a": {"train": "train"}, "b": {"train": "train", "test": ["test"]}}
    experiment = parse_experiment(small(corpora=corpora), "my.toml", tmp_path)
    warnings = read_inputs(expand(experiment, OUT), own_files(experiment), OUT).remarks
    assert [str(remark).replace(str(tmp_path), "") for remark in warnings] == [
        "/train: 1 of 4 sentences (25.0 %) repeat an earlier one",
        "/test: 1 of 2 sentences (50.0 %) stand word for word in /train, which is trained on",
        "/train: the same sentences and tags as the source; name the corpus of each domain once",
    ]


def test_corpora_without_a_type_in_common_are_told_unless_a_label_map_pairs_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "a").write_text("x\tS-A\n", encoding="utf-8")
    (tmp_path / "b").write_text("y\tS-B\n", encoding="utf-8")
    (tmp_path / "test").write_text("z\tS-B\n", encoding="utf-8")
    corpora = {"a": {"train": "a"}, "b": {"train": "b", "test": ["test"]}}
    table = small(corpora=corpora, tasks=["a -> b"])

    def kinds(**changes: Any) -> list[str]:
        experiment = parse_experiment(table | changes, "my.toml", tmp_path)
        own = own_files(experiment)
        return [remark.kind for remark in read_inputs(expand(experiment, OUT), own, OUT).remarks]

    assert kinds() == ["no-matching-type"]
    assert kinds(label_map={"A": "B"}) == []
    assert kinds(methods=["non-transfer"]) == []


def finished(folder: Path, config: Config, hashes: list[tuple[str, str]]) -> None:
    """Write what a finished run leaves for `state_of` to see."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(to_toml(config), "utf-8")
    data = [{"role": role, "sha256": sha256} for role, sha256 in hashes]
    manifest = {"data": data, "results": {}}
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def test_only_options_that_matter_make_a_finished_run_another_one(tmp_path: Path) -> None:
    [spec] = specs_of(methods=["la-dtl"])
    data = spec.config.data
    hashes = {path: path.upper() for path in (data.source, data.target, data.dev, *data.test)}
    told = [("source", data.source), ("target", data.target), ("dev", data.dev)]
    told += [("test", path) for path in data.test]
    recorded = [(role, path.upper()) for role, path in told]
    folder = tmp_path / spec.folder
    assert state_of(spec, tmp_path, hashes).kind == "to do"
    elsewhere = msgspec.structs.replace(data, target="moved/train.txt")
    other = msgspec.structs.replace(spec.config, threads=2, data=elsewhere)
    finished(folder, other, recorded)
    assert state_of(spec, tmp_path, hashes).kind == "finished"
    finished(folder, other, [("source", "changed"), *recorded[1:]])
    assert state_of(spec, tmp_path, hashes).differences.endswith("were other files")
    finished(folder, msgspec.structs.replace(other, seed=4), recorded)
    assert state_of(spec, tmp_path, hashes).differences == "seed is 4 there and 0 here"
    for other in ('{"method": "la-dtl"}', '{"results": {"test": 1}}', "{", "[]"):
        (folder / "manifest.json").write_text(other)
        assert state_of(spec, tmp_path, hashes).kind == "to do"
        assert read_results([spec], tmp_path) == []


def test_scores_are_read_as_the_manifest_tells_them(tmp_path: Path) -> None:
    [spec] = specs_of(methods=["la-dtl"])
    finished(tmp_path / spec.folder, spec.config, [])
    path = tmp_path / spec.folder / "manifest.json"
    reading = {"overall": {"precision": 0.25, "recall": 0.5, "f1": 1 / 3}}
    scores = {"conlleval": reading, "strict": {"overall": {"f1": 0.125}}}
    told = {"best_step": 20, "updates": 45, "sentences": 900}
    for step, cells in ((told, ["20", "45", "900"]), ({}, ["", "", ""])):
        path.write_bytes(msgspec.json.encode({"results": {"t": scores}} | step))
        (result,) = read_results([spec], tmp_path)
        steps = (step.get(name) for name in told)
        assert result == (spec, "t", 0.25, 0.5, 1 / 3, 0.125, *steps, 0)
        row = write_results([spec], tmp_path).read_text("utf-8").split("\n")[1]
        assert row.split("\t")[4:] == ["t", "0.250000", "0.500000", "0.333333", "0.125000", *cells]


def test_a_span_of_numbers_is_written_once_where_it_has_one() -> None:
    assert [from_to(numbers) for numbers in ((), (7, 7), (1200, 30, 40))] == ["", "7", "30–1,200"]


def test_what_runs_were_told_is_told_once_with_their_number(tmp_path: Path) -> None:
    specs = specs_of(methods=["la-dtl", "non-transfer"])
    known, new = Remark("a", "c", 1, "one"), Remark("b", "c", 2, "two", "cure", ("c:1",))
    for spec, told in zip(specs, ([known, new, new], [new]), strict=True):
        finished(tmp_path / spec.folder, spec.config, [])
        manifest = {"results": {}, "remarks": [remark.to_json() for remark in told]}
        (tmp_path / spec.folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    (found,) = remarks_of_runs(specs, tmp_path, [known])
    assert found == replace(new, what="in 2 of 2 runs: two")
    first, _ = remarks_of_runs(specs, tmp_path)
    assert first.what == "in 1 of 2 runs: one"


def test_the_methods_of_an_experiment_are_told_by_its_results_and_its_record(
    tmp_path: Path,
) -> None:
    assert method_labels(tmp_path) == set()
    specs = specs_of(methods={"mine": {"method": "la-dtl"}, "crf-l2": {}})
    for spec in specs:
        finished(tmp_path / spec.folder, spec.config, [])
        reading = {"overall": {"f1": 0.5}}
        told = {"results": {"t": {"conlleval": reading, "strict": reading}}}
        (tmp_path / spec.folder / "manifest.json").write_bytes(msgspec.json.encode(told))
    write_results(specs, tmp_path)
    assert method_labels(tmp_path) == {"mine", "crf-l2"}
    (tmp_path / "results.tsv").write_text("task\tF1\nA\t50\n", "utf-8")  # of another program
    assert method_labels(tmp_path) == set()
    record = json.dumps(record_of("my", specs, ""))  # before there are results
    (tmp_path / "experiment.json").write_text(record, "utf-8")
    assert method_labels(tmp_path) == {"mine", "crf-l2"}
    (tmp_path / "experiment.json").write_text(record.replace('"method"', '"way"'), "utf-8")
    assert method_labels(tmp_path) == set()


def test_threads_times_processes_stay_within_the_cores() -> None:
    for threads in (1, 2, 1000):
        specs = specs_of(settings={"threads": threads})
        for wanted in (None, 1, 1000):
            share = share_cores(specs, wanted)
            assert 1 <= share.processes * share.threads <= allowed()
