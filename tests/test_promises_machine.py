"""Any sequence of commands and kills on a run folder leaves the old run or the new one."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import once
from failing_calls import killed_at
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from interrupted import content, hashes, small_run

from ladtl_np.commands import ladtl
from ladtl_np.files import is_temporary
from ladtl_np.model.file import load_model
from ladtl_np.runs.names import BEST, CHECKPOINT, NEW

SEEDS = (0, 1)
seeds = strategies.sampled_from(SEEDS)
calls = strategies.integers(1, 140)  # a run makes some 130


def ladtl_run(*arguments: object) -> Result:
    result = CliRunner().invoke(ladtl, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.stderr
    return result


class RunFolderMachine(RuleBasedStateMachine):
    """A run folder, what was done to it, and what must be in it."""

    place: Path  # files that all machines share: corpora, and a whole run of each seed
    arguments: list[str]
    whole: dict[int, Any]

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(dir=self.place))
        self.out = self.home / "run"
        self.seed: int | None = None  # of the finished run that is there
        self.started: int | None = None  # of the one that was interrupted last
        self.moves = 0

    def teardown(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)

    def train(self, seed: int, *more: object) -> Result:
        return ladtl_run(*self.given(seed), *more)

    def given(self, seed: int) -> list[object]:
        return [*self.arguments, "--out", self.out, "--seed", seed, "--checkpoint-every", 2]

    def is_empty(self) -> bool:
        return not self.out.exists() or (not hashes(self.out) and not (self.out / NEW).exists())

    def checkpoint(self) -> bool:
        return any((place / CHECKPOINT).exists() for place in (self.out, self.out / NEW))

    def found(self) -> int | None:
        """Seed of the finished run that is there, as its bytes tell."""
        with suppress(OSError):
            there = content(self.out)
            return next((seed for seed, wanted in self.whole.items() if wanted == there), None)
        return None

    def settle(self) -> None:
        """After a kill, what is there is the run before, or the new one."""
        now = self.found()
        if self.seed is not None:
            assert now in (self.seed, self.started)
        self.seed = now

    @rule(seed=seeds)
    def trains(self, seed: int) -> None:
        empty = self.is_empty()
        result = self.train(seed)
        assert result.exit_code == (0 if empty else 2), result.stderr
        if empty:
            self.seed = seed
            assert self.found() == seed

    @rule(seed=seeds)
    def overwrites(self, seed: int) -> None:
        result = self.train(seed, "--overwrite")
        assert result.exit_code == 0, result.stderr
        self.seed = seed
        assert self.found() == seed
        assert not (self.out / NEW).exists()
        assert not [p for p in self.out.rglob("*") if is_temporary(p.name)]

    @rule(seed=seeds, call=calls, overwrite=strategies.booleans())
    def is_killed(self, seed: int, call: int, overwrite: bool) -> None:
        more = ["--overwrite"] if overwrite else []
        may_start = overwrite or self.is_empty()
        self.started = seed if may_start else self.started
        killed_at(call, lambda: self.train(seed, *more))
        self.settle()

    @rule(call=calls)
    def is_killed_while_resuming(self, call: int) -> None:
        killed_at(call, lambda: ladtl_run("train", "--out", self.out, "--resume"))
        self.settle()

    @rule()
    def resumes(self) -> None:
        there, old = self.checkpoint(), self.seed
        result = ladtl_run("train", "--out", self.out, "--resume")
        if there:
            assert result.exit_code == 0, result.stderr
            self.seed = self.found()
            assert self.seed == self.started
        else:
            assert result.exit_code == 2, result.stderr
            self.seed = self.found()
            assert self.seed in (old, self.started)

    @rule(name=strategies.sampled_from(["other", "out"]))
    def moves_it(self, name: str) -> None:
        if self.out.exists():
            self.moves += 1
            target = self.home / f"{name}-{self.moves}"
            self.out.rename(target)
            self.out = target

    @precondition(lambda self: self.seed is not None)
    @rule()
    def tags(self) -> None:
        text, output = self.home / "text", self.home / "tagged"
        text.write_text("Czab\nxx\n", "utf-8")
        model = self.out / BEST
        result = ladtl_run("tag", "--model", model, text, "-o", output, "--overwrite")
        assert result.exit_code == 0, result.stderr
        assert output.read_text("utf-8").count("\t") == 6
        refused = ladtl_run("tag", "--model", model, text, "-o", model, "--overwrite")
        assert refused.exit_code == 2

    @precondition(lambda self: self.seed is not None)
    @rule(seed=seeds)
    def compares(self, seed: int) -> None:
        other = self.place / f"whole-{seed}"
        result = ladtl_run("compare", self.out, other, "--by", "sentence", "--json")
        assert result.exit_code == 0, result.stderr

    @precondition(lambda self: self.seed is not None)
    @rule()
    def reports(self) -> None:
        page = self.home / "report.html"
        result = ladtl_run("report", self.out, "--out", page, "--overwrite")
        assert result.exit_code == 0, result.stderr
        assert page.read_text("utf-8").rstrip().endswith("</html>")

    @invariant()
    def nothing_is_lost_and_nothing_is_torn(self) -> None:
        for path in self.out.rglob("*.safetensors"):
            if path.name != CHECKPOINT and not is_temporary(path.name):
                load_model(path)
        if self.seed is not None:
            assert self.found() == self.seed


def machine(folder: Path) -> type[RunFolderMachine]:
    """The machine with its files, and a whole run of each seed to hold others against."""
    arguments = once(*small_run(folder, 6), "--set", "training.evaluate_every=3")
    whole = {}
    for seed in SEEDS:
        out = folder / f"whole-{seed}"
        result = ladtl_run(*arguments, "--out", out, "--seed", seed)
        assert result.exit_code == 0, result.stderr
        whole[seed] = content(out)
    own = {"place": folder, "arguments": arguments, "whole": whole}
    return type("Machine", (RunFolderMachine,), own)


def run_machine(folder: Path, examples: int, steps: int) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        machine(folder),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_promise_33_any_sequence_of_commands_and_kills_leaves_a_whole_run(tmp_path: Path) -> None:
    run_machine(tmp_path, 6, 8)


@pytest.mark.slow
def test_promise_33_many_sequences_of_commands_and_kills_leave_a_whole_run(tmp_path: Path) -> None:
    run_machine(tmp_path, 60, 20)


@pytest.mark.parametrize("more", [[], ["--method", "re-training"]])
def test_promise_01_and_04_a_run_killed_at_a_call_goes_on_to_the_same_bytes(
    more: list[str], tmp_path: Path
) -> None:
    """A sample of all calls that bring something to the disk; the slow test has each."""
    killed_at_calls(tmp_path, more, range(3, 1000, 17))


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--method", "re-training"]])
def test_promise_01_and_04_a_run_killed_at_each_call_goes_on_to_the_same_bytes(
    more: list[str], tmp_path: Path
) -> None:
    killed_at_calls(tmp_path, more, range(1, 1000))


def killed_at_calls(folder: Path, more: list[str], numbers: range) -> None:
    arguments = once(*small_run(folder, 6), *more)
    whole = folder / "whole"
    assert ladtl_run(*arguments, "--out", whole).exit_code == 0
    killed = resumed = 0
    for number in numbers:
        out = folder / f"run-{number}"
        given = [*arguments, "--out", out, "--checkpoint-every", 1]
        if not killed_at(number, lambda given=given: ladtl_run(*given)):  # type: ignore[misc]
            break
        killed += 1
        result = ladtl_run(*given, "--resume")
        if result.exit_code == 0:
            resumed += 1
        elif not out.exists() or not hashes(out):
            assert ladtl_run(*given).exit_code == 0
        else:
            assert "--resume" in result.stderr or "finished" in result.stderr, result.stderr
            assert ladtl_run(*given, "--overwrite").exit_code == 0
        assert content(out) == content(whole)
        assert not [path for path in out.rglob("*") if is_temporary(path.name)]
        shutil.rmtree(out)
    assert killed >= 5
    assert resumed >= killed // 3
