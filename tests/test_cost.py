"""What a training costs: time from its first steps, memory, and what makes steps large."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Invoke
from interrupted import small_run
from small_corpora import small_config, small_corpora

from ladtl_np.commands.support.cost import FIRST, Pace, told_time, warnings_of_cost
from ladtl_np.corpus.sentence import Sentence
from ladtl_np.objective import LossTerms
from ladtl_np.training.events import Stage, Step
from ladtl_np.training.preparation import prepare

NOTHING = LossTerms(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def step(seconds: float, stage: Stage = "target") -> Step:
    return Step(1, 1000, NOTHING, 0.0, 10, seconds, stage)


@pytest.mark.parametrize(
    ("seconds", "steps", "told"),
    [
        (0.001, 10, "1 s for 10 steps"),
        (0.01, 1000, "10 s for 1,000 steps"),
        (0.24, 1000, "4 min for 1,000 steps"),
        (9.0, 10_000, "25.0 h for 10,000 steps"),
        (5.0, 1, "5 s for 1 step"),
    ],
)
def test_time_is_told_in_words(seconds: float, steps: int, told: str) -> None:
    assert told_time(seconds, steps) == f"Time: about {told}, evaluations aside."


def test_the_first_step_does_not_count_and_the_time_is_told_once_a_stage() -> None:
    pace = Pace()
    taken = [pace.take(step(100.0 if n == 0 else 0.5)) for n in range(3 * FIRST)]
    assert [n for n, told in enumerate(taken, 1) if told] == [FIRST]
    assert pace.seconds == 0.5
    again = [pace.take(step(2.0, "source")) for _ in range(FIRST)]
    assert again.index(True) == 6  # six of two seconds are enough
    assert pace.seconds == 2.0


def test_a_batch_above_the_corpus_and_an_endless_sentence_are_told_with_their_numbers() -> None:
    corpora = small_corpora()
    assert warnings_of_cost(prepare(small_config(), corpora)) == []
    batch = len(corpora.target) + 1
    config = small_config(training={"steps": 2, "target_batch": batch})
    (told,) = warnings_of_cost(prepare(config, corpora))
    assert told.startswith(f"training.target_batch is {batch} and there are {batch - 1} sentences")
    assert "up to 2 times" in told
    long = Sentence(("x",) * 30_000, ("O",) * 30_000, 77)
    target = replace(corpora.target, sentences=(*corpora.target.sentences, long))
    (told,) = warnings_of_cost(prepare(small_config(), replace(corpora, target=target)))
    assert "of the target, at line 77, has 30,000 tokens, " in told
    assert "cut it at the ends of sentences" in told


@pytest.mark.parametrize("method", ["la-dtl", "re-training"])
def test_a_dry_run_tells_the_cost_and_writes_nothing(
    method: str, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [*small_run(tmp_path, 1234), "--method", method, "--out", str(tmp_path / "run")]
    arguments += ["--vocabulary-key", str(tmp_path / "new.key"), "--dry-run"]
    before = sorted(tmp_path.rglob("*"))
    result = invoke(*arguments)
    assert result.exit_code == 0, result.stderr
    steps = 2468 if method == "re-training" else 1234
    assert f"for {steps:,} steps, evaluations aside.\nMemory: up to " in result.stdout
    assert f"Method {method}" in result.stderr
    found = json.loads(invoke(*arguments, "--json").stdout)
    assert found["steps"] == steps
    assert 0 < found["seconds_per_step"] < 60
    assert found["memory_bytes"] > 0
    assert sorted(tmp_path.rglob("*")) == before
    for more in ("--resume", "--overwrite"):
        refused = invoke(*arguments, more)
        assert refused.exit_code == 2
        assert "has no effect with --dry-run" in refused.stderr


def test_a_run_tells_its_time_after_the_first_steps(tmp_path: Path, invoke: Invoke) -> None:
    result = invoke(*small_run(tmp_path, 40), "--out", tmp_path / "run")
    assert result.exit_code == 0
    lines = result.stderr.splitlines()
    (place,) = (n for n, line in enumerate(lines) if line.startswith("Time: about "))
    assert lines[place].endswith(" for 40 steps, evaluations aside.")
    assert place < next(n for n, line in enumerate(lines) if line.startswith("step "))
