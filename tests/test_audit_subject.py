"""What an audit looks at: models, runs and the demo, with sentences of both domains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audited_runs import write_tiny_run
from small_corpora import small_config

from ladtl_np.audit import demo_subject, model_subject, run_subject
from ladtl_np.audit.annotated import joined
from ladtl_np.audit.run_files import Moved, run_options
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import DataError, UsageError
from ladtl_np.model.file import Model, load_model
from ladtl_np.objective import loss_and_gradients
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model


def test_the_demo_has_every_kind_of_parameter() -> None:
    subject = demo_subject()
    kinds = {name.rpartition(".")[0] for name in subject.network.weights}
    assert kinds == {
        *("forward", "backward", "source_crf", "target_crf"),
        *("characters.forward", "characters.backward", "characters"),
    }
    assert subject.network.embedding.dtype == np.float64
    terms, _ = loss_and_gradients(subject.network, subject.batch(2, longest=9), subject.objective)
    assert min(terms) > 0


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with corpora beside it, and what its options name."""
    return write_tiny_run(tmp_path_factory.mktemp("audited"))


def test_a_model_sees_the_sentences_under_both_heads(
    tiny_model: Model, tiny_corpus: Corpora
) -> None:
    assert tiny_corpus.dev is not None
    subject = model_subject(tiny_model, tiny_corpus.dev, tiny_corpus.source)
    assert (len(subject.target), len(subject.source)) == (15, 40)
    assert subject.notes == ()
    words = subject.target[0].words.tolist()
    assert words == tiny_model.vocabulary.encode(tiny_corpus.dev.sentences[0].tokens).tolist()
    assert np.array_equal(subject.network.embedding, tiny_model.network.embedding)


def test_without_a_source_the_target_stands_in_and_that_is_told(
    tiny_model: Model, tiny_corpus: Corpora
) -> None:
    assert tiny_corpus.dev is not None
    assert tiny_model.source_tags is not None
    subject = model_subject(tiny_model, tiny_corpus.dev)
    assert "stand in" in subject.notes[0]
    for target, source in zip(subject.target, subject.source, strict=True):
        names = [tiny_model.target_tags.tags[tag] for tag in target.tags]
        assert [tiny_model.source_tags.tags[tag] for tag in source.tags] == names


def test_a_tag_that_the_model_does_not_have_is_refused(tiny_model: Model) -> None:
    strange = Corpus("strange", (Sentence(("a",), ("S-Planet",), 1),), "BIOES")
    with pytest.raises(DataError, match="Planet"):
        model_subject(tiny_model, strange)


def test_a_source_without_a_source_head_is_refused(tiny_corpus: Corpora) -> None:
    prepared = prepare(small_config(method="non-transfer"), replace(tiny_corpus, source=None))
    model = build_model(prepared, prepared.network, {}, {})
    with pytest.raises(UsageError, match="no source head"):
        model_subject(model, tiny_corpus.target, tiny_corpus.source)
    assert model_subject(model, tiny_corpus.target).source == ()


def test_a_run_has_its_own_sentences_and_the_network_it_started_from(tiny_run: Path) -> None:
    subject = run_subject(tiny_run)
    assert subject.initial is not None
    assert (len(subject.target), len(subject.source)) == (12, 40)
    model = load_model(tiny_run / "best.safetensors")
    assert np.array_equal(subject.network.embedding, model.network.embedding)
    assert not np.array_equal(subject.network.embedding, subject.initial.embedding)


def test_a_hashed_run_has_its_rows_in_the_order_of_the_file(tmp_path: Path, tiny_run: Path) -> None:
    changes = {"characters": {"hidden": 2, "embedding": 2}}
    plain = run_subject(write_tiny_run(tmp_path / "plain", **changes))
    key = {"vocabulary": {"key": str(tmp_path / "key")}}
    keyed = run_subject(write_tiny_run(tmp_path / "keyed", **changes, **key))
    assert keyed.network.embedding.shape == plain.network.embedding.shape
    assert not np.array_equal(keyed.network.embedding, plain.network.embedding)
    for one in ("network", "initial"):
        terms = [
            loss_and_gradients(getattr(subject, one), subject.batch(5), subject.objective)[0]
            for subject in (plain, keyed)
        ]
        assert np.allclose(terms[0], terms[1], rtol=1e-12)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.toml"):
        run_subject(tmp_path)


