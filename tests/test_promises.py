"""What a run may never do: reach the network or start programs, whatever the command.

The one exception is ``experiment --dask``, which reaches the address that its user names.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import write_corpus
from small_corpora import small_corpora

SMALL = ("--steps", "3", "--threads", "2", "--set", "model.hidden=4")
WATCHED = """
import sys

def watch(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.system", "os.posix_spawn")):
        raise RuntimeError(f"forbidden: {event}")

sys.addaudithook(watch)
from ladtl_np.commands import main
main()
"""


def watched(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_no_command_reaches_the_network_or_starts_a_program(tmp_path: Path) -> None:
    corpora = small_corpora()
    assert corpora.source is not None
    source = write_corpus(tmp_path / "source.txt", corpora.source)
    target = write_corpus(tmp_path / "target.txt", corpora.target)
    run = str(tmp_path / "run")
    model = f"{run}/best.safetensors"
    text = tmp_path / "text.txt"
    text.write_text("Czab\nxx\n", encoding="utf-8")
    for arguments in (
        (
            "train",
            "--source",
            source,
            "--target",
            target,
            "--dev",
            target,
            "--out",
            run,
            "--steps",
            "3",
            "--threads",
            "2",
            "--set",
            "model.hidden=4",
        ),
        ("tag", "--model", model, str(text)),
        ("evaluate", "--model", model, target),
        ("score", target, target),
        ("data", "demo", str(tmp_path / "demo")),
        ("data", "stats", target),
        ("model", "info", model),
    ):
        done = watched(*arguments)
        assert done.returncode == 0, (arguments, done.stderr)


def test_the_watch_would_notice(tmp_path: Path) -> None:
    program = WATCHED.replace("from ladtl_np.commands import main", "import socket").replace(
        "main()", "socket.socket().connect(('127.0.0.1', 9))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "forbidden: socket" in done.stderr
