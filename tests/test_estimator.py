from __future__ import annotations

import copy
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_corpora import SMALL, small_corpora

from ladtl_np import LaDTLTagger, Tagger, load_model
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import LadtlError, ModelFileError, UsageError
from ladtl_np.estimator import tagger as module
from ladtl_np.estimator.interruption import SOON, Presses
from ladtl_np.model.file import model_bytes
from ladtl_np.training.events import Evaluation, Step
from ladtl_np.training.trainer import Trainer

OPTIONS = {
    f"{section}.{key}": value
    for section, values in SMALL.items()
    if isinstance(values, dict)
    for key, value in values.items()
} | {"training.steps": 120}
CORPORA = small_corpora()
WARD = {"source": CORPORA.source, "dev": CORPORA.dev}


def columns(corpus: Corpus | None) -> tuple[list[list[str]], list[list[str]]]:
    """X and y of a corpus, as lists."""
    assert corpus is not None
    return [list(s.tokens) for s in corpus], [list(s.tags or ()) for s in corpus]


def pairs(corpus: Corpus | None) -> list[tuple[list[str], list[str]]]:
    return list(zip(*columns(corpus), strict=True))


@pytest.fixture(scope="module")
def tagger() -> LaDTLTagger:
    return LaDTLTagger(options=OPTIONS).fit(CORPORA.target, **WARD)


def test_it_fits_predicts_and_scores(tagger: LaDTLTagger) -> None:
    test = CORPORA.tests[0]
    assert tagger.score(test) > 0.9
    assert tagger.score(*columns(test)) == tagger.score(test)
    assert tagger.scores(*columns(test)).strict.overall.f1 > 0.9
    predicted = tagger.predict([sentence.tokens for sentence in test])
    assert [len(tags) for tags in predicted] == [len(sentence) for sentence in test]
    assert tagger.predict(test) == predicted
    assert len(tagger.history_) == 12


def test_it_tells_how_probable_tags_and_tag_sequences_are(tagger: LaDTLTagger) -> None:
    test = CORPORA.tests[0]
    predicted, columns_of = tagger.predict(test), tagger.model_.target_tags.tags
    best = tagger.predict_nbest(test, 3)
    for tags, marginals, paths in zip(predicted, tagger.predict_proba(test), best, strict=True):
        assert marginals.shape == (len(tags), len(columns_of))
        np.testing.assert_allclose(marginals.sum(axis=1), 1.0, rtol=1e-12)
        assert paths[0].tags == tags
        assert len(paths) == 3
        assert 1.0 > paths[0].probability > paths[1].probability > paths[2].probability > 0.0
        assert paths[0].probability <= marginals.max(axis=1).min() + 1e-9
    with pytest.raises(UsageError, match="count must lie between 1 and 100, got 0"):
        tagger.predict_nbest(test, 0)
    with pytest.raises(UsageError, match="not trained yet"):
        LaDTLTagger().predict_proba(test)
    with pytest.raises(UsageError, match="paths must lie between 0 and 100, got 101"):
        next(Tagger(tagger.model_).sure([["a"]], paths=101))


@pytest.mark.parametrize("form", [columns, pairs, tuple], ids=["X and y", "pairs", "corpora"])
def test_every_form_of_the_same_sentences_gives_the_same_model(
    tagger: LaDTLTagger, form: Callable[[Corpus | None], Any]
) -> None:
    ward = {name: corpus if form is tuple else form(corpus) for name, corpus in WARD.items()}
    other = LaDTLTagger(options=OPTIONS)
    assert other.fit(*columns(CORPORA.target), **ward) is other
    assert model_bytes(other.model_) == model_bytes(tagger.model_)


def test_a_second_fit_gives_the_same_model(tagger: LaDTLTagger) -> None:
    again = copy.deepcopy(tagger).fit(CORPORA.target, **WARD)
    assert model_bytes(again.model_) == model_bytes(tagger.model_)
    assert len(again.history_) == 12


