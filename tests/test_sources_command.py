"""Several sources on the command line: train, go on, tag, describe, audit; and the estimator."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke, write_corpus
from small_corpora import SMALL, small_config
from source_corpora import MAPS, run_through, three_sources

from ladtl_np import LaDTLTagger
from ladtl_np.audit import run_on
from ladtl_np.audit.run_files import Moved, prepared_run, run_options
from ladtl_np.errors import UsageError
from ladtl_np.model.file import load_model
from ladtl_np.options.config import Config, parse_config, to_toml
from ladtl_np.runs.manifest import read_manifest
from ladtl_np.training.preparation import prepare

SETTINGS = [
    f"--set={section}.{key}={value}"
    for section, values in SMALL.items()
    if isinstance(values, dict)
    for key, value in values.items()
]
ROLES = ["source", "source", "source", "target", "dev", "test"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpora and a label map as files."""
    place = tmp_path_factory.mktemp("sources")
    corpora = three_sources()
    named = dict(zip(("one", "two", "three"), corpora.sources, strict=True))
    named |= {"target": corpora.target, "test": corpora.tests[0]}
    assert corpora.dev is not None
    for name, corpus in (named | {"dev": corpora.dev}).items():
        write_corpus(place / f"{name}.txt", corpus)
    (place / "map.toml").write_text('Medicine = "Drug"\n', "utf-8")
    (place / "none.toml").write_text("", "utf-8")
    return place


def arguments(folder: Path, *more: str) -> list[str]:
    files = [f"--source={folder / name}.txt" for name in ("one", "two", "three")]
    files += [f"--{role}={folder / role}.txt" for role in ("target", "dev", "test")]
    return ["train", "--threads", "1", *SETTINGS, *files, *more]


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    from click.testing import CliRunner

    from ladtl_np.commands import ladtl

    out = folder / "run"
    given = arguments(folder, f"--label-map={folder / 'map.toml'}", "--out", str(out))
    result = CliRunner().invoke(ladtl, given)
    assert result.exit_code == 0, result.output
    assert "two.txt, share 28.6 %" in result.stderr
    return out


