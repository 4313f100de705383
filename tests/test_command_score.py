from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke

GOLD = "a\tB-X\nb\tI-X\n\nc\tO\nd\tB-Y\n"


@pytest.fixture
def files(tmp_path: Path) -> Any:
    def files(*contents: str) -> list[Path]:
        paths = [tmp_path / name for name in ("gold.txt", "predicted.txt")][: len(contents)]
        for path, content in zip(paths, contents, strict=True):
            path.write_text(content, "utf-8")
        return paths

    return files


def overall(result: Any) -> tuple[float, float]:
    scores = json.loads(result.stdout)["scores"]
    return scores["conlleval"]["overall"]["f1"], scores["strict"]["overall"]["f1"]


def test_equal_files_are_perfect_in_both_ways(invoke: Invoke, files: Any) -> None:
    result = invoke("score", *files(GOLD, GOLD), "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert overall(result) == (1.0, 1.0)


def test_both_ways_of_counting_stand_side_by_side(invoke: Invoke, files: Any) -> None:
    result = invoke("score", *files(GOLD, GOLD.replace("B-X", "I-X")))
    assert result.exit_code == 0
    assert "conll-" in result.stdout
    assert "strict" in result.stdout
    assert "100.00" in result.stdout
    assert "predicted.txt: 1 tag illegal in IOB2" in result.stderr
    assert "predicted.txt:1" in result.stderr


def test_two_columns_of_one_file_and_standard_input(invoke: Invoke, files: Any) -> None:
    both = "a\tB-X\tB-X\nb\tI-X\tO\n\nc\tB-X\tB-X\n"
    (path,) = files(both)
    from_file = invoke("score", path, "--json")
    assert overall(from_file) == (0.5, 0.5)
    swapped = invoke("score", "-", "--gold-column", 2, "--predicted-column", 1, input=both)
    assert swapped.exit_code == 0
    scores = json.loads(invoke("score", "-", "--json", input=both).stdout)
    assert scores["scores"] == json.loads(from_file.stdout)["scores"]
    assert scores["gold"]["file"] == "standard input"


@pytest.mark.parametrize(
    ("predicted", "scheme"),
    [
        ("a\tB-X\nb\tE-X\n\nc\tO\nd\tS-Y\n", "BIOES"),
        ("a\tB-X\nb\tL-X\n\nc\tO\nd\tU-Y\n", "BILOU"),
    ],
)
def test_predictions_in_another_scheme_are_converted(
    invoke: Invoke, files: Any, predicted: str, scheme: str
) -> None:
    result = invoke("score", *files(GOLD, predicted), "--json")
    assert overall(result) == (1.0, 1.0)
    assert json.loads(result.stdout)["predicted"]["scheme"] == scheme


def test_poor_predictions_do_not_change_the_scheme(invoke: Invoke, files: Any) -> None:
    strays = "a\tI-X\nb\tI-X\n\nc\tI-X\nd\tB-Y\n"  # alone they would count as IOB1, with a stray B-
    result = invoke("score", *files(GOLD, strays), "--json")
    assert json.loads(result.stdout)["predicted"]["scheme"] == "IOB2"
    assert "converted" not in result.stderr
    nothing = invoke("score", *files(GOLD, "a\tO\nb\tO\n\nc\tO\nd\tO\n"), "--json")
    assert json.loads(nothing.stdout)["predicted"]["scheme"] == "IOB2"


ADJACENT = {  # two entities of one type side by side, and one alone
    "IOB1": "a\tI-X\nb\tB-X\n\nc\tO\nd\tI-Y\n",
    "IOB2": "a\tB-X\nb\tB-X\n\nc\tO\nd\tB-Y\n",
}


@pytest.mark.parametrize(("one", "other"), [("IOB1", "IOB2"), ("IOB2", "IOB1")])
def test_predictions_that_only_another_plain_scheme_allows_are_in_it(
    invoke: Invoke, files: Any, one: str, other: str
) -> None:
    paths = files(ADJACENT[one], ADJACENT[other])
    declared = () if one == "IOB2" else ("--scheme", "IOB1", "--predicted-scheme", "detect")
    result = invoke("score", *paths, "--json", *declared)
    assert overall(result) == (1.0, 1.0)
    assert json.loads(result.stdout)["predicted"]["scheme"] == other
    assert f"converted from {other} to {one}, the gold's scheme" in result.stderr
    kept = invoke("score", *paths, "--json", "--scheme", one)
    assert overall(kept)[1] < 1.0
    assert "converted" not in kept.stderr


def test_iob2_beside_gold_declared_as_io_is_converted(invoke: Invoke, files: Any) -> None:
    gold = GOLD.replace("B-", "I-")
    result = invoke("score", *files(gold, GOLD), "--scheme=IO", "--predicted-scheme=detect")
    assert result.exit_code == 0
    assert "2 tags were converted from IOB2 to IO" in result.stderr
    # what both schemes allow is in the gold's
    same = invoke("score", *files(gold, gold), "--scheme=IO", "--predicted-scheme=detect", "--json")
    assert json.loads(same.stdout)["predicted"]["scheme"] == "IO"


def test_a_conversion_that_changes_no_tag_is_not_told(invoke: Invoke, files: Any) -> None:
    text = "a\tO\nb\tO\n\nc\tS-X\nd\tS-Y\n"
    result = invoke("score", *files(text, text), "--scheme=BIOES", "--predicted-scheme=BMES")
    assert (result.exit_code, result.stderr) == (0, "")


def test_converted_illegal_predictions_are_announced(invoke: Invoke, files: Any) -> None:
    result = invoke("score", *files(GOLD, "a\tB-X\nb\tB-X\n\nc\tO\nd\tS-Y\n"))
    assert "converted from BIOES to IOB2" in result.stderr


def test_declared_schemes_and_renames(invoke: Invoke, files: Any) -> None:
    paths = files(GOLD, GOLD.replace("-Y", "-Z"))
    assert overall(invoke("score", *paths, "--json", "--rename", "Z=Y")) == (1.0, 1.0)
    refused = invoke("score", *paths, "--scheme", "IO")
    assert refused.exit_code == 3
    assert "gold.txt:1: a value of 3 characters in the tag column" in refused.stderr
    told = invoke("score", *paths, "--scheme", "IO", "--show-text")
    assert told.exit_code == 3
    assert told.stderr.splitlines()[0] == f"{refused.stderr.splitlines()[0]} (here: B-X)"


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        ("a\tO\nQ\tO\n\nc\tO\nQ\tO\n", "predicted.txt:2: another token than"),
        ("a\tO\n\nb\tO\n\nc\tO\nd\tO\n", "predicted.txt:1: a sentence of 1 token where"),
        ("a\tO\nb\tO\n", "predicted.txt: 1 sentence where"),
        (GOLD + "\ne\tO\n", "predicted.txt: 3 sentences where"),
    ],
)
def test_other_tokens_are_findings(
    invoke: Invoke, files: Any, predicted: str, message: str
) -> None:
    result = invoke("score", *files(GOLD, predicted))
    assert (result.exit_code, result.stdout) == (3, "")
    assert message in result.stderr
    assert "Q" not in result.stderr


