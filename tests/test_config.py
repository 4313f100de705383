from __future__ import annotations

import ast
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import ladtl_np
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.errors import UsageError
from ladtl_np.options.config import (
    Config,
    apply_settings,
    merge_options,
    parse_config,
    portable,
    read_config,
    to_toml,
)
from ladtl_np.options.data_options import DataOptions
from ladtl_np.options.demo import demo_options
from ladtl_np.runs.run import read_corpora


def test_the_resolved_options_read_back_as_themselves() -> None:
    config = parse_config(
        apply_settings({}, ["objective.kernel=[1.0, 2.5]", "data.test=['a', 'b']", "seed=7"])
    )
    assert parse_config(tomllib.loads(to_toml(config))) == config


def test_a_file_and_settings_are_joined_and_settings_win(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("seed = 3\n[training]\nsteps = 10\npatience = 2\n", encoding="utf-8")
    table = apply_settings(read_config(path), ["training.steps=30"])
    config = parse_config(table)
    assert (config.seed, config.training.steps, config.training.patience) == (3, 30, 2)
    assert merge_options({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}) == {"a": {"b": 3, "c": 2}}


@pytest.mark.parametrize(
    "settings",
    [
        ["training.steps=20", "training.steps=30"],
        ["training.steps=20", " training.steps = 20"],
        ["training={steps = 20}", "training.steps=30"],
        ["training.steps=30", "seed=1", "training={steps = 20}"],
    ],
)
def test_an_option_that_is_set_twice_is_refused(settings: list[str]) -> None:
    with pytest.raises(UsageError, match=r"is set twice, as .*; leave one of them out"):
        apply_settings({}, settings)
    assert apply_settings({}, ["a.b=1", "a.c=2", "a.bb=3"]) == {"a": {"b": 1, "c": 2, "bb": 3}}


def test_a_value_that_is_not_toml_is_a_string() -> None:
    assert apply_settings({}, ["method=non-transfer"]) == {"method": "non-transfer"}


def test_files_have_their_roles_and_the_format_of_their_domain() -> None:
    source, target = ReadOptions(tag_column=1), ReadOptions(tag_column=2)
    names = {"source": "s", "target": "t", "dev": "d", "test": ["x", "y"]}
    data = DataOptions(**names, source_format=source, target_format=target)
    assert [tuple(file) for file in data.files()] == [
        ("source", "s", source),
        ("target", "t", target),
        ("dev", "d", target),
        ("test", "x", target),
        ("test", "y", target),
    ]
    assert [file.path for file in data.files() if file.trains] == ["s", "t"]
    assert [file.role for file in DataOptions(target="t", test=["x"]).files()] == ["target", "test"]


def test_corpora_have_the_roles_of_their_files(tmp_path: Path) -> None:
    whole = {"source": "source", "target": "target", "dev": "dev", "test": ["one", "two"]}
    for path in ("source", "target", "dev", "one", "two"):
        (tmp_path / path).write_text(f"{path} S-A\n", encoding="utf-8")
    for lacking in ((), ("source",), ("dev",), ("dev", "test")):
        named = {
            role: [str(tmp_path / p) for p in path] if role == "test" else str(tmp_path / str(path))
            for role, path in whole.items()
            if role not in lacking
        }
        method = "non-transfer" if "source" in lacking else "la-dtl"
        config = parse_config({"method": method, "data": named})
        read = [(role, corpus.name) for role, corpus in read_corpora(config).roles()]
        assert read == [(file.role, file.path) for file in config.data.files()]


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("training.step=3", "step"),
        ("training.steps=0", "steps must be at least 1"),
        ("training.steps=many", "training.steps"),
        ("model.dropout=1.0", "dropout must lie in"),
        ("model.hidden=0", "hidden"),
        ("objective.w_mmd=-1.0", "w_mmd"),
        ("objective.kernel=gaussian", "objective.kernel"),
        ("objective.kernel=[0.0]", "positive variances"),
        ("objective.source_share=1.0", "source_share"),
        ("optimizer.learning_rate=0.0", "learning_rate"),
        ("optimizer.decay=0.0", "decay"),
        ("data.target_fraction=0.0", "target_fraction"),
        ("data={target_fraction=0.5,target_chosen='c'}", "leave one of them out"),
        ("data.target_format.delimiter=comma", "delimiter"),
        ("vocabulary.min_count=0", "min_count"),
        ("model.embedding=0", "embedding must be at least 1"),
        ("model.dropout=-0.1", "dropout must lie in"),
        ("objective.source_share=-0.1", "source_share"),
        *((f"objective.{name}=-0.1", name) for name in ("w_param", "w_reg", "mmd_floor")),
        ("objective.kernel=[]", "positive variances"),
        *(
            (f"optimizer.{name}=-1", f"{name} must not be negative")
            for name in ("initial_accumulator", "epsilon", "decay_steps", "clip_norm")
        ),
        ("optimizer.decay=1.1", "decay must lie in"),
        *(
            (f"training.{name}=0", f"{name} must be at least 1")
            for name in ("source_batch", "target_batch", "evaluate_every")
        ),
        ("training.patience=-1", "patience must not be negative"),
        ("training.unknown_probability=-0.1", "unknown_probability"),
        ("training.unknown_probability=1.1", "unknown_probability"),
        ("vectors.keep=0", "keep"),
        ("characters.hidden=-1", "hidden must not be negative"),
        ("characters.embedding=0", "embedding must be at least 1"),
        ("data.source_fraction=0.0", "source_fraction"),
        ("data.source_fraction=1.1", "source_fraction"),
        ("mask.shared_fraction=-0.1", "shared_fraction"),
        ("mask.shared_fraction=1.1", "shared_fraction"),
        ("cd.width=-0.1", "width must not be negative"),
        ("cd.order=0", "order must be at least 1"),
        ("reload.source_steps=-1", "source_steps must not be negative"),
        ("threads=0", "threads"),
        ("seed=-1", "seed"),
        ("seed.x=1", "seed"),
        ("nonsense", "KEY=VALUE"),
    ],
)
def test_an_option_that_cannot_be_is_named(setting: str, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        parse_config(apply_settings({"seed": 1}, [setting]))


def test_a_file_that_is_missing_or_not_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_config(tmp_path / "none.toml")
    path = tmp_path / "bad.toml"
    path.write_bytes(b"a = \xff")
    with pytest.raises(UsageError, match="not UTF-8 at byte offset 4"):
        read_config(path)


def test_the_page_of_options_is_what_the_docstrings_say() -> None:
    script = Path(__file__).parents[1] / "docs" / "config_page.py"
    page = runpy.run_path(str(script))["config_page"]()
    assert script.with_name("config.md").read_text("utf-8") == page


# parameters that are called as an option is, and are none
NAMESAKES = {
    ("model/file.py", "more_sources"),  # heads
    ("model/header.py", "more_sources"),
    ("model/source_file.py", "min_count"),  # of an export
    ("training/export_options.py", "kernel"),
    ("training/export_options.py", "min_count"),
    ("training/export_options.py", "seed"),
    ("objective/terms.py", "shares"),  # numbers
    ("runs/checkpoint.py", "steps"),  # between two checkpoints
    ("runs/folder.py", "patience"),
    ("runs/lock.py", "patience"),  # seconds that another process has to leave a folder
    ("runs/manifest.py", "method"),  # of a manifest that does not tell
    ("runs/manifest.py", "scheme"),
    ("runs/manifest.py", "sentences"),  # how many
    ("runs/manifest.py", "start"),
    ("runs/manifest.py", "tokens"),
    ("training/prepared.py", "more_sources"),  # corpora
    ("training/source_domains.py", "concatenate"),  # of a function's arguments
}


def option_names(options: type[msgspec.Struct] = Config) -> Iterator[str]:
    for field in msgspec.structs.fields(options):
        nested = isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
        if nested:
            yield from option_names(field.type)
        else:
            yield field.name


def written_defaults(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names and defaults of all parameters, and of all fields of classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            plain = [*node.args.posonlyargs, *node.args.args]
            given = len(node.args.defaults)
            pairs = list(zip(plain[len(plain) - given :], node.args.defaults, strict=True))
            pairs += zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            yield from ((arg.arg, value) for arg, value in pairs if value is not None)
        elif isinstance(node, ast.ClassDef):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    if field.value is not None:
                        yield field.target.id, field.value


def test_only_the_options_write_a_default_of_an_option() -> None:
    """What training fills from options has no defaults of its own, which could differ."""
    package = Path(ladtl_np.__file__).parent
    below = ("layers", "model", "objective", "training", "runs")
    files = [path for name in below for path in sorted((package / name).rglob("*.py"))]
    files += sorted((package / "estimator").rglob("*.py"))
    files += [
        package / "corpus" / f"{name}.py" for name in ("characters", "sampling", "vocabulary")
    ]
    names = set(option_names())
    for path in files:
        place = str(path.relative_to(package))
        for name, default in written_defaults(ast.parse(path.read_text("utf-8"))):
            literal = not any(
                isinstance(part, ast.Name | ast.Attribute) for part in ast.walk(default)
            )
            none = isinstance(default, ast.Constant) and default.value is None
            if name in names and literal and not none:
                assert (place, name) in NAMESAKES, f"{place}: {name} = {ast.unparse(default)}"


@pytest.mark.parametrize(
    "setting",
    [
        *("model.dropout=0.0", "objective.source_share=0.0", "objective.w_mmd=0.0"),
        *("objective.mmd_floor=0.0", "optimizer.decay=1.0", "optimizer.clip_norm=0.0"),
        *("optimizer.epsilon=0.0", "training.patience=0", "training.unknown_probability=0.0"),
        *("training.unknown_probability=1.0", "characters.hidden=0", "data.source_fraction=1.0"),
        *("mask.shared_fraction=0.0", "mask.shared_fraction=1.0", "cd.width=0.0", "cd.order=1"),
        *("model.embedding=1", "model.hidden=1", "training.steps=1", "vectors.keep=1"),
        *("reload.source_steps=0", "vocabulary.min_count=1", "threads=1", "seed=0"),
    ],
)
def test_an_option_may_lie_on_its_limit(setting: str) -> None:
    base = ["optimizer.initial_accumulator=0.1"]
    parse_config(apply_settings({}, [*base, setting]))


def test_what_a_model_keeps_of_its_options_names_files_without_folders_and_no_threads():
    files = {"source": "/a/s.txt", "target": "b/t.txt", "dev": "/a/d.txt", "test": ["/c/1", "2"]}
    data = {**files, "label_map": "/a/map.toml", "embeddings": "e/v.bin", "sample_seed": 4}
    data["target_chosen"] = "/a/chosen.txt"
    config = parse_config({"threads": 7, "seed": 3, "data": data, "vocabulary": {"key": "/k/x"}})
    kept = portable(config)
    assert (kept.data.source, kept.data.target, kept.data.dev) == ("s.txt", "t.txt", "d.txt")
    assert (kept.data.test, kept.data.label_map) == (["1", "2"], "map.toml")
    assert (kept.data.embeddings, kept.vocabulary.key) == ("v.bin", "x")
    assert kept.data.target_chosen == "chosen.txt"
    assert (kept.threads, kept.seed, kept.data.sample_seed) == (Config().threads, 3, 4)
    assert portable(Config()) == Config()


def test_each_file_is_read_as_its_options_say_and_the_targets_hold_for_dev_and_tests():
    target = {"token_column": 2}
    data = {
        **{"source": "s", "target": "t", "dev": "d", "test": ["x", "y"]},
        **{"target_format": target, "dev_format": {"token_column": 3}},
    }
    files = parse_config({"data": data}).data.files()
    read = [(file.role, file.path, file.format.token_column) for file in files]
    assert read == [
        ("source", "s", ReadOptions().token_column),
        *(("target", "t", 2), ("dev", "d", 3), ("test", "x", 2), ("test", "y", 2)),
    ]
    alone = parse_config({"data": {"target": "t", "embeddings": "v", "target_chosen": "c"}}).data
    assert [file.path for file in alone.files()] == ["t"]
    assert alone.inputs() == ["t", "c", "v"]


def test_the_demo_trains_on_a_tenth_of_the_target_as_its_pages_say():
    config = parse_config(demo_options())
    assert config.data.target_fraction == 0.1
    assert (config.training.steps, config.training.evaluate_every) == (500, 50)
