"""``ladtl tag --probabilities`` and ``--nbest``: one truth in every format."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke

from ladtl_np.corpus.conversion import merged
from ladtl_np.corpus.document import Alternative, Certainty, Document
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats import jsonl
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.read import read_corpus, read_documents
from ladtl_np.corpus.schemes import spans
from ladtl_np.corpus.tally import Tally
from ladtl_np.model.file import load_model
from ladtl_np.model.tagging import Tagger

TEXT = "Czx ab\nx\n\nab Dz\n"


@pytest.fixture
def tag(invoke: Invoke, tiny_model_file: str, tmp_path: Path) -> Any:
    """``ladtl tag`` of the text, with the tiny model."""
    source = tmp_path / "in.txt"
    source.write_text(TEXT)

    def tag(*arguments: object, input: Path = source) -> Any:
        return invoke("tag", "--model", tiny_model_file, "--threads", "1", input, *arguments)

    return tag


@pytest.fixture
def told(tag: Any) -> list[dict[str, Any]]:
    """The lines of JSONL with the three best ways."""
    result = tag("--to", "jsonl", "--nbest", "3")
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def documents_in(path: Path, kind: str) -> tuple[Document, ...]:
    options = ReadOptions(format=kind)
    return tuple(read_documents(path, options, Findings(str(path)), Tally()).items)


def test_jsonl_has_what_the_tagger_says(tag: Any, told: Any, tiny_model_file: str) -> None:
    plain = [json.loads(line) for line in tag("--to", "jsonl").stdout.splitlines()]
    assert [{key: line[key] for key in was} for line, was in zip(told, plain, strict=True)] == plain
    tagger = Tagger(load_model(tiny_model_file), threads=1)
    lines = [list(line.replace(" ", "")) for line in TEXT.splitlines()]
    some = False
    for line, sure in zip(told, tagger.sure(lines, paths=3), strict=True):
        entities = spans(sure.tags, "BIOES")
        some = some or bool(entities)
        assert line["probabilities"] == [
            pytest.approx(sure.tokens[start], abs=1e-6) for start, _, _ in entities
        ]
        (sentence,) = line["sentences"]
        assert (sentence["start"], sentence["end"]) == (0, len(line["text"]))
        assert sentence["probability"] == pytest.approx(sure.probability, abs=1e-6)
        assert sentence["entropy"] == pytest.approx(sure.entropy, abs=1e-6)
        ways = sentence["nbest"]
        assert ways[0] == {"probability": sentence["probability"], "label": line["label"]}
        assert [way["probability"] for way in ways] == pytest.approx(
            [path.probability for path in sure.paths], abs=1e-6
        )
    assert some


def test_columns_are_read_back_without_being_told_how(tag: Any, told: Any, tmp_path: Path) -> None:
    for style in ("conll", "conllu"):
        with_numbers, plain = tmp_path / f"sure.{style}", tmp_path / f"plain.{style}"
        assert tag("--to", style, "--probabilities", "-o", with_numbers).exit_code == 0
        assert tag("--to", style, "-o", plain).exit_code == 0
        one, other = read_corpus(with_numbers), read_corpus(plain)
        assert [(s.tokens, s.tags) for s in one] == [(s.tokens, s.tags) for s in other]
    rows = [line.split("\t") for line in (tmp_path / "sure.conll").read_text().splitlines() if line]
    wanted = {f"{p:.4f}" for line in told for p in line["probabilities"]}
    inside = [p for _, p, of_token in rows if of_token != "O"]
    assert set(inside) == wanted
    assert "NERProb=" + inside[0] in (tmp_path / "sure.conllu").read_text()


def test_brat_has_a_note_on_each_entity_and_reads_it_back(
    tag: Any, told: Any, tmp_path: Path
) -> None:
    assert tag("--to", "brat", "--probabilities", "-o", tmp_path / "notes").exit_code == 0
    (file,) = (tmp_path / "notes").glob("*.ann")
    notes = re.findall(r"(?m)^#(\d+)\tAnnotatorNotes T\1\t([\d.]+)$", file.read_text())
    numbers = [p for line in told for p in line["probabilities"]]
    assert notes == [(str(n), f"{p:.4f}") for n, p in enumerate(numbers, 1)]
    (document,) = documents_in(tmp_path / "notes", "brat")
    assert len(document.entities or ()) == len(numbers)


def test_the_terminal_has_numbers_behind_types_and_the_ways_below(tag: Any, told: Any) -> None:
    lines = tag("--to", "terminal", "--nbest", "2").stdout.splitlines()
    first = told[0]
    assert re.findall(r"(\d\.\d\d)\]", lines[0]) == [f"{p:.2f}" for p in first["probabilities"]]
    ways = [way["probability"] for way in first["sentences"][0]["nbest"][:2]]
    assert [float(line[:8]) for line in lines[1:3]] == pytest.approx(ways, abs=6e-5)
    assert not re.search(r"\d\.\d\d", tag("--to", "terminal").stdout)


@pytest.mark.parametrize("style", ["spacy", "spacy-jsonl", "prodigy", "label-studio"])
def test_formats_without_a_place_for_it_are_refused(tag: Any, style: str) -> None:
    result = tag("--to", style, "--probabilities")
    assert result.exit_code == 2
    assert f"--to {style} has no place for what --probabilities tells" in result.stderr
    assert "--nbest" in tag("--to", "conll", "--nbest", "2").stderr


def test_a_resumed_folder_notices_what_is_told(tag: Any, tmp_path: Path) -> None:
    folder = ("--out-dir", tmp_path / "out", "--to", "jsonl", "--resume")
    assert tag(*folder).exit_code == 0
    for asked in ((), ("--probabilities",), ("--nbest", "2"), ("--nbest", "3")):
        again = tag(*folder, *asked)
        assert again.exit_code == (2 if asked else 0)
        assert not asked or "it was made with another " in again.stderr
        assert tag(*folder, *asked, "--overwrite").exit_code == 0
    lines = (tmp_path / "out" / "in.jsonl").read_text().splitlines()
    assert len(json.loads(lines[0])["sentences"][0]["nbest"]) == 3


def test_probabilities_are_read_back_beside_their_entities(told: Any, tmp_path: Path) -> None:
    path = tmp_path / "told.jsonl"
    entities = [line["label"] for line in told]
    foreign = [{**told[0], "probabilities": wrong} for wrong in ([], ["high"] * 9, 0.5, [2.0] * 9)]
    path.write_text("".join(json.dumps(line) + "\n" for line in (*told, *foreign)))
    documents = documents_in(path, "jsonl")
    for document, line, label in zip(documents, told, entities, strict=False):
        assert document.probabilities == tuple(line["probabilities"])
        assert [list(span) for span in document.entities or ()] == label
    assert len(told[0]["label"]) not in (0, 9)
    assert [document.probabilities for document in documents[len(told) :]] == [None] * 4


def test_documents_below_each_other_keep_what_belongs_to_them() -> None:
    way = Alternative(0.25, ((0, 1, "A"),))
    parts = [
        Document("ab", ((1, 2, "B"), (0, 1, "A")), probabilities=(p, 0.5), certainties=(sure,))
        for p, sure in ((0.1, Certainty(0, 2, 0.2, 0.3, (way,))), (0.4, Certainty(0, 2, 0.6, 0.7)))
    ]
    whole = merged(parts)
    assert whole.probabilities == (0.1, 0.5, 0.4, 0.5)
    assert whole.certainties is not None
    assert [(sure.start, sure.end) for sure in whole.certainties] == [(0, 2), (3, 5)]
    assert merged([parts[0], Document("c")]).probabilities is None
    (line,) = jsonl.write([parts[0]])
    assert json.loads(line)["label"] == [[0, 1, "A"], [1, 2, "B"]]
    assert json.loads(line)["probabilities"] == [0.5, 0.1]