def test_the_lines_of_all_other_tokens_are_listed(invoke: Invoke, files: Any) -> None:
    result = invoke("score", *files(GOLD, GOLD.replace("a", "1").replace("d", "2")))
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert "predicted.txt:5: another token than" in lines[1]


def test_one_file_of_documents_has_no_two_columns(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "x", "label": []}\n', encoding="utf-8")
    result = invoke("score", path)
    assert result.exit_code == 2
    assert "jsonl has no two columns of tags to compare" in result.stderr


@pytest.mark.parametrize("format_name", ["conllu", "germeval"])
def test_columns_with_an_index_are_told_as_by_other_commands(
    invoke: Invoke, tmp_path: Path, format_name: str
) -> None:
    rows = {"conllu": "{}\t{}\t_\t_\t_\t_\t_\t_\t_\tNER={}\n", "germeval": "{}\t{}\t{}\tO\n"}
    paths = [tmp_path / f"{name}.{'conllu' if format_name == 'conllu' else 'tsv'}" for name in "ab"]
    for path, tag in zip(paths, ("B-LOC", "B-PER"), strict=True):
        row = rows[format_name]
        path.write_text(row.format(1, "Bonn", tag) + row.format(2, "is", "O"), encoding="utf-8")
    told = json.loads(invoke("score", *paths, "--json").stdout)
    assert told["scores"]["conlleval"]["overall"]["gold"] == 1
    assert told["scores"]["conlleval"]["overall"]["correct"] == 0
    same = json.loads(invoke("score", paths[0], paths[0], "--json").stdout)
    assert same["scores"]["conlleval"]["overall"]["f1"] == 1.0


def test_a_page_shows_the_differences(invoke: Invoke, files: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    paths = files(GOLD, GOLD.replace("B-Y", "B-X"))
    assert invoke("score", *paths, "--html", page).exit_code == 0
    assert str(tmp_path) not in page.read_text("utf-8")  # a page is handed on
    text = page.read_text("utf-8")
    assert "wrong type: X, gold Y" in text
    assert "2 gold entities, 2 predicted, 1 right: precision 50.00" in text
    assert text.count("<article") == 2
    assert page.stat().st_mode & 0o777 == 0o600
    again = invoke("score", *paths, "--html", page)
    assert (again.exit_code, "give --overwrite" in again.stderr) == (2, True)
    assert invoke("score", *paths, "--html", page, "--overwrite", "--json").exit_code == 0
    for wrong in (("--overwrite",), ("--html", "-", "--json"), ("--html", paths[0])):
        assert invoke("score", *paths, *wrong).exit_code == 2
