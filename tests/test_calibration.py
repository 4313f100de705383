"""Calibration: what its numbers are, and that a temperature makes probabilities hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke, write_corpus

from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import DataError
from ladtl_np.model import decoding
from ladtl_np.model.calibration import calibrate, fit_temperature
from ladtl_np.model.evaluation import predict_sure
from ladtl_np.model.file import Model, load_model, model_bytes
from ladtl_np.model.tagging import Tagger, make_decoder
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.report import read_calibrations
from ladtl_np.report.sections.calibration import calibration_section
from ladtl_np.scoring.calibration import Judged, calibration
from ladtl_np.training.preparation import Corpora

SOME = [
    Judged("A", 1.0, True),
    Judged("A", 0.95, True),
    Judged("B", 0.6, False),
    Judged("A", 0.6, True),
    Judged("B", 0.1, False),
]


def test_numbers_are_those_of_their_formulas() -> None:
    found = calibration(SOME, {"A": 4, "B": 1})
    whole = found[""]
    assert (whole.gold, whole.predicted) == (5, 5)
    assert whole.mean == pytest.approx(0.65)
    assert whole.precision == pytest.approx(0.6)
    bins = [(one.least, one.entities) for one in whole.bins if one.entities]
    assert bins == [(0.1, 1), (0.6, 2), (0.9, 2)]
    assert whole.ece == pytest.approx((abs(0.1 - 0) + 2 * abs(0.6 - 0.5) + 2 * abs(0.975 - 1)) / 5)
    assert whole.brier == pytest.approx((0 + 0.05**2 + 0.6**2 + 0.4**2 + 0.1**2) / 5)
    kept = [(one.least, one.share, one.precision, one.recall) for one in whole.curve[::3]]
    # 0.1, 0.4, 0.7 and 1.0 of the five; the two of 0.6 are kept together
    assert kept[:2] == [(1.0, 0.2, 1.0, 0.2), (0.95, 0.4, 1.0, 0.4)]
    assert kept[2:] == [(0.6, 0.8, 0.75, 0.6), (0.1, 1.0, 0.6, 0.6)]
    assert whole.curve[5].share == 0.8  # at least 0.6
    assert whole.at_precision is not None
    assert (whole.at_precision.least, whole.at_precision.recall) == (0.95, 0.4)
    assert found["B"].at_precision is None
    assert found["A"].precision == 1.0
    assert json.loads(json.dumps(whole.to_json()))["at_wanted_precision"]["least"] == 0.95


@pytest.fixture
def dev(tiny_corpus: Corpora) -> Corpus:
    """Development data of which the model gets some sentences wrong."""
    assert tiny_corpus.dev is not None
    sentences = [
        sentence if number % 4 else Sentence(sentence.tokens, ("O",) * len(sentence))
        for number, sentence in enumerate(tiny_corpus.dev)
    ]
    return replace(tiny_corpus.dev, sentences=tuple(sentences))


def test_nothing_predicted_has_no_numbers_and_is_no_error() -> None:
    empty = calibration([], {"A": 2})["A"]
    assert (empty.gold, empty.predicted, empty.ece, empty.curve) == (2, 0, 0.0, ())
    assert len(empty.bins) == 10


def test_entities_are_judged_with_the_tagger_s_probabilities(
    tiny_model: Model, tiny_corpus: Corpora
) -> None:
    test = tiny_corpus.tests[0]
    whole = calibrate(predict_sure(make_decoder(tiny_model), test), test)[""]
    sure = list(Tagger(tiny_model).sure(sentence.tokens for sentence in test))
    first = [
        p for one in sure for p, tag in zip(one.tokens, one.tags, strict=True) if tag[0] in "BS"
    ]
    assert whole.predicted == len(first)
    assert whole.mean == pytest.approx(np.mean(first))
    untagged = Corpus("x", (Sentence(("a",)),))
    found = predict_sure(make_decoder(tiny_model), untagged)
    with pytest.raises(DataError, match="no gold tags"):
        calibrate(found, untagged)


@pytest.mark.parametrize("by", ["path", "token"])
def test_a_temperature_undoes_what_scales_the_scores(
    tiny_model: Model, dev: Corpus, by: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = fit_temperature(make_decoder(tiny_model), dev, by)
    assert own.after <= own.before
    network = tiny_model.network.copy()
    for name in ("target_crf.W", "target_crf.A"):
        network.weights[name][...] *= 3.0
    scaled = fit_temperature(make_decoder(replace(tiny_model, network=network)), dev, by)
    assert scaled.temperature == pytest.approx(3.0 * own.temperature, rel=2e-3)
    assert scaled.after == pytest.approx(own.after, rel=1e-5)
    monkeypatch.setattr(decoding, "LONG_TOKENS", 2)
    assert fit_temperature(make_decoder(tiny_model), dev, by) == pytest.approx(own, rel=1e-3)


def test_what_a_model_cannot_say_is_left_out_of_the_fit(tiny_model: Model) -> None:
    known, odd = Sentence(("x",), ("S-Sign",)), Sentence(("x",), ("S-Odd",))
    wrong = Sentence(("x",), ("O",))
    some = Corpus("x", (known, odd, wrong, known), "BIOES")
    found = fit_temperature(make_decoder(tiny_model), some)
    assert (found.sentences, found.left_out) == (3, 1)
    with pytest.raises(DataError, match="give development data that it gets partly wrong"):
        fit_temperature(make_decoder(tiny_model), Corpus("x", (known,), "BIOES"))
    with pytest.raises(DataError, match="no sentence has only types that the model knows"):
        fit_temperature(make_decoder(tiny_model), Corpus("x", (odd,), "BIOES"))


def test_the_command_writes_a_model_that_tags_alike_and_is_less_sure(
    tiny_model_file: str, dev: Corpus, tmp_path: Path, invoke: Invoke
) -> None:
    file, new = tmp_path / "dev.txt", tmp_path / "new.safetensors"
    write_corpus(file, dev)
    made = invoke("model", "calibrate", tiny_model_file, "--dev", file, "-o", new, "--json")
    told = json.loads(made.stdout)
    before, after = load_model(tiny_model_file), load_model(new)
    assert (before.temperature, after.temperature) == (1.0, told["temperature"])
    assert told["temperature"] != 1.0
    assert after.provenance["calibration"]["file"] == "dev.txt"
    assert b"temperature" not in model_bytes(before)
    again = replace(after, temperature=1.0, provenance=before.provenance)
    assert model_bytes(again) == Path(tiny_model_file).read_bytes()
    text = [("C", "z", "x"), ("a", "x", "b")]
    one, other = (list(Tagger(model).sure(text)) for model in (before, after))
    assert [sure.tags for sure in one] == [sure.tags for sure in other]
    assert one[0].probability != other[0].probability
    refused = invoke("model", "calibrate", tiny_model_file, "--dev", file, "-o", new)
    assert refused.exit_code == 2
    assert "temperature" in invoke("model", "info", new).stdout
    arguments = ("--model", tiny_model_file, "--model", new, file)
    plain = json.loads(invoke("evaluate", *arguments, "--json").stdout)["results"]
    found = json.loads(invoke("evaluate", "--calibration", *arguments, "--json").stdout)["results"]
    assert [one.pop("calibration")["overall"]["gold"] for one in found] == [
        one["scores"]["conlleval"]["overall"]["gold"] for one in plain
    ]
    assert found == plain
    told = tmp_path / "told.json"
    told.write_text(invoke("evaluate", "--calibration", *arguments, "--json").stdout)
    section = calibration_section(read_calibrations(str(told)), Pen([]))
    (figure,) = section.figures
    assert "<svg" in figure.svg
    points, table_of_types = section.tables
    assert [row[2].text for row in table_of_types.rows] == ["all", "Drug", "Sign"] * 2
    assert len({row[1].text for row in points.rows}) == 2
    told.write_text('{"results": [{"model": "m"}]}')
    with pytest.raises(
        DataError, match=r"is not what `ladtl evaluate --calibration --json` prints"
    ):
        read_calibrations(str(told))
    table = invoke("evaluate", "--calibration", "--model", new, file).stdout
    assert "Probabilities of entities" in table
    assert "90 to 100 %" in table
