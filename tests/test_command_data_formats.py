"""``ladtl data check``, ``convert`` and ``split`` as their user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Invoke

GOOD = '{"id": "p-1", "text": "No chest pain", "label": [[3, 13, "Sign"]]}\n'
WRONG = '{"id": "p-2", "text": "chest pain now", "label": [[0, 11, "Sign"], [11, 13, "T"]]}\n'


@pytest.fixture
def admin(tmp_path: Path) -> Path:
    path = tmp_path / "admin.jsonl"
    path.write_text(GOOD + WRONG, encoding="utf-8")
    return path


def test_check_lists_every_finding_and_exits_3(invoke: Invoke, admin: Path) -> None:
    result = invoke("data", "check", admin)
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{admin}:2: entity 0..11 starts or ends inside a token")
    assert lines[1].startswith(f"{admin}:2: entity 11..13 starts or ends inside a token")
    assert lines[2:] == [f"{admin}: 2 findings"]
    assert "p-2" not in result.output
    assert "(here: document p-2)" in invoke("data", "check", admin, "--show-text").stdout


def test_check_lists_more_than_other_commands_do(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text(WRONG * 60, encoding="utf-8")
    assert "120 findings" in invoke("data", "check", path).stdout
    columns = tmp_path / "many.conll"
    columns.write_text("x\tO\n" + "y\n" * 60, encoding="utf-8")
    assert "60 findings" in invoke("data", "check", columns).stdout


def test_check_goes_on_with_the_next_file(invoke: Invoke, admin: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.jsonl"
    good.write_text(GOOD, encoding="utf-8")
    result = invoke("data", "check", admin, good)
    assert result.exit_code == 3
    assert result.stdout.endswith(f"{good}: no findings\n")
    assert invoke("data", "check", good).exit_code == 0


def test_check_tells_what_repair_would_change(invoke: Invoke, admin: Path) -> None:
    result = invoke("data", "check", admin, "--repair")
    assert (result.exit_code, result.stdout) == (0, f"{admin}: no findings\n")
    assert result.stderr.splitlines()[:2] == [
        f"changed: {admin}:2: entity 0..11 is 0..10 now",
        f"changed: {admin}:2: entity 11..13 is 11..14 now",
    ]


def test_check_notes_every_place_that_is_only_worth_knowing(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "odd.conll"
    path.write_text("x\tI-X\n\n" * 8 + "y\tB-X\n", encoding="utf-8")
    result = invoke("data", "check", path, "--scheme", "IOB2")
    assert result.exit_code == 0
    lines = result.stderr.splitlines()
    assert lines[0] == f"note: {path}:1: a tag that is illegal in IOB2 here"
    assert lines[2] == f"note: {path}:3: the sentence of line 1 again"
    assert len([line for line in lines if line.startswith("note: ")]) == 8 + 7
    (told,) = json.loads(invoke("data", "check", path, "--scheme", "IOB2", "--json").stdout)[
        "files"
    ]
    assert len(told["places"]) == 15


def test_check_gives_the_same_to_programs(invoke: Invoke, admin: Path) -> None:
    result = invoke("data", "check", admin, "--json")
    assert result.exit_code == 3
    (told,) = json.loads(result.stdout)["files"]
    assert [one["line"] for one in told["findings"]] == [2, 2]
    assert "value" not in told["findings"][0]
    shown = json.loads(invoke("data", "check", admin, "--json", "--show-text").stdout)
    assert shown["files"][0]["findings"][0]["value"] == "document p-2"


def test_convert_refuses_what_does_not_fit_and_repairs_what_it_is_told_to(
    invoke: Invoke, admin: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.conll"
    assert invoke("data", "convert", admin, out).exit_code == 3
    assert not out.exists()
    result = invoke("data", "convert", admin, out, "--repair", "--to-scheme", "IOB2")
    assert result.exit_code == 0
    assert f"changed: {admin}:2: entity 0..11 is 0..10 now" in result.stderr
    assert out.read_text("utf-8") == (
        "No\tO\nchest\tB-Sign\npain\tI-Sign\n\nchest\tB-Sign\npain\tI-Sign\nnow\tB-T\n\n"
    )


def test_convert_keeps_entities_between_documents_and_drops_renamed_ones(
    invoke: Invoke, admin: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    assert invoke("data", "convert", admin, out, "--to", "json").exit_code == 0
    assert [one["label"] for one in json.loads(out.read_text("utf-8"))] == [
        [[3, 13, "Sign"]],
        [[0, 11, "Sign"], [11, 13, "T"]],
    ]
    assert invoke("data", "convert", admin, tmp_path / "o.conll", "--repair", "--rename", "T=")
    assert "B-T" not in (tmp_path / "o.conll").read_text("utf-8")


def test_convert_writes_folders_and_does_not_mix_them(
    invoke: Invoke, admin: Path, tmp_path: Path
) -> None:
    out = tmp_path / "brat"
    convert = ("data", "convert", admin, out, "--to", "brat", "--repair")
    assert invoke(*convert).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "p-1.ann",
        "p-1.txt",
        "p-2.ann",
        "p-2.txt",
    ]
    assert (out / "p-1.ann").read_text("utf-8") == "T1\tSign 3 13\tchest pain\n"
    assert "is not empty" in invoke(*convert).stderr
    assert invoke(*convert, "--overwrite").exit_code == 0
    here = invoke("data", "convert", admin, tmp_path, "--to", "brat", "--overwrite")
    assert (here.exit_code, "holds the input" in here.stderr) == (2, True)
    again = invoke("data", "convert", out, out, "--to", "brat", "--overwrite")
    assert (again.exit_code, "holds the input" in again.stderr) == (2, True)


def test_documents_of_one_name_do_not_replace_each_other(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(GOOD + GOOD.replace("p-1", "P-1") + GOOD.replace("p-1", "../x"), "utf-8")
    out = tmp_path / "brat"
    assert invoke("data", "convert", path, out, "--to", "brat").exit_code == 0
    assert sorted(path.stem for path in out.glob("*.txt")) == ["3", "P-1-2", "p-1"]


@pytest.mark.parametrize("to", ["jsonl", "brat"])
def test_columns_group_their_sentences(invoke: Invoke, tmp_path: Path, to: str) -> None:
    path = tmp_path / "a.conll"
    path.write_text("a\tO\n\nb\tS-X\n\nc\tO\n\nd\tO\n", encoding="utf-8")
    out = tmp_path / ("brat" if to == "brat" else f"out.{to}")
    result = invoke("data", "convert", path, out, "--to", to, "--group", 3)
    assert result.exit_code == 0
    assert "2 documents" in result.stderr


def test_an_output_without_a_format_is_asked_for(invoke: Invoke, admin: Path) -> None:
    result = invoke("data", "convert", admin, admin.parent / "out")
    assert (result.exit_code, "give --to" in result.stderr) == (2, True)
    assert invoke("data", "convert", admin, admin).exit_code == 2  # an input is no output
    assert "no text" in invoke("data", "convert", admin, "-", "--to", "spacy", "--repair").stderr


def test_split_keeps_documents_whole_and_balances_types(invoke: Invoke, tmp_path: Path) -> None:
    rows = ["-DOCSTART- O\n"]
    for number in range(20):
        kind = "Rare" if number % 10 == 0 else "Sign"
        rows += [f"w{number} S-{kind}\n\n", f"v{number} O\n\n", "-DOCSTART- O\n\n"]
    path = tmp_path / "all.conll"
    path.write_text("\n".join(rows[:1]) + "\n" + "".join(rows[1:-1]), encoding="utf-8")
    out = tmp_path / "parts"
    result = invoke("data", "split", path, out, "--shares", "0.5,0.5", "--names", "a,b")
    assert result.exit_code == 0
    texts = [(out / f"{name}.conll").read_text("utf-8") for name in ("a", "b")]
    for number in range(20):
        inside = [f"w{number}\t" in text for text in texts]
        assert inside == [f"v{number}\t" in text for text in texts]
        assert sum(inside) == 1
    assert [text.count("S-Rare") for text in texts] == [1, 1]
    again = invoke("data", "split", path, out, "--shares", "0.5,0.5", "--names", "a,b")
    assert again.exit_code == 2
    other = ("--overwrite", "--seed", "7", "--by", "sentence")
    assert invoke("data", "split", path, out, "--shares", "0.5,0.5", "--names", "a,b", *other)
    assert (out / "a.conll").read_text("utf-8") != texts[0]


def test_split_writes_documents_in_their_format(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text("".join(GOOD.replace("p-1", f"p-{n}") for n in range(10)), encoding="utf-8")
    out = tmp_path / "parts"
    assert invoke("data", "split", path, out).exit_code == 0
    counts = [len((out / f"{n}.jsonl").read_text("utf-8").splitlines()) for n in
              ("train", "dev", "test")]  # fmt: skip
    assert (sum(counts), min(counts)) == (10, 1)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--shares", "0.5,x"), "no list of numbers"),
        (("--shares", "0.5,0.5"), "--names wants a name for each of the 2 shares"),
        (("--shares", "0.5,0.4,0.2"), "add up to 1"),
        (("--names", "a,a,b"), "each once"),
    ],
)
def test_what_is_no_split_is_refused(
    invoke: Invoke, admin: Path, tmp_path: Path, options: tuple[str, ...], what: str
) -> None:
    admin.write_text(GOOD * 9, encoding="utf-8")
    result = invoke("data", "split", admin, tmp_path / "parts", *options)
    assert (result.exit_code, what in result.stderr) == (2, True), result.stderr


def test_annotated_texts_are_shown_with_their_entities(invoke: Invoke, admin: Path) -> None:
    result = invoke("data", "convert", admin, "-", "--to", "terminal", "--repair")
    assert result.exit_code == 0
    assert result.stdout == "No [chest pain Sign]\n[chest pain Sign] [now T]\n"
    columns = admin.parent / "a.conll"
    columns.write_text("x\tS-X\n\ny\tO\n", encoding="utf-8")
    assert invoke("data", "convert", columns, "-", "--to", "terminal").stdout == "[x X]\ny\n"
