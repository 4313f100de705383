"""Gold and predicted tags of a run: from one file, or from two."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import DataError, UsageError
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.predictions import read_predictions

GOLD = Corpus("gold", (Sentence(("a", "b"), ("B-X", "I-X"), 1),), "IOB2")


def write_run(folder: Path, predictions: str | None, **entry: str) -> FoundRun:
    f1 = {"overall": {"f1": 0.5}}
    data = [{"role": "test", **entry}]
    told = {"data": data, "results": {"t": {"conlleval": f1, "strict": f1}}}
    (folder / "manifest.json").write_text(json.dumps(told), "utf-8")
    if predictions is not None:
        (folder / "predictions-t").write_text(predictions, "utf-8")
    return FoundRun.at(folder)


def no_gold() -> Corpus:
    raise AssertionError("the gold tags are in the file")


def test_gold_is_the_middle_column_where_there_is_one(tmp_path: Path) -> None:
    run = write_run(tmp_path, "a\tB-X\tO\nb\tI-X\tB-X\n", scheme="IOB2")
    gold, predicted = read_predictions(run, "t", no_gold)
    assert [[s.tags for s in side] for side in (gold, predicted)] == [
        [("B-X", "I-X")],
        [("O", "B-X")],
    ]
    assert (gold.scheme, predicted.scheme) == ("IOB2", "IOB2")


def test_other_gold_is_asked_for_where_there_is_none(tmp_path: Path) -> None:
    run = write_run(tmp_path, "a\tO\nb\tI-X\n")
    gold, predicted = read_predictions(run, "t", lambda: GOLD)
    assert gold is GOLD
    assert [s.tags for s in predicted] == [("O", "I-X")]
    assert predicted.scheme == "IOB2"  # as the gold: by itself it looks like IOB1


def test_documents_starts_and_spaces_are_tokens_as_the_run_wrote_them(tmp_path: Path) -> None:
    run = write_run(tmp_path, "-DOCSTART-\tO\tO\n\na b\tO\tO\n", scheme="IOB2")
    gold, _ = read_predictions(run, "t", no_gold)
    assert [s.tokens for s in gold] == [("-DOCSTART-",), ("a b",)]


def test_what_is_missing_or_foreign_is_named(tmp_path: Path) -> None:
    run = write_run(tmp_path, None)
    with pytest.raises(UsageError, match="predictions-t: no such file; only predictions of a test"):
        read_predictions(run, "t", no_gold)
    run = write_run(tmp_path, "a\tO\tO\n", scheme="IOBES+")
    with pytest.raises(DataError, match=r"manifest.json: Invalid enum value 'IOBES\+'"):
        read_predictions(run, "t", no_gold)
