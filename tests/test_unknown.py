"""Tokens that a model does not know: how they are counted, and when they are told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke, write_corpus
from small_corpora import small_config, small_corpora

from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.unknown import (
    UnknownTokens,
    count_unknown,
    remark_on_unknown,
    unknown_told,
)
from ladtl_np.corpus.vocabulary import UNKNOWN, Vocabulary
from ladtl_np.model import decoding, pieces
from ladtl_np.model.file import Model, load_model, model_bytes, model_from_bytes, save_model
from ladtl_np.model.tagging import Tagger, make_decoder
from ladtl_np.training.preparation import prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

WORDS = Vocabulary((UNKNOWN, "a", "b0"), lower=True, digits_to_zero=True)


def of(*rows: str) -> Corpus:
    return Corpus("c", tuple(Sentence(tuple(row.split())) for row in rows))


def test_tokens_count_in_the_form_in_which_they_are_looked_up() -> None:
    assert count_unknown(WORDS, of("A B7 x", "y a")) == UnknownTokens(2, 5)
    assert count_unknown(WORDS, Corpus("none", ())) == UnknownTokens(0, 0)
    assert UnknownTokens(2, 5) + UnknownTokens(1, 2) == UnknownTokens(3, 7)
    assert UnknownTokens(3, 7) - UnknownTokens(2, 5) == UnknownTokens(1, 2)
    assert UnknownTokens(1, 4).share == 0.25
    assert UnknownTokens().share == 0.0
    with pytest.raises(ValueError, match="more unknown"):
        UnknownTokens(2, 1)


@pytest.mark.parametrize(
    ("unknown", "tokens", "usual", "told"),
    [
        (31, 100, (10, 100), True),  # three times as many
        (30, 100, (10, 100), False),
        (11, 100, (0, 100), True),  # at least a tenth
        (10, 100, (0, 100), False),
        (81, 100, (40, 100), True),  # a third as many known
        (79, 100, (40, 100), False),
        (99, 99, (0, 100), False),  # too few tokens to tell
        (51, 100, (0, 99), True),  # too few to compare with: more than half
        (50, 100, (0, 99), False),
        (51, 100, None, True),
        (50, 100, None, False),
    ],
)
def test_a_text_is_remarked_on_from_these_shares_on(
    unknown: int, tokens: int, usual: tuple[int, int] | None, told: bool
) -> None:
    compared = None if usual is None else UnknownTokens(*usual)
    found = list(remark_on_unknown("text", UnknownTokens(unknown, tokens), compared))
    assert [remark.kind for remark in found] == ["unknown-words"] * told
    for remark in found:
        assert (remark.corpus, remark.count) == ("text", unknown)
        assert "token column" in remark.cure


def test_the_usual_share_is_told_where_it_is_known() -> None:
    found = UnknownTokens(1, 3)
    assert unknown_told(found, None) == "33.3 % of 3 tokens are unknown to the model"
    assert unknown_told(found, UnknownTokens()) == unknown_told(found, None)
    assert unknown_told(found, UnknownTokens(1, 8)).endswith(
        "unknown to the model, 12.5 % of its development data"
    )


@pytest.mark.parametrize("characters", [0, 3])
def test_a_decoder_counts_every_token_once(
    monkeypatch: pytest.MonkeyPatch, characters: int
) -> None:
    config = small_config(characters={"hidden": characters} if characters else {})
    model = model_of(Trainer(prepare(config, small_corpora())))
    for module in (decoding, pieces):
        monkeypatch.setattr(module, "LONG_TOKENS", 8)
    monkeypatch.setattr(pieces, "PIECE_TOKENS", 3)
    decoder = make_decoder(model)
    assert decoder.counted == UnknownTokens(0, 0)
    decoder.tag([("x", "q", "q"), (), tuple("xxxxqxxxxqxxxxqxxxxq")])
    assert decoder.counted == UnknownTokens(6, 23)
    list(Tagger(model).tag([["q"]]))
    decoder.tag([("q",)])
    assert decoder.counted == UnknownTokens(7, 24)


def model_of(trainer: Trainer) -> Model:
    return build_model(trainer.prepared, trainer.network, {}, {})


def test_a_model_keeps_the_count_of_its_development_data(tmp_path: Path) -> None:
    corpora = small_corpora()
    assert corpora.dev is not None
    prepared = prepare(small_config(), corpora)
    expected = count_unknown(prepared.vocabulary, corpora.dev)
    model = model_of(Trainer(prepared))
    save_model(tmp_path / "m", model)
    assert load_model(tmp_path / "m").dev_unknown == expected
    assert expected.tokens == corpora.dev.token_count
    without = model_of(Trainer(prepare(small_config(), replace(corpora, dev=None))))
    assert model_from_bytes("m", model_bytes(without)).dev_unknown is None


def foreign(corpus: Corpus) -> Corpus:
    """The same sentences in characters that training does not have, over and over."""
    sentences = tuple(
        Sentence(tuple("ЖЩЮ"[len(token) % 3] for token in s.tokens), s.tags, s.line)
        for s in corpus
        for _ in range(5)
    )
    return Corpus("foreign", sentences, corpus.scheme)


def test_training_tells_the_share_of_dev_and_tests_and_remarks_on_odd_ones(
    invoke: Invoke, tmp_path: Path
) -> None:
    corpora = small_corpora()
    assert corpora.dev is not None
    long = Corpus("dev", corpora.dev.sentences * 5, corpora.dev.scheme)
    names = {
        "--target": write_corpus(tmp_path / "target", corpora.target),
        "--dev": write_corpus(tmp_path / "dev", long),
        "--test": write_corpus(tmp_path / "test", foreign(corpora.dev)),
    }
    small = ("--steps", 1, "--set", "model.embedding=2", "--set", "model.hidden=2")
    result = invoke(
        *("train", "--method", "non-transfer", "--out", tmp_path / "run", *small),
        *(part for pair in names.items() for part in pair),
    )
    assert result.exit_code == 0, result.stderr
    lines = result.stderr.splitlines()
    assert len([line for line in lines if "(0.0 % unknown)" in line]) == 1
    assert len([line for line in lines if "(100.0 % unknown)" in line]) == 1
    (told,) = (line for line in lines if "unknown to the model" in line)
    assert told.startswith(f"warning: {names['--test']}: 100.0 % of ")
    manifest = json.loads((tmp_path / "run/manifest.json").read_text("utf-8"))
    assert "unknown-words" in [remark["kind"] for remark in manifest["remarks"]]
    # evaluate and model info tell the same
    model = tmp_path / "run/best.safetensors"
    both = (names["--dev"], names["--test"])
    table = invoke("evaluate", "--model", model, *both)
    assert "unknown to the model, 0.0 % of its development data" in " ".join(table.stdout.split())
    assert [line for line in table.stderr.splitlines() if "unknown to" in line] == [told]
    rows = json.loads(invoke("evaluate", "--model", model, *both, "--json").stdout)["results"]
    tokens = sum(map(len, long.sentences))
    assert [row["unknown_tokens"] for row in rows] == [0, tokens]
    assert [row["dev_unknown_share"] for row in rows] == [0.0, 0.0]
    one = invoke("evaluate", "--model", model, names["--test"]).stdout
    assert f"100.0 % of {tokens:,} tokens are unknown" in " ".join(one.split())
    info = json.loads(invoke("model", "info", model, "--json").stdout)
    assert info["dev_unknown"] == {"unknown": 0, "tokens": tokens}
    assert f"0.0 % of the {tokens:,} tokens" in invoke("model", "info", model).stdout


def test_development_data_are_compared_with_half_of_all() -> None:
    corpora = small_corpora()
    assert corpora.dev is not None
    prepared = prepare(small_config(), replace(corpora, dev=foreign(corpora.dev)))
    assert [(r.kind, r.corpus) for r in prepared.remarks if r.kind == "unknown-words"] == [
        ("unknown-words", "foreign")
    ]
    assert np.isclose(prepared.unknown["dev"][0].share, 1.0)
