"""A file on disk is the old one or the new one, never a mix."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_corpora import small_config, small_corpora

from ladtl_np.model.file import load_model, model_bytes, save_model
from ladtl_np.training.preparation import prepare
from ladtl_np.training.trained_model import build_model

SAVER = """
import sys
from ladtl_np.model.file import load_model, save_model
states = [load_model(path) for path in sys.argv[2:]]
print("ready", flush=True)
while True:
    for state in states:
        save_model(sys.argv[1], state)
"""


def kills(path: Path, states: list[Path], count: int) -> None:
    """Kill a child that saves the states in turn, and look at the file after each kill."""
    known = {state.read_bytes() for state in states}
    rng = random.Random(0)
    for _ in range(count):
        child = subprocess.Popen(
            [sys.executable, "-c", SAVER, str(path), *map(str, states)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.03))
        child.kill()
        child.communicate()
        if path.exists():
            assert path.read_bytes() in known
            load_model(path)


@pytest.fixture
def states(tmp_path: Path) -> list[Path]:
    paths = []
    for seed in (0, 1):
        prepared = prepare(small_config(seed=seed), small_corpora())
        paths.append(tmp_path / f"state{seed}")
        save_model(paths[-1], build_model(prepared, prepared.network, {}, {}))
    assert model_bytes(load_model(paths[0])) != model_bytes(load_model(paths[1]))
    return paths


def test_promise_01_a_model_survives_a_few_kills(tmp_path: Path, states: list[Path]) -> None:
    kills(tmp_path / "model", states, 4)


@pytest.mark.slow
def test_promise_01_a_model_survives_two_hundred_kills(tmp_path: Path, states: list[Path]) -> None:
    kills(tmp_path / "model", states, 200)
