"""What readers promise of any file: what is data, what is refused, with which words, how soon.

Each test goes through all that its promise lists; what a single reader does beyond it stands in
that reader's own tests.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import pytest
import tomli_w
from audited_runs import write_tiny_run
from conftest import Invoke, once, run_program, write_corpus
from hypothesis import given
from hypothesis import strategies as st
from small_corpora import small_corpora

from ladtl_np.commands import ladtl
from ladtl_np.corpus import limits
from ladtl_np.corpus.document import Document
from ladtl_np.corpus.documents import (
    LimitError,
    parse_json,
    parse_toml,
    read_document,
)
from ladtl_np.corpus.findings import Findings, FindingsError
from ladtl_np.corpus.formats.conll import iterate_conll, read_conll, write_conll
from ladtl_np.corpus.formats.jsonl import read as read_jsonl
from ladtl_np.corpus.formats.jsonl import write as write_jsonl
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.labels import (
    LabelMap,
    TagSet,
    describe_match,
    listed,
    matched_tags,
    unmatched_types,
)
from ladtl_np.corpus.raw import iterate_raw
from ladtl_np.corpus.read import Documents, read_corpus
from ladtl_np.corpus.renaming import Renamer
from ladtl_np.corpus.schemes import (
    detect_scheme,
    from_bioes,
    illegal_positions,
    spans,
    split_tag,
    to_bioes,
)
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Tally
from ladtl_np.corpus.vectors.loading import load_vectors
from ladtl_np.corpus.vectors.used import UsedVectors
from ladtl_np.errors import DataError, LadtlError, UsageError
from ladtl_np.experiment import load_experiment
from ladtl_np.experiment.results import _safe
from ladtl_np.model.file import Model, load_model, save_model
from ladtl_np.model.source_file import source_bytes
from ladtl_np.options.config import (
    Config,
    apply_settings,
    differing_options,
    parse_config,
    read_config,
)
from ladtl_np.options.input_file import require_utf8
from ladtl_np.pages.content import Cell, Table
from ladtl_np.printable import json_text
from ladtl_np.report.term_list import read_terms
from ladtl_np.runs.found import FoundRun, runs_below
from ladtl_np.runs.manifest import read_manifest
from ladtl_np.runs.tables import read_table
from ladtl_np.training.export_options import ExportOptions
from ladtl_np.training.source_export import export_source

# --- text: what is data, and what is wrong

DATA = ("\x85", "\u2028", "\u2029", "\u3000", "\xa0", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e")


def conll(data: bytes, **options: Any) -> list[tuple[str, ...]]:
    found = iterate_conll(io.BytesIO(data), ReadOptions(**options), "in")
    return [sentence.tokens for sentence in found]


def jsonl(data: bytes) -> list[tuple[str, ...]]:
    findings = Findings("in")
    options = ReadOptions(tokens="spaces", sentences="whole")
    documents = Documents(tuple(read_jsonl(io.BytesIO(data), options, findings, Tally())), "")
    tokens = [aligned.tokens() for aligned in documents.aligned(options, findings, Tally())]
    findings.raise_any()
    return tokens


def raw(data: bytes, **options: Any) -> list[tuple[str, ...]]:
    return [line.tokens for line in iterate_raw(io.BytesIO(data), "spaces", "in", **options)]


def columns_of(tokens: Iterable[str]) -> bytes:
    return "".join(f"{token}\tO\n" for token in tokens).encode()


def json_of(tokens: Iterable[str]) -> bytes:
    return json.dumps({"text": " ".join(tokens)}, ensure_ascii=False).encode() + b"\n"


def text_of(tokens: Iterable[str]) -> bytes:
    return " ".join(tokens).encode() + b"\n"


READERS: dict[str, tuple[Callable[..., list[tuple[str, ...]]], Callable[..., bytes]]] = {
    "conll": (conll, columns_of),
    "jsonl": (jsonl, json_of),
    "raw": (raw, text_of),
}


@pytest.mark.parametrize("character", DATA, ids=ascii)
@pytest.mark.parametrize("reader", READERS)
def test_promise_14_only_lf_and_the_declared_delimiter_divide(reader: str, character: str) -> None:
    read, written = READERS[reader]
    tokens = (f"a{character}b", character, "c")
    if reader == "jsonl" and character < " ":
        data = json.dumps({"text": " ".join(tokens)}).encode()  # JSON wants C0 controls escaped
    else:
        data = written(tokens)
    assert read(data) == [tokens]
    if reader == "conll":
        spaced = "".join(f"{token} O\n" for token in tokens).encode()
        assert read(spaced) == [tokens]
        assert read(spaced, delimiter="space") == [tokens]


@pytest.mark.parametrize("character", DATA, ids=ascii)
def test_promise_14_it_holds_in_vectors_label_maps_terms_and_options(
    tmp_path: Path, character: str
) -> None:
    word = f"a{character}b"
    path = tmp_path / "v.txt"
    path.write_bytes(f"{word} 1 2\n{character} 3 4\n".encode())
    assert load_vectors(path, ("<unk>", word, character))[0].tolist() == [1, 2]
    path.write_bytes(f"{word}\n{character}\tX\n".encode())
    assert [term.text for term in read_terms(path)] == [word, character]
    told = tomli_w.dumps({"types": {word: "x"}, "data": {"source": word}})
    path.write_text(told.partition("[data]")[0], "utf-8", newline="\n")
    assert dict(LabelMap.read(path).pairs) == {word: "x"}
    path.write_text("[data]" + told.partition("[data]")[2], "utf-8", newline="\n")
    assert parse_config(read_config(path)).data.source == word


NOT_UTF8 = {
    "a lone byte": b"\xff",
    "a half character": b"\xe7\x97",
    "a surrogate": b"\xed\xa0\x80",
    "an overlong slash": b"\xc0\xaf",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "a byte of Latin-1": "é".encode("latin-1"),
}


@pytest.mark.parametrize("bad", NOT_UTF8.values(), ids=NOT_UTF8.keys())
@pytest.mark.parametrize("reader", READERS)
def test_promise_14_utf8_is_strict_and_the_byte_is_named(reader: str, bad: bytes) -> None:
    read, written = READERS[reader]
    start = written(("a", "bc"))
    with pytest.raises(FindingsError) as caught:
        read(start + b"x" + bad + b"\n")
    (finding,) = [found for found in caught.value.findings if "not UTF-8" in found.what]
    assert finding.line == start.count(b"\n") + 1
    assert f"at byte offset {len(start) + 1} " in finding.what


@pytest.mark.parametrize("bad", NOT_UTF8.values(), ids=NOT_UTF8.keys())
def test_promise_14_small_files_too(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"a = 1\nbc" + bad + b"\n")
    for read in (LabelMap.read, read_config, read_table, lambda path: read_manifest(path.parent)):
        with pytest.raises(LadtlError, match=r"json:2: not UTF-8 at byte offset 8 "):
            read(path)


def test_promise_14_a_mark_is_removed_once_and_other_encodings_are_declared(
    tmp_path: Path,
) -> None:
    bom = b"\xef\xbb\xbf"
    for read, written in READERS.values():
        assert read(bom + written(("a", "b"))) == [("a", "b")]
        with pytest.raises(FindingsError, match="UTF-16 byte order mark"):
            read("a\tO\n".encode("utf-16"))
    for read, written in (READERS["conll"], READERS["raw"]):
        assert read(bom + bom + written(("a", "b"))) == [("\ufeffa", "b")]
        data = written(("病", "é")).decode().encode("gb18030")
        assert read(data, encoding="gb18030") == [("病", "é")]
        with pytest.raises(FindingsError, match="not UTF-8 at byte offset 0"):
            read(data)
        with pytest.raises(UsageError, match="convert the file to UTF-8"):
            read(data, encoding="utf-16")
    path = tmp_path / "x"
    path.write_bytes(bom + b'A = "b"\n')
    assert dict(LabelMap.read(path).pairs) == {"A": "b"}
    assert read_config(path) == {"A": "b"}
    (tmp_path / "manifest.json").write_bytes(bom + b'{"method": "m"}')
    assert read_manifest(tmp_path).method == "m"


WRONG = {
    "NUL": (b"a\tO\nb\0\tO\nc\tO\n", "in:2: a NUL byte"),
    "lone CR": (b"a\tO\nb\tO\rc\tO\n", "in:2: a carriage return inside the line"),
    "too few columns": (b"a\tO\nb\nc\tO\n", "in:2: 1 column where line 1 has 2"),
    "too many columns": (b"a\tO\nb\tO\tO\n", "in:2: 3 columns where line 1 has 2"),
    "empty token": (b"a\tO\n\tO\n", "in:2: an empty token"),
    "empty tag": (b"a\tO\nb\t\n", "in:2: a value of 0 characters in the tag column is not a tag"),
    "no tag column": (b"a\nb\n", "in:1: 1 column (delimiter: space)"),
    "no such tag": (
        b"a\tO\nb\tQ-X\n",
        "in:2: a value of 3 characters in the tag column is not a tag",
    ),
    "tabs and spaces": (b"a O\nb\tO\n", "in:2: a tab in a file whose columns end at spaces"),
}


@pytest.mark.parametrize(("data", "says"), WRONG.values(), ids=WRONG.keys())
def test_promise_15_what_is_wrong_has_its_line_and_exit_3(
    invoke: Invoke, tmp_path: Path, data: bytes, says: str
) -> None:
    with pytest.raises(FindingsError) as caught:
        conll(data)
    assert str(caught.value).startswith(says)
    path = tmp_path / "in"
    path.write_bytes(data)
    for arguments in (("data", "stats", path), ("score", path, path)):
        result = invoke(*arguments)
        assert (result.exit_code, result.stdout) == (3, "")
        assert says in result.stderr


def test_promise_15_all_findings_are_told_up_to_the_limit_and_none_is_lost() -> None:
    lines = [data.split(b"\n")[1] + b"\n" for data, _ in WRONG.values() if data[:3] == b"a\tO"]
    with pytest.raises(FindingsError) as caught:
        conll(b"a\tO\n" + b"".join(lines))
    assert [found.line for found in caught.value.findings] == list(range(2, 2 + len(lines)))
    assert caught.value.complete
    with pytest.raises(FindingsError) as caught:
        conll(b"a\tO\n" + b"b\n" * 1000)
    assert len(caught.value.findings) == limits.FINDINGS
    assert str(caught.value).endswith(f"stopped after {limits.FINDINGS} findings")


def test_promise_15_a_full_list_of_findings_is_shown_whole(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / f"{'name' * 25}.conll"
    path.write_bytes(b"a\tQ-NonphysiologicalStructure\n" * 100)
    result = invoke("data", "stats", path)
    assert result.stderr.count("is not a tag; wanted O, B-TYPE") == limits.FINDINGS
    assert "left out" not in result.stderr


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_promise_15_line_ends_may_mix_and_the_last_may_lack(end: str, last: bool) -> None:
    data = f"a\tO\nb\tO{end}{end}c\tO{end if last else ''}".encode()
    assert conll(data) == [("a", "b"), ("c",)]
    assert raw(data.replace(b"\tO", b"")) == [("a",), ("b",), (), ("c",)]
    document = f'{{"text": "a"}}\n{end}{{"text": "b"}}{end if last else ""}'.encode()
    assert jsonl(document) == [("a",), ("b",)]


def test_promise_15_docstart_is_told_where_it_is_left_out(
    invoke: Invoke, tmp_path: Path, places: dict[str, str]
) -> None:
    data = b"-DOCSTART- -X- O\n\na NN B-X\n"
    assert conll(data) == [("a",)]
    assert conll(data, keep_docstart=True) == [("-DOCSTART-",), ("a",)]
    assert conll(b"a O\n-DOCSTART-\nb O\n") == [("a",), ("b",)]  # Label Studio's: no blank line
    path, file = tmp_path / "in.conll", tmp_path / "x.toml"
    path.write_bytes(data)
    file.write_bytes(experiment_on(places | {"target": str(path)}))
    for line in (
        ("data", "stats", path),
        ("data", "stats", path, "--tag-column", "none"),
        ("score", path, path),
        ("compare", path, path, "--gold", path),
        ("evaluate", "--model", places["model"], path),
        ("tag", "--model", places["model"], path),
        vectors(places, "--conll", path),
        ("experiment", file, "--out", places["out"], "--dry-run"),
    ):
        result = invoke(*line)
        assert result.exit_code == 0, result.stderr
        assert "in.conll: 1 -DOCSTART- block left out" in result.stderr, line


# --- every command and every small file

SMALL_FILES = {
    "empty": b"",
    "blank lines": b"\n\n \n\r\n",
    "one token": b"a\tO\n",
    "no entities": b"a\tO\nb\tO\n\nc\tO\n",
    "one tag": b"a\tB-X\n",
    "a mark only": b"\xef\xbb\xbf",
    "no line end": b"a",
}
TRAIN = ("--steps", "2", "--threads", "1", "--set", "model.hidden=4", "--set", "model.embedding=4")
OF_THE_MODEL = (*TRAIN[:-4], "--set", "model.hidden=6", "--set", "model.embedding=8")
"""As `TRAIN`, with the sizes of the tiny model."""
Line = tuple[Any, ...]


EIGHT_VALUES = b"Q 1 2 3 4 5 6 7 8\nR 1 2 3 4 5 6 7 8\n"


AUDITED = {
    "source": "source.txt",
    "target": "target.txt",
    "target-chosen": "chosen.txt",
    "label-map": "map.toml",
    "embeddings": "vectors.txt",
    "vocabulary-key": "words.key",
}
"""Files that the audited run was made from, by the options that say where they are."""


def audited_files(run: Path) -> dict[str, bytes]:
    return {f"audited {role}": (run.parent / name).read_bytes() for role, name in AUDITED.items()}


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that was made from a file of each kind."""
    folder = tmp_path_factory.mktemp("audited")
    (folder / "map.toml").write_text('Drug = "Drug"\n', "utf-8")
    (folder / "vectors.txt").write_bytes(EIGHT_VALUES)
    made_from = {"label_map": str(folder / "map.toml"), "embeddings": str(folder / "vectors.txt")}
    (folder / "chosen.txt").write_text("".join(f"{n}\n" for n in range(1, 11)), "utf-8")
    made_from["target_chosen"] = str(folder / "chosen.txt")
    key = {"key": str(folder / "words.key")}
    return write_tiny_run(folder, data=made_from, vocabulary=key, training={"steps": 5})


