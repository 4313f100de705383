"""From the command line to what is done: every option arrives, and every route decodes as told."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from conftest import Invoke
from law_options import config_of, placed, setting, table_of
from option_rows import MOVES, Move

from ladtl_np import LaDTLTagger, load_model
from ladtl_np.commands import train
from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.schemes import from_bioes
from ladtl_np.errors import UsageError
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.evaluation import evaluate
from ladtl_np.model.file import Model
from ladtl_np.model.network import SOURCE, TARGET
from ladtl_np.model.tagging import make_decoder
from ladtl_np.options.config import Config, parse_config, to_toml
from ladtl_np.runs.run import read_corpora

SINGLE = {
    "--source": ("data.source", "source-other.txt"),
    "--target": ("data.target", "target-other.txt"),
    "--dev": ("data.dev", "dev-other.txt"),
    "--test": ("data.test", ["test.txt", "test-other.txt"]),
    "--method": ("method", "la-mmd"),
    "--parameter-transfer": ("objective.parameter_transfer", "kl"),
    "--target-fraction": ("data.target_fraction", 0.5),
    "--target-chosen": ("data.target_chosen", "chosen.txt"),
    "--label-map": ("data.label_map", "map-other.toml"),
    "--embeddings": ("data.embeddings", "vectors.txt"),
    "--vocabulary-key": ("vocabulary.key", "vocabulary.key"),
    "--steps": ("training.steps", 7),
    "--seed": ("seed", 3),
    "--threads": ("threads", 3),
}
"""Options of the command line that set one key."""
OTHERS = {
    *("--out", "--overwrite", "--demo", "--preset", "--config", "--set", "--json", "--dry-run"),
    *("--source-format", "--target-format", "--dev-format", "--test-format"),
    "--resume",
    "--allow-change",
    "--checkpoint-every",
    "--show-text",
    "--source-model",  # chooses the method as well
}


@pytest.fixture
def configured(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, law_files: Path, tmp_path: Path):
    """The configuration with which ``ladtl train`` goes on to read the corpora."""
    seen: list[Config] = []

    def stop(config: Config) -> Any:
        seen.append(config)
        raise UsageError("enough")

    monkeypatch.setattr(train, "read_corpora", stop)

    def configured(options: dict[str, Any], *arguments: object) -> Config:
        file = tmp_path / "options.toml"
        file.write_text(tomli_w.dumps(table_of(law_files, options)), encoding="utf-8")
        result = invoke("train", "--out", tmp_path / "run", "--config", file, *arguments)
        assert (result.exit_code, len(seen)) == (2, 1), result.stderr
        return seen.pop()

    return configured


@pytest.mark.parametrize("move", MOVES, ids=lambda move: f"{move.key}={move.value}")
def test_a_set_option_arrives_and_is_written_as_it_is_read(move: Move, configured, law_files):
    value = placed(law_files, move.key, move.value)
    config = configured(move.base, "--set", setting(move.key, value))
    assert config == config_of(law_files, {**move.base, move.key: move.value})
    assert config != config_of(law_files, move.base)
    assert parse_config(tomllib.loads(to_toml(config))) == config


@pytest.mark.parametrize("option", SINGLE)
def test_a_single_option_sets_its_key_and_nothing_else(option, configured, law_files):
    key, value = SINGLE[option]
    given = placed(law_files, key, value)
    arguments = [
        part for each in (given if isinstance(given, list) else [given]) for part in (option, each)
    ]
    assert configured({}, *arguments) == config_of(law_files, {key: value})


def test_every_option_of_the_command_line_has_its_law():
    found = {option for parameter in train.command.params for option in parameter.opts}
    assert found == SINGLE.keys() | OTHERS


@pytest.mark.parametrize("side", ["source", "target"])
def test_options_of_reading_reach_their_own_side(side, configured, law_files):
    config = configured({}, f"--{side}-format", "token_column=1")
    assert config == config_of(law_files, {f"data.{side}_format.token_column": 1})


# ---- decoding ------------------------------------------------------------------------------------

DECODING = [(True, True), (True, False), (False, True), (False, False)]


def tagged(model: Model, sentences, *, head: str = TARGET, constrained: bool, bias: bool):
    """Tags by a decoder that is told everything, which test_decoding.py knows to be right."""
    decoder = told(model, head=head, constrained=constrained, bias=bias)
    return decoder.tag(sentences)


def told(model: Model, *, head: str = TARGET, constrained: bool, bias: bool) -> Decoder:
    tags = model.target_tags if head == TARGET else model.source_tags
    assert tags is not None
    return Decoder(
        model.network,
        model.vocabulary,
        tags,
        head=head,
        characters=model.characters,
        constrained=constrained,
        emission_bias=bias,
    )


@pytest.fixture(scope="module", params=DECODING, ids=lambda p: f"constrained={p[0]}, bias={p[1]}")
def decoding(request: pytest.FixtureRequest) -> tuple[bool, bool]:
    return request.param


@pytest.fixture
def options(decoding: tuple[bool, bool]) -> dict[str, Any]:
    constrained, bias = decoding
    choice = {"decoding.constrained": constrained, "decoding.emission_bias": bias}
    trained = {"optimizer.learning_rate": 1.5, "training.steps": 20}
    return choice | trained | {"data.test": ["test.txt", "text.txt"]}


@pytest.fixture
def run(options, invoke: Invoke, law_files: Path, tmp_path: Path) -> Path:
    """The folder of a short run by these options, whose ways of decoding all differ."""
    file, out = tmp_path / "options.toml", tmp_path / "run"
    file.write_text(tomli_w.dumps(table_of(law_files, options)), encoding="utf-8")
    result = invoke("train", "--config", file, "--out", out)
    assert result.exit_code == 0, result.stderr
    model, sentences = load_model(out / "best.safetensors"), tokens(law_files / "text.txt")
    ways = {repr(tagged(model, sentences, constrained=c, bias=b)) for c, b in DECODING}
    assert len(ways) == 4
    return out


def tokens(path: Path) -> list[tuple[str, ...]]:
    return [sentence.tokens for sentence in read_conll(path)]


def test_a_run_evaluates_and_predicts_as_its_options_say(decoding, options, run, law_files):
    constrained, bias = decoding
    written = parse_config(tomllib.loads((run / "config.toml").read_text("utf-8")))
    assert written == config_of(law_files, options)
    model = load_model(run / "best.safetensors")
    assert (model.config.decoding.constrained, model.config.decoding.emission_bias) == decoding
    decoder = told(model, constrained=constrained, bias=bias)
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    assert manifest["constrained_decoding"] == constrained
    for name, file in (("dev", "dev.txt"), ("test.txt", "test.txt"), ("text.txt", "text.txt")):
        scores = evaluate(decoder, read_conll(law_files / file))
        assert manifest["results"][name] == json.loads(json.dumps(scores.to_json()))
        short = model.scores[name]["conlleval"]["f1"]
        assert short == scores.to_json()["conlleval"]["overall"]["f1"]
        if name != "dev":
            predicted = read_conll(run / f"predictions-{name}")
            assert [s.tags for s in predicted] == decoder.tag(tokens(law_files / file))


def test_an_estimator_decodes_as_its_options_say(decoding, options, run, law_files):
    constrained, bias = decoding
    path = law_files / "text.txt"
    loaded = LaDTLTagger.load(run / "best.safetensors")
    config = config_of(law_files, options)
    corpora = read_corpora(config)
    flat = {key: value for key, value in options.items() if not key.startswith("data.")}
    law = {k: v for k, v in _flat(table_of(law_files, {})).items() if not k.startswith("data.")}
    threads = law.pop("threads")
    fitted = LaDTLTagger(threads=threads, options=law | flat, label_map={"Pain": "Ache"})
    fitted.fit(corpora.target, source=corpora.source, dev=corpora.dev)
    for tagger in (loaded, fitted):
        decoder = told(tagger.model_, constrained=constrained, bias=bias)
        assert tagger.predict(tokens(path)) == decoder.tag(tokens(path))
        scores = evaluate(decoder, read_conll(path))
        assert tagger.scores(read_conll(path)) == scores
        assert tagger.score(read_conll(path)) == scores.conlleval.overall.f1


def _flat(table: dict[str, Any], lead: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= _flat(value, f"{lead}{key}.") if isinstance(value, dict) else {lead + key: value}
    return found


@pytest.mark.parametrize("domain", ["target", "source"])
def test_commands_decode_as_the_model_says(decoding, run, law_files, invoke, domain):
    path, (_, bias) = law_files / "text.txt", decoding
    file = run / "best.safetensors"
    model, head = load_model(file), {"target": TARGET, "source": SOURCE}[domain]
    common = ("--domain", domain, "--threads", 1, "--model", file)
    as_trained = ([], decoding[0])
    for flags, constrained in (["--unconstrained"], False), (["--constrained"], True), as_trained:
        decoder = told(model, head=head, constrained=constrained, bias=bias)
        expected = decoder.tag(tokens(path))
        output = invoke("tag", *common, *flags, "--from", "conll", path).stdout
        rows = [block.splitlines() for block in output.strip().split("\n\n")]
        assert [tuple(row.split("\t")[1] for row in block) for block in rows] == expected
        result = invoke("evaluate", *common, *flags, path, "--json")
        (found,) = json.loads(result.stdout)["results"]
        assert found["constrained"] == constrained
        assert found["scores"] == json.loads(
            json.dumps(evaluate(decoder, read_conll(path)).to_json())
        )


@pytest.mark.parametrize("constrained", [True, False])
def test_a_models_decoder_takes_its_bias_from_the_model(decoding, run, law_files, constrained):
    model, sentences = load_model(run / "best.safetensors"), tokens(law_files / "text.txt")
    for domain, head in (("target", TARGET), ("source", SOURCE)):
        decoder = make_decoder(model, domain=domain, constrained=constrained)
        told_so = {"head": head, "constrained": constrained, "bias": decoding[1]}
        assert decoder.tag(sentences) == tagged(model, sentences, **told_so)


def test_tags_of_another_scheme_are_those_of_the_same_decoding(run, law_files, invoke, decoding):
    path, file = law_files / "text.txt", run / "best.safetensors"
    bioes = tagged(load_model(file), tokens(path), constrained=False, bias=decoding[1])
    arguments = ("--model", file, "--threads", 1, "--from", "conll", "--unconstrained", path)
    output = invoke("tag", *arguments, "--scheme", "IOB2").stdout
    rows = [block.splitlines() for block in output.strip().split("\n\n")]
    found = [tuple(row.split("\t")[1] for row in block) for block in rows]
    assert found == [from_bioes(tags, "IOB2") for tags in bioes]
