"""Numerics: exact oracles of the CRF, divergence that is noticed, bytes that nothing changes.

Beside these stand promises 22 in test_crf and test_viterbi (10,000 tokens, scores of 10,000), 23 in
test_gradients, 24 in test_mmd, 26 and 27 in test_training, and 16 in test_command_evaluate.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import oracles
import pytest
from conftest import CLI, write_corpus
from shapes_at_random import by_sentence, random_chains
from small_corpora import small_config, small_corpora

from ladtl_np.corpus.sentence import Sentence
from ladtl_np.errors import DivergedError
from ladtl_np.layers.crf import crf_backward, crf_forward, crf_viterbi
from ladtl_np.layers.divergence import divergence_forward
from ladtl_np.objective import LossTerms
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.options.objective_options import ObjectiveOptions
from ladtl_np.training import trainer as training
from ladtl_np.training.diverged import MEANINGLESS, STEPS, Taken, Watch, guessing
from ladtl_np.training.events import Evaluation, Step
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trainer import Trainer

# ---- 22: the CRF against enumeration -------------------------------------------------------------


def held_against_enumeration(packing, E, A, tags, rtol: float = 1e-11) -> None:
    nll, cache = crf_forward(E, A, tags, packing.offsets)
    dE, dA = np.zeros_like(E), np.zeros_like(A)
    crf_backward(dE, dA, np.ones(1), cache)
    log_z = oracles.enumerated_log_partition(E, A)
    assert nll[0] + oracles.path_score(E, A, tags.tolist()) == pytest.approx(log_z, rel=rtol)
    unary, pairwise = oracles.enumerated_marginals(E, A)
    np.testing.assert_allclose(dE + np.eye(len(A))[tags], unary, atol=1e-11)
    np.subtract.at(pairwise, (tags[:-1], tags[1:]), 1)
    np.testing.assert_allclose(dA, pairwise, atol=1e-11)
    best, score = crf_viterbi(E, A, packing.offsets)
    path, most = oracles.enumerated_viterbi(E, A)
    assert best.tolist() == path
    assert score[0] == pytest.approx(most, rel=1e-12)


@pytest.mark.parametrize("m", range(1, 5))
@pytest.mark.parametrize("T", range(1, 7))
@pytest.mark.parametrize("scale", [1.5, 1e4])
def test_promise_22_every_size_equals_enumeration(T: int, m: int, scale: float) -> None:
    packing, E, A, tags = random_chains(np.random.default_rng(10 * T + m), (T,), m, scale)
    held_against_enumeration(packing, E, A, tags)


@pytest.mark.parametrize("T", range(1, 7))
def test_promise_22_forbidden_transitions_equal_enumeration(T: int) -> None:
    packing, E, A, tags = random_chains(np.random.default_rng(T), (T,), 4, 2.0)
    A[tags[0] :: 2, 1] = -np.inf
    A[2, 0] = -np.inf
    tags[:] = 3  # of which nothing is forbidden
    A[3, 3] = 0.1
    held_against_enumeration(packing, E, A, tags)


@pytest.mark.parametrize("m", range(1, 5))
@pytest.mark.parametrize("T", range(1, 7))
def test_promise_22_kl_of_every_size_equals_enumeration(T: int, m: int) -> None:
    rng = np.random.default_rng(T + 10 * m)
    packing, E_s, A_s, _ = random_chains(rng, (T,), m, 1.5)
    _, E_t, A_t, _ = random_chains(rng, (T,), m, 1.5)
    (e_s,), (e_t,) = by_sentence(packing, E_s), by_sentence(packing, E_t)
    value, _ = divergence_forward(E_s, A_s, E_t, A_t, packing.offsets)
    expected = oracles.enumerated_kl(e_s, A_s, e_t, A_t)
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


# ---- 25: divergence ------------------------------------------------------------------------------


def outcome(rate: float, **changes) -> tuple[Trainer, list[float], str]:
    config = small_config(optimizer={"learning_rate": rate, **changes})
    trainer, losses = Trainer(prepare(config, small_corpora())), []
    try:
        for event in trainer.run():
            if not isinstance(event, Evaluation):
                losses.append(event.terms.total)
    except DivergedError as error:
        return trainer, losses, str(error)
    return trainer, losses, ""


@pytest.mark.parametrize("rate", [1e5, 1e9, 1e15, 1e18, 1e20, 1e30, 1e39])
def test_promise_25_a_loss_without_meaning_is_divergence(rate: float) -> None:
    trainer, losses, says = outcome(rate)
    assert len(losses) <= STEPS
    assert "diverged" in says
    assert f"learning rate {rate:g}" in says
    assert ("its update" in says) == (rate > 1e38)  # beyond float32: at once
    assert trainer.best_evaluation is None or np.isfinite(trainer.best.weights.flat).all()


@pytest.mark.parametrize("rate", [1e-3, 0.1, 1.0, 10.0, 100.0])
def test_promise_25_no_sane_training_is_stopped(rate: float) -> None:
    _, losses, says = outcome(rate)
    assert says == ""
    assert len(losses) == 40


def test_promise_25_what_went_wrong_is_told_by_place_and_not_by_text() -> None:
    _, losses, says = outcome(1e20, clip_norm=0.0)
    assert f"step {len(losses) + 1} diverged: loss" in says
    for part in ("gradient norm", "source_nll", "source: lines ", "; target: lines "):
        assert part in says
    assert "There is no earlier model. Try a smaller optimizer.learning_rate, or" in says
    lines = [int(line) for line in says.partition("source: lines ")[2].split(";")[0].split(", ")]
    assert len(lines) == 6
    assert set(lines) <= set(range(40))
    assert not {"Drug", "Cz", "z"} & set(says.replace(",", " ").split())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("place", ["loss", "gradient"])
def test_promise_25_a_single_value_that_is_not_finite_stops_at_its_step(
    monkeypatch: pytest.MonkeyPatch, bad: float, place: str
) -> None:
    trainer, plain = Trainer(prepare(small_config(), small_corpora())), training.loss_step

    def broken(*given):
        terms, gradients = plain(*given)
        if trainer.step == 13:
            if place == "gradient":
                gradients.weights.flat[5] = bad
            else:
                terms = terms._replace(total=bad)
        return terms, gradients

    monkeypatch.setattr(training, "loss_step", broken)
    with pytest.raises(DivergedError, match=r"step 14 diverged.*The model of step 10 is kept"):
        list(trainer.run())
    assert trainer.step == 13
    for network in (trainer.network, trainer.best):
        assert all(np.isfinite(array).all() for array in network.named().values())


@pytest.mark.parametrize("name", ["forward.U", "word_embedding"])
def test_promise_25_weights_that_are_not_finite_are_never_kept(name: str) -> None:
    trainer = Trainer(prepare(small_config(), small_corpora()))
    events = trainer.run()
    for event in events:
        if isinstance(event, Evaluation):
            break
    kept = trainer.best.embedding.copy()
    trainer.network.named()[name][-1, 0] = math.nan
    trainer.recent = [next_step()]  # an evaluation comes next: the word may be in no batch
    with pytest.raises(DivergedError, match=f"weights that are not finite: {name}"):
        next(events)
    np.testing.assert_array_equal(trainer.best.embedding, kept)


def test_promise_25_development_scores_that_are_not_finite_are_divergence() -> None:
    trainer = Trainer(prepare(small_config(), small_corpora()))
    events = trainer.run()
    for event in events:
        if isinstance(event, Evaluation):
            break
    for name, array in trainer.network.named().items():
        if name.startswith("target_crf.W"):
            array[:] = 3e38  # finite, and no sum of them is
    trainer.step = trainer.config.training.steps
    trainer.recent = [next_step()]
    with pytest.raises(DivergedError, match=r"step 40 diverged: .* not finite"):
        next(events)


def next_step() -> Step:
    return Step(40, 40, terms(1.0), 1.0, 5, 0.1)


def terms(total: float) -> LossTerms:
    return LossTerms(total, 1.0, 1.0, 0.0, 0.0, 0.0)


def test_promise_25_a_spike_may_pass_and_an_end_without_meaning_may_not() -> None:
    sentence = EncodedSentence(np.zeros(9, np.int64), np.zeros(9, np.int64), line=3)
    taken = (Taken("a.txt", [sentence] * 60),)
    most = MEANINGLESS * guessing(taken[0].sentences, 5)
    network = prepare(small_config(), small_corpora()).network
    watch = Watch(ObjectiveOptions(), 5)
    for number in range(STEPS - 1):
        watch.step(number, terms(1.01 * most), 1.0, 0.1, taken)
    watch.evaluated(9, network, last=False)
    with pytest.raises(DivergedError, match="when training ended") as caught:
        watch.evaluated(9, network, last=True)
    assert "a.txt: lines 3, 3" in str(caught.value)
    assert "and 10 more" in str(caught.value)
    watch.step(10, terms(0.99 * most), 1.0, 0.1, taken)
    watch.evaluated(10, network, last=True)
    for number in range(STEPS - 1):
        watch.step(number, terms(1.01 * most), 1.0, 0.1, taken)
    with pytest.raises(DivergedError, match="10 steps on end"):
        watch.step(20, terms(1.01 * most), 1.0, 0.1, taken)
    heavy = Watch(ObjectiveOptions(w_reg=100.0), 5)
    for number in range(2 * STEPS):
        heavy.step(number, terms(50 * most), 1.0, 0.1, taken)


def test_promise_25_sentences_of_no_file_are_named_by_their_number() -> None:
    corpora = small_corpora()
    target = replace(corpora.target, sentences=tuple(map(without_line, corpora.target)))
    prepared = prepare(small_config(), replace(corpora, target=target))
    assert [sentence.line for sentence in prepared.target] == list(range(1, 13))


def without_line(sentence: Sentence) -> Sentence:
    return replace(sentence, line=0)


def test_promise_25_without_text_in_the_two_stages() -> None:
    prepared = prepare(
        small_config(method="re-training", optimizer={"learning_rate": 1e20}), small_corpora()
    )
    with pytest.raises(DivergedError, match=r"mini-batch: source: lines \d"):
        list(Trainer(prepared).run())


# ---- 27: the same bytes --------------------------------------------------------------------------


def model_of(folder: Path, *, threads: int = 1, **environment: str) -> bytes:
    """Train in a folder of its own, in an environment of its own; the bytes of the model."""
    folder.mkdir()
    corpora = small_corpora()
    assert corpora.source is not None
    for corpus in (corpora.source, corpora.target, corpora.dev):
        assert corpus is not None
        write_corpus(folder / f"{corpus.name}.txt", corpus)
    options = ["--source", "source.txt", "--target", "target.txt", "--dev", "dev.txt"]
    sizes = ["--set", "model.hidden=6", "--set", "model.embedding=8", "--steps", "12"]
    done = subprocess.run(
        [sys.executable, str(CLI), "train", *options, *sizes, "--out", "run",
         "--threads", str(threads)],
        cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return (folder / "run/best.safetensors").read_bytes()


OTHERS = {
    "two threads": {"threads": 2},
    "hash seed": {"PYTHONHASHSEED": "1"},
    "locale and time zone": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR", "TZ": "Asia/Kathmandu"},
}


def test_promise_27_threads_hash_seed_locale_time_zone_and_folder_change_no_byte(
    tmp_path: Path,
) -> None:
    first = model_of(tmp_path / "first", PYTHONHASHSEED="0")
    together = {name: value for others in OTHERS.values() for name, value in others.items()}
    assert model_of(tmp_path / "another folder", **together) == first


@pytest.mark.slow
@pytest.mark.parametrize("case", [*OTHERS, "four threads"])
def test_promise_27_each_of_them_alone(tmp_path: Path, case: str) -> None:
    changed = {"threads": 4} if case == "four threads" else OTHERS[case]
    first = model_of(tmp_path / "first", PYTHONHASHSEED="0")
    assert model_of(tmp_path / "other", **{"PYTHONHASHSEED": "0", **changed}) == first


def test_promise_27_a_corpus_without_a_source_as_well() -> None:
    corpora = small_corpora()
    found = []
    for threads in (1, 2):
        config = small_config(method="non-transfer", threads=threads)
        trainer = Trainer(prepare(config, Corpora(None, corpora.target, corpora.dev)))
        for _ in trainer.run():
            pass
        found.append(trainer.best.weights.flat.tobytes())
    assert found[0] == found[1]