IOB2 = [["a", "b", "c"]] * 6, [["B-X", "I-X", "O"]] * 6


def test_predictions_come_in_the_scheme_of_the_training_tags(tmp_path: Path) -> None:
    tagger = LaDTLTagger("non-transfer", options=OPTIONS).fit(*IOB2)
    assert tagger.predict([["a", "b", "c"]]) == [("B-X", "I-X", "O")]
    tagger.save(tmp_path / "m")
    assert LaDTLTagger.load(tmp_path / "m").predict([["a", "b", "c"]]) == [("B-X", "I-X", "O")]


def test_a_saved_tagger_predicts_the_same(tagger: LaDTLTagger, tmp_path: Path) -> None:
    sentences = [list("Azx"), list("Czab")]
    tagger.save(tmp_path / "m")
    loaded = LaDTLTagger.load(tmp_path / "m")
    assert loaded.predict(sentences) == tagger.predict(sentences)
    assert load_model(tmp_path / "m").config.method == "la-dtl"


def test_a_loaded_tagger_trains_as_it_was_trained(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "method": "la-mmd",
        "seed": 3,
        "options": OPTIONS | {"training.steps": 5, "objective.kernel": [1.0, 2.0]},
        "label_map": {"Sign": ""},
    }
    trained = LaDTLTagger(**given).fit(CORPORA.target, **WARD)
    trained.save(tmp_path / "m")
    loaded = LaDTLTagger.load(tmp_path / "m", threads=1)
    assert loaded.get_params(deep=False) == given | {"threads": 1, "precision": "float32"}
    again = loaded.fit(CORPORA.target, **WARD)
    assert model_bytes(again.model_) == model_bytes(trained.model_)


def test_a_loaded_tagger_keeps_the_names_of_vectors_and_key_alone(tmp_path: Path) -> None:
    vectors, key = tmp_path / "vectors.txt", tmp_path / "words.key"
    vectors.write_text("a" + " 0.5" * 8 + "\n")
    files = {"data.embeddings": str(vectors), "vocabulary.key": str(key)}
    short = OPTIONS | {"training.steps": 1}
    LaDTLTagger("non-transfer", options=short | files).fit(*IOB2).save(tmp_path / "m")
    names = {"data.embeddings": "vectors.txt", "vocabulary.key": "words.key"}
    assert LaDTLTagger.load(tmp_path / "m").options == short | names
    named = LaDTLTagger.load(tmp_path / "m", vocabulary_key=key).options
    assert named == short | names | {"vocabulary.key": str(key)}


def test_predicting_before_fitting_says_what_to_do() -> None:
    with pytest.raises(LadtlError, match="call fit first"):
        LaDTLTagger().predict([["a"]])
    with pytest.raises(LadtlError, match="call fit first"):
        LaDTLTagger().score([["a"]], [["O"]])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"options": {"training.steps": 0}}, "steps must be at least 1"),
        ({"options": {"training.stepps": 1}}, r"training\.stepps is no option"),
        ({"options": {"seed": 1}}, "give it as the parameter seed"),
        ({"options": {"data": {"source": "a.txt"}}}, "give it as source= of fit"),
        ({"options": {"data.target_format.scheme": "IO"}}, "X of fit"),
        ({"options": [1]}, "options must be a dictionary"),
        ({"options": {1: 2}}, "options: every key must be a str"),
        ({"options": {"training": {1: 2}}}, "options: every key must be a str"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"seed": -1}, "seed must not be negative"),
        ({"seed": "1"}, "LaDTLTagger: .*int"),
        ({"method": "la-dlt"}, "la-dlt"),
        ({"label_map": ["Sign"]}, "label_map must be a dictionary"),
        ({"label_map": {"Sign": 1}}, "types as str on both sides"),
        ({"label_map": {"Sing": "Sign"}}, "label_map: Sing not among"),
    ],
)
def test_parameters_that_are_none_are_named(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(LadtlError, match=message):
        LaDTLTagger(**parameters).fit(CORPORA.target, **WARD)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"verbose": 3}, "verbose must be 0"),
        ({"checkpoint": 1}, "checkpoint must be the path"),
        ({"checkpoint": "c", "checkpoint_every": -1}, "checkpoint_every must be"),
        ({"checkpoint": "c", "checkpoint_every": float("nan")}, "checkpoint_every must be"),
        ({"checkpoint": "c", "checkpoint_every": "1"}, "checkpoint_every must be"),
    ],
)
def test_arguments_of_fit_that_are_none_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LaDTLTagger("non-transfer", options=OPTIONS).fit(*IOB2, **arguments)


