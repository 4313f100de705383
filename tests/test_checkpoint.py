"""A run that is stopped or killed at any moment goes on as if it had not been, to the last byte."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import click
import pytest
from conftest import Invoke, once
from interrupted import content, small_run, start, wait_for, wait_for_another, written
from small_corpora import small_config, small_corpora

from ladtl_np.commands import train
from ladtl_np.errors import ModelFileError
from ladtl_np.runs.checkpoint import (
    SELDOM,
    Checkpoint,
    Every,
    Timer,
    read_checkpoint,
    write_checkpoint,
)
from ladtl_np.runs.names import CHECKPOINT, LAST
from ladtl_np.training.preparation import prepare
from ladtl_np.training.trained_model import versions
from ladtl_np.training.trainer import Trainer

METHODS = ("la-dtl", "re-training")


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """A run of a second or two on files."""
    return small_run(tmp_path)


def killed(arguments: list[str], out: Path) -> None:
    """Start a run and kill it once it has a checkpoint."""
    run = start(*arguments, "--out", out, "--checkpoint-every", 3)
    wait_for(out / CHECKPOINT, run)
    run.kill()
    run.communicate(timeout=60)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_promise_06_a_signal_leaves_what_goes_on_byte_for_byte(
    method: str, number: int, code: int, arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    arguments += ["--method", method]
    assert invoke(*arguments, "--out", whole).exit_code == 0
    assert not (whole / CHECKPOINT).exists()
    run = start(*arguments, "--out", out, "--checkpoint-every", 7)
    wait_for(out / CHECKPOINT, run)
    run.send_signal(number)
    _, told = run.communicate(timeout=60)
    assert run.returncode == code, told.decode()
    assert "--resume" in told.decode()
    assert (out / LAST).exists()
    assert invoke(*arguments, "--out", out).exit_code == 2  # neither --resume nor --overwrite
    result = invoke(*arguments, "--out", out, "--resume")
    assert result.exit_code == 0, result.stderr
    assert "Resumed after step" in result.stderr
    assert content(out) == content(whole)
    assert not (out / CHECKPOINT).exists()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_promise_04_a_kill_at_any_moment_loses_no_more_than_the_steps_since_the_checkpoint(
    kills: int, method: str, arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    """Fifty kills need a longer run; it ends when it ends, or with a resume without kills."""
    if kills > 10:
        arguments = once(*arguments, "--steps", 3000, "--set", "training.evaluate_every=500")
    whole, out = tmp_path / "whole", tmp_path / "out"
    arguments += ["--method", method]
    assert invoke(*arguments, "--out", whole).exit_code == 0
    chance, resume, resumed = random.Random(method), [], 0
    for _ in range(kills):
        before = written(out / CHECKPOINT)
        run = start(*arguments, "--out", out, "--checkpoint-every", 5, *resume)
        wait_for_another(out / CHECKPOINT, before, run)
        time.sleep(chance.random() * 0.05)
        run.kill()
        run.communicate(timeout=60)
        if not (out / CHECKPOINT).exists():
            break  # it was finished
        read_checkpoint(out / CHECKPOINT)
        resume, resumed = ["--resume"], resumed + 1
    if (out / CHECKPOINT).exists():
        assert invoke("train", "--out", out, "--resume").exit_code == 0
    assert resumed >= min(kills, 40)
    assert content(out) == content(whole)


def test_promise_05_other_options_or_files_are_refused_by_name(
    arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    out = tmp_path / "out"
    killed(arguments, out)
    result = invoke(*arguments, "--out", out, "--resume", "--set", "objective.w_mmd=0.5")
    assert result.exit_code == 2
    assert "objective.w_mmd was 0.02, is 0.5" in result.stderr
    with (tmp_path / "target.txt").open("a", encoding="utf-8") as stream:
        stream.write("x\tS-Sign\n\n")
    result = invoke(*arguments, "--out", out, "--resume")
    assert result.exit_code == 2
    assert "the file target target.txt is another one" in result.stderr
    assert invoke(*arguments, "--out", out, "--resume", "--allow-change").exit_code == 0


def test_there_is_nothing_to_resume_where_nothing_was_stopped(
    arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    out = tmp_path / "out"
    result = invoke(*arguments, "--out", out, "--resume")
    assert result.exit_code == 2
    assert CHECKPOINT in result.stderr
    assert invoke(*once(*arguments, "--out", out, "--steps", 5)).exit_code == 0
    result = invoke(*arguments, "--out", out, "--resume")
    assert "its run is finished" in result.stderr
    result = invoke(*arguments, "--out", out, "--resume", "--overwrite")
    assert "give one of them" in result.stderr
    result = invoke(*arguments, "--out", tmp_path / "other", "--allow-change")
    assert result.exit_code == 2
    assert "no effect without --resume" in result.stderr


@pytest.mark.parametrize("value", ["0", "5h", "-3", "m", "1e3"])
def test_what_is_no_time_or_number_of_steps_is_refused(
    value: str, arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    result = invoke(*arguments, "--out", tmp_path / "out", "--checkpoint-every", value)
    assert result.exit_code == 2
    assert "5m, 90s or 200" in result.stderr


def test_a_damaged_checkpoint_is_refused(
    arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    out = tmp_path / "out"
    killed(arguments, out)
    whole = (out / CHECKPOINT).read_bytes()
    for cut in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        (out / CHECKPOINT).write_bytes(whole[:cut])
        with pytest.raises(ModelFileError, match="checkpoint"):
            read_checkpoint(out / CHECKPOINT)
        assert invoke(*arguments, "--out", out, "--resume").exit_code == 1


def test_promise_05_a_label_map_that_pairs_other_types_is_refused(
    arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    pairs, out = tmp_path / "map.toml", tmp_path / "out"
    pairs.write_text('Drug = "Sign"\nSign = "Drug"\n', "utf-8")
    arguments += ["--label-map", str(pairs)]
    killed(arguments, out)
    pairs.write_text('Drug = "Drug"\n', "utf-8")
    result = invoke(*arguments, "--out", out, "--resume")
    assert result.exit_code == 2
    assert "the label map is another one" in result.stderr


def test_promise_05_other_vectors_that_bring_other_words_are_refused(
    arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    vectors, out = tmp_path / "vectors.txt", tmp_path / "out"
    numbers = " ".join(["0.5"] * 8)
    vectors.write_text(f"Q {numbers}\n", "utf-8")  # a word of no training data
    arguments += ["--embeddings", str(vectors)]
    killed(arguments, out)
    vectors.write_text(f"R {numbers}\n", "utf-8")
    result = invoke(*arguments, "--out", out, "--resume")
    assert result.exit_code == 2
    assert "the vocabulary is another one" in result.stderr


def test_promise_05_other_vectors_of_the_same_words_are_refused(
    arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    vectors, out = tmp_path / "vectors.txt", tmp_path / "out"
    vectors.write_text(f"Q {' '.join(['0.5'] * 8)}\n", "utf-8")
    arguments += ["--embeddings", str(vectors)]
    killed(arguments, out)
    vectors.write_text(f"Q {' '.join(['0.25'] * 8)}\n", "utf-8")
    result = invoke(*arguments, "--out", out, "--resume")
    assert result.exit_code == 2
    assert "the file of word vectors is another one" in result.stderr
    assert "vocabulary" not in result.stderr


def test_a_signal_that_is_ignored_stays_ignored(arguments: list[str], tmp_path: Path) -> None:
    """As by a shell's background jobs."""
    out = tmp_path / "out"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = start(*arguments, "--out", out, "--checkpoint-every", 3)
    finally:
        signal.signal(signal.SIGINT, before)
    wait_for(out / CHECKPOINT, run)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=60)
    assert run.returncode == 0, told.decode()
    assert (out / LAST).exists()


