"""One entry for each parser: bytes in; a value, or one of the errors that its docstring names.

Anything else that is raised is a finding, and so is a message that nobody would read to its end.
Where a parser has a writer, what was read is written and read again, and has to be the same.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import click
import tomli_w
from fuzz.documents import (
    BRAT,
    BRAT_PIECES,
    PACKED_PIECES,
    RECORD_PIECES,
    RECORDS,
    TASK_PIECES,
    TASKS,
    folders,
    packed,
    packed_seeds,
    records,
    tasks,
)
from small_corpora import small_config, small_corpora

from ladtl_np.commands import train
from ladtl_np.commands.support.reading import read_options
from ladtl_np.commands.vectors.train import _column_formats
from ladtl_np.corpus.cutting.profile import TokenMode
from ladtl_np.corpus.cutting.sentences import cut_sentences
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats import jsonl
from ladtl_np.corpus.formats.conll import iterate_conll, write_conll
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.labels import LabelMap, TagSet, describe_match, matched_tags
from ladtl_np.corpus.raw import iterate_raw
from ladtl_np.corpus.read import Documents
from ladtl_np.corpus.schemes import (
    detect_scheme,
    from_bioes,
    illegal_positions,
    spans,
    to_bioes,
)
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.tally import Tally
from ladtl_np.corpus.vectors.file_words import FileWords
from ladtl_np.corpus.vectors.loading import load_vectors
from ladtl_np.errors import DataError, LadtlError, ModelFileError, UsageError
from ladtl_np.experiment import expand, load_experiment
from ladtl_np.experiment.results import method_labels
from ladtl_np.model.container import pack, unpack
from ladtl_np.model.file import load_model, model_bytes
from ladtl_np.options.config import Config, apply_settings, parse_config, read_config, to_toml
from ladtl_np.report.sections.labels import contrasted
from ladtl_np.report.sections.provenance import provenance_section
from ladtl_np.report.sections.results import results_section
from ladtl_np.report.study import study_of
from ladtl_np.report.term_list import read_terms
from ladtl_np.runs.checkpoint import read_checkpoint, write_checkpoint
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.predictions import read_predictions
from ladtl_np.training.preparation import prepare
from ladtl_np.training.trained_model import build_model, versions
from ladtl_np.training.trainer import Trainer

__all__ = ["TARGETS", "Target", "checked"]

LONGEST_MESSAGE = 12_000  # twenty findings, each a line or two


@dataclass(frozen=True, slots=True)
class Target:
    """A parser.

    Attributes
    ----------
    feed
        Gives it bytes.
    allowed
        What it may raise.
    seeds
        Sound input to start from.
    pieces
        What such input is made of, and what has made trouble.
    """

    feed: Callable[[bytes], None]
    allowed: tuple[type[Exception], ...]
    seeds: Callable[[], list[bytes]]
    pieces: tuple[bytes, ...]


def checked(target: Target, data: bytes) -> None:
    """Feed a target, and pass over the errors that it may raise."""
    try:
        target.feed(data)
    except target.allowed as error:
        length = len(str(error))
    else:
        return
    assert length <= LONGEST_MESSAGE, f"a message of {length:,} characters"


@cache
def _folder() -> Path:
    """A folder in memory, where there is such a place, for parsers that read files."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="ladtl-fuzz-", dir=memory if memory.is_dir() else None))


def remove_folder() -> None:
    """Remove what the targets wrote."""
    shutil.rmtree(_folder(), ignore_errors=True)


@contextlib.contextmanager
def _file(data: bytes, name: str) -> Iterator[Path]:
    path = _folder() / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


# --- corpora

_READ = (
    ReadOptions(),
    ReadOptions(tag_column=None),
    ReadOptions(delimiter="tab", keep_docstart=True),
    ReadOptions(delimiter="space", scheme="IOB2", rename={"X*": "Y", "LOC": ""}),
    ReadOptions(token_column=1, tag_column=0),
    ReadOptions(position_digits=True, tag_column=None),
    ReadOptions(encoding="gb18030"),
    ReadOptions(encoding="latin-1", scheme="BIOES"),
    ReadOptions(format="conllu"),
    ReadOptions(format="germeval"),
)


def _conll(data: bytes) -> None:
    options = _READ[data[0] % len(_READ)] if data else _READ[0]
    sentences = list(iterate_conll(BytesIO(data[1:]), options, "fuzz"))
    assert sentences
    assert all(s.tokens and all(s.tokens) for s in sentences)
    with contextlib.suppress(ValueError):  # what columns cannot hold is refused
        text = StringIO(newline="\n")
        write_conll(text, sentences)
        plain = ReadOptions(
            tag_column=None if sentences[0].tags is None else -1,
            delimiter="tab",
            keep_docstart=True,
        )
        again = list(iterate_conll(BytesIO(text.getvalue().encode("utf-8")), plain, "again"))
        assert [(s.tokens, s.tags) for s in again] == [(s.tokens, s.tags) for s in sentences]
    if sentences[0].tags is not None:
        _tags(sentences)


def _tags(sentences: list[Sentence]) -> None:
    tags = [s.tags or () for s in sentences]
    try:
        scheme = detect_scheme(tags)
    except ValueError:
        return
    known = TagSet.from_corpora([Corpus("fuzz", tuple(sentences), scheme)])
    for some in tags:
        found = spans(some, scheme)
        bioes = to_bioes(some, scheme)
        assert spans(bioes, "BIOES") == found
        assert len(known.encode(bioes)) == len(some)
        assert set(illegal_positions(some, scheme)) <= set(range(len(some)))
        if not illegal_positions(some, scheme):
            assert spans(from_bioes(bioes, scheme), scheme) == found


def _jsonl(data: bytes) -> None:
    mode = "characters" if data[:1] <= b"O" else "spaces"
    options = ReadOptions(tokens=mode, repair=bool(data[:1] > b"a"), overlaps="longest")
    findings, tally = Findings("fuzz"), Tally()
    documents = Documents(tuple(jsonl.read(BytesIO(data[1:]), options, findings, tally)), "")
    for found in documents.aligned(options, findings, tally):
        told = [spans(s.tags or (), "BIOES") for s in found.sentences()]
        assert sum(map(len, told)) == len(found.spans or ())
        assert sum(end - start for start, end in found.ranges()) == len(found.bounds)
        fitted = replace(documents, items=(found.fitted(),))
        (again,) = fitted.aligned(options, Findings("again"), Tally())
        assert again.spans == found.spans
    findings.raise_any()


def _raw(data: bytes) -> None:
    mode: TokenMode = ("characters", "spaces", "words")[data[0] // 4 % 3 if data else 0]
    encoding = ("utf-8", "gb18030", "latin-1", "utf-8-sig")[data[0] % 4 if data else 0]
    for line in iterate_raw(BytesIO(data[1:]), mode, "fuzz", encoding=encoding):
        found = zip(line.starts, line.ends, line.tokens, strict=True)
        assert all(line.text[start:end] == token for start, end, token in found)
        if mode != "words":
            assert "".join(line.tokens) == "".join(c for c in line.text if c not in " \t")
        firsts = cut_sentences(line.text, line.bounds, "rules", 5)
        assert firsts == sorted(set(firsts))
        assert len(firsts) >= len(line) / 5


def _terms(data: bytes) -> None:
    with _file(data, "terms.txt") as path:
        assert read_terms(path)


_COLUMNS = (
    *(b"a\tB-X\n", b"b\tI-X\n", b"c\tO\n", b"\n", b"\r\n", b"\t", b" ", b"O", b"B-LOC", b"E-X"),
    *(b"S-X", b"L-X", b"U-X", b"p10", b"\xef\xbb\xbf", b"\xff\xfe", b"-DOCSTART- -X- O\n", b"\0"),
    *(b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe3\x80\x80", b"\xc2\xa0", b"\x0b", b"\x0c", b"\x1c"),
    *(b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xef\xbf\xbd\xef\xbf\xbd1", b"\x80", b"M-X", b"B-"),
    *(b"# ", b"#\t", b"#", b"1", b"1.1", b"2-3", b"NER=", b"|", b",B-X", b"_"),
)
_TEXT = (
    *(b"a", b" ", b"\t", b"\n", b"\r\n", b"\xe8\x83\xb8", b"\xe3\x80\x80", b"\xf0\x9f\x98\x80"),
    *(b"\0", b"\r", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xb0\x80", b"#", b"\tX", b"  "),
)
_DOCUMENTS = (
    *(b'{"text": "a b c", "label": [[0, 1, "X"], [2, 3, "Y"]], "id": 7}\n', b'"text"', b'"label"'),
    *(b'"labels"', b'"id"', b":", b",", b"{", b"}", b"[", b"]", b'"', b'"X"', b"\\ud83d\\ude00"),
    *(b"0", b"1", b"-1", b"1.0", b"1e400", b"9" * 30, b"9" * 5000, b"null", b"true", b"NaN"),
    *(b"\\ud800", b"\\u0000", b"\\n", b"\n", b"[" * 3000, b'{"a":' * 2000, b"\xf0\x9f\x98\x80"),
)


# --- options, label maps, experiments


def _labels(data: bytes) -> None:
    with _file(data, "map.toml") as path:
        found = LabelMap.read(path)
        content = tomli_w.dumps({"types": dict(found.pairs)}).encode("utf-8")
        path.write_bytes(content)
        assert LabelMap.read(path).pairs == found.pairs
    if "" not in found.pairs and all(kind.strip() == kind for kind in found.pairs):
        kinds = {kind for kind in found.pairs.values() if kind}
        if all(kind.strip() == kind for kind in kinds):
            one, other = TagSet.of_types(found.pairs), TagSet.of_types(kinds)
            rows, partners = matched_tags(one, other, found)
            assert len(set(partners.tolist())) == len(rows) == 1 + 4 * len(kinds)
            assert describe_match(one, other, found)


def _options(data: bytes) -> None:
    with _file(data, "config.toml") as path:
        config = parse_config(read_config(path))
        path.write_bytes(to_toml(config).encode("utf-8"))
        assert parse_config(read_config(path)) == config


def _set(data: bytes) -> None:
    settings = os.fsdecode(data).split("\x1f")
    config = parse_config(apply_settings({}, settings))
    with _file(to_toml(config).encode("utf-8"), "set.toml") as path:
        assert parse_config(read_config(path)) == config


def _experiment(data: bytes) -> None:
    with _file(data, "experiment.toml") as path:
        found = load_experiment(str(path))
    product = len(found.tasks) * len(found.methods) * len(found.fractions)
    product *= sum(map(len, found.seeds.values())) * max(1, len(str(found.grids)))
    if product < 2000:
        specs = expand(found, Path("out"))
        assert len({spec.folder for spec in specs}) == len(specs)


def _every(data: bytes) -> None:
    option = next(p for p in train.command.params if p.name == "checkpoint_every")
    assert option.callback is not None
    with click.Context(train.command) as context:
        option.callback(context, option, os.fsdecode(data))


def _columns(data: bytes) -> None:
    settings = os.fsdecode(data).split("\x1f")
    _column_formats(2, settings)
    read_options(rename=settings)


_TOML = (
    *(b"[", b"]", b"{", b"}", b"=", b".", b",", b"\n", b'"', b"'", b'"""', b"'''", b"#", b"\\"),
    *(b"1", b"0x", b"1_0", b"1e400", b"nan", b"-inf", b"true", b"1979-05-27T07:32:00Z", b"07:32"),
    *(b"9" * 30, b"9" * 5000, b"[" * 3000, b"a." * 3000 + b"a", b"{a=" * 500, b"\\u0000"),
    *(b"\\ud800", b"\xef\xbb\xbf", b"\xff", b"\r\n", b"\xe8\x83\xb8", b"\x00", b"[[a]]\n"),
)
_KEYS = tuple(
    f"{key} = {value!r}\n".replace("True", "true").replace("False", "false").encode()
    for key, value in (
        *(("seed", 1), ("threads", 1), ("method", "la-dtl"), ("data.source", "a.txt")),
        *(("data.test", ["a", "b"]), ("data.target_fraction", 0.5), ("training.steps", 9)),
        *(("objective.w_mmd", 0.1), ("objective.kernel", [1.0, 2.0]), ("model.hidden", 8)),
        *(("data.target_format.rename.X", "Y"), ("optimizer.learning_rate", 0.1)),
        *(("data.target_format.tag_column", 1), ("decoding.constrained", True)),
    )
)
_EXPERIMENT = b"""tasks = ["a -> b"]
methods = ["la-dtl", "non-transfer"]
seeds = [0, 1]
[corpora.a]
train = "a/train.txt"
[corpora.b]
train = "b/train.txt"
test = ["b/test.txt"]
[grid]
"training.steps" = [1, 2]
"""


# --- what runs left behind

_SCORES = {"overall": {"f1": 0.5}, "per_type": {"X": {"f1": 0.5, "gold": 1}}}
_MANIFEST = json.dumps(
    {
        "method": "la-dtl",
        "command": ["train", "--out", "x"],
        "versions": {"numpy": "2.0"},
        "data": [{"role": "test", "name": "t.txt", "scheme": "IOB2", "sha256": "00"}],
        "results": {"t": {"conlleval": _SCORES, "strict": _SCORES}},
        "best_step": 20,
        "label_mmd": [
            {"source": "X", "target": "X", "source_tokens": 1, "target_tokens": 1, "mmd": 0.1}
        ],
    }
).encode()


def _run(data: bytes) -> None:
    """A manifest and options of a run, parted by a NUL, as a report reads them."""
    manifest, nul, options = data.partition(b"\0")
    with _file(manifest, "manifest.json") as path, contextlib.ExitStack() as stack:
        if nul:
            stack.enter_context(_file(options, "config.toml"))
        run = FoundRun(path.parent, path.parent, ("task", "seed-1"))
        study = study_of([run])
        for section in (results_section(study), provenance_section(study)):
            json.dumps(section.to_json()).encode("utf-8")
            assert all(table.to_tsv().encode("utf-8") for table in section.tables)
        contrasted(study)


def _metrics(data: bytes) -> None:
    manifest = _file(_MANIFEST, "manifest.json")
    with manifest, _file(data, "metrics.tsv") as path, _file(data, "results.tsv"):
        run = FoundRun(path.parent, path.parent)
        assert all(0 <= step and 0 <= f1 <= 1 for step, f1 in run.learning)
        method_labels(path.parent)


def _log(data: bytes) -> None:
    with _file(data, "log.jsonl") as path:
        FoundRun(path.parent, path.parent).events("vectors")


def _predictions(data: bytes) -> None:
    gold = Corpus("gold", (Sentence(("a",), ("B-X",), 1),), "IOB2")
    with _file(_MANIFEST, "manifest.json") as path, _file(data, "predictions-t"):
        truth, predicted = read_predictions(FoundRun(path.parent, path.parent), "t", lambda: gold)
        assert len(predicted)
        assert len(truth)


# --- vectors, models, checkpoints


def _text_vectors(data: bytes) -> None:
    with _file(data, "v.txt") as path:
        _vectors(path)


def _packed_vectors(data: bytes) -> None:
    """A packed file as it is, or text that is packed first."""
    with _file(data if data[:1] == b"\x1f" else gzip.compress(data, 1), "v.txt.gz") as path:
        _vectors(path)


def _binary_vectors(data: bytes) -> None:
    with _file(data, "v.bin") as path:
        _vectors(path)


def _vectors(path: Path) -> None:
    more = FileWords(2, str.lower, ("a",), lambda size: None)
    rows, matrix, report, ways = load_vectors(path, ("<unk>", "a", "B1", "c d"), more=more)
    assert matrix.shape == (len(rows), report.dimension) or not len(rows)
    assert [row for row, way in enumerate(ways.tolist()) if way >= 0] == rows.tolist()
    assert len(more.matrix(report.dimension)) == len(more.words) <= 2


@cache
def _model() -> bytes:
    prepared = prepare(small_config(), small_corpora(), LabelMap({"Sign": "Sign"}))
    return model_bytes(build_model(prepared, prepared.network, {}, {"target": "00"}))


@cache
def _model_parts() -> tuple[bytes, Any]:
    return unpack("model", _model(), "a model")


@cache
def _checkpoint_parts() -> tuple[bytes, Any]:
    trainer = Trainer(prepare(small_config(), small_corpora(), None))
    path = _folder() / "seed.safetensors"
    write_checkpoint(path, trainer, {"the file target t": "00"}, versions(), 10)
    content = path.read_bytes()
    path.unlink()
    return unpack("checkpoint", content, "a checkpoint")


def _container(data: bytes) -> None:
    text, arrays = unpack("fuzz", data, "a file")
    again, same = unpack("again", pack(arrays, text.decode("utf-8")), "a file")
    assert again == text
    assert {name: array.tobytes() for name, array in same.items()} == {
        name: array.tobytes() for name, array in arrays.items()
    }


def _model_file(data: bytes) -> None:
    """A header of a model around sound arrays, or the whole file."""
    text = data.decode("utf-8", "replace")
    whole = data if data[:1] != b"{" else pack(_model_parts()[1], text)
    with _file(whole, "m.safetensors") as path:
        model = load_model(path)
        path.write_bytes(model_bytes(model))
        assert load_model(path).config == model.config


def _checkpoint(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    whole = data if data[:1] != b"{" else pack(_checkpoint_parts()[1], text)
    with _file(whole, "c.safetensors") as path:
        found, _ = read_checkpoint(path)
        assert isinstance(found.config, Config)
        for told in found.differences(found.config, {}, {}):
            told.encode("utf-8", "backslashreplace")


_JSON = (
    *(b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b"null", b"true", b"-1", b"0", b"1e400"),
    *(b"NaN", b"9" * 30, b"9" * 5000, b"[" * 3000, b'{"a":' * 2000, b"\\ud800", b"\\u0000", b"\0"),
    *(b"2", b"0.5", b"1.5", b'""', b"{}", b"[]", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xae"),
)
_MANIFEST_PIECES = tuple(
    json.dumps(key).encode()
    for key in (
        *("method", "command", "versions", "machine", "data", "role", "name", "sha256", "scheme"),
        *("results", "conlleval", "strict", "overall", "per_type", "f1", "gold", "precision"),
        *("best_step", "label_mmd", "mmd", "source", "target", "dev", "test", "../x", "a/b"),
    )
)
_NUMBERS = (
    *(b"2 2\n", b"a 1 2\n", b"B1 0.5 -1e3\n", b"c d 1 2\n", b" ", b"\n", b"\r\n", b"nan", b"inf"),
    *(b"1e999", b"1", b"-", b".5", b"\xff", b"\xef\xbb\xbf", b"\xe3\x80\x80", b"\0", b"1_0"),
    *(b"1 " * 3000, b"999999999999999999 2\n", b"1 100000\n", b"0 0\n"),
)


def _seeds(*data: bytes) -> Callable[[], list[bytes]]:
    return lambda: list(data)


_CONLL_SEED = b"a\tB-X\nb\tI-X\n\nc\tO\n"
_JSONL_SEED = _DOCUMENTS[0]
_INDEXED = (
    b"\x08# a\n1-2\tab" + b"\t_" * 8 + b"\n1\ta" + b"\t_" * 7 + b"\tNER=B-X\n",
    b"\x09#\ta\n1\ta\tB-X\tO\n",
)
_DATA, _USAGE, _BOTH = (DataError,), (UsageError,), (DataError, UsageError)

TARGETS: dict[str, Target] = {
    "conll": Target(
        _conll,
        _BOTH,
        _seeds(b"\0" + _CONLL_SEED, b"\3a B-X\nb I-X\n", b"\5p0\nq1\n", *_INDEXED),
        _COLUMNS,
    ),
    "jsonl": Target(_jsonl, _DATA, _seeds(b"a" + _JSONL_SEED), _DOCUMENTS),
    "records": Target(records, _DATA, _seeds(*RECORDS), RECORD_PIECES),
    "label-studio": Target(tasks, _DATA, _seeds(*TASKS), TASK_PIECES),
    "docbin": Target(packed, _DATA, packed_seeds, PACKED_PIECES),
    "brat": Target(folders, _DATA, _seeds(*BRAT), BRAT_PIECES),
    "raw": Target(_raw, _DATA, _seeds(b"aab c\n\nd\n"), _TEXT),
    "terms": Target(_terms, _BOTH, _seeds(b"ab\nc d\tX\n# no\n"), _TEXT),
    "labels": Target(_labels, _BOTH, _seeds(b'A = "x"\nB.C = ""\n', b'[types]\nA="b"\n'), _TOML),
    "options": Target(_options, _USAGE, _seeds(b"".join(_KEYS)), (*_TOML, *_KEYS)),
    "set": Target(_set, _USAGE, _seeds(b"seed=3\x1ftraining.steps=2"), (b"\x1f", *_TOML, *_KEYS)),
    "experiment": Target(
        _experiment,
        _BOTH,
        _seeds(_EXPERIMENT),
        (*_TOML, *_KEYS, *_EXPERIMENT.splitlines(True), b'tasks = "all-pairs"', b"demo = "),
    ),
    "every": Target(
        _every, (click.BadParameter,), _seeds(b"5m", b"90s", b"200"), (b"0", b"m", b"\xff", b"9")
    ),
    "columns": Target(
        _columns,
        _USAGE,
        _seeds(b"token_column=1", b"2.position_digits=true\x1f1.tag_column=0"),
        (b"\x1f", b"1.", b"rename.X=", b"scheme=IO", b"delimiter=tab", *_TOML),
    ),
    "manifest": Target(
        _run,
        _BOTH,
        _seeds(_MANIFEST, _MANIFEST + b"\0seed = 1\ndata.target_fraction = 0.5\n"),
        (*_JSON, *_MANIFEST_PIECES, *_KEYS),
    ),
    "metrics": Target(
        _metrics,
        _DATA,
        _seeds(b"step\tdev_f1\n10\t0.5\n", b"task\tmethod\na\tla-dtl\n"),
        (b"step", b"dev_f1", b"\t", b"\n", b"\r\n", b"1e999", b"nan", b"1_0", b"\xff", b"9" * 5000),
    ),
    "log": Target(_log, (), _seeds(b'{"event": "vectors", "sha256": "00"}\n'), _JSON),
    "predictions": Target(
        _predictions, _BOTH, _seeds(b"a\tB-X\tO\n", b"a\tB-X\n"), (*_COLUMNS, b"a\tO\tB-X\n")
    ),
    "vectors": Target(_text_vectors, _DATA, _seeds(b"2 2\na 1 2\nB1 0.5 1\n"), _NUMBERS),
    "vectors-gzip": Target(
        _packed_vectors, _DATA, lambda: [gzip.compress(b"1 2\na 1 2\n"), b"a 1 2\n"], _NUMBERS
    ),
    "vectors-binary": Target(
        _binary_vectors, _DATA, _seeds(b"1 2\na \0\0\0\0\0\0\x80?"), (*_NUMBERS, b"\0\0\x80?")
    ),
    "container": Target(
        _container,
        (ModelFileError,),
        lambda: [_model()],
        (*_JSON, b'"dtype":"F32"', b'"shape":[', b'"data_offsets":[', b"__metadata__", b"\0" * 8),
    ),
    "model": Target(
        _model_file,
        (ModelFileError,),
        lambda: [_model_parts()[0], _model()],
        _JSON,
    ),
    "checkpoint": Target(_checkpoint, (ModelFileError,), lambda: [_checkpoint_parts()[0]], _JSON),
}
assert all(
    issubclass(e, LadtlError | click.BadParameter) for t in TARGETS.values() for e in t.allowed
)