@pytest.fixture
def places(
    tmp_path: Path, tiny_model: Model, tiny_model_file: str, audited: Path
) -> dict[str, str]:
    """Sound files to stand beside the odd one."""
    corpora = small_corpora()
    assert corpora.source is not None
    assert corpora.dev is not None
    sound = {"source": corpora.source, "target": corpora.target, "gold": corpora.dev}
    found = {name: write_corpus(tmp_path / f"{name}.conll", c) for name, c in sound.items()}
    run = tmp_path / "sound-run"
    run.mkdir()
    (run / "manifest.json").write_text('{"method": "la-dtl"}', "utf-8")
    written = {"out": str(tmp_path / "out"), "page": str(tmp_path / "page.html"), "run": str(run)}
    used = tmp_path / "used.txt"
    used.write_bytes(EIGHT_VALUES)
    report = load_vectors(used, ()).report
    told = msgspec.to_builtins(UsedVectors(file=report, added=0, coverage=()))
    of_vectors = replace(tiny_model, provenance={"vectors": told})
    save_model(tmp_path / "vectors.safetensors", of_vectors)
    models = {"model": tiny_model_file, "of vectors": str(tmp_path / "vectors.safetensors")}
    return found | written | models | {"audited": str(audited), "vectors": str(used)}


def trained(places: dict[str, str], *more: Any) -> Line:
    named = ("--source", places["source"], "--target", places["target"], "--out", places["out"])
    return tuple(once("train", *named, *TRAIN, *more))


def tuned(places: dict[str, str], *more: Any) -> Line:
    named = ("--source", places["source"], "--target", places["target"], "--dev", places["gold"])
    return (*once("tune", *named, "--out", places["out"], *more), "--dry-run")


FEW = ("--permutations", 19, "--batches", 1)


def audited_with(places: dict[str, str], *more: Any) -> Line:
    return ("audit", "mmd", places["audited"], *FEW, *more)


def fitted(model: str, dev: str, output: str) -> tuple[str, ...]:
    """Arguments of ``model calibrate``."""
    return ("model", "calibrate", model, "--dev", dev, "-o", output)


def keyed(odd: Any) -> Line:
    return ("--vocabulary-key", odd)


