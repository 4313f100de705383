from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from conftest import Invoke, write_corpus

from ladtl_np.commands.evaluate import compare_table
from ladtl_np.commands.support.compared_page import documents_of_sure
from ladtl_np.commands.support.units import probabilities_of
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.model.evaluation import predict_sure
from ladtl_np.model.file import Model, save_model
from ladtl_np.model.tagging import make_decoder
from ladtl_np.scoring import score
from ladtl_np.training.preparation import Corpora


@pytest.fixture
def evaluate(invoke: Invoke, tiny_model_file: str) -> Invoke:
    """``ladtl evaluate`` with the tiny model and one thread."""

    def evaluate(*arguments: object) -> Result:
        return invoke("evaluate", "--threads", 1, "--model", tiny_model_file, *arguments)

    return evaluate


def test_one_model_on_one_file_shows_types_and_how_it_decoded(
    evaluate: Invoke, gold_file: str
) -> None:
    result = evaluate(gold_file)
    assert (result.exit_code, result.stderr) == (0, "")
    for word in ("Drug", "Sign", "overall", "macro F1", "decoding constrained to legal BIOES"):
        assert word in result.stdout
    assert "decoding unconstrained" in evaluate(gold_file, "--unconstrained").stdout


def test_json_holds_the_same_scores_as_training_stored(
    evaluate: Invoke, gold_file: str, tiny_model: Model
) -> None:
    found = json.loads(evaluate(gold_file, "--json").stdout)
    assert (found["domain"], found["results"][0]["constrained"]) == ("target", True)
    scores = found["results"][0]["scores"]
    stored = tiny_model.scores["dev"]["conlleval"]["f1"]
    assert scores["conlleval"]["overall"]["f1"] == pytest.approx(stored, abs=1e-4)
    assert len(found["results"][0]["gold_sha256"]) == 64


def test_several_models_and_files_give_one_compact_table(
    evaluate: Invoke, gold_file: str, tiny_model: Model, tmp_path: Path, tiny_corpus: Corpora
) -> None:
    worse = tiny_model.network.copy()
    worse.weights["target_crf.W"][:] = 0.0
    other = tmp_path / "worse.safetensors"
    save_model(other, replace(tiny_model, network=worse))
    second = write_corpus(tmp_path / "second.conll", tiny_corpus.tests[0])
    result = evaluate("--model", other, gold_file, second)
    assert result.exit_code == 0
    assert result.stdout.count("conlleval / strict") == 2
    assert "Drug" not in result.stdout
    found = json.loads(evaluate("--model", other, gold_file, second, "--json").stdout)["results"]
    assert [Path(r["model"]).stem for r in found] == ["tiny", "tiny", "worse", "worse"]


def test_the_best_of_each_file_is_bold() -> None:
    good = score([["S-X"]], [["S-X"]], "BIOES")
    bad = score([["S-X"]], [["O"]], "BIOES")
    table = compare_table(["a", "b"], ["f", "g"], [[good, bad], [bad, good]])
    styles = [
        [[str(span.style) for span in cell.spans] for cell in column._cells]  # type: ignore[union-attr]
        for column in table.columns[1:]
    ]
    assert styles == [[["bold", "bold"], []], [[], ["bold", "bold"]]]


def test_types_the_model_does_not_know_are_named_and_missed(
    evaluate: Invoke, tmp_path: Path
) -> None:
    corpus = Corpus("gold", (Sentence(tuple("Czx"), ("B-New", "E-New", "S-Sign")),))
    path = write_corpus(tmp_path / "new.conll", corpus)
    result = evaluate(path, "--json")
    assert result.exit_code == 0
    assert "does not know these types" in result.stderr
    assert "all missed: New" in result.stderr
    scores = json.loads(result.stdout)["results"][0]["scores"]["conlleval"]["per_type"]
    assert scores["New"]["recall"] == 0.0
    assert scores["New"]["gold"] == 1
    renamed = evaluate(path, "--json", "--rename", "New=Drug")
    assert renamed.stderr == ""


def test_promise_16_illegal_gold_is_counted_listed_and_left(
    evaluate: Invoke, tmp_path: Path
) -> None:
    path = tmp_path / "gold.conll"
    path.write_text("C\tB-Drug\nz\tI-Drug\n\na\tO\nx\tI-Sign\n")
    result = evaluate(path, "--json", "--scheme", "IOB2")
    assert f"{path}: 1 tag illegal in IOB2" in result.stderr
    assert f"{path}:5" in result.stderr
    (found,) = json.loads(result.stdout)["results"]
    assert found["scores"]["illegal_gold"] == 1
    assert found["illegal_gold_places"] == [f"{path}:5"]
    assert path.read_text().endswith("x\tI-Sign\n")


def test_the_sources_tagger_can_be_evaluated(evaluate: Invoke, gold_file: str) -> None:
    assert "source tagger" in evaluate(gold_file, "--domain", "source").stdout


def test_untagged_gold_is_refused(evaluate: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "raw.conll"
    path.write_text("C\nz\n")
    result = evaluate(path, "--tag-column", "none")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no gold tags" in result.stderr


def test_a_page_shows_what_a_model_gets_wrong_and_how_sure_it_was(
    evaluate: Invoke, gold_file: str, tiny_model: Model, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    gold = read_corpus(gold_file)
    result = evaluate(gold_file, "--html", page)
    assert (result.exit_code, "overall" in result.stdout) == (0, True)
    text = page.read_text("utf-8")
    assert str(tmp_path) not in text  # a page is handed on
    assert text.count("<article") == len(gold)
    found = predict_sure(make_decoder(tiny_model, threads=1), gold)
    scores = score([each.tags or () for each in gold], [each.tags for each in found], "BIOES")
    total = scores.conlleval.overall
    assert f"{total.gold:,} gold entities, {total.predicted:,} predicted" in text
    probabilities = [f"{100 * each:.0f} %" for each in probabilities_of(found)]
    assert len(probabilities) == total.predicted > 0
    assert [each for each in probabilities if each not in text] == []
    documents = list(documents_of_sure(gold, found))
    assert sum((each.probabilities or () for each in documents), ()) == probabilities_of(found)
    for document in documents:
        assert len(document.probabilities or ()) == len(document.entities or ())
    again = evaluate(gold_file, "--html", page)
    assert (again.exit_code, "give --overwrite" in again.stderr) == (2, True)
    assert evaluate(gold_file, "--html", page, "--overwrite", "--json").exit_code == 0
    two = evaluate(gold_file, gold_file, "--html", tmp_path / "other.html")
    assert (two.exit_code, "one model on one file, got 1 and 2" in two.stderr) == (2, True)
    for wrong in (("--overwrite",), ("--html", "-", "--json"), ("--html", gold_file)):
        assert evaluate(gold_file, *wrong).exit_code == 2
