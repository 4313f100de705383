"""Privacy: messages on wrong data, hashed models, what a model holds, and what is printed."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from conftest import Invoke
from every_command import found_in
from small_corpora import small_config, small_corpora

from ladtl_np import LaDTLTagger
from ladtl_np.corpus.vocabulary import UNKNOWN, Vocabulary
from ladtl_np.errors import ModelFileError, UsageError
from ladtl_np.experiment.job import Job, perform
from ladtl_np.model.file import load_model, save_model
from ladtl_np.model.network import from_named
from ladtl_np.model.privacy import RULES
from ladtl_np.model.tagging import make_decoder
from ladtl_np.model.vocabulary_key import VARIABLE, read_or_make_key
from ladtl_np.options.config import parse_config
from ladtl_np.printable import escaped, escaped_json, json_text, shown
from ladtl_np.training.preparation import prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

# ---- canaries in what is wrong -------------------------------------------------------------------

HEAD = "a\tnote\tB-Drug\nb\tnote\tE-Drug\n\n"  # BIOES
WRONG_COLUMNS = {
    "ragged": "kanari\n",
    "a column too many": "kanari\tkanari\tkanari\tO\n",
    "no tag": "x\tx\tkanari\n",
    "looks like a tag": "x\tx\tT-kanari\n",
    "small letter": "x\tx\tb-kanari\n",
    "white space": "x\tx\tB-kanari \n",
    "underscore": "x\tx\tB_kanari\n",
    "comment of three columns": "# newdoc\tid\ts-kanari-7\n",
    "empty token": "\tkanari\tO\n",
    "carriage return": "kanari\tx\rkanari\tO\n",
    "NUL": "kanari\tx\0\tO\n",
    "not UTF-8": "kanari\tx\udcff\tO\n",
    "steering": "kanari\x1b[31m\u202e\tx\tkanari\x1b\u202e\n",
    "mixed schemes": "kanari\tx\tL-Drug\n",
    "mixed delimiters": "kanari kanari O\n",
}
WRONG_DOCUMENTS = {
    "no JSON": '{"text": "kanari\n',
    "text is no string": '{"text": {"kanari": "kanari"}, "id": "kanari-7"}\n',
    "id is a list": '{"text": "x", "id": ["kanari"]}\n',
    "no text": '{"kanari": "kanari"}\n',
    "a list": '["kanari"]\n',
    "overlap": '{"id": "kanari-7", "text": "x y kanari", "label": [[0, 3, "A"], [2, 9, "B"]]}\n',
    "outside": '{"id": "kanari-7", "text": "kanari", "label": [[0, 99, "A"]]}\n',
    "reversed": '{"id": "kanari-7", "text": "kanari", "label": [[5, 1, "kanari"]]}\n',
    "improper type": '{"id": 7, "text": "kanari", "label": [[0, 6, " kanari"]]}\n',
    "label is no list": '{"text": "kanari", "label": "kanari"}\n',
    "type is no string": '{"text": "kanari", "label": [[0, 6, {"kanari": 1}]]}\n',
    "both keys": '{"text": "kanari", "label": [], "labels": []}\n',
    "NUL": '{"text": "kanari\0"}\n',
    "not UTF-8": '{"text": "kanari\udcff"}\n',
    "deep": '{"text": ' + '["kanari", ' * 3_000 + "\n",
}
WRONG_TOML = {
    "columns": HEAD + WRONG_COLUMNS["no tag"],
    "text": "kanari kanari\n",
    "no value": "kanari =\n",
    "twice": 'kanari = "a"\nkanari = "b"\n',
    "table twice": "[kanari]\n[kanari]\n",
    "under a value": "kanari = 1\n[kanari.kanari]\n",
    "value": 'x = "kanari\n',
    "not UTF-8": 'x = "kanari\udcff"\n',
}
WRONG_VECTORS = {
    "short": "x 0.5 0.5\nkanari 0.5\n",
    "long": "x 0.5 0.5\nkanari 0.5 0.5 0.5\n",
    "no number": "x 0.5 0.5\nD kanari kanari\n",
    "text": "kanari\nkanari kanari\n",
    "not finite": "x 0.5 0.5\nD nan 0.5\nkanari nan nan\n",
    "header": "9 2\nkanari 0.5 0.5\n",
}


@pytest.fixture
def said(invoke: Invoke, tmp_path: Path) -> Any:
    """Run a command that has to fail; what it says, and what it leaves, holds no canary."""

    def said(*arguments: object, input: str | bytes | None = None) -> str:
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        result = invoke(*arguments, input=input)
        assert result.exit_code in (1, 2, 3), (arguments, result.output)
        assert result.stderr.startswith(("error: ", "warning: ", "Usage: ")), result.stderr
        assert found_in(result.stdout) == "", arguments
        assert found_in(result.stderr) == "", arguments
        unsafe = [c for c in result.stdout + result.stderr if not c.isprintable() and c != "\n"]
        assert unsafe == []
        for path in out.rglob("*"):
            assert not path.is_file() or found_in(path.read_bytes().decode("latin-1")) == "", path
        return result.stderr

    return said


def bad_file(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    return path


@pytest.fixture
def good(tmp_path: Path) -> dict[str, Path]:
    """Sound corpora in three columns."""
    text = HEAD + "c\tnote\tO\n"
    return {role: bad_file(tmp_path, f"{role}.txt", text) for role in ("source", "target")}


@pytest.mark.parametrize("wrong", WRONG_COLUMNS)
def test_promise_30_wrong_columns_are_not_repeated(
    wrong: str, said: Any, good: dict[str, Path], tiny_model_file: str, tmp_path: Path
) -> None:
    bad = bad_file(tmp_path, "bad.txt", HEAD + WRONG_COLUMNS[wrong])
    first = bad_file(tmp_path, "first.txt", WRONG_COLUMNS[wrong] + HEAD)
    out = tmp_path / "out" / "run"
    for path in (bad, first):
        train = ("train", "--out", out, "--steps", 1)
        said(*train, "--source", path, "--target", good["target"])
        said(*train, "--source", good["source"], "--target", path)
        corpora = ("--source", good["source"], "--target", good["target"])
        said(*train, *corpora, "--dev", path)
        said(*train, *corpora, "--test", path)
        said("evaluate", "--model", tiny_model_file, path)
        said("score", path, good["target"])
        said("score", good["target"], path)
        said("score", path, "--json")
        said("compare", path, good["target"], "--gold", good["target"])
        said("compare", good["target"], good["target"], "--gold", path)
        said("data", "stats", path)
        said("data", "stats", path, "--scheme", "IOB2", "--json")
    text = wrong in {"ragged", "a column too many", "empty token", "carriage return"}
    if text or wrong in {"NUL", "not UTF-8", "mixed delimiters"}:
        column = ("--token-column", 0, "--from", "conll")
        said("tag", "--model", tiny_model_file, *column, bad, "-o", tmp_path / "out" / "o")
        vectors = tmp_path / "out" / "vectors.txt"
        said("vectors", "train", "--conll", bad, "--conll-format", "tag_column=none",
             "--out", vectors)  # fmt: skip
    said("experiment", experiment(tmp_path, bad.name), "--out", tmp_path / "out" / "grid")


def experiment(folder: Path, target: str) -> Path:
    text = 'tasks = ["a -> b"]\nmethods = ["la-dtl"]\n[corpora.a]\ntrain = "source.txt"\n'
    text += f'[corpora.b]\ntrain = "{target}"\ndev = "source.txt"\ntest = ["source.txt"]\n'
    return bad_file(folder, "grid.toml", text)


@pytest.mark.parametrize("wrong", WRONG_DOCUMENTS)
@pytest.mark.parametrize("style", ["jsonl", "conll", "terminal"])
def test_promise_30_wrong_documents_are_not_repeated(
    wrong: str, style: str, said: Any, tiny_model_file: str, tmp_path: Path
) -> None:
    bad = bad_file(tmp_path, "bad.jsonl", WRONG_DOCUMENTS[wrong])
    labels = "[[" in WRONG_DOCUMENTS[wrong] or "label" in wrong or wrong == "both keys"
    if not labels:  # which tagging leaves aside
        assert f"{bad}:1: " in said("tag", "--model", tiny_model_file, bad, "--to", style)
    assert f"{bad}:1: " in said("data", "stats", bad)
    assert f"{bad}:1: " in said("evaluate", "--model", tiny_model_file, bad)


@pytest.mark.parametrize("line", ["kanari\0", "kanari\udcff", "kanari\rkanari"])
def test_promise_30_wrong_text_is_not_repeated(
    line: str, said: Any, tiny_model_file: str, tmp_path: Path
) -> None:
    bad = bad_file(tmp_path, "bad.txt", f"{line}\nkanari\n")
    assert f"{bad}:1: " in said("tag", "--model", tiny_model_file, bad)
    out = tmp_path / "out" / "vectors.txt"
    said("vectors", "train", bad, "--tokens", "spaces", "--out", out)
    said("tag", "--model", tiny_model_file, input=line.encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("wrong", WRONG_TOML)
def test_promise_30_data_where_options_were_wanted_is_not_repeated(
    wrong: str, said: Any, good: dict[str, Path], tmp_path: Path
) -> None:
    bad = bad_file(tmp_path, "bad.toml", WRONG_TOML[wrong])
    corpora = ("--source", good["source"], "--target", good["target"])
    train = ("train", *corpora, "--out", tmp_path / "out" / "run", "--steps", 1)
    said(*train, "--label-map", bad)
    said(*train, "--config", bad)
    said("experiment", bad, "--out", tmp_path / "out" / "grid")
    said("experiment", experiment(tmp_path, "target.txt"), "--out", tmp_path / "out" / "grid",
         "--set", f"data.embeddings={bad}")  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_VECTORS)
def test_promise_30_wrong_vectors_are_not_repeated(
    wrong: str, said: Any, good: dict[str, Path], tmp_path: Path
) -> None:
    bad = bad_file(tmp_path, "bad.txt", WRONG_VECTORS[wrong])
    target = bad_file(tmp_path, "words.txt", "D\tx\tB-Drug\nkanari\tx\tE-Drug\n")
    out = ("--out", tmp_path / "out" / "run", "--steps", 1, "--set", "model.embedding=2")
    said("train", "--source", good["source"], "--target", target, "--embeddings", bad, *out)


DATA = {
    "columns": HEAD + "kanari\tkanari\tO\n",
    "documents": '{"text": "kanari", "id": "kanari-7", "kanari": ["kanari"]}\n',
    "text": "kanari\n",
    "long line": "kanari " * 20_000,
    "like a header": "\x20\0\0\0\0\0\0\0" + '{"kanari": {"kanari": "kanari"}}',
}


@pytest.mark.parametrize("kind", DATA)
def test_promise_30_data_in_the_place_of_our_own_files_is_not_repeated(
    kind: str, said: Any, good: dict[str, Path], tiny_model_file: str, tmp_path: Path
) -> None:
    bad, out = bad_file(tmp_path, "bad.txt", DATA[kind]), tmp_path / "out"
    said("tag", "--model", bad, good["target"])
    said("evaluate", "--model", bad, good["target"])
    said("model", "info", bad)
    said("model", "privacy", bad)
    said("train", "--source", good["source"], "--target", good["target"], "--out", out / "run",
         "--vocabulary-key", bad)  # fmt: skip
    run = tmp_path / "run"
    run.mkdir()
    for name in ("manifest.json", "config.toml", "metrics.tsv", "log.jsonl", "experiment.json"):
        bad_file(run, name, DATA[kind])
    bad_file(run, "predictions-test.txt", DATA[kind])
    said("report", run, "--out", out / "page.html")
    said("compare", run, run)
    said("train", "--source", good["source"], "--target", good["target"], "--out", run, "--resume")


def test_promise_43_who_asks_is_shown_the_value_and_its_steering_characters_escaped(
    invoke: Invoke, tiny_model_file: str, tmp_path: Path
) -> None:
    bad = bad_file(tmp_path, "bad.txt", "x\tO\nx\tT-kanari\x1b[31m\u202e\n")
    jsonl = bad_file(tmp_path, "bad.jsonl", WRONG_DOCUMENTS["overlap"])
    positions = bad_file(tmp_path, "positions.txt", "a1\tO\nkanari\tO\n")

    lines = [
        ("data", "stats", bad),
        ("score", bad, bad),
        ("evaluate", "--model", tiny_model_file, bad),
        ("compare", bad, bad, "--gold", bad),
        ("train", "--source", bad, "--target", bad, "--out", tmp_path / "run"),
        (
            "vectors",
            "train",
            "--conll",
            positions,
            "--conll-format",
            "position_digits=true",
            "--out",
            tmp_path / "vectors.txt",
        ),
        ("data", "stats", jsonl),
    ]
    for arguments in lines:
        result = invoke(*arguments, "--show-text")
        assert result.exit_code == 3
        here = "document kanari-7" if jsonl in arguments else "T-kanari\\x1b[31m\\u202e"
        here = "kanari" if positions in arguments else here
        assert f"(here: {here})" in result.stderr
        assert found_in(invoke(*arguments).stderr) == ""


@pytest.mark.parametrize("before", [0o600, 0o640, 0o666, 0o400])
def test_promise_29_what_is_overwritten_becomes_no_wider(
    before: int, invoke: Invoke, tiny_model_file: str, tmp_path: Path
) -> None:
    source, out = bad_file(tmp_path, "text.txt", "Cz\n"), bad_file(tmp_path, "out.txt", "old")
    demo = bad_file(tmp_path, "README.txt", "old")
    mask = os.umask(0)
    try:
        for path in (out, demo):
            path.chmod(before)
        tag = invoke("tag", "--model", tiny_model_file, source, "-o", out, "--overwrite")
        assert invoke("data", "demo", tmp_path, "--overwrite").exit_code == 0
    finally:
        os.umask(mask)
    for path, done in ((out, tag.exit_code == 0), (demo, True)):
        assert stat.S_IMODE(path.stat().st_mode) == (0o600 if done else before)
        assert (path.read_text("utf-8") != "old") == done


# ---- what is printed -----------------------------------------------------------------------------

STEERING = [
    *map(chr, (*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0))),
    *"\u061c\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060",
    *"\u2066\u2067\u2068\u2069\ufeff\u180e\u00ad\U000e0001\U000e007f\U0001d173",
]
"""Control, direction and zero-width characters but tab and LF; all but lone surrogates."""


@pytest.mark.parametrize("character", [*STEERING, chr(0xD800), chr(0xDFFF)], ids=ascii)
def test_promise_43_what_steers_a_terminal_is_escaped(character: str) -> None:
    text = f"a{character}b"
    for safe in (shown(text), escaped(text), json_text({"k": text}), escaped_json(f'"{text}"')):
        assert character not in safe
        assert safe.isprintable()
    assert json.loads(json_text({text: [text]}, indent=2)) == {text: [text]}
    assert shown(text) == escaped(text) == text.encode("unicode_escape").decode()


def test_promise_43_text_is_left_as_it_is() -> None:
    text = "患者\u3000胸\xa0痛 é \U0001f600"
    assert escaped(text) == text
    assert escaped("a\tb") == "a\tb"
    assert json_text({"a": [text]}, indent=2) == json.dumps(
        {"a": [text]}, ensure_ascii=False, indent=2
    )


def test_promise_43_tagged_text_and_json_are_safe_to_print(
    invoke: Invoke, tiny_model_file: str, tmp_path: Path
) -> None:
    steering = "".join(c for c in STEERING if c not in "\0\r")
    whole = f"{steering}Cz{steering}x{steering}a"
    source = bad_file(tmp_path, "text.txt", f"{whole}\n")
    tag = ("tag", "--model", tiny_model_file, source, "--to")
    for style in ("terminal", "jsonl"):
        output = invoke(*tag, style).stdout
        assert output.endswith("\n")
        assert output[:-1].isprintable()
    assert json.loads(output)["text"] == whole
    columns = invoke(*tag, "conll").stdout
    assert [line.split("\t")[0] for line in columns.split("\n") if line] == list(whole)
    gold = bad_file(tmp_path, "gold.txt", "x\tB-a\u202e\x1b[31mb\n")
    for command in ("data stats", "score"):
        files = [gold] * (2 if command == "score" else 1)
        for more in ((), ("--json",)):
            result = invoke(*command.split(), *files, *more)
            assert result.exit_code == 0
            found = result.stdout + result.stderr
            assert [c for c in found if not c.isprintable() and c != "\n"] == []
            assert "\\u202e" in found


# ---- hashed models -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A plain model and its hashed twin that read characters, and the key."""
    folder = tmp_path_factory.mktemp("twins")
    paths = {name: folder / name for name in ("plain", "hashed", "again", "key", "other")}
    for name in ("plain", "hashed", "again"):
        key = "" if name == "plain" else str(paths["key"])
        config = small_config(vocabulary={"key": key}, characters={"hidden": 3})
        trainer = Trainer(prepare(config, small_corpora()))
        for _ in trainer.run():
            pass
        save_model(paths[name], build_model(trainer.prepared, trainer.best, {}, {}))
    read_or_make_key(paths["other"])
    return paths


