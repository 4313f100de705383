from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke


def data_of(page: Path | str) -> dict[str, Any]:
    text = page if isinstance(page, str) else page.read_text("utf-8")
    found = re.search('<script type="application/json"[^>]*>(.*?)</script>', text)
    assert found
    return json.loads(found[1])


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("Cz a\nb x\n", "utf-8")
    (folder / "deep" / "b.jsonl").write_text('{"id": 7, "text": "aCz"}\n{"text": "b"}\n', "utf-8")
    (folder / ".hidden").write_text("x\n", "utf-8")
    return folder


def test_a_model_tags_files_and_folders(
    invoke: Invoke, tiny_model_file: str, notes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "review.html"
    result = invoke("review", tiny_model_file, notes, "--out", out, "--types", "Ward, Sign")
    assert result.exit_code == 0, result.stderr
    assert f"{out}: 4 sentences with 3 entities" in result.stderr
    data = data_of(out)
    assert data["types"] == ["Ward", "Sign", "Drug"]
    assert data["documents"] == ["a.txt", "deep/b.jsonl 7", "deep/b.jsonl 2"]
    shown = [(row[1], row[2], [entity[:3] for entity in row[4]]) for row in data["sentences"]]
    assert shown == [
        ("a.txt#1", "Cz a", [[0, 2, 2]]),
        ("a.txt#2", "b x", [[1, 2, 1]]),
        ("deep/b.jsonl 7#1", "aCz", [[1, 3, 2]]),
        ("deep/b.jsonl 2#1", "b", []),
    ]
    assert out.stat().st_mode & 0o777 == 0o600
    page = out.read_text("utf-8")
    assert "Review of notes, tagged by" in page
    assert str(tmp_path) not in page
    assert str(Path(tiny_model_file).parent) not in page
    again = invoke("review", tiny_model_file, notes, "--out", out)
    assert (again.exit_code, "give --overwrite" in again.stderr) == (2, True)


def test_a_file_of_text_that_looks_like_columns_is_told(
    invoke: Invoke, tiny_model_file: str, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("C\tB-Drug\nz\tE-Drug\n\nb\tO\n", "utf-8")
    line = ("review", tiny_model_file, tmp_path / "a.txt", "--out", "-")
    told = invoke(*line).stderr
    assert "a.txt: it looks like columns; --format conll reads those" in told
    result = invoke(*line, "--format", "conll")
    assert "columns" not in result.stderr
    assert [row[2] for row in data_of(result.stdout)["sentences"]] == ["Cz", "b"]


def test_the_entities_that_files_have_are_reviewed_without_a_model(
    invoke: Invoke, tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "Cz a", "label": [[0, 2, "Drug"]]}\n', "utf-8")
    (tmp_path / "brat").mkdir()
    (tmp_path / "brat" / "n.txt").write_text("x y", "utf-8")
    (tmp_path / "brat" / "n.ann").write_text("T1\tSign 0 1\tx\n", "utf-8")
    result = invoke("review", tmp_path / "a.jsonl", tmp_path / "brat", "--out", "-")
    assert result.exit_code == 0, result.stderr
    data = data_of(result.stdout)
    assert data["documents"] == ["a.jsonl", "n.txt"]
    assert [row[4] for row in data["sentences"]] == [[[0, 1, 0, None]], [[0, 1, 1, None]]]
    assert data["measure"] == ""


def test_only_the_least_certain_sentences_in_document_order(
    invoke: Invoke, tiny_model_file: str, notes: Path
) -> None:
    result = invoke("review", tiny_model_file, notes, "--limit", 2, "--out", "-")
    data = data_of(result.stdout)
    rows = data["sentences"]
    assert data["measure"] == "probability of its least probable span, or that it has none"
    every = data_of(invoke("review", tiny_model_file, notes, "--out", "-").stdout)["sentences"]
    least = sorted(row[5] for row in every)[:2]
    assert [row[1] for row in rows] == [row[1] for row in every if row[5] in least]
    assert all(0 < entity[3] < 1 for row in every for entity in row[4])
    for by in ("sentence", "entropy"):
        result = invoke("review", tiny_model_file, notes, "--by", by, "--out", "-")
        others = data_of(result.stdout)["sentences"]
        assert [row[:5] for row in others] == [row[:5] for row in every]
        assert [row[5] for row in others] != [row[5] for row in every]


def test_probabilities_of_files_are_reviewed_too(
    invoke: Invoke, tiny_model_file: str, notes: Path, tmp_path: Path
) -> None:
    tagged = tmp_path / "tagged.jsonl"
    source = notes / "a.txt"
    invoke("tag", "--model", tiny_model_file, source, "--to", "jsonl", "--probabilities", "-o",
           tagged)  # fmt: skip
    by_file = data_of(invoke("review", tagged, "--tokens", "characters", "--out", "-").stdout)
    by_model = data_of(invoke("review", tiny_model_file, source, "--out", "-").stdout)
    found, wanted = ([row[4][0][3] for row in data["sentences"]] for data in (by_file, by_model))
    assert found == pytest.approx(wanted, abs=1e-5)
    assert [row[5] for row in by_file["sentences"]] == found


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("MODEL",), "name notes after the model"),
        (("MODEL", "NOTES", "--scheme", "IOB2"), "--scheme has no effect with a model"),
        (("MODEL", "NOTES", "--sentences", "whole"), "a model wants lines or rules"),
        (("NOTES/deep/b.jsonl", "--threads", "1"), "--threads has no effect without a model"),
        (("NOTES/deep/b.jsonl", "--out", "NOTES/deep/b.jsonl"), "is also an input"),
        (("NOTES/no",), "no such file"),
        (("EMPTY",), "there is no file in these folders"),
        (("MODEL", "EMPTY/.txt"), "the notes hold no sentence"),
        (("EMPTY/.txt", "NOTES/deep/b.jsonl"), "no sentence"),
        (("NOTES/deep/b.jsonl", "--ends", "inclusive", "--repair", "--format", "conll"), "--"),
    ],
)
def test_what_makes_no_page_is_refused(
    invoke: Invoke, tiny_model_file: str, notes: Path, tmp_path: Path,
    arguments: tuple[str, ...], told: str,
) -> None:  # fmt: skip
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".txt").write_text("\n")
    places = {"MODEL": tiny_model_file, "NOTES": str(notes), "EMPTY": str(tmp_path / "empty")}
    words = [re.sub("[A-Z]{3,}", lambda m: places.get(m[0], m[0]), word) for word in arguments]
    out = () if "--out" in words else ("--out", tmp_path / "page.html")
    result = invoke("review", *words, *out)
    assert result.exit_code in (2, 3)
    assert told in result.stderr
    assert not (tmp_path / "page.html").exists()
