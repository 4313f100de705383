"""Options that change nothing under others: that it is so, and that choosing them is refused."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomli_w
from conftest import Invoke
from law_options import Base, config_of
from option_rows import SECOND
from run_facts import facts_of
from test_experiment import specs_of

from ladtl_np.commands import train
from ladtl_np.corpus.formats.registry import NEEDS
from ladtl_np.errors import UsageError
from ladtl_np.options.config import Config, parse_config, to_toml
from ladtl_np.options.effects import _RULES, idle_options, is_record
from ladtl_np.options.methods import METHODS

IDLE: list[tuple[str, Any, Base, str]] = [
    ("optimizer.decay", 0.5, {}, "without optimizer.decay_steps"),
    ("optimizer.decay_steps", 2, {}, "without optimizer.decay below 1"),
    ("cd.width", 0.3, {"method": "cd-learning"}, "without cd.similarity=gaussian"),
    ("cd.order", 3, {"method": "cd-learning"}, "without cd.similarity=cross-entropy"),
    (
        "characters.embedding",
        4,
        {"characters.hidden": 0, "characters.embedding": 25},
        "without characters.hidden",
    ),
    ("characters.lower", True, {"characters.hidden": 0}, "without characters.hidden"),
    (
        "reload.characters",
        False,
        {"method": "re-training", "characters.hidden": 0},
        "without characters.hidden",
    ),
    (
        "reload.character_lstm",
        False,
        {"method": "re-training", "characters.hidden": 0},
        "without characters.hidden",
    ),
    (
        "decoding.emission_bias",
        False,
        {"model.emission_bias": False},
        "without model.emission_bias",
    ),
    ("training.patience", 1, {"data.dev": ""}, "without development data"),
    ("training.select_by", "strict", {"data.dev": ""}, "without development data"),
    (
        "training.unknown_probability",
        0.9,
        {"vocabulary.min_count": 2},
        "with vocabulary.min_count above 1",
    ),
    ("objective.kernel", "median", {"objective.w_mmd": 0.0}, "with objective.w_mmd of 0"),
    ("objective.mmd_floor", 0.1, {"objective.w_mmd": 0.0}, "with objective.w_mmd of 0"),
    (
        "objective.mmd_estimator",
        "random-features",
        {"objective.w_mmd": 0.0},
        "with objective.w_mmd of 0",
    ),
    ("objective.mmd_features", 8, {}, "without objective.mmd_estimator=random-features"),
    ("objective.exclude_tags", ["O"], {"objective.w_mmd": 0.0}, "with objective.w_mmd of 0"),
    (
        "objective.parameter_transfer",
        "kl",
        {"objective.w_param": 0.0},
        "with objective.w_param of 0",
    ),
    (
        "objective.divergence_gradient",
        "both",
        {"objective.w_param": 0.0, "objective.parameter_transfer": "kl"},
        "with objective.w_param of 0",
    ),
    ("data.sample_seed", 3, {}, "where all sentences are used"),
    (
        "data.sample_seed",
        3,
        {"method": "non-transfer", "data.source_fraction": 0.5},
        "where all sentences are used",
    ),
    ("data.shares", "equal", {}, "with one source"),
    ("data.concatenate", True, {}, "with one source"),
    ("data.shares", "equal", {**SECOND, "data.concatenate": True}, "with data.concatenate"),
    ("training.epoch", "target", {"method": "re-training"}, "with method re-training"),
    ("objective.w_mmd", 0.5, {"method": "joint-training"}, "with method joint-training"),
    ("training.start", "source-model", {"method": "re-training"}, "with method re-training"),
    ("objective.kernel", "median", {"objective.w_mmd": "linear(0, 0)"}, "with objective.w_mmd of"),
]
"""Key, another value than its default, options under which it changes nothing, and the words."""
UNREAD = {
    "data.source": "other.txt",
    "data.more_sources": [{"file": "other.txt"}],
    "data.target": "other.txt",
    "data.dev": "other.txt",
    "data.test": ["other.txt"],
    "data.source_format.token_column": 1,
    "data.dev_format.token_column": 1,
    "data.test_format.token_column": 1,
    "data.target_format.rename": {"Drug": "Medicine"},
}
"""What the demo reads none of."""


@pytest.mark.parametrize(("key", "value", "base", "where"), IDLE, ids=lambda value: str(value)[:40])
def test_what_is_refused_changes_nothing_and_only_then(
    key: str, value: Any, base: Base, where: str, law_files: Path
) -> None:
    before, moved = config_of(law_files, base), config_of(law_files, {**base, key: value})
    assert before != moved
    one, other = facts_of(before, law_files), facts_of(moved, law_files)
    assert {name for name in one if one[name] != other[name]} <= {"model's options"}
    (idle,) = idle_options(moved, [key])
    assert idle.where.startswith(where)
    assert re.fullmatch(rf"{re.escape(key)} has no effect .+; leave it out, or .+", idle.told())
    assert idle_options(before, [key]) == idle_options(moved, []) == []


def test_every_rule_has_its_case() -> None:
    cases = {key for key, *_ in IDLE} | {key.removesuffix(".token_column") for key in UNREAD}
    cases |= {"data.target_format", "data.label_map", "data.source_fraction"}
    cases |= {f"data.{side}_format.{name}" for side in SIDES for name in NEEDS}
    assert {key for rule in _RULES for key in rule.keys.split()} <= cases


SIDES = ("source", "target", "dev", "test")
OTHER = {
    "token_column": 1,
    "tag_column": 2,
    "delimiter": "tab",
    "position_digits": True,
    "scheme": "IOB1",
    "keep_docstart": True,
    "tokens": "spaces",
    "sentences": "whole",
    "overlaps": "first",
    "repair": True,
    "ends": "exclusive",
    "fragments": "join",
}
ENDINGS = {"columns": "", "JSON with offsets": "-json", "a folder of brat": "-brat"}


def files_of(side: str, ending: str) -> Base:
    """The files that a side's options are for."""
    roles = {"target": ("target", "dev", "test")}.get(side, (side,))
    return {
        f"data.{role}": [f"test{ending}.txt"] if role == "test" else f"{role}{ending}.txt"
        for role in roles
    }


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", NEEDS)
def test_what_no_file_of_a_side_needs_is_refused(
    name: str, side: str, ending: str, law_files: Path
) -> None:
    key, files = f"data.{side}_format.{name}", files_of(side, ending)
    given = {f"data.{side}_format": {name: OTHER[name]}} if side in ("dev", "test") else {}
    base = {**files, **(given or {key: OTHER[name]})}
    idle = idle_options(config_of(law_files, base), [key])
    need = NEEDS[name]
    needed = need == {v: k for k, v in ENDINGS.items()}[ending]
    needed |= need == "documents" and ending != ""
    assert [one.where for one in idle] == ([] if needed else [f"without {need} to read"])


