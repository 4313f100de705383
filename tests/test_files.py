from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.files import (
    NewFile,
    is_temporary,
    make_private_folder,
    new_file,
    require_apart,
    require_space,
    sweep_temporary_files,
    write_atomically,
)

# every call that the disk may refuse, with its place among the calls of that name
CALLS = (
    ("os.open", 1),
    ("os.fchmod", 1),
    ("os.fsync", 1),
    ("os.replace", 1),
    ("os.open", 2),
    ("os.fsync", 2),
)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_promise_29_files_and_folders_are_private_whatever_the_umask(
    umask: int, tmp_path: Path
) -> None:
    before = os.umask(umask)
    try:
        make_private_folder(tmp_path / "a" / "b")
        write_atomically(tmp_path / "a" / "b" / "f", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "b" / "f").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("call", "failing"), CALLS)
def test_promise_02_a_failing_write_leaves_the_old_file_and_no_other(
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


def left_by_another(folder: Path, name: str, *, alive: bool) -> Path:
    """A file that another process has begun, which lives on or was killed."""
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom ladtl_np.files import new_file\n"
        "with new_file(Path(sys.argv[1])) as file:\n"
        "    file.write(b'x'); print('begun', flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(folder / name)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    (found,) = (p for p in folder.iterdir() if p.name.startswith(f".{name}.{child.pid}."))
    if not alive:
        child.kill()
        child.communicate()
    else:
        CHILDREN.append(child)
    return found


CHILDREN: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    yield
    while CHILDREN:
        child = CHILDREN.pop()
        child.kill()
        child.communicate()


def test_promise_03_only_what_dead_processes_left_half_written_is_swept(tmp_path: Path) -> None:
    dead = left_by_another(tmp_path, "best.safetensors", alive=False)
    living = left_by_another(tmp_path, "last.safetensors", alive=True)
    strange = tmp_path / ".notes.tmp"
    folder = tmp_path / ".a.1.0123abcd.tmp"
    folder.mkdir()
    strange.touch()
    assert is_temporary(dead.name)
    sweep_temporary_files(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([living, strange, folder])


def test_promise_03_writing_a_file_again_sweeps_what_was_left_of_it_alone(tmp_path: Path) -> None:
    left_by_another(tmp_path, "f", alive=False)
    other = left_by_another(tmp_path, "g", alive=False)
    write_atomically(tmp_path / "f", b"x")
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "f", other])


def test_promise_03_two_writers_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    with new_file(tmp_path / "f") as one, new_file(tmp_path / "f") as other:
        one.write(b"one")
        other.write(b"other")
    assert (tmp_path / "f").read_bytes() == b"one"  # it was finished last
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_files_that_a_lock_keeps_for_the_caller_are_swept_where_files_cannot_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(number: int, kind: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    mine = tmp_path / f".best.safetensors.{os.getpid()}.0123abcd.tmp"
    strangers = tmp_path / f".notes.{os.getpid()}.0123abcd.tmp"
    for path in (mine, strangers):
        path.touch()
    sweep_temporary_files(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([mine, strangers])
    sweep_temporary_files(tmp_path, lambda name: name == "best.safetensors")
    assert list(tmp_path.iterdir()) == [strangers]
    write_atomically(tmp_path / "f", b"x")
    assert (tmp_path / "f").read_bytes() == b"x"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "f", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert [p.name for p in target.parent.iterdir()] == ["f"]


def test_a_name_as_long_as_the_system_allows_works(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_atomically(path, b"x")
    assert path.read_bytes() == b"x"


def test_a_device_that_is_full_is_named() -> None:
    with pytest.raises(LadtlError, match="/dev/full could not be written: No space left"):
        write_atomically(Path("/dev/full"), b"x" * 100)


def test_what_was_not_written_as_it_was_given_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomically(tmp_path / "f", b"old")
    monkeypatch.setattr("ladtl_np.files.writing.NewFile.finish", spoiled(NewFile.finish))
    with pytest.raises(LadtlError, match="differs"):
        write_atomically(tmp_path / "f", b"new content")
    assert (tmp_path / "f").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def spoiled(finish: Callable[[NewFile, Path], None]) -> Callable[[NewFile, Path], None]:
    """As a disk does that loses a byte."""

    def lossy(file: NewFile, temporary: Path) -> None:
        file._stream.flush()
        content = temporary.read_bytes()
        temporary.write_bytes(content[:3] + b"?" + content[4:])
        finish(file, temporary)

    return lossy


@pytest.mark.parametrize("links", [True, False])
def test_promise_35_a_file_that_another_process_made_meanwhile_is_not_replaced(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    if not links:
        monkeypatch.setattr("os.link", lambda *_: (_ for _ in ()).throw(OSError(95, "no links")))

    def write_while_another_does() -> None:
        with new_file(path, overwrite=False) as file:
            file.write(b"mine")
            path.write_bytes(b"another's")

    with pytest.raises(LadtlError, match="was not there at first and is now"):
        write_while_another_does()
    assert path.read_bytes() == b"another's"
    with new_file(tmp_path / "g", overwrite=False) as file:
        file.write(b"mine")
    assert (tmp_path / "g").read_bytes() == b"mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f", "g"]


def test_an_error_of_the_caller_is_not_called_one_of_the_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "f", b"old")
    with pytest.raises(FileNotFoundError), new_file(tmp_path / "f"):
        (tmp_path / "none").read_bytes()
    assert (tmp_path / "f").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_promise_07_too_little_room_is_said_with_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=3_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    require_space(tmp_path, 3_000_000, "a file")
    with pytest.raises(LadtlError, match=r"3\.0 MB are free .* a file needs up to 3\.1 MB"):
        require_space(tmp_path, 3_100_000, "a file")


def test_promise_34_an_output_is_told_from_every_input_by_what_it_leads_to(tmp_path: Path) -> None:
    path, other = tmp_path / "f", tmp_path / "other"
    for each in (path, other):
        each.write_bytes(b"x")
    hard, soft = tmp_path / "hard", tmp_path / "soft"
    os.link(path, hard)
    soft.symlink_to(path)
    for name in (path, hard, soft, tmp_path / "." / "f"):
        with pytest.raises(UsageError, match="is also an input"):
            require_apart([name], [other, path])
    require_apart([path, tmp_path / "new"], [other, tmp_path / "none", tmp_path])
    require_apart(["/dev/null"], ["/dev/null"])
