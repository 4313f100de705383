"""What methods refuse, and that the refusal says what to do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from corpora import corpus_path
from small_corpora import small_config, small_corpora, small_corpus

from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.labels import LabelMap, TagSet, matched_tags
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import UsageError
from ladtl_np.options.method_checks import aligned_tags
from ladtl_np.options.methods import METHODS
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trainer import Trainer


def renamed(corpus: Corpus, old: str, new: str) -> Corpus:
    sentences = (
        Sentence(s.tokens, tuple(tag.replace(old, new) for tag in s.tags or ()), s.line)
        for s in corpus
    )
    return replace(corpus, sentences=tuple(sentences))


def mismatched_corpora() -> Corpora:
    """The source calls Drug what the target calls Medicine."""
    corpora = small_corpora()
    assert corpora.source is not None
    return replace(corpora, source=renamed(corpora.source, "Drug", "Medicine"))


SHARED = [
    ("linear-projection", {}),
    ("domain-mask", {}),
    ("cd-learning", {}),
    ("joint-training", {"joint": {"crf": "shared"}}),
]


@pytest.mark.parametrize(("method", "options"), SHARED)
def test_one_crf_for_both_refuses_types_that_differ(method, options) -> None:
    with pytest.raises(UsageError) as caught:
        prepare(small_config(method=method, **options), mismatched_corpora())
    message = str(caught.value)
    assert method in message
    assert "only the source has Medicine, only the target has Drug" in message
    able = message.rpartition(": ")[2].split(", ")
    assert [name.split()[0] for name in able] == [
        name for name, row in METHODS.items() if row.crf != "shared"
    ]
    assert "joint-training with joint.crf=separate" in able


@pytest.mark.parametrize(("method", "options"), SHARED)
def test_a_label_map_that_pairs_every_type_makes_one_crf_possible(method, options) -> None:
    pairs = LabelMap({"Medicine": "Drug"})
    config = small_config(method=method, training={"steps": 3}, **options)
    mapped = prepare(config, mismatched_corpora(), pairs)
    plain = prepare(config, small_corpora())
    for one, other in zip(mapped.source, plain.source, strict=True):
        np.testing.assert_array_equal(one.tags, other.tags)
    assert mapped.source_tags is not None
    assert set(mapped.source_tags.types) == {"Medicine", "Sign"}


@pytest.mark.parametrize("method", [name for name, row in METHODS.items() if row.crf != "shared"])
def test_the_other_methods_train_with_types_that_differ(method) -> None:
    config = small_config(method=method, training={"steps": 5})
    trainer = Trainer(prepare(config, mismatched_corpora()))
    for _ in trainer.run():
        pass
    assert trainer.best_evaluation is not None


def test_re_training_copies_only_matched_columns() -> None:
    still = {"learning_rate": 1e-9}
    config = small_config(method="re-training", training={"steps": 1}, optimizer=still)
    prepared = prepare(config, mismatched_corpora())
    fresh, tags = prepared.network.copy(), prepared.target_tags
    trainer = Trainer(prepared)
    for _ in trainer.run():
        pass
    W, start = trainer.network.weights["target_crf.W"], fresh.weights["target_crf.W"]
    assert prepared.first_stage is not None
    source_tags = prepared.first_stage.target_tags
    trained = prepared.first_stage.network.weights["target_crf.W"]
    for tag, column in tags.index.items():
        carried = tag in source_tags.index
        expected = trained[:, source_tags.index[tag]] if carried else start[:, column]
        np.testing.assert_allclose(W[:, column], expected, atol=1e-6, err_msg=tag)


def test_aligned_tags_name_the_source_s_tags_in_the_target_s_order() -> None:
    source, target = TagSet.of_types(["A", "B"]), TagSet.of_types(["X", "A"])
    aligned = aligned_tags(source, target, LabelMap({"A": "X", "B": "A"}), "this test")
    assert set(aligned.tags) == set(source.tags)
    for ours, theirs in zip(aligned.tags[1:], target.tags[1:], strict=True):
        assert {"A": "X", "B": "A"}[ours[2:]] == theirs[2:]
        assert ours[0] == theirs[0]


@pytest.mark.parametrize(
    ("method", "options", "named"),
    [
        ("la-dtl", {"joint": {"crf": "shared"}}, "joint.crf has no effect with method la-dtl"),
        ("domain-mask", {"projection": {"frozen": True}}, "--method linear-projection"),
        ("joint-training", {"mask": {"shared_fraction": 0.5}}, "--method domain-mask"),
        ("non-transfer", {"cd": {"order": 3}}, "--method cd-learning"),
        ("la-mmd", {"reload": {"words": False}}, "--method re-training"),
        ("la-mmd", {"reload": {"words": False}}, "or training.start=source-model"),
        (
            "re-training",
            {"training": {"start": "source-model"}, "joint": {"crf": "shared"}},
            "joint.crf has no effect",
        ),
        ("la-mmd", {"objective": {"parameter_transfer": "kl"}}, "crf-l2, mmd-crf-l2, la-dtl"),
        ("la-dtl", {"objective": {"divergence_gradient": "both"}}, "--parameter-transfer kl"),
    ],
)
def test_an_option_of_another_method_is_refused(method, options, named) -> None:
    with pytest.raises(UsageError, match=named):
        prepare(small_config(method=method, **options), small_corpora())


def test_the_exact_divergence_needs_equal_types() -> None:
    config = small_config(objective={"parameter_transfer": "kl"})
    with pytest.raises(UsageError, match=r"kl needs the same entity types .* or leave it out"):
        prepare(config, mismatched_corpora())


def test_every_method_but_non_transfer_asks_for_a_source() -> None:
    alone = Corpora(None, small_corpus("target", 12, drugs="CDE", seed=2))
    for name in METHODS:
        if name == "non-transfer":
            prepare(small_config(method=name), alone)
            continue
        with pytest.raises(UsageError, match="give one with --source"):
            prepare(small_config(method=name), alone)


@pytest.mark.corpora
def test_conll_2003_and_twitter_match_in_four_of_ten_types() -> None:
    source = TagSet.from_corpora([read_conll(corpus_path("conll2003_en", "eng.train"))])
    tweets = corpus_path("twitter_ner", "ritter2011", "train.txt")
    target = TagSet.from_corpora([read_conll(tweets)])
    pairs = LabelMap({"LOC": "geo-loc", "PER": "person", "ORG": "company", "MISC": "other"})
    ours, theirs = matched_tags(source, target, pairs)
    assert len(ours) == 1 + 4 * 4  # O, and every prefix of the four types
    assert (len(source), len(target)) == (17, 41)
    for row, partner in zip(ours[1:], theirs[1:], strict=True):
        tag, other = source.tags[row], target.tags[partner]
        assert (tag[0], pairs.pairs[tag[2:]]) == (other[0], other[2:])
    with pytest.raises(UsageError) as caught:
        aligned_tags(source, target, pairs, "this test")
    assert (
        "only the source has none, only the target has facility, movie, musicartist, product, "
        "sportsteam, tvshow" in str(caught.value)
    )