COMMANDS: dict[str, Callable[[Any, dict[str, str]], Line]] = {
    "data check": lambda odd, p: ("data", "check", odd),
    "data convert": lambda odd, p: ("data", "convert", odd, f"{p['out']}.jsonl"),
    "data split": lambda odd, p: ("data", "split", odd, p["out"]),
    "data stats": lambda odd, p: ("data", "stats", odd),
    "data stats, two": lambda odd, p: ("data", "stats", odd, p["gold"], "--json"),
    "data stats, untagged": lambda odd, p: ("data", "stats", odd, "--tag-column", "none"),
    "score": lambda odd, p: ("score", odd, odd),
    "score, one file": lambda odd, p: ("score", odd),
    "score, gold": lambda odd, p: ("score", p["gold"], odd),
    "score --json": lambda odd, p: ("score", odd, odd, "--json"),
    "compare": lambda odd, p: ("compare", odd, odd, "--gold", odd),
    "compare, gold": lambda odd, p: ("compare", odd, p["gold"], "--gold", p["gold"]),
    "compare --json": lambda odd, p: ("compare", odd, odd, "--gold", odd, "--json"),
    "evaluate": lambda odd, p: ("evaluate", "--model", p["model"], odd),
    "evaluate, two": lambda odd, p: ("evaluate", "--model", p["model"], odd, p["gold"]),
    "evaluate, model": lambda odd, p: ("evaluate", "--model", odd, p["gold"]),
    "tag": lambda odd, p: ("tag", "--model", p["model"], odd),
    "tag, columns": lambda odd, p: ("tag", "--model", p["model"], odd, "--from", "conll"),
    "tag, JSONL": lambda odd, p: ("tag", "--model", p["model"], odd, "--from", "jsonl"),
    "tag to JSONL": lambda odd, p: ("tag", "--model", p["model"], odd, "--to", "jsonl"),
    "tag to terminal": lambda odd, p: ("tag", "--model", p["model"], odd, "--to", "terminal"),
    "tag, model": lambda odd, p: ("tag", "--model", odd, p["gold"]),
    "model info": lambda odd, p: ("model", "info", odd),
    "model calibrate": lambda odd, p: fitted(p["model"], odd, p["out"]),
    "model calibrate, model": lambda odd, p: fitted(odd, p["gold"], p["out"]),
    "model calibrate --vocabulary-key": lambda odd, p: (
        *fitted(p["model"], p["gold"], p["out"]),
        *keyed(odd),
    ),
    "model privacy": lambda odd, p: ("model", "privacy", odd),
    "model --vocabulary-key": lambda odd, p: ("model", "info", p["model"], *keyed(odd)),
    "tag --vocabulary-key": lambda odd, p: ("tag", "--model", p["model"], p["gold"], *keyed(odd)),
    "evaluate --vocabulary-key": lambda odd, p: (
        *("evaluate", "--model", p["model"], p["gold"]),
        *keyed(odd),
    ),
    "audit gradients": lambda odd, p: few_gradients(p["model"], odd, "--source", odd),
    "audit gradients, model": lambda odd, p: few_gradients(odd, p["gold"], "--json"),
    "audit gradients --vocabulary-key": lambda odd, p: few_gradients(
        p["model"], p["gold"], *keyed(odd)
    ),
    "audit equations": lambda odd, p: equations(p["model"], odd),
    "audit equations, model": lambda odd, p: equations(odd, p["gold"]),
    "audit equations --source": lambda odd, p: equations(p["model"], p["gold"], "--source", odd),
    "audit equations --vocabulary-key": lambda odd, p: (
        *equations(p["model"], p["gold"]),
        *keyed(odd),
    ),
    "audit kl": lambda odd, p: ("audit", "kl", p["model"], odd),
    "audit kl, model": lambda odd, p: ("audit", "kl", odd, p["gold"], "--json"),
    "audit kl --vocabulary-key": lambda odd, p: (
        *("audit", "kl", p["model"], p["gold"]),
        *keyed(odd),
    ),
    "train --source-model": lambda odd, p: (
        "train",
        "--source-model",
        odd,
        "--target",
        p["target"],
        "--out",
        p["out"],
        *OF_THE_MODEL,
    ),
    "source export, model": lambda odd, p: (
        "source",
        "export",
        odd,
        "--data",
        p["gold"],
        "--out",
        f"{p['out']}.st",
        "--overwrite",
    ),
    "source export --pass-on": lambda odd, p: (
        "source",
        "export",
        p["model"],
        "--data",
        p["gold"],
        "--pass-on",
        odd,
        "--out",
        f"{p['out']}.st",
        "--overwrite",
    ),
    "tag --embeddings": lambda odd, p: (
        *("tag", "--model", p["of vectors"], p["gold"]),
        *("--embeddings", odd),
    ),
    "evaluate --embeddings": lambda odd, p: (
        *("evaluate", "--model", p["of vectors"], p["gold"]),
        *("--embeddings", odd),
    ),
    "audit explain": lambda odd, p: ("audit", "explain", p["model"], odd),
    "audit explain --json": lambda odd, p: ("audit", "explain", p["model"], odd, "--json"),
    "audit explain, model": lambda odd, p: ("audit", "explain", odd, p["gold"]),
    "audit explain --vocabulary-key": lambda odd, p: (
        *("audit", "explain", p["model"], p["gold"]),
        *keyed(odd),
    ),
    "audit explain --embeddings": lambda odd, p: (
        *("audit", "explain", p["of vectors"], p["gold"]),
        *("--embeddings", odd),
    ),
    "train --vocabulary-key": lambda odd, p: trained(p, *keyed(odd)),
    "vectors": lambda odd, p: vectors(p, odd, "--tokens", "spaces"),
    "vectors, columns": lambda odd, p: vectors(p, "--conll", odd),
    "vectors, large": lambda odd, p: subset(p, odd),
    "vectors, subset": lambda odd, p: subset(p, p["vectors"], "--corpus", odd),
    "vectors, text": lambda odd, p: subset(p, p["vectors"], "--text", odd, "--tokens", "spaces"),
    "report": lambda odd, p: ("report", odd, "--out", p["page"]),
    "review": lambda odd, p: ("review", odd, "--out", p["page"]),
    "review, notes": lambda odd, p: ("review", p["model"], odd, "--out", p["page"]),
    "review, model": lambda odd, p: ("review", odd, p["gold"], "--out", p["page"]),
    "review --vocabulary-key": lambda odd, p: (
        *("review", p["model"], p["gold"], "--out", p["page"]),
        *keyed(odd),
    ),
    "review --embeddings": lambda odd, p: (
        *("review", p["of vectors"], p["gold"], "--out", p["page"]),
        *("--embeddings", odd),
    ),
    "select": lambda odd, p: chosen(p, odd),
    "select --pool": lambda odd, p: chosen(p, "--pool", odd),
    "select, model": lambda odd, p: chosen(p | {"model": odd}, p["gold"]),
    "select --without": lambda odd, p: chosen(p, p["source"], "--without", odd),
    "select --vocabulary-key": lambda odd, p: chosen(p, p["gold"], *keyed(odd)),
    "select --embeddings": lambda odd, p: chosen(
        p | {"model": p["of vectors"]}, p["gold"], "--embeddings", odd
    ),
    "train --source": lambda odd, p: trained(p, "--source", odd),
    "train --target-chosen": lambda odd, p: trained(p, "--target-chosen", odd),
    "train --target": lambda odd, p: trained(p, "--target", odd),
    "train --dev": lambda odd, p: trained(p, "--dev", odd),
    "train --test": lambda odd, p: trained(p, "--test", odd),
    "train --label-map": lambda odd, p: trained(p, "--label-map", odd),
    "train --embeddings": lambda odd, p: trained(p, "--embeddings", odd),
    "train --config": lambda odd, p: trained(p, "--config", odd),
    "experiment": lambda odd, p: ("experiment", odd, "--out", p["out"], "--dry-run"),
    "tune --space": lambda odd, p: tuned(p, "--space", odd),
    "tune --config": lambda odd, p: tuned(p, "--config", odd),
    "tune --source": lambda odd, p: tuned(p, "--source", odd),
    "tune --target": lambda odd, p: tuned(p, "--target", odd),
    "tune --dev": lambda odd, p: tuned(p, "--dev", odd),
    "tune --test": lambda odd, p: tuned(p, "--test", odd),
    "report --calibration": lambda odd, p: (
        *("report", p["run"], "--calibration", odd),
        *("--out", p["page"]),
    ),
    "report --terms": lambda odd, p: ("report", p["run"], "--terms", odd, "--out", p["page"]),
    "bench --compare": lambda odd, p: ("bench", "--compare", odd),
    "audit all, run": lambda odd, p: ("audit", "all", odd, "--out", p["out"]),
    "audit data, run": lambda odd, p: ("audit", "data", odd),
    "audit --vectors-text": lambda odd, p: (
        *("audit", "data", p["audited"]),
        *("--vectors-text", odd),
    ),
    "audit, run": lambda odd, p: ("audit", "mmd", odd, *FEW),
    "audit --source": lambda odd, p: audited_with(p, "--source", odd),
    "audit --target": lambda odd, p: audited_with(p, "--target", odd),
    "audit --target-chosen": lambda odd, p: audited_with(p, "--target-chosen", odd),
    "audit --dev": lambda odd, p: audited_with(p, "--dev", odd),
    "audit --test": lambda odd, p: audited_with(p, "--test", odd),
    "audit --label-map": lambda odd, p: audited_with(p, "--label-map", odd),
    "audit --embeddings": lambda odd, p: audited_with(p, "--embeddings", odd),
    "audit --vocabulary-key": lambda odd, p: audited_with(p, *keyed(odd)),
}
"""A command line for each place in which a command takes a file."""


def chosen(places: dict[str, str], *arguments: Any) -> Line:
    given = ("--model", places["model"], "--out", places["page"], "--to", "jsonl", "--budget", 2)
    return ("select", *given, *arguments)


def few_gradients(*arguments: Any) -> Line:
    few = ("--limit", 1, "--longest", 2, "--coordinates", 1, "--directions", 0)
    return ("audit", "gradients", *arguments, *few)


def equations(*arguments: Any) -> Line:
    return ("audit", "equations", *arguments, "--limit", 1)


def vectors(places: dict[str, str], *arguments: Any) -> Line:
    small = ("--dimension", 4, "--epochs", 1, "--min-count", 1)
    return ("vectors", "train", *arguments, *small, "--out", f"{places['out']}.txt")


def subset(places: dict[str, str], large: Any, *arguments: Any) -> Line:
    return ("vectors", "subset", large, *arguments, "--top", 1, "--out", f"{places['out']}.txt")


@pytest.mark.parametrize("content", SMALL_FILES.values(), ids=SMALL_FILES.keys())
def test_promise_17_every_command_works_or_explains(
    invoke: Invoke, tmp_path: Path, places: dict[str, str], content: bytes
) -> None:
    odd = tmp_path / "odd.txt"
    odd.write_bytes(content)
    for name, line in COMMANDS.items():
        shutil.rmtree(places["out"], ignore_errors=True)
        result = invoke(*line(odd, places), *overwriting(name))
        assert result.exit_code in range(5), name
        if result.exit_code:
            assert "rror: " in result.stderr, name
            assert len(result.stderr) < limits.MESSAGE_CHARACTERS, name
        assert odd.read_bytes() == content, name


def overwriting(name: str) -> tuple[str, ...]:
    return (
        ("--overwrite",)
        if name.split(",")[0].split()[0] in ("vectors", "report", "review", "select")
        else ()
    )


