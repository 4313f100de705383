"""Standard streams in any encoding, or closed: data is UTF-8 and is not lost in silence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CLI

TYPES = ("药品", "Größe", "\U0001f48a")
LOCALES = {
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "strict ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "both": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1:strict"},
}
CLOSED = [">&-", "<&-", "2>&-", ">&- <&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-"]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Corpora whose types and names are no ASCII, one name no UTF-8 either, and their options."""
    rows = [f"x{n}\tB-{kind}\nund\tO\n" for n in range(9) for kind in TYPES]
    names = ["source.txt", "target.txt", "ziel-ü.txt", "dev.txt", os.fsdecode(b"odd-\xff.txt")]
    for name in names:
        (tmp_path / name).write_text("\n".join(rows), encoding="utf-8")
    for file, name in (("x.toml", "target.txt"), ("ü.toml", "ziel-ü.txt")):
        (tmp_path / file).write_text(
            'tasks = ["a -> b"]\nmethods = ["la-dtl"]\n[corpora]\na.train = "source.txt"\n'
            f'b.train = "{name}"\nb.dev = "dev.txt"\n',
            encoding="utf-8",
        )
    return tmp_path


def run(folder: Path, *arguments: object, streams: str = "", **environment: str):
    command = [sys.executable, str(CLI), *map(str, arguments)]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {streams}', "sh", *command],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )


def commands(model: str) -> dict[str, tuple[object, ...]]:
    """Each with exit code 0 where the streams are sound."""
    odd = os.fsdecode(b"odd-\xff.txt")
    small = ("--steps", 2, "--set", "model.hidden=3", "--set", "model.embedding=3")
    corpora = ("--source", "source.txt", "--target", "target.txt", "--dev", "dev.txt")
    return {
        "help": ("--help",),
        "train": ("train", *corpora, *small, "--out", "run", "--overwrite"),
        "train json": ("train", *corpora, *small, "--out", "run", "--overwrite", "--json"),
        "tag": ("tag", "--model", model, "--from", "conll", odd),
        "tag terminal": ("tag", "--model", model, "--from", "conll", odd, "--to", "terminal"),
        "tag many": ("tag", "--model", model, odd, "--out-dir", "tagged", "--overwrite"),
        "evaluate": ("evaluate", "--model", model, odd, "dev.txt"),
        "score": ("score", odd, "dev.txt"),
        "stats": ("data", "stats", odd, "dev.txt"),
        "stats json": ("data", "stats", odd, "--json"),
        "info": ("model", "info", model),
        "verify": ("model", "verify", model),
        "privacy": ("model", "privacy", model, "--show-text"),
        "dry run": ("experiment", "x.toml", "--out", "none", "--dry-run"),
    }


QUIET = {"train", "tag many"}
"""Commands that write nothing to standard output."""


@pytest.mark.parametrize("locale", LOCALES)
def test_data_is_utf_8_and_messages_are_or_are_escaped(
    locale: str, files: Path, tiny_model_file: str
) -> None:
    for name, command in commands(tiny_model_file).items():
        done = run(files, *command, **LOCALES[locale])
        assert done.returncode == 0, (name, done.stderr)
        out, told = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
        assert "Traceback" not in told, name
        if name.startswith("stats"):
            assert all(kind in out for kind in TYPES)
        if name == "train":
            assert "\\u836f\\u54c1" in told or "药品" in told
    wrong = run(files, "tag", "--mödel", **LOCALES[locale])
    assert wrong.returncode == 2
    wrong.stderr.decode("utf-8")


@pytest.mark.parametrize("locale", ["C", "both"])
def test_a_name_that_the_locale_cannot_hold_is_told_with_its_cure(locale: str, files: Path) -> None:
    corpora = ("--source", "source.txt", "--target", "ziel-ü.txt")
    told = b"set PYTHONUTF8=1, or LC_ALL to a locale of UTF-8"
    (files / "copy.toml").write_bytes((files / "ü.toml").read_bytes())
    for command in (
        ("train", *corpora, "--out", "run"),
        ("experiment", "copy.toml", "--out", "none", "--dry-run"),
    ):
        done = run(files, *command, **LOCALES[locale])
        assert done.returncode == 2
        assert told in done.stderr or command[0] == "experiment", done.stderr
        assert b"Traceback" not in done.stderr
    assert run(files, "data", "stats", "ziel-ü.txt", **LOCALES[locale]).returncode == 0


@pytest.mark.parametrize("streams", CLOSED)
def test_closed_streams_lose_no_data_in_silence(
    streams: str, files: Path, tiny_model_file: str
) -> None:
    for name, command in commands(tiny_model_file).items():
        done = run(files, *command, streams=streams)
        assert b"Traceback" not in done.stderr, (name, done.stderr)
        assert b"Exception ignored" not in done.stderr, (name, done.stderr)
        lost = ">&-" in streams.split() and name not in QUIET
        assert done.returncode == int(lost), (name, done.stderr)
        if lost and "2>&-" not in streams:
            assert b"Bad file descriptor" in done.stderr, name
    for arguments in (("tag", "--model", tiny_model_file), ("data", "stats", "-")):
        done = run(files, *arguments, streams=streams)
        assert b"Traceback" not in done.stderr
        if "<&-" in streams.split():
            assert done.returncode == 1
            if "2>&-" not in streams:
                assert b"a standard stream is closed: Bad file descriptor" in done.stderr


def test_a_file_does_not_take_the_place_of_a_closed_stream(files: Path, tiny_model_file) -> None:
    """Otherwise messages would stand in the output that was opened next."""
    output = files / "tagged.conll"
    command = ("tag", "--model", tiny_model_file, "--from", "conll", "dev.txt", "-o", output)
    assert run(files, *command).returncode == 0
    wanted = output.read_bytes()
    output.unlink()
    assert run(files, *command, streams="<&- >&- 2>&-").returncode == 0
    assert output.read_bytes() == wanted
