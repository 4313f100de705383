"""What a training is told of its corpora before the first step, and of its course at the end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Invoke, write_corpus
from small_corpora import small_config, small_corpora

from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.runs.found import FoundRun
from ladtl_np.scoring import score
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.remarks import closing_remarks
from ladtl_np.training.trainer import Trainer


@pytest.fixture(scope="module")
def trained() -> Trainer:
    """A trainer that has done 40 steps with an evaluation at every tenth."""
    trainer = Trainer(prepare(small_config(), small_corpora()))
    for _ in trainer.run():
        pass
    return trainer


def kinds(trainer: Trainer) -> list[str]:
    return [remark.kind for remark in closing_remarks(trainer)]


def with_best(trainer: Trainer, step: int, guess: str = "S-A") -> Trainer:
    """The same trainer, whose best evaluation was at a step, with a perfect score or none."""
    best = trainer.best_evaluation
    assert best is not None
    scores = score([["S-A"]], [[guess]], "BIOES")
    trainer.best_evaluation = replace(best, step=step, scores=scores)
    return trainer


def test_the_last_evaluation_is_the_best_one(trained: Trainer) -> None:
    (remark,) = closing_remarks(with_best(trained, 40))
    assert (remark.kind, remark.corpus, remark.count) == ("still-improving", "dev", 40)
    assert "the last of 40 steps" in remark.what
    assert "training.steps" in remark.cure
    assert kinds(with_best(trained, 30)) == []


def test_f1_was_zero_at_every_evaluation(trained: Trainer) -> None:
    for step in (10, 40):
        (remark,) = closing_remarks(with_best(trained, step, "O"))
        assert (remark.kind, remark.count) == ("nothing-found", 40)
        assert "columns" in remark.cure


def test_of_one_evaluation_or_none_nothing_is_said() -> None:
    config = small_config(training={"steps": 10, "evaluate_every": 10})
    trainer = Trainer(prepare(config, small_corpora()))
    assert kinds(trainer) == []
    for _ in trainer.run():
        pass
    assert kinds(with_best(trainer, 10)) == []
    without = Trainer(prepare(config, replace(small_corpora(), dev=None)))
    for _ in without.run():
        pass
    assert kinds(without) == []


def renamed(corpus: Corpus) -> Corpus:
    """The same with other types."""
    sentences = [
        Sentence(s.tokens, tuple(tag + "2" * (tag != "O") for tag in s.tags or ()), s.line)
        for s in corpus
    ]
    return Corpus(corpus.name, tuple(sentences), corpus.scheme)


def test_no_type_in_common_is_told_for_methods_with_a_source() -> None:
    corpora = small_corpora()
    assert corpora.source is not None
    other = replace(corpora, source=renamed(corpora.source))
    pairs = LabelMap({"Drug2": "Drug"})

    def told(method: str, corpora: Corpora, label_map: LabelMap | None = None) -> bool:
        prepared = prepare(small_config(method=method), corpora, label_map)
        return "no-matching-type" in {remark.kind for remark in prepared.remarks}

    assert told("la-dtl", other)
    assert told("re-training", other)
    assert not told("la-dtl", other, pairs)
    assert not told("non-transfer", other)
    assert not told("la-dtl", corpora)


def test_a_run_tells_at_its_start_and_at_its_end_and_its_manifest_has_both(
    invoke: Invoke, tmp_path: Path
) -> None:
    corpora = small_corpora()
    assert corpora.source is not None
    assert corpora.dev is not None
    files = {
        "source": write_corpus(tmp_path / "source", renamed(corpora.source)),
        "target": write_corpus(tmp_path / "target", corpora.target),
        "dev": write_corpus(tmp_path / "dev", renamed(corpora.dev)),  # so that F1 is 0
    }
    small = ("--steps", 2, "--set", "training.evaluate_every=1", "--set", "model.hidden=2")
    small += ("--set", "model.embedding=2")
    small += ("--set", "training.source_batch=2", "--set", "training.target_batch=2")
    result = invoke(
        *("train", "--method", "re-training", "--out", tmp_path / "run", *small),
        *("--set", "reload.source_steps=3"),
        *(part for name, path in files.items() for part in (f"--{name}", path)),
    )
    assert result.exit_code == 0, result.stderr
    manifest = json.loads((tmp_path / "run/manifest.json").read_text("utf-8"))
    # three steps on the source and two on the target, of two sentences each
    counts = [manifest[name] for name in ("updates_before", "updates", "sentences")]
    assert counts == [3, 5, 10]
    assert FoundRun.at(tmp_path / "run").learning == [(4, 0.0), (5, 0.0)]
    found = [remark["kind"] for remark in manifest["remarks"]]
    assert found[-3:] == ["unseen-types", "no-matching-type", "nothing-found"]
    lines = result.stderr.splitlines()
    places = [n for n, line in enumerate(lines) if line.startswith("warning: ")]
    evaluations = [n for n, line in enumerate(lines) if line.startswith("step ")]
    assert len(places) == len(found)
    assert places[-1] > evaluations[-1] > places[-2]
