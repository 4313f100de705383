from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from format_cases import annotated
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.findings import Findings, FindingsError
from ladtl_np.corpus.formats import brat
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import UsageError


def put(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read(
    folder: Path, files: dict[str, Any] | None = None, *, tally: Tally | None = None, **options: Any
) -> list[Document]:
    findings, tally = Findings("in"), Tally() if tally is None else tally
    found = brat.read_folder(put(folder, files or {}), ReadOptions(**options), findings, tally)
    return list(found)


def findings_of(folder: Path, files: dict[str, Any] | None = None, **options: Any) -> str:
    with pytest.raises(FindingsError) as caught:
        read(folder, files, **options)
    return str(caught.value)


TEXT = "Dr. 😀 病 of New York\nand Oslo.\n"


def test_texts_and_annotations_are_read_in_the_order_of_names(tmp_path: Path) -> None:
    files = {
        "b.txt": TEXT,
        "b.ann": "T2\tLOC 11 19\tNew York\nT1\t病-a 6 7\t病\n",
        "a/c.txt": "x",
        "a/c.ann": "",
        "a.txt": "y",
        "annotation.conf": "[entities]\nLOC\n",
        ".hidden.ann": "?",
        "notes.md": "",
    }
    tally = Tally()
    assert read(tmp_path, files, tally=tally) == [
        Document("y", None, "a", 1, "a.txt"),
        Document("x", (), "a/c", 1, "a/c.txt"),
        Document(TEXT, ((11, 19, "LOC"), (6, 7, "病-a")), "b", 1, "b.txt"),
    ]
    assert tally.left_out == {"other files": 1}


def test_what_is_no_entity_is_counted(tmp_path: Path) -> None:
    lines = (
        "T1\tX 0 2\tDr\nE1\tX:T1\nR1\tr Arg1:T1 Arg2:T1\tx\nA1\ta T1\nM1\tm T1\n\n"
        "N1\tReference T1 W:1\tx\n#1\tAnnotatorNotes T1\tno\n*\tEquiv T1 T1\n"
    )
    tally = Tally()
    (document,) = read(tmp_path, {"a.txt": TEXT, "a.ann": lines}, tally=tally)
    assert document.entities == ((0, 2, "X"),)
    assert tally.left_out == {
        "events": 1, "relations": 1, "attributes": 2, "normalizations": 1, "notes": 1,
        "equivalences": 1,
    }  # fmt: skip


def test_fragments_are_refused_joined_or_split(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": TEXT, "a.ann": "T1\tX 0 3;11 14\tDr. New\nT2\tY 4 5\t😀\n"})
    message = findings_of(tmp_path)
    assert message.startswith("in/a.ann:1: entity 0..3;11..14 has 2 fragments; choose fragments (")
    assert read(tmp_path, fragments="join")[0].entities == ((0, 14, "X"), (4, 5, "Y"))
    assert read(tmp_path, fragments="split")[0].entities == (
        (0, 3, "X"),
        (11, 14, "X"),
        (4, 5, "Y"),
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n\n"])
def test_an_entity_over_line_ends_is_one(tmp_path: Path, end: str) -> None:
    """brat writes a fragment for each line; other tools one with a space for the line end."""
    text = f"New{end}York"
    start = text.index("Y")
    for place in (f"0 3;{start} {start + 4}", f"0 {start + 4}"):
        covered = "New York" if ";" in place else "New" + " " * len(end) + "York"
        (document,) = read(tmp_path, {"a.txt": text, "a.ann": f"T1\tX {place}\t{covered}\n"})
        assert document.entities == ((0, start + 4, "X"),)


def test_crlf_counts_as_it_stands_in_the_text(tmp_path: Path) -> None:
    files = {"a.txt": "a\r\nb c\r\n", "a.ann": "T1\tX 3 4\tb\r\nT2\tX 5 6\tc\r\n"}
    assert read(tmp_path, files)[0].entities == ((3, 4, "X"), (5, 6, "X"))
    message = findings_of(tmp_path, {"a.ann": "T1\tX 2 3\tb\r\n"})
    assert "were they counted before line ends became CRLF?" in message


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("T1\tX 0 2\tXY", "entity 0..2 covers another text than it says"),
        ("T1\tX 0 2\tD", "covers another text"),
        ("T1\tX 0 99\tDr", "leaves the text of 30 characters"),
        ("T1\tX 2 2\t", "is empty"),
        ("T1\tX 2 0\tDr", "is empty"),
        ("T1\tX 11 14;0 3\tNew Dr.", "out of order"),
        ("T1\tX 0 2\tDr\nT1\tX 0 2\tDr", "the id of line 1 again"),
        ("T1\tX 0 2", "not an entity"),
        ("T1\tX\tDr", "not an entity"),
        ("T1\tX 0 2 3\tDr", "not an entity"),
        ("T1\tX -1 2\tDr", "not an entity"),
        ("T1\tX 0 " + "9" * 5000 + "\tDr", "not an entity"),
        ("T1 X 0 2 Dr", "not an entity"),
        ("X1\tX 0 2\tDr", "starts with none of"),
    ],
)
def test_findings_name_file_and_line(tmp_path: Path, lines: str, what: str) -> None:
    message = findings_of(tmp_path, {"d/a.txt": TEXT, "d/a.ann": "#1\tx\n" + lines, "b.ann": ""})
    first, second = message.split("\n")
    assert first == "in/b.ann: annotations without a text; add b.txt"
    assert second.startswith(f"in/d/a.ann:{2 + lines.count(chr(10))}: ")
    assert what.replace("line 1", "line 2") in second


def test_offsets_in_utf16_units_are_suspected(tmp_path: Path) -> None:
    message = findings_of(tmp_path, {"a.txt": TEXT, "a.ann": "T1\tX 12 20\tNew York\n"})
    assert "UTF-16" in message
    assert "New" not in message


def test_files_that_cannot_be_read_are_findings(tmp_path: Path, monkeypatch: Any) -> None:
    files = {"a.txt": b"a\n\xff", "b.txt": "a", "b.ann": b"\xff", "c.txt": "a\n\0", "d.txt": "\xe4"}
    files["e.txt"] = b"\xff\xfea\0"
    files["f.txt"] = "x" * 50
    put(tmp_path, files)
    monkeypatch.setattr(brat, "ANNOTATION_BYTES", 40)
    os.mkfifo(tmp_path / "g.txt")
    (tmp_path / "h.txt").symlink_to("nowhere")
    places = [line.split(";")[0] for line in findings_of(tmp_path).split("\n")]
    assert places == [
        "in/a.txt:2: not UTF-8 at byte offset 2 (invalid start byte)",
        "in/b.ann:1: not UTF-8 at byte offset 0 (invalid start byte)",
        "in/c.txt:2: a NUL byte",
        "in/e.txt:1: a NUL byte",
        "in/f.txt: more than 0 MiB",
        "in/g.txt: no regular file",
        "in/h.txt: cannot be read: No such file or directory",
    ]
    (tmp_path / "i").mkdir()
    latin = read(tmp_path / "i", {"a.txt": "ä".encode("latin-1")}, encoding="latin-1")
    assert latin[0].text == "ä"


def test_a_folder_without_texts_or_no_folder_is_an_error(tmp_path: Path) -> None:
    assert "no .txt file in the folder" in findings_of(tmp_path)
    for wrong in (tmp_path / "none", put(tmp_path, {"a": ""}) / "a", Path("a\0b"), Path("\ud800")):
        with pytest.raises(UsageError, match=r"cannot be read|no folder can have this name"):
            read(wrong)


def test_a_byte_order_mark_is_no_character_of_the_text(tmp_path: Path) -> None:
    bom = b"\xef\xbb\xbf"
    tally = Tally()
    (document,) = read(
        tmp_path, {"a.txt": bom + b"ab", "a.ann": bom + b"T1\tX 1 2\tb"}, tally=tally
    )
    assert (document.text, document.entities, tally.bom) == ("ab", ((1, 2, "X"),), True)
    tally = Tally()
    read(tmp_path, {"b.txt": "c"}, tally=tally)
    assert tally.bom


def test_entities_are_written_with_ids_and_fragments_at_line_ends() -> None:
    document = Document("New\nYork, Oslo", ((0, 8, "LOC"), (10, 14, "LOC")))
    assert brat.write_files(document, "a/b") == {
        "a/b.txt": "New\nYork, Oslo",
        "a/b.ann": "T1\tLOC 0 3;4 8\tNew York\nT2\tLOC 10 14\tOslo\n",
    }
    assert brat.write_files(Document("a"), "b") == {"b.txt": "a"}


def test_entities_at_line_ends_and_marks_of_byte_order_are_kept(tmp_path: Path) -> None:
    entities = ((0, 3, "X"), (1, 2, "X"), (1, 4, "X"), (2, 6, "X"), (0, 5, "Y"))
    document = Document("\ufeffa\r\nb\n", entities)
    files = brat.write_files(document, "a")
    assert read(tmp_path, dict(files)) == [Document(document.text, entities, "a", 1, "a.txt")]
    assert files["a.ann"].count(";") == 1


@pytest.mark.parametrize(
    "document",
    [
        Document("a\0"),
        Document("ab", ((0, 0, "X"),)),
        Document("ab", ((0, 3, "X"),)),
        Document("ab", ((0, 1, "X y"),)),
        Document("ab", ((0, 1, ""),)),
    ],
)
def test_what_brat_cannot_hold_is_not_written(document: Document) -> None:
    with pytest.raises(ValueError, match="write JSONL instead"):
        brat.write_files(document, "a")


@given(st.lists(annotated(), min_size=1, max_size=3))
def test_what_is_written_reads_as_the_same(documents: list[Document]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = []
        for number, document in enumerate(documents):
            with contextlib.suppress(ValueError):
                files = brat.write_files(document, f"{number}")
                put(Path(folder), dict(files))
                kept.append((document.text, document.entities))
        if kept:
            assert [(d.text, d.entities) for d in read(Path(folder))] == kept


@given(st.binary(max_size=30), st.binary(max_size=30) | st.sampled_from([b"T1\tX 0 1\ta", b"\n"]))
def test_any_bytes_give_documents_or_findings(text: bytes, lines: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(FindingsError):
        read(Path(folder), {"a.txt": text, "a.ann": lines})
