"""Words that training never saw are looked up in the file of vectors that a model started from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke, write_corpus
from small_corpora import small_config, small_corpora

from ladtl_np.arrays import limits
from ladtl_np.commands.support.tag_cluster import _Kept
from ladtl_np.commands.support.tag_record import file_sha256
from ladtl_np.commands.support.tagging import TagOptions
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.hashing import HashKey
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.vectors.wider_vocabulary import WiderVocabulary
from ladtl_np.corpus.vocabulary import UNKNOWN, Vocabulary
from ladtl_np.errors import DataError, LadtlError, UsageError
from ladtl_np.model.file import Model, load_model, model_bytes, save_model
from ladtl_np.model.tagging import Tagger, make_decoder
from ladtl_np.model.wider import with_vectors
from ladtl_np.training.preparation import prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

# words of the training data, and beside each of their kinds words that it does not have
KINDS = {"ABCDE": ("Q", "q7", "r0"), "x": ("y",), "abc": ("d", "e"), "z": ()}
TEXT = ("a", "Q", "z", "b")
FOUND, NOTHING = ("O", "B-Drug", "E-Drug", "O"), ("O", "O", "O", "O")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words of a kind have one vector of 8 values, 2 where their kind has its place."""
    rows = []
    for place, (seen, unseen) in enumerate(KINDS.items()):
        vector = " ".join("2" if n == place else "0" for n in range(8))
        rows += [f"{word} {vector}\n" for word in (*seen, *unseen)]
    path = tmp_path_factory.mktemp("vectors") / "kinds.txt"
    path.write_text("".join(rows), "utf-8")
    return path


def train(file: Path, keep: Any = "training", **changes: Any) -> Model:
    options = {"data": {"embeddings": str(file)}, "vectors": {"keep": keep}}
    options |= {"training": {"steps": 60, "evaluate_every": 30}}
    trainer = Trainer(prepare(small_config(**options, **changes), small_corpora()))
    for _ in trainer.run():
        pass
    return build_model(trainer.prepared, trainer.best, {}, {})


@pytest.fixture(scope="module")
def model(file: Path) -> Model:
    return train(file)


