from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_corpora import SMALL, small_corpora

from ladtl_np import LaDTLTagger, load_model
from ladtl_np.errors import LadtlError, ModelFileError, UsageError
from ladtl_np.model.file import model_bytes
from ladtl_np.training.trainer import Evaluation, Step, Trainer

OPTIONS = {
    f"{section}.{key}": value
    for section, values in SMALL.items()
    if isinstance(values, dict)
    for key, value in values.items()
} | {"training.steps": 120}


@pytest.fixture(scope="module")
def tagger() -> LaDTLTagger:
    corpora = small_corpora()
    return LaDTLTagger(options=OPTIONS).fit(corpora.source, corpora.target, corpora.dev)


def test_it_fits_predicts_and_scores(tagger: LaDTLTagger) -> None:
    test = small_corpora().tests[0]
    assert tagger.score(test) > 0.9
    assert tagger.scores(test).strict.overall.f1 > 0.9
    predicted = tagger.predict([sentence.tokens for sentence in test])
    assert [len(tags) for tags in predicted] == [len(sentence) for sentence in test]
    assert len(tagger.history_) == 12


def test_pairs_of_tokens_and_tags_are_as_good_as_a_corpus(tagger: LaDTLTagger) -> None:
    corpora = small_corpora()
    assert corpora.source is not None
    assert corpora.dev is not None
    source, target, dev = (
        [(s.tokens, s.tags) for s in corpus]
        for corpus in (corpora.source, corpora.target, corpora.dev)
    )
    other = LaDTLTagger(options=OPTIONS).fit(source, target, dev)
    assert other.model_.network.weights.flat.tobytes() == (
        tagger.model_.network.weights.flat.tobytes()
    )


def test_predictions_come_in_the_scheme_of_the_training_tags() -> None:
    pairs = [(["a", "b", "c"], ["B-X", "I-X", "O"])] * 6
    tagger = LaDTLTagger("non-transfer", options=OPTIONS).fit(None, pairs)
    assert tagger.predict([["a", "b", "c"], []]) == [("B-X", "I-X", "O"), ()]


def test_a_saved_tagger_predicts_the_same(tagger: LaDTLTagger, tmp_path: Path) -> None:
    sentences = [list("Azx"), list("Czab")]
    tagger.save(tmp_path / "m")
    loaded = LaDTLTagger.load(tmp_path / "m")
    assert loaded.predict(sentences) == tagger.predict(sentences)
    assert load_model(tmp_path / "m").config.method == "la-dtl"


def test_scikit_learn_can_copy_it() -> None:
    tagger = LaDTLTagger(seed=3, options={"training.steps": 5})
    copy = LaDTLTagger(**tagger.get_params())
    assert copy.get_params() == tagger.get_params()
    assert tagger.set_params(seed=4).seed == 4
    with pytest.raises(ValueError, match="sede"):
        tagger.set_params(sede=4)


def test_predicting_before_fitting_says_what_to_do() -> None:
    with pytest.raises(LadtlError, match="call fit first"):
        LaDTLTagger().predict([["a"]])


def test_wrong_options_and_uneven_sentences_are_named() -> None:
    with pytest.raises(UsageError, match="steps"):
        LaDTLTagger(options={"training.steps": 0}).fit([], [(["a"], ["O"])])
    with pytest.raises(LadtlError, match="sentence 1 of target has 2 tokens and 1 tags"):
        LaDTLTagger().fit(None, [(["a", "b"], ["O"])])


class Stopped(Exception):
    pass


def stopped_fit(path: Path, monkeypatch: pytest.MonkeyPatch, after: int, seed: int = 0) -> None:
    """Train with a checkpoint at every step, and stop in the middle of one, as a crash does."""
    corpora, steps = small_corpora(), 0
    real = Trainer.run

    def run(trainer: Trainer) -> Iterator[Step | Evaluation]:
        nonlocal steps
        for event in real(trainer):
            yield event
            steps += isinstance(event, Step)
            if steps == after:
                raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "run", run)
        with pytest.raises(Stopped):
            LaDTLTagger(options=OPTIONS, seed=seed).fit(
                corpora.source, corpora.target, corpora.dev, checkpoint=path, checkpoint_every=0.0
            )
    assert path.stat().st_mode & 0o777 == 0o600


def test_promise_04_an_interrupted_fit_goes_on_from_its_checkpoint(
    tagger: LaDTLTagger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpora, path = small_corpora(), tmp_path / "checkpoint"
    data = (corpora.source, corpora.target, corpora.dev)
    for after in (1, 55, 30):  # of those that are left
        stopped_fit(path, monkeypatch, after)
    again = LaDTLTagger(options=OPTIONS).fit(*data, checkpoint=path)
    assert model_bytes(again.model_) == model_bytes(tagger.model_)
    assert len(again.history_) == 4  # 86 steps were done before
    assert not path.exists()


def test_promise_05_a_fit_refuses_the_checkpoint_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpora, path = small_corpora(), tmp_path / "checkpoint"
    stopped_fit(path, monkeypatch, 5)
    before = path.read_bytes()
    data = (corpora.source, corpora.target, corpora.dev)
    with pytest.raises(UsageError, match="seed was 0, is 1"):
        LaDTLTagger(options=OPTIONS, seed=1).fit(*data, checkpoint=path)
    with pytest.raises(UsageError, match="the sentences of dev is another one"):
        LaDTLTagger(options=OPTIONS).fit(*data[:2], corpora.tests[0], checkpoint=path)
    path.write_bytes(before[:-1])
    with pytest.raises(ModelFileError):
        LaDTLTagger(options=OPTIONS).fit(*data, checkpoint=path)


def test_promise_06_ctrl_c_leaves_a_checkpoint_of_a_fit(
    tagger: LaDTLTagger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpora, path = small_corpora(), tmp_path / "checkpoint"
    data = (corpora.source, corpora.target, corpora.dev)
    real = Trainer.run

    def run(trainer: Trainer) -> Iterator[Step | Evaluation]:
        for event in real(trainer):
            if isinstance(event, Step) and event.step == 33:
                os.kill(os.getpid(), signal.SIGINT)
            yield event

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "run", run)
        with pytest.raises(KeyboardInterrupt):
            LaDTLTagger(options=OPTIONS).fit(*data, checkpoint=path)
    again = LaDTLTagger(options=OPTIONS).fit(*data, checkpoint=path)
    assert model_bytes(again.model_) == model_bytes(tagger.model_)