def test_what_one_file_of_a_side_needs_counts(law_files: Path) -> None:
    for role, file in (("dev", "dev-json.txt"), ("test", ["test-json.txt"])):
        mixed = {f"data.{role}": file, "data.target_format.repair": True}
        assert idle_options(config_of(law_files, mixed), ["data.target_format.repair"]) == []


def test_files_that_are_not_there_may_need_anything(law_files: Path) -> None:
    missing = {"data.source": "no-such-file", "data.source_format.repair": True}
    assert idle_options(config_of(law_files, missing), ["data.source_format.repair"]) == []


def test_untagged_text_of_any_format_has_no_tag_column(law_files: Path) -> None:
    with_none = parse_config({"data": {"source": str(law_files / "source-json.txt")}})
    reading = msgspec.structs.replace(with_none.data.source_format, tag_column=None)
    data = msgspec.structs.replace(with_none.data, source_format=reading)
    changed = msgspec.structs.replace(with_none, data=data)
    assert idle_options(changed, ["data.source_format.tag_column"]) == []


@pytest.mark.parametrize("key", UNREAD)
def test_the_demo_reads_no_file(key: str) -> None:
    table: dict[str, Any] = {}
    place = table
    *sections, last = key.split(".")
    for section in sections:
        place = place.setdefault(section, {})
    place[last] = UNREAD[key]
    if key == "data.more_sources":
        place["source"] = "first.txt"
    key += ".Drug" * (last == "rename")
    (idle,) = idle_options(parse_config(table), [key], demo=True)
    assert idle.told().startswith(f"{key} has no effect with --demo")