def test_a_run_tells_every_source_its_hash_and_its_share(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    assert [entry["role"] for entry in manifest["data"]] == ROLES
    told = manifest["sources"]
    assert [Path(one["name"]).name for one in told] == ["one.txt", "two.txt", "three.txt"]
    assert [one["sentences_used"] for one in told] == [40, 20, 10]
    assert sum(one["share"] for one in told) == pytest.approx(1.0)
    hashes = [entry["sha256"] for entry in manifest["data"]]
    assert len(set(hashes)) == len(hashes)
    data = load_model(run / "best.safetensors").provenance["data"]
    names = ["source", "source2", "source3", "target", "dev"]
    assert data == dict(zip(names, hashes, strict=False))
    domains = [label.domain for label in read_manifest(run).label_mmd]
    assert list(dict.fromkeys(domains)) == ["source", "source2", "source3"]


def test_its_options_make_the_same_run_again(run: Path, invoke: Invoke, tmp_path: Path) -> None:
    out = tmp_path / "again"
    assert invoke("train", "--config", run / "config.toml", "--out", out).exit_code == 0
    same = [(place / "best.safetensors").read_bytes() for place in (run, out)]
    assert same[0] == same[1]


def test_it_goes_on_where_it_was_stopped(run: Path, folder: Path, tmp_path: Path, invoke) -> None:
    config = parse_config(tomllib.loads((run / "config.toml").read_text("utf-8")))
    from ladtl_np.runs.folder import RunFolder
    from ladtl_np.runs.run import Run, read_corpora, read_label_maps

    out, corpora = tmp_path / "run", read_corpora(config)
    prepared = prepare(config, corpora, *read_label_maps(config))
    with RunFolder(out) as held:
        stopped = Run(prepared, corpora, held, ["ladtl", "train"])
        events = stopped.train()
        for _ in range(15):
            next(events)
        stopped.interrupted("interrupted")
    again = ["--label-map", str(folder / "map.toml"), "--out", str(out), "--resume"]
    result = invoke(*arguments(folder, *again))
    assert result.exit_code == 0, result.stderr
    assert (out / "best.safetensors").read_bytes() == (run / "best.safetensors").read_bytes()
    shorter = invoke(*arguments(folder, *again)[:-1], "--overwrite", "--dry-run")
    assert shorter.exit_code == 2  # nothing is there to do


@pytest.mark.parametrize(
    ("domain", "kind"), [("target", "Drug"), ("source", "Drug"), ("source2", "Medicine")]
)
def test_each_tagger_is_used_by_its_number(
    run: Path, folder: Path, invoke: Invoke, domain: str, kind: str
) -> None:
    model = run / "best.safetensors"
    text = folder / "text.txt"
    text.write_text("C z\n", "utf-8")
    result = invoke("tag", "--model", model, "--domain", domain, "--tokens", "spaces", text)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"C\tB-{kind}\nz\tE-{kind}\n\n"
    scored = invoke("evaluate", "--model", model, "--domain", domain, folder / "test.txt", "--json")
    assert json.loads(scored.stdout)["domain"] == domain


def test_a_tagger_that_is_not_there_is_refused_with_those_that_are(
    run: Path, folder: Path, invoke: Invoke
) -> None:
    result = invoke("tag", "--model", run / "best.safetensors", "--domain", "source7", "-")
    assert "must be one of target, source, source2, source3 for this model" in result.stderr
    wrong = invoke("tag", "--model", run / "best.safetensors", "--domain", "source1", "-")
    assert "'source1' is none of target, source, source2, source3, ..." in wrong.stderr


def test_a_model_is_described_with_all_its_sources(run: Path, invoke: Invoke) -> None:
    told = invoke("model", "info", run / "best.safetensors").stdout
    assert "source2 tags" in told
    assert "Medicine = Drug" in told
    assert "share 28.6 %" in told
    checked = invoke("model", "verify", run / "best.safetensors").stdout
    assert "9 source tags and 9 source2 tags and 13 source3 tags and 9 target tags" in checked
    private = json.loads(invoke("model", "privacy", run / "best.safetensors", "--json").stdout)
    assert list(private["types"]) == ["source", "source2", "source3", "target"]
    assert private["label_map"] == {"source2: Medicine": "Drug"}
    assert {"source", "source2", "source3", "target", "dev"} == private["hashes"].keys()


def test_one_source_of_several_is_explained(run: Path, folder: Path, invoke: Invoke) -> None:
    for domain in ("target", "source3"):
        result = invoke("audit", "explain", run, "--text", "C z x", "--domain", domain)
        assert result.exit_code == 0, result.stdout + result.stderr
    assert "source3 head" in result.stdout


AUDITS = {
    "data": [],
    "gradients": ["--limit", 2, "--coordinates", 1, "--directions", 1],
    "equations": ["--limit", 1],
    "kl": ["--limit", 3],
    "mmd": ["--permutations", 20, "--batches", 1],
}


@pytest.mark.parametrize("audit", AUDITS)
def test_a_run_on_several_sources_can_be_audited(run: Path, invoke: Invoke, audit: str) -> None:
    result = invoke("audit", audit, run, *AUDITS[audit], "--json")
    assert result.exit_code == 0, result.stdout + result.stderr
    told = [one["audit"] for one in json.loads(result.stdout)["audits"]]
    whole = audit in ("data", "gradients")
    assert told == ([audit] if whole else [f"{audit}-source{n}" for n in ("", 2, 3)])


def test_other_sentences_of_a_run_are_those_of_every_source(run: Path) -> None:
    subject = run_on(run)
    for one in subject.each_source():
        words = [sentence.words.tolist() for sentence in one.source]
        assert words == [sentence.words.tolist() for sentence in subject.target]
        assert one.initial is not None
        assert not np.array_equal(one.initial.weights.flat, one.network.weights.flat)


def test_the_page_of_every_audit_has_a_section_for_each_source(
    run: Path, invoke: Invoke, tmp_path: Path
) -> None:
    result = invoke("audit", "all", run, "--out", tmp_path / "audit", "--json")
    assert result.exit_code == 0, result.stdout + result.stderr
    told = [one["audit"] for one in json.loads(result.stdout)["audits"]]
    assert len(told) == 2 + 3 * 3
    page = (tmp_path / "audit" / "index.html").read_text("utf-8")
    ids = re.findall(r' id="([^"]+)"', page)
    assert set(told) <= set(ids)
    assert len(set(ids)) == len(ids)


def test_files_that_have_moved_are_named_all_in_their_order(run: Path, folder: Path) -> None:
    files = tuple(str(folder / f"{name}.txt") for name in ("one", "two", "three"))
    same = run_options(run, Moved(source=files, label_map=str(folder / "map.toml")))
    assert same == run_options(run)
    with pytest.raises(UsageError, match="3 source files; name as many with --source"):
        run_options(run, Moved(source=files[:2]))
    with pytest.raises(UsageError, match="not the source corpus that the run was trained on"):
        prepared_run(run, Moved(source=(files[0], files[2], files[1])))


def config_of(folder: Path, invoke: Invoke, monkeypatch, *more: str) -> Config:
    """What ``ladtl train`` makes of these arguments."""
    import ladtl_np.commands.train as train

    seen: list[Config] = []

    def stop(config: Config) -> None:
        seen.append(config)
        raise UsageError("enough")

    monkeypatch.setattr(train, "read_corpora", stop)
    result = invoke(*arguments(folder, *more), "--out", folder / "nothing")
    assert seen, result.stderr
    return seen[0]


def test_label_maps_are_one_for_all_or_one_for_each(folder: Path, invoke, monkeypatch) -> None:
    map_, none = str(folder / "map.toml"), str(folder / "none.toml")
    one = config_of(folder, invoke, monkeypatch, f"--label-map={map_}").data
    assert [source.label_map for source in one.sources()] == [map_] * 3
    given = [f"--label-map={path}" for path in (none, map_, none)]
    each = config_of(folder, invoke, monkeypatch, *given).data
    assert [source.label_map for source in each.sources()] == [none, map_, none]
    assert each.label_maps() == [none, map_]
    result = invoke(*arguments(folder, *given[:2], "--out", str(folder / "nothing")))
    assert "--label-map is given 2 times for 3 sources; give one for all of them" in result.stderr


def test_sources_of_the_command_line_take_the_place_of_those_of_a_file(
    folder: Path, invoke: Invoke, monkeypatch
) -> None:
    file = folder / "options.toml"
    options = '[data]\nsource = "x.txt"\nmore_sources = [{ file = "y.txt" }]\nshares = "equal"\n'
    file.write_text(options, "utf-8")
    how = ("--config", str(file), "--source-format", "token_column=-2")
    data = config_of(folder, invoke, monkeypatch, *how).data
    assert [Path(source.path).name for source in data.sources()] == [
        "one.txt",
        "two.txt",
        "three.txt",
    ]
    assert {source.format.token_column for source in data.sources()} == {-2}
    assert data.shares == "equal"
    config = Config(data=data)
    assert parse_config(tomllib.loads(to_toml(config))) == config


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--set", "data.shares=equal"], "data.shares has no effect with one source"),
        (["--set", "data.concatenate=true"], "data.concatenate has no effect with one source"),
    ],
)
def test_options_of_several_sources_want_several(
    folder: Path, invoke: Invoke, given: list[str], told: str
) -> None:
    files = [f"--source={folder / 'one.txt'}", f"--target={folder / 'target.txt'}"]
    result = invoke("train", *files, *given, "--out", folder / "nothing")
    assert told in result.stderr
    both = ["--set", "data.concatenate=true", "--set", "data.shares=equal"]
    joined = invoke(*arguments(folder, *both, "--out", str(folder / "nothing")))
    assert "data.shares has no effect with data.concatenate" in joined.stderr