def test_a_pickled_tagger_tags_the_same(tagger: LaDTLTagger) -> None:
    sentences = [list("Azx"), list("Czab")]
    copied = pickle.loads(pickle.dumps(tagger))
    assert copied.predict(sentences) == tagger.predict(sentences)
    assert model_bytes(copied.model_) == model_bytes(tagger.model_)
    assert copied.get_params() == tagger.get_params()
    assert copied.history_ == tagger.history_
    flat, view = copied.model_.network.weights.flat, copied.model_.network.weights["forward.U"]
    assert np.shares_memory(flat, view)
    assert not hasattr(pickle.loads(pickle.dumps(LaDTLTagger(seed=2))), "model_")


def test_a_pickle_holds_no_key(tmp_path: Path) -> None:
    key = tmp_path / "words.key"
    hashed = OPTIONS | {"training.steps": 1, "vocabulary.key": str(key)}
    LaDTLTagger("non-transfer", options=hashed).fit(*IOB2).save(tmp_path / "m")
    tagger = LaDTLTagger.load(tmp_path / "m", vocabulary_key=key)
    assert tagger.predict([["a"]])
    stored = pickle.dumps(tagger)
    secret = key.read_text("ascii").strip()
    assert secret.encode() not in stored
    assert bytes.fromhex(secret) not in stored
    with pytest.raises(UsageError, match="key"):
        pickle.loads(stored).predict([["a"]])


def test_verbose_prints_lines_and_silence_is_the_default(
    capfd: pytest.CaptureFixture[str],
) -> None:
    short = OPTIONS | {"training.steps": 20}
    for verbose, lines in ((None, 0), (0, 0), (1, 2), (2, 2)):
        given = {} if verbose is None else {"verbose": verbose}
        tagger = LaDTLTagger("non-transfer", options=short).fit(*IOB2, **given)
        out, err = capfd.readouterr()
        told = [f"warning: {remark}" for remark in tagger.remarks_] if lines else []
        assert len(tagger.remarks_) == 1
        assert (out, err.splitlines()[: len(told)]) == ("", told)
        assert (err.count("\n"), err.count("no dev data")) == (lines + len(told), lines)


def test_a_bar_is_for_those_who_ask_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    real = module.TrainingDisplay

    def display(steps: int, *, bar: bool) -> Any:
        asked.append(bar)
        return real(steps, bar=bar)

    monkeypatch.setattr(module, "TrainingDisplay", display)
    for verbose in (0, 1, 2):
        short = OPTIONS | {"training.steps": 1}
        LaDTLTagger("non-transfer", options=short).fit(*IOB2, verbose=verbose)
    assert asked == [False, True]