@pytest.mark.parametrize(
    "options", [{"data.label_map": "map.toml"}, {"data.source_fraction": 0.5}], ids=str
)
def test_what_says_more_of_the_source_needs_one(options: Base, law_files: Path) -> None:
    without = config_of(law_files, {**options, "data.source": "", "method": "non-transfer"})
    assert idle_options(without, options)[0].where == "without a source"


def test_a_file_of_all_options_chooses_none() -> None:
    table = {name: None for name in Config.__struct_fields__}
    assert is_record(table)
    del table["mask"]
    assert not is_record(table)


@pytest.fixture
def chosen(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """What ``ladtl train`` says to options before it reads anything."""

    def stop(*_: object) -> None:
        raise UsageError("enough")

    monkeypatch.setattr(train, "read_corpora", stop)
    monkeypatch.setattr(train, "demo_corpora", stop)

    def chosen(*arguments: object, **table: Any) -> str:
        file = tmp_path / "options.toml"
        file.write_text(tomli_w.dumps(table), encoding="utf-8")
        result = invoke("train", "--out", tmp_path / "run", "--config", file, *arguments)
        assert result.exit_code == 2
        return result.stderr

    return chosen


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--set", "optimizer.decay=0.5"), "optimizer.decay has no effect without"),
        (("--set", "optimizer={decay = 0.5}"), "optimizer.decay has no effect without"),
        (("--set", "optimizer.decay=1.0"), "enough"),
        (("--set", "optimizer.decay=0.5", "--set", "optimizer.decay_steps=9"), "enough"),
        (("--demo", "--source", "a.txt"), "--source has no effect with --demo"),
        (("--demo", "--set", "training.patience=3"), "enough"),
        (("--set", "training.patience=3"), "training.patience has no effect without"),
        (("--dev", "a.txt", "--set", "training.patience=3"), "enough"),
        (("--method", "non-transfer", "--label-map", "m"), "--label-map has no effect without"),
        (("--method", "non-transfer", "--source", "a", "--label-map", "m"), "enough"),
        (("--demo", "--source-format", "token_column=1"), "source_format.token_column has no"),
        (("--method", "la-mmd", "--set", "objective.w_param=1.0"), "with method la-mmd; leave it"),
        (("--preset", "released-code", "--method", "non-transfer"), "enough"),
        (("--preset", "released-code", "--set", "model.emission_bias=false"), "enough"),
        (
            ("--set", "objective.w_param=0", "--parameter-transfer", "kl"),
            "--parameter-transfer has",
        ),
    ],
    ids=str,
)
def test_train_refuses_what_was_chosen(arguments, said: str, chosen) -> None:
    assert said in chosen(*arguments)


def test_a_written_file_chooses_and_that_of_a_run_repeats_it(chosen, tmp_path: Path) -> None:
    assert "optimizer.decay has no effect" in chosen(optimizer={"decay": 0.5})
    idle = parse_config({"optimizer": {"decay": 0.5}})
    (tmp_path / "record.toml").write_text(to_toml(idle), encoding="utf-8")
    record = tomllib.loads(to_toml(idle))
    assert "enough" in chosen(**record)
    assert "cd.order" in chosen("--set", "cd.order=3", **(record | {"method": "cd-learning"}))


def test_an_experiment_refuses_what_changes_none_of_its_runs() -> None:
    with pytest.raises(UsageError, match=r"optimizer\.decay has no effect without"):
        specs_of(settings={"optimizer": {"decay": 0.5}})
    with pytest.raises(UsageError, match="w_mmd has no effect with method non-transfer"):
        specs_of(methods={"non-transfer": {"objective": {"w_mmd": 0.5}}})
    shared = {"objective": {"w_mmd": 0.5}}  # of all methods, one of which uses it
    assert specs_of(settings=shared) != specs_of()
    assert specs_of(settings=shared, methods=["non-transfer"])
    with pytest.raises(UsageError, match=r"objective\.kernel has no effect with objective\.w_mmd"):
        specs_of(settings={"objective": {"w_mmd": 0.0, "kernel": "median"}}, methods=["la-dtl"])
    grid = {"objective.w_mmd": [0.0, 0.1]}
    assert specs_of(settings={"objective": {"kernel": "median"}}, methods=["la-dtl"], grid=grid)
    assert specs_of(preset="released-code", methods=list(METHODS))