def test_a_timer_counts_steps_or_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("ladtl_np.runs.checkpoint.time.monotonic", lambda: now[0])
    steps, seconds = Timer(Every(steps=3)), Timer(Every(seconds=10.0))
    assert [steps.due() for _ in range(7)] == [False, False, True, False, False, True, False]
    found = []
    for passed in (5.0, 4.0, 1.0, 9.0, 1.0):
        now[0] += passed
        found.append(seconds.due())
    assert found == [False, False, True, False, True]


@pytest.mark.parametrize(
    ("written", "every"), [("5m", Every(300.0)), ("90s", Every(90.0)), ("200", Every(steps=200))]
)
def test_minutes_seconds_and_steps_are_read(written: str, every: Every) -> None:
    (option,) = (o for o in train.command.params if o.name == "checkpoint_every")
    context = click.Context(train.command)
    assert option.process_value(context, written) == every
    assert option.process_value(context, None) == SELDOM


def test_promise_05_another_version_is_a_difference(tiny_checkpoint: Checkpoint) -> None:
    same = tiny_checkpoint.differences(
        tiny_checkpoint.config, tiny_checkpoint.data, tiny_checkpoint.versions
    )
    assert same == []
    newer = {**tiny_checkpoint.versions, "numpy": "99.0"}
    told = tiny_checkpoint.differences(tiny_checkpoint.config, tiny_checkpoint.data, newer)
    assert told == [f"numpy was {tiny_checkpoint.versions['numpy']}, is 99.0"]


@pytest.fixture
def tiny_checkpoint(tmp_path: Path) -> Checkpoint:
    trainer = Trainer(prepare(small_config(), small_corpora()))
    write_checkpoint(tmp_path / CHECKPOINT, trainer, {"a file": "00"}, versions(), 0)
    return read_checkpoint(tmp_path / CHECKPOINT)[0]