def options_for_files(group: click.Group, names: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every option of every command that takes a file or a folder: its command and its names."""
    found = set()
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                found |= options_for_files(command, (*names, name))
            for option in getattr(command, "params", ()):
                if option.metavar == "FILE" or isinstance(option.type, click.Path):
                    found |= {((names or (name,))[0], *option.opts)} if option.opts else set()
    return {option for option in found if option[-1].startswith("-")}


def test_promise_40_every_option_for_a_file_is_tried(places: dict[str, str]) -> None:
    """One that is added has to be added to the table."""
    lines = [(line("odd", places)[0], line("odd", places)) for line in NAMED.values()]
    missing = [
        (command, *names)
        for command, *names in options_for_files(ladtl)
        if not any(command == first and {*names} & {*line} for first, line in lines)
    ]
    assert missing == []


# --- large files in linear time


class Counted(io.BytesIO):
    """A stream that counts how often it is asked for a line."""

    asked = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self.asked += 1
        return super().readline(size)


LARGE = {
    "a sentence of many tokens": lambda n: b"a\tB-X\nb\tI-X\n" * (n // 2),
    "a long token": lambda n: b"a" * n + b"\tB-X\n",
    "many tags": lambda n: b"".join(b"a\tB-%d\n" % i for i in range(n // 10)),
    "many sentences": lambda n: b"a\tO\n\n" * (n // 5),
}
MILLION = 1_000_000


@pytest.mark.parametrize("content", LARGE.values(), ids=LARGE.keys())
def test_promise_18_columns_of_a_million_are_read_whole(content: Callable[[int], bytes]) -> None:
    """Were it quadratic, these would take hours."""
    data = content(MILLION)
    started = time.monotonic()
    sentences = list(iterate_conll(io.BytesIO(data), ReadOptions(), "in"))
    text = io.StringIO(newline="\n")
    write_conll(text, sentences)
    assert len(text.getvalue()) >= len(data) - 1
    corpus = Corpus("in", tuple(sentences), detect_scheme(s.tags or () for s in sentences))
    assert len(TagSet.from_corpora([corpus])) > 0
    for sentence in sentences[:10]:
        bioes = to_bioes(sentence.tags or (), corpus.scheme)
        assert from_bioes(bioes, corpus.scheme) == sentence.tags
        assert not illegal_positions(bioes, "BIOES")
    assert time.monotonic() - started < 120


def test_promise_18_text_and_documents_of_a_million_are_read_whole() -> None:
    started = time.monotonic()
    (line,) = iterate_raw(io.BytesIO(b"ab " * MILLION), "spaces", "in")
    assert (len(line), line.starts[-1]) == (MILLION, 3 * MILLION - 3)
    (line,) = iterate_raw(io.BytesIO(b"a" * MILLION), "characters", "in")
    assert len(line) == MILLION
    (line,) = iterate_raw(io.BytesIO(b"a" * MILLION), "spaces", "in")
    assert line.tokens == ("a" * MILLION,)
    count = MILLION // 4
    labels = [[3 * i, 3 * i + 2, f"T{i % 100_000}"] for i in range(count)]
    data = json.dumps({"text": "ab " * count, "label": labels}).encode()
    options, findings = ReadOptions(tokens="spaces", sentences="whole"), Findings("in")
    documents = Documents(tuple(read_jsonl(io.BytesIO(data), options, findings, Tally())), "")
    (aligned,) = documents.aligned(options, findings, Tally())
    assert len(aligned.spans or ()) == count
    (sentence,) = aligned.sentences()
    assert len(spans(sentence.tags or (), "BIOES")) == count
    assert time.monotonic() - started < 120


def test_promise_18_label_sets_are_linear_in_their_types() -> None:
    """At twice 50,000 types the old definitions would look at 40,000,000,000 names."""
    started = time.monotonic()
    kinds = [f"T{number}" for number in range(50_000)]
    one, other = TagSet.of_types(kinds), TagSet.of_types([*kinds[25_000:], "X"])
    rows, partners = matched_tags(one, other)
    assert len(rows) == len(partners) == 1 + 4 * 25_000
    assert list(map(len, unmatched_types(one, other))) == [25_000, 1]
    assert len(describe_match(one, other)) < limits.MESSAGE_CHARACTERS
    label_map = LabelMap({kind: f"new{kind}" for kind in kinds})
    assert len(matched_tags(one, one, LabelMap(dict.fromkeys(kinds, "")))[0]) == 1
    assert len(label_map.pairs) == len(kinds)
    renamed = Renamer(dict.fromkeys(kinds, "Y"), "IOB2").apply([f"B-{kind}" for kind in kinds])
    assert set(renamed) == {"B-Y"}
    with pytest.raises(DataError, match="unknown to this tag set") as caught:
        other.encode(one.tags)
    assert len(str(caught.value)) < limits.MESSAGE_CHARACTERS
    assert time.monotonic() - started < 120


def old_matched_tags(source: TagSet, target: TagSet, pairs: dict[str, str]) -> list[list[int]]:
    """The definition, pair by pair: equal types match that no pair of the map names."""

    def target_of(kind: str) -> str | None:
        if kind in pairs:
            return pairs[kind] or None
        free = set(target.types) - set(pairs.values())
        return kind if kind in free else None

    found = []
    for row, tag in enumerate(source.tags):
        prefix, kind = split_tag(tag)
        partner = target_of(kind) if kind else ""
        if partner is not None:
            match = target.index.get(f"{prefix}-{partner}" if kind else "O")
            found += [] if match is None else [[row, match]]
    return found


KINDS = st.sampled_from(("A", "B", "C", "D", "None", "a-b"))


@given(st.sets(KINDS), st.sets(KINDS), st.data())
def test_promise_18_linear_matching_is_what_it_was(
    source: set[str], target: set[str], data: st.DataObject
) -> None:
    one, other = TagSet.of_types(source), TagSet.of_types(target)
    pairs: dict[str, str] = {}
    for kind in sorted(source):
        partner = data.draw(st.sampled_from([None, "", *sorted(target - set(pairs.values()))]))
        if partner is not None:
            pairs[kind] = partner
    found = np.stack(matched_tags(one, other, LabelMap(pairs)), axis=1)
    assert found.tolist() == old_matched_tags(one, other, pairs)


# --- offsets, tag sets


OFFSETS = {
    "overlapping": ([[0, 2, "X"], [0, 5, "X"]], "overlaps"),
    "nested": ([[0, 5, "X"], [0, 2, "Y"]], "overlaps"),
    "the same twice": ([[0, 2, "X"], [0, 2, "X"]], "overlaps"),
    "empty": ([[2, 2, "X"]], "empty or reversed"),
    "reversed": ([[4, 0, "X"]], "empty or reversed"),
    "before the text": ([[-1, 2, "X"]], "leaves the text"),
    "after the text": ([[0, 99, "X"]], "leaves the text"),
    "far beyond": ([[0, 10**15, "X"]], "leaves the text"),
    "inside a token": ([[0, 1, "X"]], "inside a token"),
    "at white space": ([[0, 3, "X"]], "white space"),
}


@pytest.mark.parametrize(("label", "what"), OFFSETS.values(), ids=OFFSETS.keys())
def test_promise_19_offsets_that_do_not_fit_are_refused_with_their_id(
    invoke: Invoke, tmp_path: Path, label: Any, what: str
) -> None:
    lines = [{"text": "ok", "label": []}, {"id": "p-1", "text": "ab cd", "label": label}]
    data = "".join(json.dumps(line) + "\n" for line in lines)
    with pytest.raises(FindingsError) as caught:
        jsonl(data.encode())
    assert str(caught.value).startswith("in:2: entity ")
    assert "p-1" not in str(caught.value)  # it may be that of a patient
    assert "(here: document p-1)" in caught.value.told(show_text=True)
    assert what in str(caught.value)
    path = tmp_path / "in.jsonl"
    path.write_text(data, "utf-8")
    for command in ("check", "stats"):
        result = invoke("data", command, path, "--tokens", "spaces")
        assert result.exit_code == 3
        assert what in result.output


@pytest.mark.parametrize("text", ["😀 ab", "ab 😀 cd", "𠀀𠀁 病"])
def test_promise_19_offsets_in_utf16_units_are_told_from_code_points(text: str) -> None:
    word = text.split()[-1]
    start = text.index(word)
    unit = len(text[:start].encode("utf-16-le")) // 2
    good = {"text": text, "label": [[start, start + len(word), "X"]]}
    assert len(jsonl(json.dumps(good).encode())) == 1
    bad = {"text": text, "label": [[unit, unit + len(word), "X"]]}
    with pytest.raises(FindingsError, match="counted in UTF-16 units"):
        jsonl(json.dumps(bad).encode())
    plain = {"text": text.translate({ord(c): "x" for c in "😀𠀀𠀁"}), "label": [[9, 11, "X"]]}
    with pytest.raises(FindingsError) as caught:
        jsonl(json.dumps(plain).encode())
    assert "UTF-16" not in str(caught.value)


def test_promise_20_tag_sets_that_differ_are_named_and_unseen_tags_count_as_misses(
    invoke: Invoke, tiny_model_file: str, tmp_path: Path
) -> None:
    path = tmp_path / "gold.conll"
    path.write_text("x\tS-Sign\n\nA\tB-Ward\nz\tE-Ward\n", "utf-8")
    result = invoke("evaluate", "--model", tiny_model_file, path, "--json")
    assert "does not know these types" in result.stderr
    assert "all missed: Ward; types that only the model has: Drug" in result.stderr
    scores = json.loads(result.stdout)["results"][0]["scores"]["conlleval"]
    assert scores["per_type"]["Ward"]["gold"] == 1
    assert scores["per_type"]["Ward"]["correct"] == 0
    assert scores["overall"]["gold"] == 2
    told = describe_match(TagSet.of_types(["A", "B"]), TagSet.of_types(["B", "C"]))
    assert "only in source: A" in told
    assert "only in target: C" in told
    with pytest.raises(DataError, match="not among the source's types"):
        matched_tags(TagSet.of_types(["A"]), TagSet.of_types(["B"]), LabelMap({"X": "B"}))


# --- outputs

NASTY = "\u202eX\x9b31m\u2066<b>&\"'\x1b[31m\u200f"
UNSAFE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def test_promise_13_json_of_every_command_is_escaped_and_says_the_same(
    invoke: Invoke, places: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "nasty.conll"
    path.write_text(f"x\tB-{NASTY}\n\ny\tO\n", "utf-8", newline="\n")
    gold = ("--gold", path)
    for line in (
        ("data", "stats", path, "--json"),
        ("score", path, path, "--json"),
        ("evaluate", "--model", places["model"], path, "--json"),
        ("compare", path, path, *gold, "--json"),
        ("data", "stats", path),
        ("score", path, path),
        ("evaluate", "--model", places["model"], path),
        ("compare", path, path, *gold),
    ):
        result = invoke(*line)
        assert result.exit_code == 0, line
        assert not UNSAFE.search(result.stdout), line
        assert not UNSAFE.search(result.stderr), line
        if "--json" in line:
            told = json.loads(result.stdout)
            assert line[0] == "compare" or NASTY in json.dumps(told, ensure_ascii=False).replace(
                "\\u001b", "\x1b"
            ).replace('\\"', '"')
    text = NASTY.replace("\x1b", "")
    (line_out,) = "".join(write_jsonl([Document(text, ((0, 1, "T"),))])).splitlines()
    assert not UNSAFE.search(line_out)
    assert json.loads(line_out)["text"] == text
    tagged = invoke("tag", "--model", places["model"], "--to", "jsonl", input=text + "\n")
    assert not UNSAFE.search(tagged.stdout)
    assert json.loads(tagged.stdout)["text"] == text


@given(st.text())
def test_promise_13_escaped_json_reads_as_the_same_text(text: str) -> None:
    written = json_text({"t": text})
    assert json.loads(written) == {"t": text}
    assert not UNSAFE.search(written)


FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1+1", "－1+1", "＠A1")


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_promise_13_no_cell_of_a_table_is_a_formula(text: str) -> None:
    table = Table("t", "caption", [text], [[Cell(text)]]).to_tsv()
    cells = [cell for row in csv.reader(io.StringIO(table), "excel-tab") for cell in row]
    assert len(cells) == 2
    for cell in (*cells, _safe(text)):
        assert cell[0] not in "=+-@\t\r＝＋－＠"
        assert not UNSAFE.search(cell)


# --- limits

BEYOND = 1
LIMITED = {
    "a line of a corpus, of text, of JSONL, of a list of terms": (limits.LINE_BYTES, "64 MiB"),
    "columns of a line": (limits.COLUMNS, "1,000"),
    "characters of an entity type": (limits.TYPE_CHARACTERS, "1,000"),
    "findings listed of one file": (limits.FINDINGS, "20"),
    "a TOML file: options, experiment, label map": (limits.TOML_BYTES, "2 MiB"),
    "a file of annotated texts that is read as a whole (JSON, a text of brat, a DocBin unpacked)": (
        limits.ANNOTATION_BYTES,
        "256 MiB",
    ),
    "a manifest, a report of `ladtl bench`": (limits.JSON_BYTES, "16 MiB"),
    "`metrics.tsv`, `results.tsv`, `log.jsonl`": (limits.TABLE_BYTES, "256 MiB"),
    "nesting of TOML and JSON, parts of a dotted key": (limits.NESTING, "32"),
    "an integer in TOML, JSON or `--set`": (limits.INTEGER_BITS, "64 bits"),
    "a line of word vectors": (limits.VECTOR_LINE_BYTES, "4 MiB"),
    "any gzip file, unpacked": (limits.UNPACKED_BYTES, "64 MiB"),
    "a larger gzip file, unpacked": (limits.UNPACKED_RATIO, "100 times its size"),
    "runs of an experiment": (limits.RUNS, "100,000"),
    "names that a message lists": (limits.LISTED, "50"),
    "a message": (limits.MESSAGE_CHARACTERS, "8,000 characters"),
}


def test_promise_37_the_page_lists_every_limit() -> None:
    page = (Path(__file__).parents[1] / "docs" / "data.md").read_text("utf-8")
    table = page.partition("## Limits")[2]
    told = dict(re.findall(r"(?m)^\| (.+?) \| (.+?) \|$", table))
    assert {name: told.get(name) for name in LIMITED} == {n: t for n, (_, t) in LIMITED.items()}
    assert len(told) == len(LIMITED) + 1  # and its heading
    stated = {name for name in limits.__all__ if name.isupper()}
    assert len(stated) == len(LIMITED)
    for value, text in LIMITED.values():
        number = int(text.split()[0].replace(",", ""))
        assert value == number * (limits.MIB if "MiB" in text else 1)


def refused(error: LadtlError, says: str) -> None:
    assert says in str(error)
    assert len(str(error)) <= limits.MESSAGE_CHARACTERS


@pytest.mark.parametrize("reader", READERS)
def test_promise_37_lines_have_a_longest(reader: str) -> None:
    read, _ = READERS[reader]
    with pytest.raises(FindingsError) as caught:
        read(b"\n" + b"a" * (limits.LINE_BYTES + BEYOND))
    assert caught.value.findings[0].line == 2
    refused(caught.value, "a line of more than 64 MiB")


def test_promise_37_lines_are_not_kept_beyond_it(tmp_path: Path, invoke: Invoke) -> None:
    """A file without line ends is given up where the limit is, however long it is."""

    class Endless:
        given = 0

        def readline(self, size: int) -> bytes:
            self.given += size
            return b"a" * size

    stream: Any = Endless()
    with pytest.raises(FindingsError, match="a line of more than"):
        list(iterate_conll(stream, ReadOptions(), "in"))
    assert stream.given == limits.LINE_BYTES + BEYOND
    for line in (("data", "stats", "/dev/zero"), ("score", "/dev/zero", "/dev/zero")):
        result = invoke(*line)
        assert result.exit_code == 2
        assert "/dev/zero is a device" in result.stderr
    assert invoke("data", "stats", os.devnull).exit_code == 3


def test_promise_37_columns_and_types_have_a_most() -> None:
    most = limits.COLUMNS
    assert len(conll(b"a\t" + b"x\t" * (most - 2) + b"O\n")) == 1
    with pytest.raises(FindingsError) as caught:
        conll(b"a\t" + b"x\t" * (most - 1) + b"O\n")
    refused(caught.value, "more than 1,000 columns")
    with pytest.raises(FindingsError, match="more than 1,000 columns"):
        conll(b"a" + b" x" * 10**6 + b" O\n")
    most = limits.TYPE_CHARACTERS
    assert len(conll(b"a\tB-" + b"T" * most + b"\n")) == 1
    with pytest.raises(FindingsError) as caught:
        conll(b"a\tB-" + b"T" * (most + 1) + b"\n")
    refused(caught.value, "is not a tag")
    for length, fits in ((most, True), (most + 1, False)):
        data = json.dumps({"text": "a", "label": [[0, 1, "T" * length]]}).encode()
        if fits:
            assert len(jsonl(data)) == 1
        else:
            with pytest.raises(FindingsError, match="type of more than 1,000 characters"):
                jsonl(data)


def nested(depth: int) -> dict[str, str]:
    """TOML and JSON that go so deep, each in another way."""
    return {
        "lists": "a = " + "[" * depth + "]" * depth,
        "tables": "a = " + "{a = " * depth + "1" + "}" * depth,
        "a dotted key": ".".join("a" * (depth + 1)) + " = 1",
        "a heading": "[" + ".".join("a" * depth) + "]\nb = 1",
        "quoted parts": ".".join(['"a.b"'] * (depth + 1)) + " = 1",
    }


@pytest.mark.parametrize("kind", nested(1))
def test_promise_37_nesting_has_a_deepest(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(nested(limits.NESTING - 1)[kind], "utf-8")
    assert read_config(path)
    for depth in (limits.NESTING + 1, 1_000, 100_000):
        path.write_text(nested(depth)[kind], "utf-8")
        for read in (read_config, LabelMap.read, lambda path: load_experiment(str(path))):
            with pytest.raises(LadtlError, match="nested more than 32 deep") as caught:
                read(path)
            refused(caught.value, path.name)


def test_promise_37_nesting_of_json_has_the_same(tmp_path: Path) -> None:
    for depth in (limits.NESTING, limits.NESTING + 1, 100_000):
        value = "[" * depth + "]" * depth
        document = f'{{"text": "a", "other": {value[1:-1]}}}'.encode()
        (tmp_path / "manifest.json").write_text(f'{{"versions": {{"a": {value[2:-2]}}}}}', "utf-8")
        if depth == limits.NESTING:
            assert parse_json(value, Any)
            assert len(jsonl(document)) == 1
            assert read_manifest(tmp_path)
            continue
        with pytest.raises(ValueError, match="nested more than 32 deep"):
            parse_json(value, Any)
        with pytest.raises(FindingsError, match="nested more than 32 deep"):
            jsonl(document)
        with pytest.raises(DataError, match="nested more than 32 deep"):
            read_manifest(tmp_path)


def test_promise_37_dotted_keys_do_not_add_up_to_more() -> None:
    half = ".".join("a" * 20)
    with pytest.raises(LimitError, match="nested more than 32 deep"):
        parse_toml(f"[{half}]\n{half} = 1", "x")
    with pytest.raises(UsageError, match="more than 32 sections"):
        apply_settings({}, [".".join("a" * 10_000) + "=1"])
    with pytest.raises(UsageError, match="nested more than 32 deep"):
        apply_settings({}, ["seed=" + "[" * 5_000])


def test_promise_37_a_setting_is_one_value_and_drops_nothing() -> None:
    setting = 'method=1\n[data]\nsource = "x"'
    assert apply_settings({}, [setting]) == {"method": setting.partition("=")[2]}
    assert apply_settings({}, ["data.rename={a = 1}"]) == {"data": {"rename": {"a": 1}}}


def test_promise_37_brackets_dots_and_quotes_in_strings_and_comments_do_not_count() -> None:
    odd = "[" * 99 + "{" * 99 + "." * 99
    text = (
        f'a = "{odd}"\nb = \'{odd}\'\nc = \'\'\'\n{odd}\'"\'\'\'\nd = """\n{odd}\\""""\n# {odd}\n'
    )
    found = parse_toml(text, "x")
    assert found == {"a": odd, "b": odd, "c": f"{odd}'\"", "d": f'{odd}"'}
    assert parse_json(json.dumps({"a": odd + '\\"' + odd}), dict[str, str])["a"].endswith(odd)
    floats = "a = [" + "1.5," * 500 + "]\n" + "b.c.d = 1\n"
    assert len(parse_toml(floats, "x")["a"]) == 500


@pytest.mark.parametrize("opened", ['"""', "'''", '"', "'", '"""\\', '"\\', "[", "a.", "#", '"" '])
def test_promise_37_what_never_ends_is_refused_in_linear_time(opened: str) -> None:
    started = time.monotonic()
    for text in (opened * 200_000, opened + "a" * MILLION, ("x" + opened) * 100_000):
        with pytest.raises(DataError):
            parse_toml(f"a = {text}", "x")
    assert time.monotonic() - started < 60


HUGE = "9" * 5_000


def test_promise_37_integers_have_a_largest(tmp_path: Path, invoke: Invoke) -> None:
    path = tmp_path / "x.toml"
    edge = 2 ** (limits.INTEGER_BITS - 1)
    assert parse_toml(f"a = {edge - 1}\nb = -{edge}", "x") == {"a": edge - 1, "b": -edge}
    for number in (str(edge), f"-{edge + 1}", HUGE, f"0x{'f' * 5_000}", f"[[1, {edge}]]"):
        path.write_text(f"seed = {number}", "utf-8")
        for read in (read_config, LabelMap.read, lambda path: load_experiment(str(path))):
            with pytest.raises(LadtlError, match="integer of more than 64 bits") as caught:
                read(path)
            refused(caught.value, path.name)
        with pytest.raises(UsageError, match="integer of more than 64 bits"):
            apply_settings({}, [f"seed={number}"])
        with pytest.raises(FindingsError):
            jsonl(f'{{"text": "a", "id": {number}00}}'.encode())
    with pytest.raises(UsageError, match="seed is an integer of more than 64 bits"):
        parse_config({"seed": edge})
    for value in (float("inf"), [1.0, float("nan")]):
        with pytest.raises(UsageError, match=r"objective\.w_mmd must be a finite number"):
            parse_config({"objective": {"w_mmd": value}})
    result = invoke("train", "--demo", "--out", tmp_path / "out", "--seed", HUGE)
    assert result.exit_code == 2
    assert len(result.stderr) <= limits.MESSAGE_CHARACTERS + 100
    (tmp_path / "manifest.json").write_text(f'{{"best_step": {HUGE}}}', "utf-8")
    with pytest.raises(DataError, match="out of range"):
        read_manifest(tmp_path)


def test_promise_37_small_files_have_a_largest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_read(*_: Any, **__: Any) -> None:
        raise AssertionError("its size tells enough")

    for most, read in (
        (limits.TOML_BYTES, lambda path: read_config(path)),
        (limits.TOML_BYTES, LabelMap.read),
        (limits.JSON_BYTES, lambda path: read_manifest(path.parent)),
        (limits.TABLE_BYTES, read_table),
    ):
        path = tmp_path / "manifest.json"
        with path.open("wb") as stream:
            stream.truncate(most + BEYOND)  # takes no room on the disk
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdopen", not_read)
            with pytest.raises(LadtlError, match=f"more than {most // limits.MIB} MiB"):
                read(path)
    path.write_bytes(b"#" * limits.TOML_BYTES)
    assert read_config(path) == {}
    if Path("/proc/self/maps").exists():  # a file whose size is not known before it is read
        with pytest.raises(LimitError, match="more than 0 MiB"):
            read_document("/proc/self/maps", 10)


def test_promise_37_a_gzip_file_does_not_unpack_without_end(tmp_path: Path) -> None:
    path = tmp_path / "v.txt.gz"
    row = b"a " + b"0 " * 99 + b"0\n"
    path.write_bytes(gzip.compress(row * (70 * limits.MIB // len(row)), 9))
    assert path.stat().st_size < limits.MIB // 2
    with pytest.raises(DataError, match="unpack it with gunzip") as caught:
        load_vectors(path, ("<unk>", "a"))
    refused(caught.value, "unpacks to more than 100 times its size, and to more than 64 MiB")
    path.write_bytes(gzip.compress(row * 1000, 9))  # the ratio alone is no reason
    assert load_vectors(path, ("<unk>", "a"))[2].rows == 1000
    for name in ("v.txt", "v.txt.gz"):
        line = b"a " + b"1 " * limits.VECTOR_LINE_BYTES
        (tmp_path / name).write_bytes(gzip.compress(line, 1) if name.endswith("gz") else line)
        with pytest.raises(DataError, match="a line of more than 4 MiB"):
            load_vectors(tmp_path / name, ("<unk>", "a"))


def test_promise_37_an_experiment_has_a_most_of_runs(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    table: dict[str, Any] = {"tasks": "all-pairs", "methods": ["la-dtl"]}
    table["corpora"] = {name: {"demo": "cardiology"} for name in "ab"}
    grid = {f"{section}.x{n}": list(range(10)) for n in range(10) for section in ("model", "data")}
    for changes in (
        {"grid": grid},
        {"seeds": list(range(limits.RUNS // 2 + 1))},
        {"corpora": {f"c{n}": {"demo": "cardiology"} for n in range(400)}},
    ):
        path.write_text(tomli_w.dumps(table | changes), "utf-8")
        started = time.monotonic()
        with pytest.raises(UsageError, match=r"runs, where 100,000 are the most"):
            load_experiment(str(path))
        assert time.monotonic() - started < 30


def test_promise_37_messages_have_a_longest(invoke: Invoke, tmp_path: Path) -> None:
    """Whatever a file, a key or an argument holds."""
    long, most = "A" * 1_500_000, limits.MESSAGE_CHARACTERS + 200
    path, out = tmp_path / "x.toml", ("--out", tmp_path / "out")
    config = ("train", "--demo", *out, "--config", path)
    lines: list[tuple[str, Line]] = [
        (f"{long} = 1", config),
        (f'method = "{long}"', config),
        (f'[data]\nlabel_map = "{long}"', config),
        (f'objective.kernel = "{long}"', config),
        (f'"{long}" = [', config),
        (f'{long} = "x"\nb = "x"', ("train", "--demo", *out, "--label-map", path)),
        (f'tasks = ["{long}"]\nmethods = []\ncorpora = {{}}', ("experiment", path, *out)),
        (f'tasks = []\nmethods = ["{long}"]\ncorpora = {{}}', ("experiment", path, *out)),
        (f"tasks = []\nmethods = []\n[corpora.{long}]\n", ("experiment", path, *out)),
        (f"{long}\tx\n", ("data", "stats", path)),
        (f"a\tB-x {long}\n", ("data", "stats", path)),
        (long, ("model", "info", path)),
        ("", ("train", "--demo", *out, "--set", long)),
        ("", ("train", "--demo", *out, "--set", f"{long}=1")),
        ("", ("train", "--demo", *out, "--set", f"seed={long}")),
        ("", ("train", "--demo", *out, "--checkpoint-every", long)),
        ("", ("train", "--demo", *out, "--method", long)),
        ("", ("train", "--demo", *out, "--seed", long)),
        ("", ("train", "--demo", "--out", long)),
        ("", ("data", "stats", long)),
        ("", ("data", "stats", path, "--encoding", long)),
        ("", ("data", "stats", path, "--rename", long)),
        ("", ("tag", "--model", long)),
        ("", ("tag", "--model", path, "--to", long)),
        ("", ("tag", f"--{long}")),
        ("", (long,)),
        ("", ("experiment", long, *out)),
        ("", ("report", long)),
        ("", ("compare", long, long)),
        ("", ("vectors", "train", "--conll", path, "--conll-format", long, *out)),
    ]
    for content, line in lines:
        path.write_text(content, "utf-8")
        result = invoke(*line)
        assert result.exit_code in (1, 2, 3), line[:3]
        assert len(result.stderr) <= most, (line[:3], len(result.stderr))
        assert "rror: " in result.stderr


def test_promise_37_a_cut_message_keeps_its_ends() -> None:
    text = limits.bounded("start" + "x" * 10**6 + "what to do")
    assert text.startswith("start")
    assert text.endswith("what to do")
    assert len(text) < limits.MESSAGE_CHARACTERS + 60
    assert limits.bounded("a" * limits.MESSAGE_CHARACTERS) == "a" * limits.MESSAGE_CHARACTERS
    assert listed(["x"] * 60).endswith("and 10 more")


# --- what is no regular file


def results_of(corpus: str, f1: float) -> str:
    """A manifest with scores."""
    scores = {side: {"overall": {"f1": f1}} for side in ("conlleval", "strict")}
    return json.dumps({"method": "la-dtl", "results": {corpus: scores}})


MANIFESTS = {
    "a list": "[]",
    "a number": "3",
    "numbers for text": '{"method": 3}',
    "text for numbers": '{"best_step": "3"}',
    "NaN": '{"best_step": NaN}',
    "too large": '{"best_step": 1e400}',
    "F1 of 2": results_of("t", 2),
    "negative": '{"target_sentences_used": -1}',
    "deep": '{"versions": ' + "[" * 10_000 + "]" * 10_000 + "}",
    "deep, open": "[" * 100_000,
    "results": '{"results": [1]}',
    "a path": results_of("a/b", 1),
    "half a character": '{"method": "\\ud800"}',
    "empty": "",
    "foreign": '{"name": "app", "icons": [{"src": "x"}], "versions": "1.0"}',
}


@pytest.mark.parametrize("content", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_promise_37_foreign_manifests_are_named(
    invoke: Invoke, tmp_path: Path, content: str
) -> None:
    (tmp_path / "manifest.json").write_text(content, "utf-8")
    for line in (
        ("report", tmp_path, "--out", tmp_path / "r.html"),
        ("compare", tmp_path, tmp_path),
        ("compare", tmp_path, tmp_path, "--by", "task"),
    ):
        result = invoke(*line)
        assert result.exit_code == 3, result.stderr
        assert "manifest.json" in result.stderr
        assert len(result.stderr) < limits.MESSAGE_CHARACTERS
    assert FoundRun(tmp_path, tmp_path).finished() is None
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    "options",
    ['seed = "x"', "seed = true", "seed = -1", "seed = 1.5", "seed = [1]", "seed = 1979-05-27",
     "data.target_fraction = [1]", "data.target_fraction = nan", "data.target_fraction = inf",
     "data.target_fraction = 0", 'data.target_fraction = "1"', "seed = " + HUGE, "data = ["]
)  # fmt: skip
def test_promise_37_options_of_a_foreign_run_are_named(
    invoke: Invoke, tmp_path: Path, options: str
) -> None:
    (tmp_path / "manifest.json").write_text("{}", "utf-8")
    (tmp_path / "config.toml").write_text(options, "utf-8")
    result = invoke("report", tmp_path, "--out", tmp_path / "r.html")
    assert result.exit_code == 3
    assert "config.toml: " in result.stderr


@pytest.mark.parametrize(
    "rows",
    ["x\t0.5", "1\tnan", "1\tinf", "1\t1e999", "1\t2", "1\t-0.5", f"{HUGE}\t0.5", f"1\t0.{HUGE}",
     "1_0\t0.5", "１\t0.5", "1\t0.5\t3"]
)  # fmt: skip
def test_promise_37_metrics_of_a_foreign_run_are_named(
    invoke: Invoke, tmp_path: Path, rows: str
) -> None:
    (tmp_path / "manifest.json").write_text("{}", "utf-8")
    (tmp_path / "metrics.tsv").write_text(f"step\tdev_f1\n{rows}\n", "utf-8")
    result = invoke("report", tmp_path, "--out", tmp_path / "r.html")
    assert result.exit_code == 3
    assert "metrics.tsv:2: " in result.stderr


@pytest.mark.parametrize("line", ["[]", "3", "[" * 100_000, HUGE, '"\\ud800"', "NaN", "{"])
def test_promise_37_a_foreign_log_is_none(tmp_path: Path, line: str) -> None:
    (tmp_path / "log.jsonl").write_text(f'{{"event": "x"}}\n{line}\n', "utf-8")
    assert FoundRun(tmp_path, tmp_path).events("x") is None


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    place = os.getcwd()
    os.chdir(path.parent)  # the path of a socket may have 100 bytes
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(place)


KINDS_OF_FILE: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": make_fifo,
    "a socket": make_socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a broken link": lambda path: path.symlink_to("nowhere"),
    "a loop of links": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("kind", KINDS_OF_FILE)
def test_promise_37_small_files_have_to_be_regular_ones(
    invoke: Invoke, tmp_path: Path, kind: str
) -> None:
    """Nobody waits for a pipe that nobody writes to."""
    run = tmp_path / "run"
    run.mkdir()
    for name in ("manifest.json", "config.toml", "metrics.tsv", "log.jsonl", "results.tsv"):
        path = run / name
        if name != "manifest.json":
            (run / "manifest.json").write_text("{}", "utf-8")
        KINDS_OF_FILE[kind](path)
        for line in (
            ("report", run, "--out", tmp_path / "r.html"),
            ("compare", run, run),
            ("train", "--demo", "--out", tmp_path / "out", "--config", path),
            ("train", "--demo", "--out", tmp_path / "out", "--label-map", path),
            ("experiment", path, "--out", tmp_path / "out"),
            ("bench", "--compare", path),
        ):
            if name == "log.jsonl" and line[0] == "report":
                continue  # no part of the page
            result = invoke(*line)
            assert result.exit_code in (1, 2, 3), (line[0], name)
            assert "rror: " in result.stderr
        assert FoundRun(run, run).events("x") is None
        for other in run.iterdir():
            shutil.rmtree(other) if other.is_dir() and not other.is_symlink() else other.unlink()


def test_promise_37_streams_may_be_pipes(tmp_path: Path, places: dict[str, str]) -> None:
    """Corpora and text are read from pipes as from files."""
    text = Path(places["gold"]).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(text,))
    writer.start()
    assert read_conll(pipe).sentences == read_conll(places["gold"]).sentences
    writer.join(timeout=60)
    done = run_program("data", "stats", "/dev/stdin", "--json", input=text)
    assert done.returncode == 0
    assert json.loads(done.stdout)["files"][0]["sentences"] == 15


def test_promise_37_a_name_that_no_file_can_have_is_explained(invoke: Invoke) -> None:
    for name in ("a\0b", "\ud800", "x" * 5_000, ""):
        for line in (("data", "stats", name), ("score", name, name)):
            assert invoke(*line).exit_code == 2
        for read in (read_config, LabelMap.read):
            with pytest.raises(UsageError):
                read(name)
        with pytest.raises(UsageError):
            read_conll(name)
        with pytest.raises(UsageError):
            read_document(name, 10)


# --- names of files are bytes

BYTES = os.fsdecode(b"n\xff\xfe")
CONTROLS = "-n\t\n\x1b[31m\u202e"
ODD_NAMES = {"bytes that are no UTF-8": BYTES, "tab, line end, control and bidi": CONTROLS}
NAMED: dict[str, Callable[[Any, dict[str, str]], Line]] = COMMANDS | {
    "evaluate --json": lambda odd, p: ("evaluate", "--model", p["model"], odd, "--json"),
    "evaluate --html": lambda odd, p: ("evaluate", "--model", p["model"], p["gold"], "--html",
                                       f"{odd}-new"),
    "score --html": lambda odd, p: ("score", p["gold"], p["gold"], "--html", f"{odd}-new"),
    "compare --gold": lambda odd, p: ("compare", p["gold"], p["gold"], "--gold", odd),
    "data demo": lambda odd, p: ("data", "demo", f"{odd}-new"),
    "data convert, out": lambda odd, p: ("data", "convert", p["gold"], f"{odd}-new.jsonl"),
    "data split, out": lambda odd, p: ("data", "split", p["gold"], f"{odd}-new"),
    "tag -o": lambda odd, p: ("tag", "--model", p["model"], p["gold"], "-o", f"{odd}-new"),
    "tag --out-dir": lambda odd, p: (*tagged(p), p["gold"], "--out-dir", f"{odd}-new"),
    "tag many": lambda odd, p: (*tagged(p), odd, p["source"], "--out-dir", p["out"]),
    "vectors --out": lambda odd, p: (*vectors(p, "--conll", p["gold"])[:-1], f"{odd}-new"),
    "source export": lambda odd, p: ("source", "export", p["model"], "--data", p["gold"],
                                     "--out", f"{odd}-new"),
    "train --set": lambda odd, p: trained(p, "--set", f"data.dev={odd}"),
    "experiment --out": lambda odd, p: ("experiment", "demo", "--out", f"{odd}-new", "--dry-run"),
    "experiment --data": lambda odd, p: ("experiment", "demo", "--out", p["out"], "--dry-run",
                                         "--data", made(f"{odd}-folder")),
    "tune --out": lambda odd, p: tuned(p, "--out", f"{odd}-new"),
    "report --out": lambda odd, p: ("report", p["run"], "--out", f"{odd}-new"),
    "review --out": lambda odd, p: ("review", p["gold"], "--out", f"{odd}-new"),
    "select --out": lambda odd, p: chosen(p | {"page": f"{odd}-new"}, p["gold"]),
    "report --figures": lambda odd, p: ("report", p["run"], "--out", p["page"], "--figures",
                                        f"{odd}-new"),
    "audit gradients --out": lambda odd, p: few_gradients(
        p["model"], p["gold"], "--out", f"{odd}-new"
    ),
    "audit equations --out": lambda odd, p: (
        *equations(p["model"], p["gold"]),
        *("--out", f"{odd}-new"),
    ),
    "audit kl --out": lambda odd, p: ("audit", "kl", p["model"], p["gold"], "--out", f"{odd}-new"),
    "audit explain --out": lambda odd, p: ("audit", "explain", p["model"], p["gold"], "--out",
                                           f"{odd}-new"),
    "bench --markdown": lambda odd, p: ("bench", "--markdown", odd),
    "audit --out": lambda odd, p: audited_with(p, "--out", f"{odd}-new"),
    "a command": lambda odd, p: (Path(odd).name,),
    "an option": lambda odd, p: ("tag", f"--{Path(odd).name}"),
    "a method": lambda odd, p: trained(p, "--method", Path(odd).name),
    "a column": lambda odd, p: ("data", "stats", p["gold"], "--tag-column", Path(odd).name),
    "a type": lambda odd, p: ("data", "stats", p["gold"], "--rename", f"Sign={Path(odd).name}"),
    "an encoding": lambda odd, p: ("data", "stats", p["gold"], "--encoding", Path(odd).name),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES.keys())
def test_promise_40_odd_names_work_or_are_refused_before_work_starts(
    invoke: Invoke, tmp_path: Path, places: dict[str, str], name: str
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    odd = folder / name
    contents = {
        "model": Path(places["model"]).read_bytes(),
        "source": exported(places),
        "map": b'Sign = "Sign"\n',
        "config": b"seed = 1\n",
        "embeddings": b"a 1 2 3 4\nb 1 2 3 4\n",
        "terms": b"a\nb\tX\n",
        "calibration": b'{"results": []}',
        "space": b"model.dropout = [0.1, 0.2]\n",
        "experiment": experiment_on(places),
        "the model's": EIGHT_VALUES,
        "key": b"0f" * 32,
        "numbers": b"2\n1\n",
        **audited_files(Path(places["audited"])),
    }
    kinds = {
        "train --label-map": "map",
        "train --config": "config",
        "train --embeddings": "embeddings",
        "vectors, large": "embeddings",
        "report --terms": "terms",
        "report --calibration": "calibration",
        "tune --space": "space",
        "tune --config": "config",
        "experiment": "experiment",
        "tag, model": "model",
        "evaluate, model": "model",
        "audit explain, model": "model",
        "review, model": "model",
        "select, model": "model",
        "train --target-chosen": "numbers",
        "model info": "model",
        "source export, model": "model",
        "train --source-model": "source",
        "source export --pass-on": "source",
        "audit gradients, model": "model",
        "audit equations, model": "model",
        "audit kl, model": "model",
        "model privacy": "model",
        "model calibrate, model": "model",
    }
    kinds |= {
        f"{name} --embeddings": "the model's"
        for name in ("tag", "evaluate", "audit explain", "review", "select")
    }
    kinds |= {name: "key" for name in NAMED if name.endswith(" --vocabulary-key")}
    kinds |= {f"audit --{role}": f"audited {role}" for role in AUDITED}
    for command, line in NAMED.items():
        if command in ("tag, JSONL", "report", "score, one file", "data stats, untagged"):
            continue  # other formats of a file
        if command in ("audit, run", "audit all, run", "audit data, run"):
            continue  # is a folder
        shutil.rmtree(places["out"], ignore_errors=True)
        content = contents.get(kinds.get(command, ""), Path(places["gold"]).read_bytes())
        odd.write_bytes(content)
        if command == "experiment":
            odd.rename(folder / f"{name}.toml")
        arguments = line(folder / f"{name}.toml" if command == "experiment" else odd, places)
        before = sorted(map(os.fsencode, folder.iterdir()))
        result = invoke(*arguments, *overwriting(command))
        shown = result.stderr + ("" if command.startswith("tag") else result.stdout)
        assert result.exit_code in range(5), command
        assert not UNSAFE.search(shown.replace("\n", "")), command
        assert "\n\x1b" not in shown
        if command == "train --config":
            continue  # is among the arguments that the manifest tells: below
        if name == BYTES and command.startswith(("train --", "experiment", "tune")):
            assert result.exit_code == 2, command
            assert "is not UTF-8" in result.stderr
            assert not Path(places["out"]).exists()
        elif command.startswith("model calibrate"):  # the model may be right throughout
            assert result.exit_code == 0 or "gets partly wrong" in result.stderr, command
        elif command == "source export --pass-on":  # it is read, and the model is another's
            assert (result.exit_code, "did not learn from" in result.stderr) == (2, True)
        elif command.startswith(("a ", "an ", "bench")):
            assert result.exit_code in (0, 1, 2), command
        else:
            assert result.exit_code == 0, (command, result.stderr)
        if result.exit_code:
            assert sorted(map(os.fsencode, folder.iterdir())) == before, command
        for left in folder.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def exported(places: dict[str, str]) -> bytes:
    """The model as a source without its text."""
    model, corpus = load_model(places["model"]), read_corpus(places["gold"])
    return source_bytes(export_source(model, corpus, ExportOptions(features=4)))


def tagged(places: dict[str, str]) -> Line:
    return ("tag", "--model", places["model"])


def made(folder: str) -> str:
    """A folder that is there."""
    Path(folder).mkdir(exist_ok=True)
    return folder


def experiment_on(places: dict[str, str]) -> bytes:
    corpora = {
        "a": {"train": places["source"]},
        "b": {"train": places["target"], "test": [places["gold"]]},
    }
    table = {"tasks": ["a -> b"], "methods": ["la-dtl"], "corpora": corpora}
    return tomli_w.dumps(table).encode()


@pytest.mark.parametrize("option", ["--out", "--config"])
def test_promise_40_a_run_whose_manifest_could_not_tell_its_arguments_is_refused(
    invoke: Invoke,
    tmp_path: Path,
    places: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    option: str,
) -> None:
    odd = tmp_path / BYTES
    if option == "--config":
        odd.write_text("seed = 1", "utf-8")
    line = trained(places, option, odd)
    monkeypatch.setattr(sys, "argv", ["ladtl", *map(str, line)])
    result = invoke(*line)
    assert result.exit_code == 2
    assert "is not UTF-8" in result.stderr
    assert option == "--config" or not odd.exists()


@pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES.keys())
def test_promise_40_runs_in_odd_folders_are_reported_and_compared(
    invoke: Invoke, tmp_path: Path, name: str
) -> None:
    told = results_of("t", 0.5)
    for seed in ("0", "1"):
        run = tmp_path / "runs" / name / seed
        run.mkdir(parents=True)
        (run / "manifest.json").write_text(told, "utf-8")
        (run / "metrics.tsv").write_text("step\tdev_f1\n10\t0.5\n", "utf-8")
    place = tmp_path / "runs" / name
    assert len(runs_below(tmp_path / "runs")) == 2
    figures = ("--figures", tmp_path / f"figures{name}", "--overwrite")
    page = tmp_path / f"page{name}"
    for line in (
        ("report", tmp_path / "runs", "--out", page, *figures),
        ("report", tmp_path / "runs", "--out", page, "--overwrite", "--json"),
        ("report", place, "--out", page, "--overwrite", "--title", name),
        ("compare", place, place, "--by", "seed"),
        ("compare", place, place, "--by", "seed", "--json"),
        ("compare", tmp_path / "runs", tmp_path / "runs", "--by", "task", "--json"),
    ):
        result = invoke(*line)
        assert result.exit_code == 0, (line, result.stderr)
        assert not UNSAFE.search(result.stdout + result.stderr)
    assert not UNSAFE.search(page.read_text("utf-8").replace("\t", ""))


def test_promise_40_what_records_hold_is_utf8() -> None:
    require_utf8(["a\tb\n\x1b", "病", Path("x")], "--out")
    with pytest.raises(UsageError, match=r"--out: the name n\\udcff\\udcfe is not UTF-8"):
        require_utf8(["good", BYTES], "--out")
    for table in (
        {"data": {"source": BYTES}},
        {"data": {"test": ["a", BYTES]}},
        {"data": {"source_format": {"rename": {BYTES: "x"}}}},
        {BYTES: 1},
    ):
        with pytest.raises(UsageError, match="is not UTF-8"):
            parse_config(table)
    assert differing_options(parse_config({}), Config()) == []


def test_promise_40_names_that_start_with_a_dash(
    invoke: Invoke, tmp_path: Path, places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(places["gold"], "-x")
    shutil.copy(places["model"], "--model")
    for line in (
        ("data", "stats", "--", "-x"),
        ("score", "--", "-x", "-x"),
        ("compare", "--gold", "-x", "--", "-x", "-x"),
        ("model", "info", "--", "--model"),
        ("tag", "--model", "--model", "-o", "-out", "--", "-x"),
        ("evaluate", "--model", "--model", "--", "-x"),
        ("report", "--out", "-page", "--", places["run"]),
    ):
        result = invoke(*line)
        assert result.exit_code == 0, (line, result.stderr)
    assert {"-out", "-page"} <= {path.name for path in tmp_path.iterdir()}


def test_promise_40_findings_name_a_file_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / CONTROLS
    path.write_bytes(b"a\tO\nb\n")
    with pytest.raises(FindingsError) as caught:
        read_conll(path)
    assert str(caught.value).isprintable()
    for read in (read_config, LabelMap.read, lambda path: load_experiment(f"{path}.toml")):
        path.with_name(f"{path.name}.toml").write_bytes(b"a = [")
        with pytest.raises(LadtlError) as found:
            read(path)
        assert str(found.value).isprintable()


def test_promise_40_no_locale_makes_a_message_fail(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xe7\x97\x85"
    with open(path, "wb") as stream:
        stream.write("病\tB-病\n".encode())
    for encoding in ("ascii", "latin-1"):
        for more in ((), ("--json",)):
            arguments = ("data", "stats", os.fsdecode(path), *more)
            done = run_program(*arguments, PYTHONIOENCODING=encoding, PYTHONUTF8="0", LC_ALL="C")
            assert (done.returncode, done.stderr) == (0, b"")
            done = run_program(
                *arguments, "--rename", os.fsdecode(b"\xff"), PYTHONIOENCODING=encoding
            )
            assert done.returncode == 2
            assert b"Traceback" not in done.stderr
