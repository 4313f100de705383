"""How many processors count, under the limits of affinity, containers and environment."""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Invoke, run_program, write_corpus

from ladtl_np.arrays import processors
from ladtl_np.commands import train
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import UsageError
from ladtl_np.experiment.runner import Share, share_cores
from ladtl_np.options.config import DEFAULTS, Config

HERE = processors.allowed()
"""Of the machine that runs these tests."""
VERSION_2 = "/sys/fs/cgroup/cpu.max"
QUOTA = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"
PERIOD = "/sys/fs/cgroup/cpu/cpu.cfs_period_us"


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Eight processors, and nothing remembered."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    processors.allowed.cache_clear()
    yield
    monkeypatch.undo()
    processors.allowed.cache_clear()


def limit(monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> None:
    """Let the system's files on control groups be these."""
    whole, there = builtins.open, os.path.exists

    def read(path, *arguments, **options):
        text = files.get(str(path))
        if str(path).startswith("/sys/fs/cgroup") and text is None:
            raise FileNotFoundError(path)
        return whole(path, *arguments, **options) if text is None else io.StringIO(text)

    def exists(path) -> bool:
        return str(path) in files if str(path).startswith("/sys/fs/cgroup") else there(path)

    monkeypatch.setattr(builtins, "open", read)
    monkeypatch.setattr(os.path, "exists", exists)


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({}, 8),
        ({VERSION_2: "max 100000\n"}, 8),
        ({VERSION_2: "100000 100000\n"}, 1),
        ({VERSION_2: "50000 100000\n"}, 1),
        ({VERSION_2: "250000 100000\n"}, 3),
        ({QUOTA: "-1\n", PERIOD: "100000\n"}, 8),
        ({QUOTA: "200000\n", PERIOD: "100000\n"}, 2),
        ({VERSION_2: "what is this\n"}, 8),
        ({VERSION_2: "what 100000\n"}, 8),
        ({VERSION_2: "99900000 100000\n"}, 8),
    ],
)
def test_a_container_s_quota_counts(files, count, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, files)
    assert processors.allowed() == count
    assert processors.seen() == 8


@pytest.mark.parametrize(("told", "count"), [("3", 3), ("99", 8), ("x", 8), ("0", 1)])
def test_the_environment_may_lower_it(told, count, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, {})
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", told)
    assert processors.allowed() == count


def test_a_default_above_what_is_allowed_is_lowered_and_says_so(monkeypatch) -> None:
    limit(monkeypatch, {VERSION_2: "200000 100000\n"})
    assert processors.lowered(2) == (2, "")
    assert processors.lowered(4) == (
        2,
        "Threads: 2 in place of 4, as this process may use 2 processors.",
    )


def test_runs_side_by_side_are_as_many_as_the_quota_allows(monkeypatch) -> None:
    from test_experiment import specs_of

    limit(monkeypatch, {VERSION_2: "300000 100000\n"})
    specs = specs_of(settings={"threads": 2})
    assert share_cores(specs, None) == Share(1, 2)
    assert share_cores(specs_of(settings={"threads": 1}), None) == Share(3, 1)
    assert share_cores(specs_of(settings={"threads": 64}), 5) == Share(1, 3)


def test_every_default_of_threads_is_lowered(
    monkeypatch, invoke: Invoke, tiny_model_file: str, gold_file: str, tmp_path: Path
) -> None:
    monkeypatch.setattr(processors, "allowed", lambda: 1)
    line = f"Threads: 1 in place of {DEFAULTS.threads}, as this process may use 1 processor."
    tag = ("tag", "--model", tiny_model_file, "--from", "conll", gold_file)
    plain, told = invoke(*tag), invoke(*tag, "--threads", 2)
    assert plain.stderr.splitlines() == [line]
    assert told.stderr == ""
    assert plain.stdout == told.stdout
    seen: list[Config] = []

    def stop(config: Config) -> None:
        seen.append(config)
        raise UsageError("enough")

    monkeypatch.setattr(train, "read_corpora", stop)
    files = ("--target", gold_file, "--method", "non-transfer")
    assert line in invoke("train", *files, "--out", tmp_path / "a").stderr
    config = tmp_path / "options.toml"
    config.write_text("threads = 2\n", encoding="utf-8")
    for chosen in (("--threads", 2), ("--set", "threads=2"), ("--config", config)):
        assert line not in invoke("train", *files, *chosen, "--out", tmp_path / "a").stderr
    assert [one.threads for one in seen] == [1, 2, 2, 2]


def test_the_program_is_asked_for_help_without_joblib(tmp_path: Path) -> None:
    (tmp_path / "joblib.py").write_text("raise SystemExit('joblib was imported')\n")
    assert run_program("--help", PYTHONPATH=str(tmp_path)).returncode == 0
    assert run_program("tag", "--help", PYTHONPATH=str(tmp_path)).returncode == 0


def test_where_the_pools_of_joblib_do_not_work_nothing_is_said(
    tiny_model_file: str, tiny_corpus, tmp_path: Path
) -> None:
    """Without semaphores joblib warns when it is imported."""
    corpus: Corpus = tiny_corpus.dev
    gold = write_corpus(tmp_path / "gold.conll", corpus)
    told = run_program(
        "tag", "--model", tiny_model_file, "--from", "conll", gold, JOBLIB_MULTIPROCESSING="0"
    )
    assert told.returncode == 0
    assert b"arning" not in told.stderr
    assert (b"Threads: " in told.stderr) == (DEFAULTS.threads > HERE)