def sentences(count: int) -> list[list[str]]:
    """Words of the twins' corpora, and others."""
    rng = np.random.default_rng(0)
    letters = list("abcABCDExzq字")
    return [
        ["".join(rng.choice(letters, rng.integers(1, 3))) for _ in range(rng.integers(1, 9))]
        for _ in range(count)
    ]


def test_promise_31_a_hashed_model_tags_as_its_plain_twin(twins: dict[str, Path]) -> None:
    plain = load_model(twins["plain"])
    hashed = load_model(twins["hashed"], twins["key"])
    text = sentences(2_000)
    assert make_decoder(hashed).tag(text) == make_decoder(plain).tag(text)
    assert twins["hashed"].read_bytes() == twins["again"].read_bytes()
    tagger = LaDTLTagger.load(twins["hashed"], vocabulary_key=twins["key"])
    assert tagger.predict(text) == LaDTLTagger.load(twins["plain"]).predict(text)
    for name, array in plain.network.named().items():  # the same numbers in another order
        assert np.array_equal(np.sort(array, axis=None), np.sort(
            hashed.network.named()[name], axis=None))  # fmt: skip


def test_promise_31_a_key_that_is_missing_or_wrong_is_refused(
    twins: dict[str, Path], invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    gold, out = bad_file(tmp_path, "gold.txt", HEAD), tmp_path / "out.conll"
    tag = ("tag", "--model", twins["hashed"], "--from", "conll", gold, "-o", out, "--overwrite")
    evaluate = ("evaluate", "--model", twins["hashed"], gold)
    for command in (tag, evaluate):
        missing = invoke(*command)
        assert missing.exit_code == 2
        assert "--vocabulary-key FILE" in missing.stderr
        wrong = invoke(*command, "--vocabulary-key", twins["other"])
        assert wrong.exit_code == 2
        assert "the vocabulary key is another one" in wrong.stderr
        assert str(twins["hashed"]) in wrong.stderr
        assert not out.exists()
    for command in (tag, evaluate):
        assert invoke(*command, "--vocabulary-key", twins["key"]).exit_code == 0
    info = invoke("model", "info", twins["hashed"])
    assert (info.exit_code, "hashed" in info.stdout) == (0, True)
    wrong = invoke("model", "info", twins["hashed"], "--vocabulary-key", twins["other"])
    assert wrong.exit_code == 2
    monkeypatch.setenv(VARIABLE, str(twins["key"]))
    for command in (tag, evaluate):
        assert invoke(*command).exit_code == 0
    plain = invoke("evaluate", "--model", twins["plain"], gold, "--vocabulary-key", twins["key"])
    assert plain.exit_code == 0
    assert "--vocabulary-key has no effect on it" in plain.stderr


def test_the_key_is_never_an_output_and_lies_outside_the_run(
    twins: dict[str, Path], invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gold, key = bad_file(tmp_path, "gold.txt", HEAD), tmp_path / "a.key"
    key.write_bytes(twins["key"].read_bytes())
    tag = ("tag", "--model", twins["hashed"], "--from", "conll", gold, "-o", key, "--overwrite")
    assert "also an input" in invoke(*tag, "--vocabulary-key", key).stderr
    monkeypatch.setenv(VARIABLE, str(key))
    assert "also an input" in invoke(*tag).stderr
    assert key.read_bytes() == twins["key"].read_bytes()
    run = tmp_path / "run"
    train = ("train", "--source", gold, "--target", gold, "--out", run, "--steps", 1)
    inside = invoke(*train, "--vocabulary-key", run / "a.key")
    assert inside.exit_code == 2
    assert "apart from the model" in inside.stderr
    assert not (run / "a.key").exists()
    grid = experiment(tmp_path, "gold.txt")
    bad_file(tmp_path, "source.txt", HEAD)
    inner = ("--set", f"vocabulary.key={run}/a.key", "--set", "training.steps=1")
    inside = invoke("experiment", grid, "--out", run, *inner)
    assert inside.exit_code == 2
    assert "apart from the model" in inside.stderr


def test_a_run_of_an_experiment_makes_no_key_of_its_own(tmp_path: Path) -> None:
    """On a machine that does not see the key it would be another one."""
    key = tmp_path / "a.key"
    config = parse_config({"vocabulary": {"key": str(key)}})
    with pytest.raises(UsageError, match="no such vocabulary key"):
        perform(Job(config, tmp_path / "run"), lambda share: None)
    assert not key.exists()


def test_words_and_characters_that_are_not_hashed_with_one_key_are_refused(
    twins: dict[str, Path], tmp_path: Path
) -> None:
    model = load_model(twins["hashed"], twins["key"])
    assert model.characters is not None
    other = read_or_make_key(twins["other"])
    plain = load_model(twins["plain"])
    assert plain.characters is not None
    for alphabet in (plain.characters, plain.characters.hashed(other)[0]):
        save_model(tmp_path / "m", replace(model, characters=alphabet))
        with pytest.raises(ModelFileError, match="not hashed with one key"):
            load_model(tmp_path / "m", twins["key"])


# ---- model privacy -------------------------------------------------------------------------------


def test_promise_31_model_privacy_counts_what_looks_like_something(
    twins: dict[str, Path], invoke: Invoke, tmp_path: Path
) -> None:
    words = {
        "digits": ["x1", "５"],
        "long": ["a" * 20],
        "like names": ["Anna", "Élise"],
        "like dates": ["1.2.34", "2020-01-31", "3/4", "2020年1月"],
        "like numbers of persons": ["12345", "MRN-99881"],
        "like e-mail": ["a.b@c.de"],
        "like web addresses": ["www.x", "ftp://x"],
        "": ["b", "ANNA", "O'Neil", "a" * 19, "a@b", "1..2"],
    }
    model = load_model(twins["plain"])
    text = [word for some in words.values() for word in some]
    sizes = msgspec.structs.replace(model.network.architecture, vocabulary=len(text) + 1)
    arrays = model.network.named()
    arrays["word_embedding"] = np.zeros((len(text) + 1, sizes.embedding), np.float32)
    once = np.arange(len(text) + 1) == 3
    vocabulary = Vocabulary((UNKNOWN, *text), False, False, once)
    config = parse_config({"data": {"target": "/ward/b.txt"}, "vocabulary": {"min_count": 4}})
    other = replace(model, network=from_named(sizes, arrays), vocabulary=vocabulary, config=config)
    path = tmp_path / "m"
    save_model(path, replace(other, label_map={"Drug": "Sign"}, provenance={"data": {"dev": "0f"}}))
    found = json.loads(invoke("model", "privacy", path, "--show-text", "--json").stdout)
    told = found["text"]["words"]
    wanted = {name: some for name, some in words.items() if name}
    numbers = [word for word in text if any(map(str.isdecimal, word))]
    wanted["digits"] = numbers
    wanted["like numbers of persons"] = ["2020-01-31", "2020年1月", "12345", "MRN-99881"]
    assert {name: some for name, some in told.items() if name in wanted} == wanted
    assert told["all"] == text
    assert told["once in training"] == [text[2]]
    assert found["counts"] == {name: len(some) for name, some in told.items()}
    assert (found["mode"], found["min_count"]) == ("plain", 4)
    assert found["options"] == {"data.target": "/ward/b.txt"}
    assert (found["label_map"], found["hashes"]) == ({"Drug": "Sign"}, {"dev": "0f"})
    assert found["types"] == {"source": ["Drug", "Sign"], "target": ["Drug", "Sign"]}
    assert found["alphabet"] == {"all": len(found["text"]["characters"])}
    for options in ((), ("--json",)):
        quiet = invoke("model", "privacy", path, *options).stdout
        assert not any(word in quiet for word in text if len(word) > 4)
        assert "docs/privacy.md" in quiet
    loud = invoke("model", "privacy", path, "--show-text").stdout
    assert "a.b@c.de" in loud


def test_promise_31_model_privacy_of_a_hashed_model_needs_no_key(
    twins: dict[str, Path], invoke: Invoke
) -> None:
    found = json.loads(invoke("model", "privacy", twins["hashed"], "--json", "--show-text").stdout)
    plain = load_model(twins["plain"])
    assert found["mode"] == "hashed"
    assert found["counts"] == {"hashes": len(plain.vocabulary) - 1}
    assert found["alphabet"] == {"hashes": len(plain.characters or ()) - 1}
    assert found["text"] == {"words": {}, "characters": []}


def test_the_rules_are_those_of_the_page() -> None:
    page = (Path(__file__).parent.parent / "docs" / "privacy.md").read_text("utf-8")
    assert all(f"\n| {name} |" in page for name in RULES)
