from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ladtl_np.errors import LadtlError
from ladtl_np.files import make_private_folder, sweep_temporary_files, write_atomically

# every call that the disk may refuse, with its place among the calls of that name
CALLS = (
    ("os.open", 1),
    ("os.fchmod", 1),
    ("os.fsync", 1),
    ("os.replace", 1),
    ("os.open", 2),
    ("os.fsync", 2),
)


def test_files_and_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_private_folder(tmp_path / "a" / "b")
        write_atomically(tmp_path / "a" / "b" / "f", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "b" / "f").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("call", "failing"), CALLS)
def test_a_failing_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, failing: int
) -> None:
    path = tmp_path / "f"
    write_atomically(path, b"old")
    count = 0
    real = getattr(os, call.removeprefix("os."))

    def fail(*args: object, **options: object) -> object:
        nonlocal count
        count += 1
        if count == failing:
            raise OSError(28, "No space left on device")
        return real(*args, **options)

    monkeypatch.setattr(call, fail)
    with pytest.raises(LadtlError, match="No space left on device") as caught:
        write_atomically(path, b"new content")
    monkeypatch.undo()
    assert str(path) in str(caught.value)
    assert count == failing
    assert path.read_bytes() in (b"old", b"new content")
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_only_what_dead_processes_left_half_written_is_swept(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = tmp_path / f".best.safetensors.{ended.pid}.0123abcd.tmp"
    mine = tmp_path / f".best.safetensors.{os.getpid()}.0123abcd.tmp"
    strange = tmp_path / ".notes.tmp"
    for path in (dead, mine, strange):
        path.touch()
    sweep_temporary_files(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([mine.name, strange.name])


def test_files_that_a_lock_keeps_for_the_caller_are_swept_whosever_they_were(
    tmp_path: Path,
) -> None:
    other_machines = tmp_path / f".best.safetensors.{os.getpid()}.0123abcd.tmp"
    strangers = tmp_path / f".notes.{os.getpid()}.0123abcd.tmp"
    for path in (other_machines, strangers):
        path.touch()
    sweep_temporary_files(tmp_path, lambda name: name == "best.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == [strangers.name]
