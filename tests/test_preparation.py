"""What a run starts from: each part of it, for every method, before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_corpora import small_config, small_corpora

from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import DataError
from ladtl_np.options.methods import METHODS
from ladtl_np.training.preparation import prepare
from ladtl_np.training.prepared import Corpora, Prepared
from ladtl_np.training.similarity import (
    cross_entropy_similarity,
    gaussian_similarity,
    polynomial_similarity,
)

WITH_SOURCE = [name for name, row in METHODS.items() if row.source == "with the target"]
ONE_CRF = [name for name, row in METHODS.items() if row.crf == "shared"]


def prepared(method: str = "la-dtl", **changes: Any) -> Prepared:
    return prepare(small_config(method=method, **changes), small_corpora())


def words_of(part: Prepared, side: str) -> list[list[int]]:
    return [sentence.words.tolist() for sentence in getattr(part, side)]


@pytest.mark.parametrize("method", METHODS)
def test_each_domain_is_encoded_with_its_own_tags_and_one_vocabulary(method):
    made, corpora = prepared(method), small_corpora()
    first = made.first_stage
    sides = [("target", corpora.target, made, made.target_tags, made.target)]
    if method in WITH_SOURCE:
        sides.append(("source", corpora.source, made, made.source_tags, made.source))
    if first is not None:
        sides.append(("source", corpora.source, first, first.target_tags, first.target))
        assert (made.source, first.source) == ((), ())
    for name, corpus, part, tags, encoded in sides:
        assert len(encoded) == len(corpus.sentences)
        for number, (sentence, found) in enumerate(zip(corpus, encoded, strict=True), 1):
            np.testing.assert_array_equal(found.words, part.vocabulary.encode(sentence.tokens))
            assert [tags.tags[tag] for tag in found.tags] == list(sentence.tags)
            assert found.line == (sentence.line or number), name
            assert found.spellings is None
    assert made.dev == corpora.dev
    assert made.config.method == method
    assert made.method is METHODS[method]
    assert made.target_scheme == "BIOES"


@pytest.mark.parametrize("method", METHODS)
def test_a_head_stands_for_each_domain_that_is_trained_with(method):
    made = prepared(method)
    sizes = made.network.architecture
    assert sizes.target_tags == len(made.target_tags)
    assert sizes.source_tags == (len(made.source_tags) if made.source_tags else 0)
    assert bool(sizes.source_tags) == (method in WITH_SOURCE)
    assert sizes.shared_crf == (method in ONE_CRF)
    assert sizes.projection == METHODS[method].projection
    assert sizes.vocabulary == len(made.vocabulary) == len(made.network.embedding)
    alone = "One domain only: no tags to match."
    assert (made.match == alone) == (method == "non-transfer")
    assert [source.name for source in made.sources] == ["source"] * (method in WITH_SOURCE)
    assert made.target_name == "target"


def test_sizes_are_those_of_the_options():
    made = prepared(
        "domain-mask",
        model={"embedding": 5, "hidden": 3, "emission_bias": True},
        mask={"shared_fraction": 0.3},
        characters={"embedding": 4, "hidden": 2},
    )
    sizes = made.network.architecture
    assert (sizes.embedding, sizes.hidden, sizes.emission_bias) == (5, 3, True)
    assert sizes.shared_fraction == 0.3
    assert (sizes.character_embedding, sizes.character_hidden) == (4, 2)
    assert made.characters is not None
    assert sizes.characters == len(made.characters)
    assert prepared().network.architecture.characters == 0


def test_spellings_are_numbers_of_what_is_written():
    made, corpora = prepared(characters={"embedding": 3, "hidden": 2}), small_corpora()
    assert made.characters is not None
    for corpus, encoded in ((corpora.source, made.source), (corpora.target, made.target)):
        for sentence, found in zip(corpus, encoded, strict=True):
            for token, number in zip(sentence.tokens, found.spellings, strict=True):
                expected = made.characters.spell(token)
                np.testing.assert_array_equal(made.spelled[number], expected)


def test_the_first_of_two_stages_is_a_run_on_the_source_alone():
    made = prepared("re-training", reload={"source_steps": 7}, training={"source_batch": 5})
    first = made.first_stage
    assert first is not None
    assert first.config.training.steps == 7
    assert made.config.training.steps == 40
    assert first.config.training.target_batch == 5
    assert (first.sources, first.target_name) == ((), "source")
    assert (first.dev, first.source_tags, made.source_tags) == (None, None, None)
    assert first.network.architecture.target_tags == len(first.target_tags)
    assert first.network.architecture.source_tags == 0
    same = prepared("re-training")
    assert same.first_stage.config.training.steps == same.config.training.steps
    s, t = made.objective.matched
    assert [first.target_tags.tags[n] for n in s] == [made.target_tags.tags[n] for n in t]


def test_one_crf_takes_the_sources_tags_in_the_order_of_the_targets():
    corpora = small_corpora()
    renamed = [
        replace(s, tags=tuple(t.replace("Drug", "Thing") for t in s.tags)) for s in corpora.source
    ]
    source = replace(corpora.source, sentences=tuple(renamed))
    config = small_config(method="linear-projection")
    # Sign comes before Thing and after Drug
    made = prepare(config, replace(corpora, source=source), LabelMap({"Thing": "Drug"}))
    partner = {tag: tag.replace("Thing", "Drug") for tag in made.source_tags.tags}
    assert [partner[tag] for tag in made.source_tags.tags] == list(made.target_tags.tags)
    assert made.label_map.pairs == {"Thing": "Drug"}
    assert "Thing" in made.match


def test_samples_are_drawn_from_each_corpus_by_its_own_share_and_seed():
    whole = prepared(data={"source_fraction": 0.5})
    assert (len(whole.source), len(whole.target)) == (20, 12)
    few = prepared(data={"target_fraction": 0.5})
    assert (len(few.source), len(few.target)) == (40, 6)
    again = prepared(data={"target_fraction": 0.5, "sample_seed": 0}, seed=5)
    assert words_of(again, "target") == words_of(few, "target")  # the run's own seed was 0
    other = prepared(data={"target_fraction": 0.5}, seed=5)
    assert words_of(other, "target") != words_of(few, "target")


@pytest.mark.parametrize("similarity", ["polynomial", "gaussian", "cross-entropy"])
def test_source_sentences_are_weighted_by_the_likeness_that_is_asked_for(similarity):
    options = {"similarity": similarity}
    options |= {"width": 0.4} if similarity == "gaussian" else {}
    options |= {"order": 2} if similarity == "cross-entropy" else {}
    made = prepared("cd-learning", cd=options)
    source = [sentence.words for sentence in made.source]
    target = [sentence.words for sentence in made.target]
    table, words = made.network.embedding, len(made.vocabulary)
    expected = {
        "polynomial": lambda: polynomial_similarity(source, target, table),
        "gaussian": lambda: gaussian_similarity(source, target, table, 0.4),
        "cross-entropy": lambda: cross_entropy_similarity(source, target, words, 2),
    }[similarity]()
    np.testing.assert_array_equal([sentence.weight for sentence in made.source], expected)
    assert {sentence.weight for sentence in made.target} == {1.0}
    assert {sentence.weight for sentence in prepared("joint-training").source} == {1.0}


def test_start_values_come_from_the_seed_and_differ_between_stages_and_seeds():
    def embedding(part: Prepared) -> bytes:
        return part.network.embedding.tobytes()

    made, other = prepared("re-training"), prepared("re-training", seed=1)
    found = [made, made.first_stage, other, other.first_stage]
    assert len({embedding(part) for part in found}) == 4
    assert embedding(prepared("re-training")) == embedding(made)
    assert np.abs(made.network.weights["forward.U"]).max() > 0.1  # Glorot
    small = prepared(model={"recurrent_init": "normal"})
    assert np.abs(small.network.weights["forward.U"]).max() < 0.1
    maps = {name: {"init": name} for name in ("identity", "xavier")}
    for name, options in maps.items():
        learned = prepared("linear-projection", projection=options).network
        arrays = [learned.projection(head) for head in ("source_crf", "target_crf")]
        is_identity = [np.array_equal(array, np.eye(len(array))) for array in arrays]
        assert is_identity == [name == "identity"] * 2


def test_what_cannot_be_trained_on_is_refused_by_name():
    corpora = small_corpora()
    empty = Corpus("nothing.txt", (), "BIOES")
    plain = Corpus("plain.txt", (Sentence(("a",), None, 1),), "BIOES")
    for bad, told in ((empty, "nothing.txt: there is no sentence"), (plain, "plain.txt: .* tags")):
        for case in (Corpora(corpora.source, bad), Corpora(bad, corpora.target)):
            with pytest.raises(DataError, match=told):
                prepare(small_config(), case)
        prepare(small_config(method="non-transfer"), Corpora(bad, corpora.target))


def test_corpora_are_listed_by_their_roles():
    corpora = small_corpora()
    roles = [(role, corpus.name) for role, corpus in corpora.roles()]
    assert roles == [(name, name) for name in ("source", "target", "dev", "test")]
    alone = Corpora(None, corpora.target).roles()
    assert [(role, corpus.name) for role, corpus in alone] == [("target", "target")]
    made = prepared()
    assert set(made.unknown) == {"dev", "test"}
    assert made.dev_unknown == made.unknown["dev"][0]
    assert prepare(small_config(), Corpora(corpora.source, corpora.target)).dev_unknown is None
