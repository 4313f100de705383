"""Every parser survives bytes of all kinds: a second of them here, minutes in ``make fuzz``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz.mutator import inputs
from fuzz.targets import TARGETS, Target, checked, remove_folder
from hypothesis import HealthCheck, Phase, given, seed, settings

HERE = Path(__file__).parent / "fuzz"
FIXTURES = sorted(path for path in (HERE / "fixtures").rglob("*") if path.is_file())


@pytest.fixture(autouse=True, scope="module")
def clean() -> Iterator[None]:
    yield
    remove_folder()


@pytest.mark.parametrize("name", TARGETS)
def test_promise_21_a_second_of_bytes(name: str) -> None:
    target = TARGETS[name]
    for data in target.seeds():
        target.feed(data)  # sound input is read

    @seed(21)
    @settings(
        max_examples=300,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(target))
    def survives(data: bytes) -> None:
        checked(target, data)

    survives()


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_promise_21_what_was_found_stays_fixed(path: Path) -> None:
    checked(TARGETS[path.parent.name], path.read_bytes())


def test_promise_21_the_harness_tells_errors_that_are_not_allowed() -> None:
    def feed(data: bytes) -> None:
        raise {b"a": KeyError, b"b": ValueError}.get(data, RuntimeError)("x" * 99_999)

    target = Target(feed, (ValueError,), list, ())
    with pytest.raises(KeyError):
        checked(target, b"a")
    with pytest.raises(AssertionError, match="a message of 99,999 characters"):
        checked(target, b"b")


def test_promise_21_the_program_counts_and_keeps_crashes(tmp_path: Path) -> None:
    command = [sys.executable, str(HERE / "run.py"), "--plain", "--seconds", "0.5"]
    command += ["--crashes", str(tmp_path), "every"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert (done.returncode, told["parser"], told["crashes"]) == (0, "every", 0)
    assert told["executions"] > 100
    done = subprocess.run([*command, "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
