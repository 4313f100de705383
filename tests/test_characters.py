"""Laws of the character BiLSTM, its alphabet, and a model that reads characters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from objectives import objective_of
from shapes_at_random import random_batch, random_network
from small_corpora import small_config, small_corpora

from ladtl_np.arrays.workers import Workers
from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.model.file import load_model, model_bytes, save_model
from ladtl_np.model.tagging import Tagger
from ladtl_np.objective import loss_and_gradients
from ladtl_np.objective.batching import EncodedSentence, domain_batch
from ladtl_np.reference import characters as reference
from ladtl_np.reference.lstm import LstmWeights
from ladtl_np.training.preparation import prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

WORDS = [np.array(word) for word in ([1, 2, 3], [3], [0, 1], [2, 2, 1, 0, 3], [3, 1])]


def twin_weights(weights):
    return [
        LstmWeights(*(weights[f"characters.{direction}.{part}"] for part in "WUb"))
        for direction in ("forward", "backward")
    ]


def test_each_distinct_spelling_of_a_batch_is_packed_once() -> None:
    spelled = [np.array([1]), np.array([2, 3]), np.array([1, 1, 1])]
    words, tags = np.zeros(4, np.int64), np.zeros(4, np.int64)
    sentence = EncodedSentence(words, tags, spellings=np.array([2, 0, 2, 0]))
    batch = domain_batch([[sentence], [sentence]], spelled)
    assert batch.spellings is not None
    assert batch.spellings.characters.size == 1 + 3
    assert batch.place is not None
    assert set(batch.place.tolist()) == {0, 1}


def test_a_batch_without_spellings_is_refused_where_characters_are_read() -> None:
    rng = np.random.default_rng(3)
    network = random_network(rng, characters=4, character_embedding=2, character_hidden=2)
    plain = random_batch(rng, random_network(rng), (2,), (3,))
    same = np.arange(3), np.arange(3)
    with pytest.raises(ValueError, match="reads characters"):
        loss_and_gradients(network, plain, objective_of(matched=same))
    sentence = EncodedSentence(np.array([1, 2]), np.array([0, 1]))
    with pytest.raises(ValueError, match="no spellings"):
        domain_batch([[sentence], [sentence]], [np.array([1])])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_are_the_same_bytes_for_one_two_and_four_threads(dtype) -> None:
    rng = np.random.default_rng(4)
    sizes = {"characters": 4, "character_embedding": 5, "character_hidden": 3}
    network = random_network(rng, **sizes).astype(dtype)
    batch = random_batch(rng, network, (9, 4, 7), (8, 2))
    objective = objective_of(matched=(np.arange(3), np.arange(3)))
    found = [
        loss_and_gradients(network, batch, objective, workers=Workers(n))[1] for n in (1, 2, 4)
    ]
    for name, gradient in found[0].items():
        assert gradient.tobytes() == found[1][name].tobytes() == found[2][name].tobytes(), name


def test_the_character_embeddings_are_not_regularised() -> None:
    rng = np.random.default_rng(5)
    network = random_network(rng, characters=4, character_embedding=2, character_hidden=2)
    batch = random_batch(rng, network, (2,), (3,))
    same = np.arange(3), np.arange(3)
    plain, heavy = (
        loss_and_gradients(network, batch, objective_of(matched=same, w_reg=w))[1]
        for w in (0.0, 1.0)
    )
    name = "characters.embedding"
    np.testing.assert_array_equal(plain[name], heavy[name])
    assert not np.array_equal(plain["characters.forward.b"], heavy["characters.forward.b"])


def corpus(*words: str) -> Corpus:
    return Corpus("words", (Sentence(words, tuple("O" for _ in words), 1),), "BIOES")


def test_an_alphabet_holds_the_characters_by_falling_count() -> None:
    alphabet = Characters.build([corpus("bab", "Bc")], lower=False, min_count=1)
    assert alphabet.characters == ("<unk>", "b", "B", "a", "c")
    np.testing.assert_array_equal(alphabet.spell("cabz"), [4, 3, 1, 0])
    lower = Characters.build([corpus("bab", "Bc")], lower=True, min_count=1)
    assert lower.characters == ("<unk>", "b", "a", "c")
    np.testing.assert_array_equal(lower.spell("BA"), [1, 2])
    with pytest.raises(ValueError, match="without characters"):
        alphabet.spell("")


def characters_config(**changes):
    section = {"hidden": 3, "embedding": 4, "lower": True}
    return small_config(characters=section, training={"steps": 30}, **changes)


@pytest.mark.parametrize("method", ["la-dtl", "re-training", "linear-projection"])
def test_a_model_with_characters_is_trained_saved_and_tags_alike(method, tmp_path: Path) -> None:
    trainers = []
    for threads in (1, 2):
        corpora = small_corpora()
        trainer = Trainer(prepare(characters_config(method=method, threads=threads), corpora))
        for _ in trainer.run():
            pass
        trainers.append(trainer)
    models = [build_model(t.prepared, t.best, {}, {}) for t in trainers]
    assert model_bytes(models[0]) == model_bytes(models[1])
    assert corpora.dev is not None
    sentences = [sentence.tokens for sentence in corpora.dev]
    tagged = trainers[0].decoder(trainers[0].best).tag(sentences)
    save_model(tmp_path / "m.safetensors", models[0])
    loaded = load_model(tmp_path / "m.safetensors")
    assert list(Tagger(loaded, threads=2).tag(sentences)) == tagged
    assert loaded.characters is not None
    best = trainers[0].best_evaluation
    assert best is not None
    assert best.scores is not None
    assert best.scores.conlleval.overall.f1 > 0.3


def test_decoding_scores_what_training_scores() -> None:
    """Unknown words with known characters differ from each other, as they do in training."""
    prepared = prepare(characters_config(), small_corpora())
    trainer = Trainer(prepared)
    for _ in trainer.run():
        pass
    decoder = trainer.decoder(trainer.network)
    tokens = ["AB", "ba", "A", "zz"]
    table, place = decoder.inputs([*tokens, "AB"])
    assert place.tolist() == [0, 1, 2, 3, 0]
    network, alphabet = trainer.network, prepared.characters
    assert alphabet is not None
    weights = {name: array.astype(np.float64) for name, array in network.weights.items()}
    for row, token in zip(table, tokens, strict=True):
        word = alphabet.spell(token)
        f, _ = reference.characters_forward(
            word, weights["characters.embedding"], *twin_weights(weights)
        )
        vector = network.embedding[prepared.vocabulary.encode([token])[0]]
        np.testing.assert_allclose(row, [*vector, *f], atol=1e-5)
