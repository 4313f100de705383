from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from conftest import Invoke

from ladtl_np.corpus.demo import SPECIALTIES, generate
from ladtl_np.corpus.formats.conll import read_conll

FIRST = "Zq7\tB-X\nb\tE-X\n\nc\tS-Y\n\nc\tS-Y\n\nd\tI-Y\n"
SECOND = "c\tO\n\ne\tO\n"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "first.txt", tmp_path / "second.txt"]
    for path, content in zip(paths, (FIRST, SECOND), strict=True):
        path.write_text(content)
    return paths


def test_stats_count_everything(invoke: Invoke, files: list[Path]) -> None:
    found = json.loads(invoke("data", "stats", *files, "--json").stdout)
    first, second = found["files"]
    assert (first["sentences"], first["tokens"], first["vocabulary"]) == (4, 5, 4)
    assert (first["longest"], first["longest_line"], first["repeated"]) == (2, 1, 1)
    assert first["entities"] == {"Y": 3, "X": 1}
    assert first["tags"]["S-Y"] == 2
    assert (first["scheme"], first["illegal"]) == ("BIOES", 1)
    assert first["illegal_places"] == [f"{files[0]}:8"]
    assert second["entities"] == {}
    shares = {(Path(o["file"]).stem, Path(o["within"]).stem): o["share"] for o in found["overlaps"]}
    assert shares == {("first", "second"): 0.5, ("second", "first"): 0.5}


def test_stats_tables_show_counts_and_no_text(invoke: Invoke, files: list[Path]) -> None:
    result = invoke("data", "stats", *files)
    assert result.exit_code == 0
    for word in ("tag scheme", "BIOES", "repeated sentences", "that stand in", "50.00 %"):
        assert word in result.stdout
    assert "Zq7" not in result.output
    assert f"{files[0]}:8" in result.stderr


def test_untagged_files_have_no_scheme(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "raw.txt"
    path.write_text("a\nb\n")
    result = invoke("data", "stats", path, "--tag-column", "none", "--json")
    (found,) = json.loads(result.stdout)["files"]
    assert (found["scheme"], found["tags"], found["illegal"]) == (None, {}, 0)
    assert "untagged" in invoke("data", "stats", path, "--tag-column", "none").stdout


def test_stats_of_standard_input(invoke: Invoke) -> None:
    result = invoke("data", "stats", "-", "--json", input=SECOND)
    assert json.loads(result.stdout)["files"][0]["file"] == "standard input"


def test_demo_writes_the_synthetic_corpus_privately(invoke: Invoke, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    result = invoke("data", "demo", folder)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Synthetic" in result.stderr
    assert {path.name for path in folder.iterdir()} == {*SPECIALTIES, "README.txt"}
    written = read_conll(folder / "neurology" / "test.txt")
    expected = generate("neurology", "test")
    assert [s.tokens for s in written] == [s.tokens for s in expected]
    assert [s.tags for s in written] == [s.tags for s in expected]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert modes == {0o600, 0o700}


def test_demo_refuses_a_folder_in_use_and_a_file(invoke: Invoke, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("mine")
    refused = invoke("data", "demo", tmp_path)
    assert (refused.exit_code, "--overwrite" in refused.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    assert invoke("data", "demo", kept).exit_code == 2


def test_control_characters_of_file_names_are_escaped_in_tables(
    invoke: Invoke, tmp_path: Path
) -> None:
    path = tmp_path / "a\x1b[31m.txt"
    path.write_text(FIRST)
    result = invoke("data", "stats", path, path)
    assert result.exit_code == 0
    assert "\x1b" not in result.output