def test_scikit_learn_is_not_needed() -> None:
    program = (
        "import sys\nsys.modules['sklearn'] = None\nfrom ladtl_np import LaDTLTagger\n"
        "tagger = LaDTLTagger(seed=1).set_params(**{'options__training.steps': 1})\n"
        "print(tagger.fit([['a']], [['S-X']], source=([['b']], [['S-X']])).predict([['a']]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_paths_and_threads_that_are_none_are_named(tagger: LaDTLTagger) -> None:
    with pytest.raises(UsageError, match="path must be the path of a file"):
        LaDTLTagger.load(5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="path must be the path of a file"):
        tagger.save(1)  # type: ignore[arg-type]
    with pytest.raises(LadtlError, match="none"):
        LaDTLTagger.load("none")
    for threads in (0, "2", None):
        with pytest.raises(UsageError, match="threads must be a number, at least 1"):
            copy.copy(tagger).set_params(threads=threads).predict([["x"]])
    assert copy.copy(tagger).set_params(threads=np.int64(2)).predict([["x"]])


def test_a_method_that_needs_a_source_says_how_to_give_it() -> None:
    with pytest.raises(UsageError, match=r"la-dtl learns from a source domain; .* as source=, or"):
        LaDTLTagger(options=OPTIONS).fit(*IOB2)
    with pytest.raises(UsageError, match="la-dlt"):
        LaDTLTagger("la-dlt").fit(*IOB2)


class Stopped(Exception):
    pass


def stopped_fit(path: Path, monkeypatch: pytest.MonkeyPatch, after: int, seed: int = 0) -> None:
    """Train with a checkpoint at every step, and stop in the middle of one, as a crash does."""
    steps = 0
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
                CORPORA.target, **WARD, checkpoint=path, checkpoint_every=0.0
            )
    assert path.stat().st_mode & 0o777 == 0o600


def test_promise_04_an_interrupted_fit_goes_on_from_its_checkpoint(
    tagger: LaDTLTagger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint"
    for after in (1, 55, 30):  # of those that are left
        stopped_fit(path, monkeypatch, after)
    again = LaDTLTagger(options=OPTIONS).fit(CORPORA.target, **WARD, checkpoint=path)
    assert model_bytes(again.model_) == model_bytes(tagger.model_)
    assert len(again.history_) == 4  # 86 steps were done before
    assert not path.exists()


def test_promise_05_a_fit_refuses_the_checkpoint_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint"
    stopped_fit(path, monkeypatch, 5)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="seed was 0, is 1"):
        LaDTLTagger(options=OPTIONS, seed=1).fit(CORPORA.target, **WARD, checkpoint=path)
    with pytest.raises(UsageError, match="the sentences of dev is another one"):
        LaDTLTagger(options=OPTIONS).fit(
            CORPORA.target, source=CORPORA.source, dev=CORPORA.tests[0], checkpoint=path
        )
    path.write_bytes(before[:-1])
    with pytest.raises(ModelFileError):
        LaDTLTagger(options=OPTIONS).fit(CORPORA.target, **WARD, checkpoint=path)