def test_more_sources_want_a_first_one() -> None:
    with pytest.raises(UsageError, match="more_sources needs source"):
        parse_config({"data": {"more_sources": [{"file": "x.txt"}]}})


def test_an_estimator_takes_a_dictionary_of_sources() -> None:
    corpora = three_sources()
    named = dict(zip(("source", "second", "third"), corpora.sources, strict=True))
    options = {
        f"{section}.{key}": value
        for section, values in SMALL.items()
        if isinstance(values, dict)
        for key, value in values.items()
    }
    pairs = [dict(one.pairs) for one in MAPS]
    tagger = LaDTLTagger(threads=1, options=options, label_map=pairs)
    tagger.fit(corpora.target, source=named, dev=corpora.dev)
    wanted = run_through(prepare(small_config(), corpora, *MAPS))
    assert tagger.model_.network.weights.flat.tobytes() == wanted.best.weights.flat.tobytes()
    assert list(tagger.model_.tag_sets()) == ["source", "source2", "source3", "target"]
    with pytest.raises(UsageError, match="a dictionary of sources wants a name"):
        tagger.fit(corpora.target, source={})
    bare = tuple(replace(sentence, tags=None) for sentence in named["second"])
    untagged = named | {"second": replace(named["second"], sentences=bare)}
    with pytest.raises(UsageError, match=r"source\['second'\]: sentence 1 has no tags"):
        tagger.fit(corpora.target, source=untagged)


def test_a_loaded_tagger_knows_the_pairs_of_every_source(run: Path) -> None:
    tagger = LaDTLTagger.load(run / "best.safetensors")
    assert tagger.label_map == [{}, {"Medicine": "Drug"}, {}]
