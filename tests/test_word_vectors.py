"""Which words a model knows: those of its training data, and the first of the file of vectors."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_corpora import small_config, small_corpora

from ladtl_np.arrays import limits
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.vectors.used import read_used
from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.model.file import Model, model_bytes
from ladtl_np.model.network import EMBEDDING
from ladtl_np.options.config import Config
from ladtl_np.training.preparation import prepare
from ladtl_np.training.prepared import Corpora, Prepared
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

# in its order: words of the training data (D, x, A, a), of dev and test (Q, R), and of nothing
FILE = ("u1", "D", "Q", "U", "x", "u1", "v", "R", "A", "a", "<unk>", "V0")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vectors.txt"
    rows = (f"{word} {' '.join([str(0.01 * (n + 1))] * 8)}\n" for n, word in enumerate(FILE))
    path.write_text("".join(rows), "utf-8")
    return path


def configured(file: Path, **changes: Any) -> Config:
    return small_config(data={"embeddings": str(file)}, **changes)


def with_words(corpora: Corpora, *, dev: tuple[str, ...], test: tuple[str, ...]) -> Corpora:
    def longer(corpus: Corpus, words: tuple[str, ...]) -> Corpus:
        more = Sentence(words, ("O",) * len(words), 99)
        return replace(corpus, sentences=(*corpus.sentences, more))

    assert corpora.dev is not None
    tests = (longer(corpora.tests[0], test),)
    return replace(corpora, dev=longer(corpora.dev, dev), tests=tests)


def trained(prepared: Prepared) -> Model:
    trainer = Trainer(prepared)
    for _ in trainer.run():
        pass
    return build_model(prepared, trainer.best, {}, {})


def added(config: Config, corpora: Corpora | None = None) -> list[str]:
    """Words of the model behind those of the training data."""
    corpora = corpora or small_corpora()
    prepared = prepare(config, corpora)
    alone = prepare(small_config(vocabulary=options_of(config)), corpora).vocabulary.words
    words = prepared.vocabulary.words
    assert words[: len(alone)] == alone
    assert prepared.network.embedding.shape == (len(words), 8)
    assert prepared.network.architecture.vocabulary == len(words)
    assert not prepared.vocabulary.singleton[len(alone) :].any()
    return list(words[len(alone) :])


def options_of(config: Config) -> dict[str, Any]:
    options = config.vocabulary
    return {"lower": options.lower, "digits_to_zero": options.digits_to_zero} | {
        "min_count": options.min_count
    }


@pytest.mark.parametrize("method", ["la-dtl", "re-training", "cd-learning"])
def test_evaluated_data_does_not_change_the_model(file: Path, method: str) -> None:
    config, corpora = configured(file, method=method), small_corpora()
    with_tests = with_words(corpora, dev=(), test=("Q", "R", "u1", "nowhere"))
    hashes = {
        sha256(model_bytes(trained(prepare(config, each)))).hexdigest()
        for each in (with_tests, replace(corpora, tests=()))
    }
    assert len(hashes) == 1
    without = [replace(corpora, dev=None), with_words(corpora, dev=("Q", "R"), test=())]
    first, second = (prepare(config, each) for each in without)
    assert first.vocabulary.words == second.vocabulary.words
    np.testing.assert_array_equal(first.network.embedding, second.network.embedding)


def test_the_first_words_of_the_file_are_known_in_its_order(file: Path) -> None:
    everything = ["u1", "Q", "U", "v", "R", "V0"]
    assert added(configured(file)) == everything
    assert added(configured(file, vectors={"keep": "all"})) == everything
    assert added(configured(file, vectors={"keep": "training"})) == []
    # D counts, and has its row as a word of the training data
    assert added(configured(file, vectors={"keep": 1})) == ["u1"]
    assert added(configured(file, vectors={"keep": 2})) == ["u1"]
    assert added(configured(file, vectors={"keep": 4})) == ["u1", "Q", "U"]
    assert added(configured(file, vectors={"keep": 6})) == ["u1", "Q", "U", "v"]


def test_only_words_that_a_token_can_be_looked_up_as_count(file: Path) -> None:
    lower = configured(file, vocabulary={"lower": True}, vectors={"keep": 2})
    assert added(lower) == ["u1"]  # and x, of the training data; D is never looked up
    zeros = configured(file, vocabulary={"lower": True, "digits_to_zero": True})
    assert added(zeros) == ["v"]
    assert "V0" in added(configured(file, vocabulary={"digits_to_zero": True}))


def test_with_a_min_count_no_word_comes_from_elsewhere(file: Path) -> None:
    config = configured(file, vocabulary={"min_count": 2})
    assert added(config) == []
    rare = configured(file, vocabulary={"min_count": 10_000})
    assert prepare(rare, small_corpora()).vocabulary.words == ("<unk>",)


@pytest.mark.parametrize("keep", [5, "all"])
def test_a_choice_without_effect_is_refused(file: Path, keep: Any) -> None:
    config = configured(file, vocabulary={"min_count": 2}, vectors={"keep": keep})
    with pytest.raises(UsageError, match=f"vectors.keep={keep} has no effect with .*min_count"):
        prepare(config, small_corpora())
    with pytest.raises(UsageError, match="no effect without word vectors"):
        prepare(small_config(vectors={"keep": keep}), small_corpora())
    spoken = configured(file, vocabulary={"min_count": 2}, vectors={"keep": "training"})
    prepare(spoken, small_corpora())


@pytest.mark.parametrize("keep", [0, -1, "some", 1.5])
def test_other_values_are_refused(keep: Any) -> None:
    with pytest.raises(UsageError, match="keep"):
        small_config(vectors={"keep": keep})


def test_every_word_starts_from_its_vector(file: Path) -> None:
    prepared = prepare(configured(file), small_corpora())
    table, index = prepared.network.embedding, prepared.vocabulary.index
    for word in ("D", "A", "x", "a", "Q", "v", "u1", "V0"):
        wanted = np.full(8, np.float32(0.01 * (FILE.index(word) + 1)))
        np.testing.assert_array_equal(table[index[word]], wanted)


@pytest.mark.parametrize("method", ["la-dtl", "re-training", "cd-learning"])
def test_training_is_the_same_whatever_is_kept(file: Path, method: str) -> None:
    options: dict[str, Any] = {"method": method}
    if method == "cd-learning":
        options["cd"] = {"similarity": "cross-entropy"}
    models = [
        trained(
            prepare(
                configured(file, vectors={"keep": keep}, **options),
                replace(small_corpora(), dev=None),
            )
        )
        for keep in ("training", "all")
    ]
    small, large = (model.network.named() for model in models)
    rows = len(small[EMBEDDING])
    for name, array in small.items():
        np.testing.assert_array_equal(
            array, large[name][:rows] if name == EMBEDDING else large[name]
        )
    # a word that training never saw keeps the file's vector
    last = large[EMBEDDING][rows:]
    np.testing.assert_array_equal(last[0], np.full(8, np.float32(0.01)))


def test_the_model_says_which_vectors_it_was_trained_with(file: Path) -> None:
    prepared = prepare(configured(file, vectors={"keep": 2}), small_corpora())
    told = build_model(prepared, prepared.network, {}, {}).provenance["vectors"]
    used = read_used(told)
    assert used is not None
    assert (used.file.name, used.added, used.file.rows) == ("vectors.txt", 1, len(FILE))
    assert used.file.sha256 == sha256(file.read_bytes()).hexdigest()
    assert (used.file.dimension, used.file.duplicates, used.file.first_duplicate) == (8, 1, 6)
    # scores and names of tests aside, a model does not depend on them
    assert [split.role for split in used.coverage] == ["source", "target", "dev"]
    bare = prepare(small_config(), small_corpora())
    assert "vectors" not in build_model(bare, bare.network, {}, {}).provenance


def test_the_coverage_of_each_corpus_is_counted(file: Path) -> None:
    corpora = with_words(small_corpora(), dev=("Q", "q"), test=("U1", "v", "v", "V7", "none"))
    assert corpora.dev is not None
    only = replace(corpora.tests[0], sentences=corpora.tests[0].sentences[-1:])
    prepared = prepare(configured(file, vectors={"keep": 3}), replace(corpora, tests=(only,)))
    assert prepared.vectors is not None
    told = {split.role: split for split in prepared.vectors.coverage}
    assert list(told) == ["source", "target", "dev", "test"]
    words, tokens = told["test"].words, told["test"].tokens
    # U1 is found as u1, v as it is, V7 as V0; none has a row
    assert (words.total, words.exact, words.lower, words.zeros, words.known) == (4, 1, 1, 1, 0)
    assert (tokens.total, tokens.exact, tokens.lower, tokens.zeros) == (5, 2, 1, 1)
    dev = told["dev"].tokens
    assert dev.total == corpora.dev.token_count
    assert dev.known == dev.total - 1  # q
    assert told["source"].tokens.known == small_corpora().source.token_count  # type: ignore[union-attr]


def test_the_estimate_counts_the_words_of_the_file(file: Path) -> None:
    few, many = (
        prepare(configured(file, vectors={"keep": keep}), small_corpora()).memory
        for keep in ("training", "all")
    )
    assert few is not None
    assert many is not None
    assert many.sizes.vocabulary - few.sizes.vocabulary == 6
    assert many.weights - few.weights == 3 * 4 * 6 * 8


def test_words_that_do_not_fit_are_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "room", lambda: limits.Room(2.0**10, "a limit of the test"))
    with pytest.raises(LadtlError, match=r"words of data\.embeddings needs about .* vectors\.keep"):
        prepare(configured(file), small_corpora())
