"""Terms of a user's list in a report: what their rows hold, what is left out, what is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke, write_corpus
from term_cases import by_hand, corpus_of

from ladtl_np.corpus.formats.conll import read_conll, write_conll
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.sampling import sample
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.options.seeds import stream
from ladtl_np.pages import Page, Section, extra_files
from ladtl_np.report import build_report, study_of
from ladtl_np.report import tagged as tagged_module
from ladtl_np.report.term_list import Term
from ladtl_np.runs.folder import RunFolder
from ladtl_np.runs.found import find_runs

CANARY = "Zq7canary"
Runs = Callable[..., Path]

SOURCE = corpus_of(*["[甲乙:Drug]丙"] * 3, "[甲:Drug][乙:Sign]丙", "[丁:Sign]丙")
TARGET = corpus_of(*["[甲乙:Drug]丙丁"] * 4, *["[甲乙丙:Drug]丁"] * 6, *["丙丁丙丁"] * 30)
TEST = corpus_of("[甲乙:Drug]丙", "丁[甲乙:Drug]", "丙[甲乙:Sign]", "丙[丁:Sign]")
WRONG = corpus_of("[甲乙:Drug]丙", "[丁甲乙:Drug]", "丙[甲乙:Drug]", "丙[丁:Sign]")
NOTHING = corpus_of("甲乙丙", "丁甲乙", "丙甲乙", "丙丁")


@pytest.fixture
def make_runs(tmp_path: Path) -> Runs:
    """Write corpora, and run folders of several methods and seeds on them."""

    def make_runs(
        task: str = "A-to-B",
        predicted: dict[str, list[Corpus]] | None = None,
        *,
        options: str = "",
        fraction: float = 0.25,
        tests: tuple[Corpus, ...] = (TEST,),
        target: Corpus = TARGET,
        **manifest: Any,
    ) -> Path:
        files = {"source": SOURCE, "target": target}
        files |= {f"test{n}" if n else "test": test for n, test in enumerate(tests)}
        data = []
        for role, corpus in files.items():
            path = write_corpus(tmp_path / f"{task.replace('/', '-')}-{role}.txt", corpus)
            data.append({"role": role.rstrip("1"), "name": path, "scheme": "BIOES"})
            data[-1]["sha256"] = read_conll(path).sha256
        counts = {"gold": 1, "predicted": 1, "correct": 1}
        overall = {"overall": {**counts, "precision": 0.5, "recall": 0.5, "f1": 0.5}}
        scores = {"conlleval": overall, "strict": overall}
        names = ["test.txt", "more.txt"][: len(tests)]
        both = {"non-transfer": [NOTHING, TEST], "la-dtl": [TEST, WRONG]}
        for method, corpora in (predicted or both).items():
            for seed, guess in enumerate(corpora):
                told = {"method": method, "data": data, "results": dict.fromkeys(names, scores)}
                if method == "non-transfer":
                    told["data"] = data[1:]
                with RunFolder(tmp_path / "e" / task / method / str(seed)) as folder:
                    lines = f"seed = {seed}\n[data]\ntarget_fraction = {fraction}\n{options}"
                    folder.write_text("config.toml", lines)
                    folder.write_manifest(told | manifest, [])
                    for name, test in zip(names, tests, strict=True):
                        path = folder.path / f"predictions-{name}"
                        with path.open("w", encoding="utf-8", newline="\n") as stream:
                            write_conll(stream, test, [sentence.tags or () for sentence in guess])
        return tmp_path / "e"

    return make_runs


def section_of(place: Path, *terms: Term, **options: Any) -> Section:
    report = build_report(study_of(find_runs([place])), terms=terms, **options)
    return next(section for section in report.sections if section.key == "terms")


def texts(section: Section, table: int = 0) -> list[list[str]]:
    return [[cell.text for cell in row] for row in section.tables[table].rows]


DRUG, ANY = Term("甲乙", "Drug"), Term("甲乙")


def test_a_row_holds_training_counts_test_counts_and_what_is_right(make_runs: Runs) -> None:
    section = section_of(make_runs(fraction=1.0), DRUG, ANY)
    assert section.tables[0].header == [
        *("term", "type", "task", "source", "source: other", "target", "target: other", "test"),
        *("right: non-transfer", "right: la-dtl"),
    ]
    assert texts(section) == [
        # right: nothing and both; both, and one whose boundaries are right
        ["甲乙", "Drug", "A → B", "3", "1", "4", "6", "2", "1.00 (0–2)", "1.50 (1–2)"],
        # right boundaries with another type are not right
        ["甲乙", "–", "A → B", "3", "1", "4", "6", "3", "1.50 (0–3)", "2.00 (1–3)"],
    ]
    assert "means over the seeds" in section.tables[0].caption


def test_the_target_counts_are_those_of_the_sentences_that_each_seed_drew(make_runs: Runs) -> None:
    (row,) = texts(section_of(make_runs(), ANY))
    drawn = [
        by_hand(sample(TARGET, 0.25, stream(seed, "target sample")), "甲乙") for seed in range(2)
    ]
    assert drawn[0] != drawn[1]  # or this test shows nothing
    for cell, numbers in zip(row[4:6], zip(*drawn, strict=True), strict=True):
        low, high = sorted(numbers)
        assert cell == (f"{low}" if low == high else f"{sum(numbers) / 2:.2f} ({low}–{high})")


def test_a_sample_seed_of_its_own_gives_one_sample(make_runs: Runs) -> None:
    (row,) = texts(section_of(make_runs(options="sample_seed = 7\n"), ANY))
    one, other = by_hand(sample(TARGET, 0.25, stream(7, "target sample")), "甲乙")
    assert row[4:6] == [str(one), str(other)]


def test_a_share_of_the_source_is_drawn_too(make_runs: Runs) -> None:
    options = "source_fraction = 0.4\nsample_seed = 3\n"
    (row,) = texts(section_of(make_runs(options=options), ANY))
    one, other = by_hand(sample(SOURCE, 0.4, stream(3, "source sample")), "甲乙")
    assert row[2:4] == [str(one), str(other)] != ["3", "1"]


def test_each_test_corpus_and_each_task_has_its_rows(make_runs: Runs) -> None:
    two = (TEST, corpus_of("甲乙丙", "丁[甲乙:Drug]", "丙[甲乙:Sign]", "丙丁"))
    make_runs("A-to-B", tests=two)
    place = make_runs("C-to-B", tests=two)
    section = section_of(place, ANY, Term("丁"))
    assert [table.name for table in section.tables] == ["terms-1", "terms-2"]
    assert "on more.txt" in section.tables[0].caption
    for table, gold in ((0, ["2", "0"]), (1, ["3", "1"])):
        rows = texts(section, table)
        assert [row[:2] for row in rows] == [
            *(["甲乙", "A → B"], ["甲乙", "C → B"], ["丁", "A → B"], ["丁", "C → B"]),
        ]
        assert [row[6] for row in rows[::2]] == gold


def test_the_chosen_method_is_the_one_with_transfer(make_runs: Runs) -> None:
    predicted = {"non-transfer": [TEST], "joint-training": [NOTHING], "la-dtl": [WRONG]}
    place = make_runs(predicted=predicted)
    for methods in (("non-transfer", "joint-training"), ("joint-training", "la-dtl")):
        section = section_of(place, ANY, methods=methods)
        assert section.tables[0].header[-2:] == ["right: non-transfer", "right: joint-training"]
        assert texts(section)[0][-2:] == ["3", "0"]
    assert section_of(place, ANY).tables[0].header[-1] == "right: la-dtl"


def test_without_non_transfer_there_is_no_column_of_it(make_runs: Runs) -> None:
    section = section_of(make_runs(predicted={"la-dtl": [WRONG]}), ANY)
    assert texts(section)[0][-2:] == ["3", "1"]
    assert "no run of non-transfer" in " ".join(section.notes)
    alone = section_of(make_runs("X", {"non-transfer": [TEST]}), ANY, methods=["non-transfer"] * 2)
    assert "a method with transfer" in alone.missing


def test_a_type_that_no_corpus_has_is_told(make_runs: Runs) -> None:
    notes = " ".join(section_of(make_runs(), DRUG, Term("甲乙", "drug")).notes)
    assert "No corpus has an entity of the type drug;" in notes
    assert "Drug" not in notes


# --- what is not there any more


def test_a_corpus_that_is_gone_or_changed_leaves_its_task_out(
    make_runs: Runs, tmp_path: Path
) -> None:
    for task in ("A-to-B", "C-to-B", "D-to-B"):
        place = make_runs(task)
    (tmp_path / "A-to-B-source.txt").unlink()
    with (tmp_path / "C-to-B-target.txt").open("a", encoding="utf-8") as stream:
        stream.write("甲\tO\n")
    section = section_of(place, ANY)
    assert [row[1] for row in texts(section)] == ["D → B"]
    notes = " ".join(section.notes)
    assert "A-to-B-source.txt is not there" in notes
    assert "C-to-B-target.txt has changed since the run" in notes
    (tmp_path / "D-to-B-target.txt").unlink()
    section = section_of(place, ANY)
    assert section.missing.startswith("the terms could not be counted: ")
    assert "D-to-B-target.txt is not there" in section.missing
    assert (section.tables, section.notes) == ([], [])


def test_sentences_that_cannot_be_told_are_not_guessed(make_runs: Runs) -> None:
    place = make_runs("fewer", target_sentences_used=9)
    assert "its 9 sentences of the target cannot be told" in section_of(place, ANY).missing
    place = make_runs("equal", target_sentences_used=10) / "equal"
    assert not section_of(place, ANY).missing
    place = make_runs("E/fraction-0.25") / "E"
    for config in place.rglob("config.toml"):
        config.unlink()
    assert "no config.toml tells which sentences" in section_of(place, ANY).missing


def test_predictions_that_are_not_there_leave_a_dash(make_runs: Runs) -> None:
    place = make_runs()
    for path in place.glob("A-to-B/non-transfer/*/predictions-*"):
        path.unlink()
    section = section_of(place, ANY)
    assert texts(section)[0][-3:] == ["3", "–", "2.00 (1–3)"]
    assert "predictions-test.txt: no such file" in " ".join(section.notes)


def test_means_over_different_numbers_of_runs_are_told(make_runs: Runs) -> None:
    place = make_runs(predicted={"non-transfer": [TEST], "la-dtl": [TEST, WRONG]})
    told = "A → B: means over different numbers of runs, 1 of non-transfer, 2 of la-dtl."
    assert told in section_of(place, ANY).notes


def test_a_grid_of_which_no_point_is_chosen_has_no_rows(make_runs: Runs) -> None:
    place = make_runs(predicted={"la-dtl": [TEST]})
    (config,) = place.rglob("config.toml")
    other = config.parent.with_name("1")
    with RunFolder(other) as folder:
        for path in config.parent.glob("[mp]*"):
            folder.write_text(path.name, path.read_text("utf-8"))
        folder.write_text("config.toml", config.read_text("utf-8") + "[objective]\nw_mmd = 0.5\n")
    assert "no one grid point of la-dtl was scored" in section_of(place, ANY).missing


def test_every_corpus_is_read_once(make_runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    place = make_runs()
    read: list[str] = []

    def counting(path: Any, options: Any) -> Corpus:
        read.append(str(path))
        return read_corpus(path, options)

    monkeypatch.setattr(tagged_module, "read_corpus", counting)
    assert texts(section_of(place, ANY))
    corpora = [name for name in read if "predictions" not in name]
    assert len(set(corpora)) == len(corpora) == 3


# --- the page and the command


def hostile(place: Path) -> Page:
    terms = [Term("<script>alert(1)</script>"), Term("=1+1\u202e\x1b[31m"), Term("\u3000"), ANY]
    return build_report(study_of(find_runs([place])), terms=terms)


def test_terms_are_escaped_wherever_they_are_shown(make_runs: Runs) -> None:
    report = hostile(make_runs())
    page = report.html()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert r"\u3000" in page
    table = extra_files(report)["terms-1.tsv"].decode()
    assert [line.split("\t")[0] for line in table.split("\n")[1:-1]] == [
        *("<script>alert(1)</script>", r"'=1+1\u202e\x1b[31m", r"\u3000", "甲乙"),
    ]
    told = json.dumps([section.to_json() for section in report.sections], ensure_ascii=False)
    for character in "\u202e\x1b\u3000":
        assert character not in page + table + told


def test_the_page_shows_no_text_but_the_terms(make_runs: Runs) -> None:
    tokens = (CANARY, "甲", "乙", *"丙" * 30)
    more = Sentence(tokens, ("S-Drug", "B-Drug", "E-Drug", *["O"] * 30))
    place = make_runs(target=Corpus("t", (*TARGET, more)))
    report = build_report(study_of(find_runs([place])), terms=[ANY])
    everything = report.html() + str(extra_files(report))
    assert "甲乙" in everything
    assert CANARY not in everything
    assert "丙" not in everything


def test_without_a_list_there_is_no_section(make_runs: Runs) -> None:
    report = build_report(study_of(find_runs([make_runs()])))
    assert all(section.key != "terms" for section in report.sections)
    assert 'id="terms"' not in report.html()


def test_the_command_takes_a_list(make_runs: Runs, invoke: Invoke, tmp_path: Path) -> None:
    place, out = make_runs(), tmp_path / "r.html"
    (tmp_path / "terms.txt").write_text("甲乙\tDrug\n", "utf-8")
    arguments = ("report", place, "--terms", tmp_path / "terms.txt", "--out")
    result = invoke(*arguments, out, "--figures", tmp_path / "f", "--json")
    assert result.exit_code == 0, result.stderr
    sections = {section["section"]: section for section in json.loads(result.stdout)["sections"]}
    assert sections["terms"]["tables"][0]["rows"][0][:3] == ["甲乙", "Drug", "A → B"]
    assert "terms-1.tsv" in {path.name for path in (tmp_path / "f").iterdir()}
    assert '<section id="terms">' in out.read_text("utf-8")
    assert "甲" not in result.stderr
    refused = invoke(*arguments, tmp_path / "terms.txt", "--overwrite")
    assert (refused.exit_code, "also an input" in refused.stderr) == (2, True)


def test_the_command_names_file_and_line_of_a_bad_list(
    make_runs: Runs, invoke: Invoke, tmp_path: Path
) -> None:
    place, out = make_runs(), tmp_path / "r.html"
    (tmp_path / "terms.txt").write_text(f"甲\n{CANARY}\n{CANARY}\n", "utf-8")
    result = invoke("report", place, "--terms", tmp_path / "terms.txt", "--out", out)
    assert result.exit_code == 3
    assert "terms.txt:3: the term of line 2 again" in result.stderr
    assert CANARY not in result.stderr
    assert invoke("report", place, "--terms", tmp_path / "no.txt", "--out", out).exit_code == 2
    assert not out.exists()
