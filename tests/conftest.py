"""Fixtures of several test modules: a small trained model, and the program to run on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numba
import pytest
from click.testing import CliRunner, Result
from law_corpora import write_law_files
from small_corpora import small_config, small_corpora

from ladtl_np.commands import ladtl
from ladtl_np.corpus.formats.conll import write_conll
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.files import is_temporary
from ladtl_np.model.file import Model, save_model
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

Invoke = Callable[..., Result]
CLI = Path(__file__).parent.parent / "cli.py"
STARTED_IN = os.getcwd()

os.environ["NUMBA_NUM_THREADS"] = "1"

# A shell's background jobs ignore Ctrl-C, and what nohup starts a closed terminal; so would every
# program that a test starts from there.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    """Without compilation NumPy warns of what compiled kernels compute in silence, as they may."""
    if numba.config.DISABLE_JIT:
        for kind in ("overflow", "invalid value", "divide by zero"):
            line = f"ignore:{kind} encountered:RuntimeWarning:ladtl_np.kernels"
            config.addinivalue_line("filterwarnings", line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """A test that leaves the working folder changed fails, not those after it."""
    yield
    if not os.path.exists(".") or os.getcwd() != STARTED_IN:
        os.chdir(STARTED_IN)
        pytest.fail("the test left the working folder changed")


@pytest.fixture(scope="session")
def tiny_corpus() -> Corpora:
    """A source and a target of single characters with the types Drug and Sign."""
    return small_corpora()


@pytest.fixture(scope="session")
def tiny_model(tiny_corpus: Corpora) -> Model:
    """A tagger that has learned the tiny corpus: capital + z is a Drug, x is a Sign."""
    config = small_config(training={"steps": 150, "evaluate_every": 50})
    trainer = Trainer(prepare(config, tiny_corpus))
    for _ in trainer.run():
        pass
    assert trainer.best_evaluation is not None
    scores = {"dev": trainer.best_evaluation.scores}
    return build_model(trainer.prepared, trainer.best, scores, {"target": "00ff"})


@pytest.fixture(scope="session")
def tiny_model_file(tiny_model: Model, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny model as a file."""
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_model(path, tiny_model)
    return str(path)


@pytest.fixture(scope="session")
def law_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the corpora, label maps and vectors of the laws of options."""
    folder = tmp_path_factory.mktemp("laws")
    write_law_files(folder)
    return folder


@pytest.fixture
def gold_file(tiny_corpus: Corpora, tmp_path: Path) -> str:
    """The tiny corpus's development data as CoNLL columns, each sentence once."""
    assert tiny_corpus.dev is not None
    once = {sentence.tokens: sentence for sentence in tiny_corpus.dev}
    gold = replace(tiny_corpus.dev, sentences=tuple(once.values()))
    return write_corpus(tmp_path / "gold.conll", gold)


@pytest.fixture
def invoke() -> Invoke:
    """Run the program inside this process; no traceback may ever reach its user."""

    def invoke(*arguments: object, input: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(ladtl, [str(a) for a in arguments], input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "Traceback" not in result.stderr
        return result

    return invoke


REPEATABLE = {"--test", "--model", "--conll"}
FLAGS = {"--overwrite", "--resume", "--json", "--demo", "--dry-run", "--allow-change"}


def once(*arguments: object) -> list[str]:
    """A command line in which the last value of each option stands, as it may be given once."""
    words, kept = [str(word) for word in arguments], {}
    place = 0
    while place < len(words):
        word, step = words[place], 1
        key = f"{place} {word}"
        if word.startswith("--") and word not in FLAGS:
            value, step = words[place + 1], 2
            if word not in REPEATABLE:
                key = f"{word} {value.partition('=')[0]}" if word == "--set" else word
        kept.pop(key, None)
        kept[key] = words[place : place + step]
        place += step
    return [word for part in kept.values() for word in part]


def write_corpus(path: Path, corpus: Corpus) -> str:
    """Write a corpus as CoNLL columns and return its path."""
    with open(path, "w", encoding="utf-8", newline="\n") as stream:
        write_conll(stream, corpus)
    return str(path)


def assert_whole_run(folder: Path) -> None:
    """A finished run has every file, private, and nothing half-written."""
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "best.safetensors",
        "config.toml",
        "last.safetensors",
        "log.jsonl",
        "manifest.json",
        "metrics.tsv",
        "predictions-test.txt",
    }
    assert not [name for name in names if name.startswith(".") or is_temporary(name)]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def run_program(
    *arguments: object, input: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the program in a process of its own."""
    return subprocess.run(
        [sys.executable, str(CLI), *map(str, arguments)],
        input=input,
        capture_output=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )
