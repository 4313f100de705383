from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.formats import detection
from ladtl_np.corpus.formats.detection import detect
from ladtl_np.corpus.formats.registry import FORMATS
from ladtl_np.errors import UsageError

RECORD = {"text": "a", "label": []}
TASK = {"id": 1, "data": {"text": "a"}, "annotations": []}
MINIMAL = {"text": "a", "ner": [{"start": 0, "end": 1, "labels": ["X"], "text": "a"}]}
CONLLU = "# sent_id = 1\n1-2\tab" + "\t_" * 8 + "\n1\ta" + "\t_" * 8 + "\n"

CASES: list[tuple[str, Any, str]] = [
    ("a.jsonl", RECORD, "jsonl"),
    ("a.JSONL", "", "jsonl"),
    ("a.ndjson", RECORD, "jsonl"),
    ("a.json", [RECORD], "json"),
    ("a.json", [["a", {"entities": []}]], "json"),
    ("a.json", [], "json"),
    ("a.json", "", "json"),
    ("a.json", [TASK], "label-studio"),
    ("a.json", [MINIMAL], "label-studio"),
    ("a.json", [TASK | {"data": {"text": "a" * (2 << 20)}}], "label-studio"),
    ("a.json", json.dumps(RECORD) + "\n" + json.dumps(RECORD), "jsonl"),
    ("a.txt", "\ufeff" + json.dumps(RECORD) + "\n", "jsonl"),
    ("a", [RECORD], "json"),
    ("a.txt", "{\tO\n", "conll"),
    ("a.txt", "[\tO\na\tO\n", "conll"),
    ("a.txt", "a\tO\n", "conll"),
    ("a", "", "conll"),
    ("a.conll", "-DOCSTART- -X- O\na -X- _ O\n", "conll"),
    ("a.txt", CONLLU, "conllu"),
    ("a.conllu", "", "conllu"),
    ("a.tsv", "#\thttp://x\n1\ta\tB-X\tO\n2\tb\tO\tO\n", "germeval"),
    ("a.iob2", "# text = a\n1\ta\tO\t-\t-\n\n1\tb\tO\t-\t-\n", "germeval"),
    ("a.tsv", "1\ta\tO\r\n\r\n", "germeval"),
    ("a.tsv", "1\tCD\tO\n000\tCD\tO\n", "conll"),
    ("a.tsv", "1\tO\n", "conll"),
    ("a.tsv", "1\ta\tnoun\tO\n2\tb\tnoun\tO\n", "conll"),
    ("a.spacy", b"x\x9c", "spacy"),
    ("a.txt", b"\xff\0", "conll"),
    ("a.json", "[" * 100_000, "json"),
    ("a.json", "[" + "9" * 5000, "conll"),
]


@pytest.mark.parametrize(("name", "content", "expected"), CASES)
def test_names_and_starts_tell_formats(
    tmp_path: Path, name: str, content: Any, expected: str
) -> None:
    path = tmp_path / name
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert detect(path) == expected
    assert FORMATS[expected].reads


def test_folders_with_annotations_are_brats(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a folder without \.ann files"):
        detect(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.ann").write_text("")
    assert detect(tmp_path) == "brat"


def test_what_is_not_there_or_only_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        detect(tmp_path / "a.json")
    with pytest.raises(UsageError, match="only written"):
        detect(tmp_path / "a.html")
    for name in ("a\0b", "\ud800"):
        with pytest.raises(UsageError, match="no file can have this name"):
            detect(name)


def test_what_can_be_read_once_is_told_by_its_name(tmp_path: Path) -> None:
    for name, expected in (("a.jsonl", "jsonl"), ("a.json", "json"), ("a", "conll")):
        os.mkfifo(tmp_path / name)
        assert detect(tmp_path / name) == expected
    assert detect("-") == "conll"


def test_a_look_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n" * 50 + json.dumps(RECORD))
    assert detect(path) == "jsonl"
    monkeypatch.setattr(detection, "_LOOK", 20)
    assert detect(path) == "conll"


@given(st.binary(max_size=60), st.sampled_from(["a.txt", "a.json", "a.tsv"]))
def test_any_bytes_have_a_format(tmp_path_factory: Any, data: bytes, name: str) -> None:
    path = tmp_path_factory.mktemp("x") / name
    path.write_bytes(data)
    assert detect(path) in FORMATS


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_what_its_row_promises(name: str) -> None:
    row = FORMATS[name]
    module = importlib.import_module(f"ladtl_np.corpus.formats.{row.module}")
    if row.family == "columns":
        return
    reader = "read_folder" if row.folder else "read"
    assert callable(getattr(module, reader, None)) == row.reads
    writers = [
        w for w in ("write", "write_files", "write_bytes") if callable(getattr(module, w, None))
    ]
    assert len(writers) == row.writes


@pytest.mark.parametrize("name", ["jsonl", "json", "label-studio"])
def test_what_is_written_is_told(tmp_path: Path, name: str) -> None:
    module = importlib.import_module(f"ladtl_np.corpus.formats.{FORMATS[name].module}")
    path = tmp_path / f"a{FORMATS[name].suffixes[0]}"
    path.write_text("".join(module.write([Document("a", ((0, 1, "X"),), 3)])), "utf-8")
    assert detect(path) == name