def test_a_batch_takes_short_sentences_where_there_are_some() -> None:
    subject = demo_subject()
    batch = subject.batch(3, longest=12)
    assert (batch.source.sentences, batch.target.sentences) == (3, 3)
    assert batch.offsets.size - 1 <= 12
    shortest = min(s.words.size for s in subject.target)
    assert subject.batch(1, longest=shortest - 1).target.sentences == 1


def test_corpora_are_joined_in_bioes_where_their_schemes_differ() -> None:
    words = ("a", "b")
    bioes = Corpus("one", (Sentence(words, ("B-Drug", "E-Drug"), 1),), "BIOES")
    iob = Corpus("two", (Sentence(words, ("B-Drug", "I-Drug"), 1),), "IOB2")
    assert joined([iob]) is iob
    both = joined([iob, bioes])
    assert (both.name, both.scheme) == ("two, one", "BIOES")
    assert [s.tags for s in both] == [("B-Drug", "E-Drug")] * 2


def test_a_corpus_without_sentences_or_tags_is_refused(tiny_model: Model) -> None:
    with pytest.raises(DataError, match="no sentence"):
        model_subject(tiny_model, Corpus("empty", ()))
    with pytest.raises(DataError, match="no tags"):
        model_subject(tiny_model, Corpus("plain", (Sentence(("a",)),)))


def test_files_that_have_moved_are_named(tmp_path: Path) -> None:
    folder = write_tiny_run(tmp_path / "here")
    for name in ("target", "test"):
        (tmp_path / f"here/{name}.txt").rename(tmp_path / f"{name}.txt")
    with pytest.raises(UsageError, match=r"target\.txt: no such file.* --target$"):
        run_subject(folder)
    with pytest.raises(UsageError, match=r"test\.txt: no such file.* --test$"):
        run_subject(folder, Moved(target=str(tmp_path / "target.txt")))
    places = {"target": str(tmp_path / "target.txt"), "test": (str(tmp_path / "test.txt"),)}
    assert len(run_subject(folder, Moved(**places)).target) == 12


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        (Moved(embeddings="v.txt"), "no embeddings file; leave --embeddings out"),
        (Moved(label_map="m.toml"), "no label-map file; leave --label-map out"),
        (Moved(test=("a", "b")), "1 test file"),
    ],
)
def test_a_file_that_the_run_has_none_of_is_refused(
    tiny_run: Path, moved: Moved, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        run_options(tiny_run, moved)


@pytest.mark.parametrize("role", ["source", "target"])
def test_another_training_corpus_is_refused(tiny_run: Path, role: str) -> None:
    with pytest.raises(UsageError, match=f"not the {role} corpus .*SHA-256"):
        run_subject(tiny_run, Moved(**{role: str(tiny_run.parent / "dev.txt")}))


def test_a_model_of_other_words_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_run(tmp_path / "a")
    other = write_tiny_run(tmp_path / "b", vocabulary={"min_count": 3})
    (other / "best.safetensors").replace(folder / "best.safetensors")
    with pytest.raises(UsageError, match="do not give its words"):
        run_subject(folder)


def test_a_key_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    folder = write_tiny_run(tmp_path / "run", vocabulary={"key": str(tmp_path / "key")})
    (tmp_path / "key").rename(tmp_path / "moved")
    with pytest.raises(UsageError, match="--vocabulary-key"):
        run_subject(folder)
    assert not (tmp_path / "key").exists()
    moved = Moved(vocabulary_key=str(tmp_path / "moved"))
    assert len(run_subject(folder, moved).target) == 12