@pytest.fixture(scope="module")
def model_file(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wider") / "model.safetensors"
    save_model(path, model)
    return path


def test_an_entity_is_found_whose_word_training_never_saw(model: Model, file: Path) -> None:
    assert make_decoder(model).tag([TEXT]) != [FOUND]
    assert make_decoder(model, embeddings=file).tag([TEXT]) == [FOUND]
    (tags,) = Tagger(model, embeddings=file, threads=1).tag([TEXT])
    assert tags == FOUND


def test_words_of_the_file_count_as_known(model: Model, file: Path) -> None:
    counts = []
    for decoder in (make_decoder(model), make_decoder(model, embeddings=file)):
        decoder.tag([TEXT, ("a", "nowhere")])
        counts.append(decoder.counted)
    plain, wider = counts
    assert plain.unknown > wider.unknown == 1
    assert plain.tokens == wider.tokens


def test_words_of_the_model_keep_their_rows(model: Model, file: Path) -> None:
    known = [("a", "B", "z"), ("x", "c"), ("nowhere", "x")]
    assert make_decoder(model).tag(known) == make_decoder(model, embeddings=file).tag(known)


@pytest.mark.parametrize("changes", [{"characters": {"hidden": 3}}, {"method": "re-training"}])
def test_models_that_read_characters_or_have_one_head_look_words_up_as_well(
    file: Path, changes: dict[str, Any]
) -> None:
    model = train(file, **changes)
    wider = with_vectors(model, file)
    table, words = make_decoder(wider).inputs(["Q", "d", "a", "nowhere"])
    rows = table[words][:, :8]
    np.testing.assert_array_equal(rows[0], [2, 0, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(rows[1], [0, 0, 2, 0, 0, 0, 0, 0])
    plain, numbers = make_decoder(model).inputs(["a", "nowhere"])
    np.testing.assert_array_equal(rows[2:], plain[numbers][:, :8])


def test_a_hashed_model_finds_the_same(file: Path, tmp_path: Path) -> None:
    plain = train(file)
    path, key = tmp_path / "hashed.safetensors", tmp_path / "words.key"
    save_model(path, train(file, vocabulary={"key": str(key)}))
    hashed = load_model(path, key)
    assert hashed.vocabulary.lock is not None
    text = [TEXT, ("q", "z", "d", "D"), ("a", "nowhere", "y")]
    wanted = make_decoder(plain, embeddings=file).tag(text)
    assert make_decoder(hashed, embeddings=file).tag(text) == wanted
    with pytest.raises(UsageError, match="--vocabulary-key"):
        make_decoder(load_model(path), embeddings=file)


def test_words_are_looked_up_as_they_are_then_in_lower_case_then_with_zeros() -> None:
    known = Vocabulary((UNKNOWN, "W"), False, False)
    wider = WiderVocabulary.around(known, {"Ab": 2, "ab": 3, "ab0": 4, "W": 5, "C0": 6, "c0": 7})
    tokens = ["Ab", "AB", "ab7", "AB7", "W", "w", "C1", UNKNOWN, "c"]
    assert wider.encode(tokens).tolist() == [2, 3, 4, 4, 1, 0, 6, 0, 0]
    lower = WiderVocabulary.around(Vocabulary((UNKNOWN, "w"), True, True), {"ab0": 2, "AB0": 3})
    assert lower.encode(["AB7", "W"]).tolist() == [2, 1]


def test_a_hashed_vocabulary_is_asked_before_the_file() -> None:
    key = HashKey.new()
    hashed, _ = Vocabulary((UNKNOWN, "W"), False, False).hashed(key)
    wider = WiderVocabulary.around(hashed, {"W": 2, "v": 3})
    assert wider.encode(["W", "v", "V", "u"]).tolist() == [1, 3, 3, 0]


def test_another_file_is_refused_and_the_wanted_one_named(
    model: Model, model_file: Path, file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.txt"
    other.write_text(file.read_text("utf-8").replace("2", "3"), "utf-8")
    with pytest.raises(UsageError) as caught:
        make_decoder(load_model(model_file), embeddings=other)
    told = str(caught.value)
    assert str(other) in told
    assert str(model_file) in told
    assert "kinds.txt" in told
    assert file_sha256(file) in told
    assert file_sha256(other) in told
    elsewhere = tmp_path / "renamed.txt"  # it is the content that counts
    elsewhere.write_bytes(file.read_bytes())
    assert make_decoder(model, embeddings=elsewhere).tag([TEXT]) == [FOUND]


@pytest.mark.parametrize("told", [None, {"name": "kinds.txt"}, {"sha256": 7}, "kinds.txt"])
def test_a_model_without_vectors_takes_none(tiny_model: Model, file: Path, told: Any) -> None:
    provenance = {**tiny_model.provenance, **({"vectors": told} if told is not None else {})}
    model = dataclasses.replace(tiny_model, provenance=provenance)
    with pytest.raises(UsageError, match="was not trained with word vectors"):
        make_decoder(model, embeddings=file)


def test_a_file_that_changes_under_way_is_refused(
    model: Model, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = file_sha256(file)
    longer = file.with_name("longer.txt")
    longer.write_text(file.read_text("utf-8") + "new 1 1 1 1 1 1 1 1\n", "utf-8")
    monkeypatch.setattr("ladtl_np.model.wider.file_sha256", lambda path: wanted)
    with pytest.raises(DataError, match="has changed while it was read"):
        with_vectors(model, longer)


def test_words_that_do_not_fit_are_refused(
    model: Model, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "room", lambda: limits.Room(2.0**10, "a limit of the test"))
    with pytest.raises(LadtlError, match="words of --embeddings needs about"):
        with_vectors(model, file)


def test_values_with_which_sums_would_overflow_are_refused(
    model: Model, file: Path, tmp_path: Path
) -> None:
    huge = tmp_path / "huge.txt"
    huge.write_text(f"Q {' '.join(['3e38'] * 8)}\n", "utf-8")
    vectors = model.provenance["vectors"]
    told = {"vectors": {**vectors, "file": {**vectors["file"], "sha256": file_sha256(huge)}}}
    of_it = dataclasses.replace(model, provenance=told)
    with pytest.raises(DataError, match=r"huge\.txt: .* so large that sums would overflow"):
        with_vectors(of_it, huge)


def test_a_wider_model_is_not_written(model: Model, file: Path) -> None:
    with pytest.raises(ValueError, match="is not written"):
        model_bytes(with_vectors(model, file))


def test_tag_finds_it_with_the_option_and_not_without(
    invoke: Invoke, model_file: Path, file: Path, tmp_path: Path
) -> None:
    tag = ("tag", "--model", model_file, "--tokens", "characters", "--threads", "1")
    found = "a\tO\nQ\tB-Drug\nz\tE-Drug\nb\tO\n\n"
    result = invoke(*tag, "--embeddings", file, input="aQzb\n")
    assert (result.exit_code, result.stdout, result.stderr) == (0, found, "")
    assert invoke(*tag, input="aQzb\n").stdout != found
    text, out = tmp_path / "text.txt", tmp_path / "out"
    text.write_text("aQzb\n")
    many = (*tag, text, "--out-dir", out)
    assert invoke(*many, "--embeddings", file).exit_code == 0
    assert (out / "text.conll").read_text("utf-8") == found
    assert "were tagged before" in invoke(*many, "--embeddings", file, "--resume").stderr
    result = invoke(*many, "--resume")
    assert result.exit_code == 2
    assert "it was made with another embeddings" in result.stderr
    result = invoke(*tag, "--embeddings", file, text, "-o", file, "--overwrite")
    assert result.exit_code == 2  # an input is no output


def test_evaluate_takes_it_as_well(
    invoke: Invoke, model_file: Path, file: Path, tmp_path: Path
) -> None:
    gold = write_corpus(tmp_path / "gold.conll", Corpus("gold", (Sentence(TEXT, FOUND, 1),)))
    evaluate = ("evaluate", "--model", model_file, gold, "--json")
    with_it, without = invoke(*evaluate, "--embeddings", file), invoke(*evaluate)
    assert '"f1": 1.0' in with_it.stdout
    assert '"f1": 1.0' not in without.stdout
    wrong = invoke(*evaluate, "--embeddings", gold)
    assert wrong.exit_code == 2
    assert "is not the file of word vectors that" in wrong.stderr


def test_a_worker_keeps_the_model_with_its_words(model_file: Path, file: Path) -> None:
    plain = TagOptions(
        model=str(model_file), kind=None, style="conll", scheme="BIOES", mode=None,
        reading=ReadOptions(), domain="target", constrained=None, threads=1,
    )  # fmt: skip
    wider = dataclasses.replace(plain, embeddings=str(file))
    assert wider.files() == [str(model_file), str(file)]
    kept, sha256 = _Kept(), file_sha256(model_file)
    first = kept.model(wider, sha256)
    assert isinstance(first.vocabulary, WiderVocabulary)
    assert kept.model(wider, sha256) is first
    assert not isinstance(kept.model(plain, sha256).vocabulary, WiderVocabulary)