@pytest.fixture
def pressed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Press Ctrl-C in a step of the next fits, `times` times; no press was just before."""
    monkeypatch.setattr(module, "_PRESSES", Presses())
    real = Trainer.run

    def press(at: int, times: int = 1, stage: str = "target", number: int = signal.SIGINT) -> None:
        def run(trainer: Trainer) -> Iterator[Step | Evaluation]:
            for event in real(trainer):
                if isinstance(event, Step) and (event.step, event.stage) == (at, stage):
                    for _ in range(times):
                        os.kill(os.getpid(), number)
                yield event

        monkeypatch.setattr(Trainer, "run", run)

    yield press
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_promise_06_ctrl_c_leaves_a_checkpoint_of_a_fit(
    tagger: LaDTLTagger,
    tmp_path: Path,
    pressed: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "checkpoint"
    with monkeypatch.context():
        pressed(33)
        with pytest.warns(UserWarning, match=r"after step 33 of 120; the best .* goes on"):
            LaDTLTagger(options=OPTIONS).fit(CORPORA.target, **WARD, checkpoint=path)
        assert path.exists()
    pressed(0)
    again = LaDTLTagger(options=OPTIONS).fit(CORPORA.target, **WARD, checkpoint=path)
    assert model_bytes(again.model_) == model_bytes(tagger.model_)
    assert not path.exists()


def test_ctrl_c_keeps_the_best_model_so_far(
    tagger: LaDTLTagger, pressed: Callable[..., None]
) -> None:
    pressed(33)
    stopped = LaDTLTagger(options=OPTIONS)
    before = [event for event in tagger.history_ if event.step <= 30]
    best = [event.step for event in before if event.best][-1]
    with pytest.warns(UserWarning, match=rf"after step 33 of 120; the best model .* {best}, is k"):
        assert stopped.fit(CORPORA.target, **WARD) is stopped
    assert [event.step for event in stopped.history_] == [10, 20, 30]
    pressed(0)
    until = LaDTLTagger(options=OPTIONS | {"training.steps": 30}).fit(CORPORA.target, **WARD)
    assert stopped.predict(CORPORA.tests[0]) == until.predict(CORPORA.tests[0])
    kept, full = stopped.model_.network.weights.flat, until.model_.network.weights.flat
    assert kept.tobytes() == full.tobytes()


def test_ctrl_c_without_development_data_keeps_the_last_model(
    pressed: Callable[..., None],
) -> None:
    pressed(17)
    with pytest.warns(UserWarning, match="the model of step 17 is kept"):
        stopped = LaDTLTagger("non-transfer", options=OPTIONS).fit(*IOB2)
    pressed(0)
    until = LaDTLTagger("non-transfer", options=OPTIONS | {"training.steps": 17}).fit(*IOB2)
    assert (
        stopped.model_.network.weights.flat.tobytes() == until.model_.network.weights.flat.tobytes()
    )


def test_ctrl_c_before_the_first_evaluation_says_so(pressed: Callable[..., None]) -> None:
    pressed(4)
    with pytest.warns(UserWarning, match=r"not evaluated yet, of step 4 is kept"):
        stopped = LaDTLTagger(options=OPTIONS).fit(CORPORA.target, **WARD)
    assert stopped.history_ == []
    assert stopped.predict([["x"]])


def test_ctrl_c_before_the_target_was_trained_on_is_raised(pressed: Callable[..., None]) -> None:
    pressed(4, stage="source")
    tagger = LaDTLTagger("re-training", options=OPTIONS)
    with pytest.raises(KeyboardInterrupt):
        tagger.fit(CORPORA.target, **WARD)
    assert not hasattr(tagger, "model_")


@pytest.mark.parametrize("checkpoint", [None, "checkpoint"])
def test_a_second_ctrl_c_is_raised_at_once(
    pressed: Callable[..., None], tmp_path: Path, checkpoint: str | None
) -> None:
    pressed(33, times=2)
    tagger = LaDTLTagger(options=OPTIONS)
    given = {} if checkpoint is None else {"checkpoint": tmp_path / checkpoint}
    with pytest.raises(KeyboardInterrupt):
        tagger.fit(CORPORA.target, **WARD, **given)
    assert not hasattr(tagger, "model_")


def test_ctrl_c_in_two_fits_that_follow_each_other_ends_the_second(
    pressed: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed(12)
    clock = iter([100.0, 100.0 + SOON, 101.0 + SOON])
    monkeypatch.setattr("ladtl_np.estimator.interruption.time.monotonic", lambda: next(clock))
    tagger = LaDTLTagger("non-transfer", options=OPTIONS)
    for _ in range(2):
        with pytest.warns(UserWarning, match="interrupted"):
            tagger.fit(*IOB2)
    with pytest.warns(UserWarning, match="interrupted"), pytest.raises(KeyboardInterrupt):
        tagger.fit(*IOB2)


def test_other_signals_end_a_fit_without_a_checkpoint_as_ever(
    pressed: Callable[..., None],
) -> None:
    class Told(Exception):
        pass

    def told(number: int, frame: object) -> None:
        raise Told

    before = signal.signal(signal.SIGTERM, told)
    try:
        pressed(4, number=signal.SIGTERM)
        with pytest.raises(Told):
            LaDTLTagger(options=OPTIONS).fit(CORPORA.target, **WARD)
    finally:
        signal.signal(signal.SIGTERM, before)
