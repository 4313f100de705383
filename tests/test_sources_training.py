"""Training on several sources: what is prepared, every method, going on, files and taggers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_corpora import small_config, small_corpora, small_corpus
from source_corpora import MAPS, renamed, run_through, three_sources

from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.schemes import from_bioes
from ladtl_np.errors import DataError, ModelFileError, UsageError
from ladtl_np.model.file import load_model, model_bytes, model_from_bytes, save_model
from ladtl_np.model.tagging import make_decoder
from ladtl_np.options.methods import METHODS
from ladtl_np.training.preparation import prepare
from ladtl_np.training.prepared import Prepared
from ladtl_np.training.similarity import polynomial_similarity
from ladtl_np.training.state import capture, restore
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

DOMAINS = ("source", "source2", "source3", "target")
SHARED = [name for name, row in METHODS.items() if row.crf == "shared"]
TOGETHER = [name for name, row in METHODS.items() if row.source == "with the target"]


def made(method: str = "la-dtl", *maps: LabelMap, **changes: Any) -> Prepared:
    alike = method in SHARED
    config = small_config(method=method, **changes)
    return prepare(config, three_sources(alike=alike), *(maps or (() if alike else MAPS)))


def test_each_source_has_a_crf_with_tags_of_its_own() -> None:
    prepared = made()
    sizes = prepared.network.architecture
    assert sizes.heads() == {"source_crf": 9, "source2_crf": 9, "source3_crf": 13, "target_crf": 9}
    second, third = prepared.sources[1:]
    assert second.head.tags.types == ("Medicine", "Sign")
    assert third.head.tags.types == ("Drug", "Place", "Sign")
    assert [len(tie.matched[0]) for tie in prepared.objective.ties] == [9, 9, 9]
    assert [source.name for source in prepared.sources] == ["source", "second", "third"]
    assert "second, share 28.6 %:\nMatched tags: 9" in prepared.match


def test_shares_follow_size_or_likeness_or_are_equal() -> None:
    sizes = [source.head.share for source in made().sources]
    assert sizes == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    assert [tie.share for tie in made().objective.ties] == sizes
    half = made(data={"source_fraction": 0.5, "shares": "size"})
    assert [len(source.sentences) for source in half.sources] == [20, 10, 5]
    equal = made(data={"shares": "equal"})
    assert [source.head.share for source in equal.sources] == [1 / 3] * 3
    alike = made(data={"shares": "likeness"})
    target = [sentence.words for sentence in alike.target]
    parts = [
        polynomial_similarity([s.words for s in one.sentences], target, alike.network.embedding)
        for one in alike.sources
    ]
    means = np.array([part.mean() for part in parts])
    found = [source.head.share for source in alike.sources]
    np.testing.assert_allclose(found, means / means.sum(), rtol=1e-12)
    assert sum(found) == pytest.approx(1.0)


def test_one_label_map_is_for_all_sources_or_there_is_one_for_each() -> None:
    one = made("la-dtl", LabelMap({"Medicine": "Drug"}))  # only the second has that type
    assert [len(tie.matched[0]) for tie in one.objective.ties] == [9, 9, 9]
    assert [dict(source.head.label_map.pairs) for source in one.sources] == [
        {},
        {"Medicine": "Drug"},
        {},
    ]
    with pytest.raises(UsageError, match="2 label maps for 3 sources; give one for all"):
        made("la-dtl", LabelMap(), LabelMap())
    with pytest.raises(DataError, match="pairs: Cure not among the types of the sources under it"):
        made("la-dtl", LabelMap({"Cure": "Drug"}, "pairs"))
    with pytest.raises(DataError, match="Medicine not among the types"):
        made("la-dtl", LabelMap({"Medicine": "Drug"}), LabelMap(), LabelMap())


def test_joined_sources_are_one_source_whatever_their_schemes() -> None:
    corpora = three_sources(alike=True)
    sources = corpora.sources
    joined = replace(
        sources[0], sentences=tuple(sentence for corpus in sources for sentence in corpus)
    )
    in_bio = replace(
        sources[1],
        sentences=tuple(replace(s, tags=from_bioes(s.tags or (), "IOB2")) for s in sources[1]),
        scheme="IOB2",
    )
    mixed = replace(corpora, more_sources=(in_bio, sources[2]))
    config = small_config(method="la-dtl", data={"concatenate": True})
    found = run_through(prepare(config, mixed))
    one = replace(corpora, source=joined, more_sources=())
    wanted = run_through(prepare(small_config(method="la-dtl"), one))
    assert found.best.weights.flat.tobytes() == wanted.best.weights.flat.tobytes()
    assert [source.name for source in found.prepared.sources] == ["source + second + third"]
    with pytest.raises(UsageError, match="concatenate makes one source of all"):
        made(data={"concatenate": True})


@pytest.mark.parametrize("method", TOGETHER)
def test_every_method_learns_from_three_sources(method: str) -> None:
    trainer = run_through(made(method))
    best = trainer.best_evaluation
    assert best is not None
    assert best.scores is not None
    assert best.scores.conlleval.overall.f1 > 0.5
    start = made(method).network
    for name, array in trainer.network.named().items():
        assert array.tobytes() != start.named()[name].tobytes(), name


def test_re_training_learns_from_all_sources_before_the_target() -> None:
    prepared = made("re-training")
    first = prepared.first_stage
    assert first is not None
    assert [name for name, _ in prepared.trained_sources()] == ["source", "second", "third"]
    assert (first.target_name, [one.name for one in first.sources]) == (
        "source",
        ["second", "third"],
    )
    assert first.network.architecture.heads() == {
        "source_crf": 9,
        "source2_crf": 13,
        "target_crf": 9,
    }
    # 4, 2 and 1 of 7 sentences: epsilon is the share of the others
    shares = first.objective.likelihood_shares(first.objective.ties)
    assert shares == pytest.approx([2 / 7, 1 / 7, 4 / 7])
    trainer = run_through(prepared)
    assert trainer.network.architecture.heads() == {"target_crf": 9}
    best = trainer.best_evaluation
    assert best is not None
    assert best.scores is not None
    assert best.scores.conlleval.overall.f1 > 0.5


@pytest.mark.parametrize("method", ["la-dtl", "cd-learning", "re-training"])
def test_a_run_on_several_sources_goes_on_where_it_was_stopped(method: str) -> None:
    whole = run_through(made(method))
    for after in (3, 12):
        stopped = Trainer(made(method))
        events = stopped.run()
        for _ in range(after):
            next(events)
        state, arrays = capture(stopped)
        again = Trainer(made(method))
        restore(again, state, {name: np.array(array) for name, array in arrays.items()})
        for _ in again.run():
            pass
        assert again.network.weights.flat.tobytes() == whole.network.weights.flat.tobytes()
        assert again.network.embedding.tobytes() == whole.network.embedding.tobytes()


def test_sources_draw_their_sentences_by_streams_of_their_own() -> None:
    same = small_corpus("a", 30, drugs="ABC", seed=1)
    corpora = replace(small_corpora(), source=same, more_sources=(same, same))
    half = prepare(small_config(data={"source_fraction": 0.5}), corpora)
    drawn = {tuple(s.line for s in source.sentences) for source in half.sources}
    assert len(drawn) == 3
    trainer = Trainer(prepare(small_config(), corpora))
    orders = {tuple(s.line for s in passes.take(20)) for passes in trainer.sources}
    assert len(orders) == 3


def test_a_batch_holds_sentences_of_every_source() -> None:
    trainer = Trainer(made())
    batch = trainer._batch()
    assert [half.sentences for half in batch.halves] == [6, 6, 6, 4]
    assert [taken.name for taken in trainer._taken] == ["source", "second", "third", "target"]


def test_a_source_sentence_of_cd_learning_is_weighted_by_its_own_source() -> None:
    prepared = made("cd-learning")
    target = [sentence.words for sentence in prepared.target]
    for source in prepared.sources:
        words = [sentence.words for sentence in source.sentences]
        expected = polynomial_similarity(words, target, prepared.network.embedding)
        np.testing.assert_array_equal([s.weight for s in source.sentences], expected)


def test_a_shared_crf_wants_the_same_types_of_every_source() -> None:
    config = small_config(method="linear-projection")
    with pytest.raises(UsageError, match="only the source has Medicine"):
        prepare(config, three_sources())


def test_tags_to_leave_out_may_be_those_of_one_source() -> None:
    changes = {"objective": {"exclude_tags": ["S-Place", "O", "B-Medicine"]}}
    ties = made("la-dtl", **changes).objective.ties
    assert [int(tie.label_weights.sum()) for tie in ties] == [8, 7, 8]
    with pytest.raises(UsageError, match="exclude_tags names S-Cure"):
        made("la-dtl", objective={"exclude_tags": ["S-Cure"]})


@pytest.mark.parametrize("method", ["la-dtl", "linear-projection", "domain-mask"])
def test_a_model_of_several_sources_comes_back_from_its_file(method: str, tmp_path) -> None:
    trainer = run_through(made(method))
    model = build_model(trainer.prepared, trainer.best, {}, {})
    path = tmp_path / "m.safetensors"
    save_model(path, model)
    read = load_model(path)
    assert model_bytes(read) == model_bytes(model)
    assert list(read.tag_sets()) == list(DOMAINS)
    shares = [head.share for head in read.sources]
    assert shares == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    sentences = [("A", "z", "x"), ("b",)]
    for domain in DOMAINS:
        decoder = make_decoder(read, domain=domain)
        assert decoder.tag(sentences) == make_decoder(model, domain=domain).tag(sentences)
        assert decoder.tags == read.tag_sets()[domain]
    with pytest.raises(UsageError, match="one of target, source, source2, source3 for this model"):
        make_decoder(read, domain="source4")


def test_taggers_of_all_sources_have_learned_their_own_types() -> None:
    trainer = run_through(made(training={"steps": 150}))
    model = build_model(trainer.prepared, trainer.network, {}, {})
    for domain, kind in zip(DOMAINS, ("Drug", "Medicine", "Drug", "Drug"), strict=True):
        assert make_decoder(model, domain=domain).tag([("C", "z")]) == [(f"B-{kind}", f"E-{kind}")]


DAMAGE: dict[str, Any] = {
    "a source too many": {"more_sources": lambda old: [*old, old[0]]},
    "a source too few": {"more_sources": lambda old: old[:1]},
    "none of them": {"more_sources": lambda old: []},
    "other tags": {"more_sources": lambda old: [old[1], old[0]]},
    "shares above 1": {"more_sources": lambda old: [{**one, "share": 0.9} for one in old]},
    "a share of -1": {"more_sources": lambda old: [{**old[0], "share": -1.0}, old[1]]},
    "pairs of nothing": {"more_sources": lambda old: [{**old[0], "label_map": {"x": "y"}}, old[1]]},
    "no tags": {"more_sources": lambda old: [{**old[0], "tags": []}, old[1]]},
    "sizes of other sources": {"architecture": lambda old: {**old, "more_source_tags": [13, 9]}},
    "sizes without sources": {"architecture": lambda old: {**old, "more_source_tags": []}},
    "a size of none": {"architecture": lambda old: {**old, "more_source_tags": [0, 13]}},
    "sizes of 2^40": {"architecture": lambda old: {**old, "more_source_tags": [2**40, 13]}},
    "no first source": {
        "architecture": lambda old: {**old, "source_tags": 0},
        "source_tags": lambda old: [],
    },
}


@pytest.fixture(scope="module")
def content() -> bytes:
    prepared = made()
    return model_bytes(build_model(prepared, prepared.network, {}, {}))


@pytest.mark.parametrize("kind", DAMAGE)
def test_sources_that_do_not_fit_a_model_are_refused(kind: str, content: bytes) -> None:
    from hostile_models import Parts

    parts = Parts(content)
    changes = {key: change(parts.plain[key]) for key, change in DAMAGE[kind].items()}
    with pytest.raises(ModelFileError, match="m: "):
        model_from_bytes("m", parts.with_values(**changes))


def test_a_model_of_one_source_says_nothing_of_others(tiny_model) -> None:
    text = model_bytes(tiny_model)
    assert b"more_source_tags" not in text
    assert b'\\"share\\"' not in text


def test_a_corpus_named_twice_counts_twice() -> None:
    corpora = small_corpora()
    assert corpora.source is not None
    twice = replace(corpora, more_sources=(renamed(corpora.source, "Drug", "Drug"),))
    prepared = prepare(small_config(), twice)
    assert [source.head.share for source in prepared.sources] == [0.5, 0.5]
