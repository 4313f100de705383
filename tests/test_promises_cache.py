"""Compiled code is loaded from a folder that nobody else can write to, or from none."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ladtl_np.kernels import _cache
from ladtl_np.kernels._cache import cache_folders, distrust

NAME = "kernels-00ff"
ROOT = os.geteuid() == 0
STRANGER = 12345

needs_root = pytest.mark.skipif(not ROOT, reason="only root can give a folder to somebody else")


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of kernels, and a user whose home and temporary files are here."""
    for name in ("kernels", "home", "temporary"):
        (tmp_path / name).mkdir(mode=0o700)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "kernels"


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def chosen(kernels: Path) -> Path | None:
    own = cache_folders(kernels, NAME).own
    return None if own is None else Path(own)


def test_the_folder_beside_the_kernels_comes_first(kernels: Path, capfd) -> None:
    assert chosen(kernels) == kernels / "__pycache__" / NAME
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("open_umask")
def test_promise_39_every_folder_on_the_way_is_private(
    kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "a" / "b"))
    assert chosen(kernels) == tmp_path / "a" / "b" / NAME
    for folder in ("a", "a/b", f"a/b/{NAME}"):
        assert mode(tmp_path / folder) == 0o700


@pytest.mark.parametrize("wrong", [0o777, 0o770, 0o707, 0o1777, 0o720])
def test_promise_39_a_folder_that_others_can_write_is_refused_with_one_line(
    wrong: int, kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    theirs = tmp_path / "shared" / NAME
    theirs.mkdir(parents=True)
    theirs.chmod(wrong)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(theirs.parent))
    assert chosen(kernels) == kernels / "__pycache__" / NAME
    (line,) = capfd.readouterr().err.splitlines()
    assert (
        line == f"warning: compile cache {theirs.parent} is not used: others can write to {theirs}"
    )
    assert mode(theirs) == wrong
    assert list(theirs.iterdir()) == []


@pytest.mark.parametrize(("above", "used"), [(0o777, False), (0o775, False), (0o1777, True)])
def test_promise_39_nobody_else_can_put_another_folder_in_its_place(
    above: int, used: bool, kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sticky folder such as /tmp lets only owners rename what is theirs."""
    for depth in ("shared", "shared/mine"):
        (tmp_path / depth).mkdir()
    (tmp_path / "shared").chmod(above)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "shared" / "mine"))
    found = chosen(kernels)
    assert (found == tmp_path / "shared" / "mine" / NAME) == used
    assert (tmp_path / "shared" / "mine" / NAME).exists() == used


@needs_root
@pytest.mark.parametrize("place", ["shared", f"shared/{NAME}"])
def test_promise_39_a_folder_of_another_user_is_refused(
    place: str, kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    (tmp_path / "shared" / NAME).mkdir(parents=True)
    os.chown(tmp_path / place, STRANGER, STRANGER)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "shared"))
    assert chosen(kernels) == kernels / "__pycache__" / NAME
    assert f"{tmp_path / place} belongs to another user" in capfd.readouterr().err


def test_promise_39_a_link_is_judged_by_where_it_leads(
    kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "shared")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "link"))
    assert chosen(kernels) == kernels / "__pycache__" / NAME
    assert f"others can write to {tmp_path / 'shared'}" in capfd.readouterr().err
    inner = tmp_path / "own"
    inner.mkdir(mode=0o700)
    (inner / NAME).symlink_to(tmp_path / "shared")
    assert distrust(inner / NAME) == f"{inner / NAME} is no folder"


def test_promise_39_files_that_others_can_write_are_not_loaded(kernels: Path, capfd) -> None:
    """A readable folder is fine, a file in it that was made under umask 000 is not."""
    folder = chosen(kernels)
    assert folder is not None
    (folder / "inner").mkdir()
    planted = folder / "inner" / "crf.nbi"
    planted.touch(mode=0o600)
    folder.chmod(0o755)
    planted.chmod(0o644)
    assert chosen(kernels) == folder
    folder.chmod(0o755)
    planted.chmod(0o666)
    assert chosen(kernels) == kernels.parent / "home" / ".cache" / "ladtl_np" / NAME
    assert f"others can write to files in {folder}" in capfd.readouterr().err
    folder.chmod(0o700)  # then nobody else gets at the file
    assert chosen(kernels) == folder


def test_promise_39_who_is_quicker_gains_nothing(
    kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that appears between the look and the making is looked at again."""
    made = _cache._made

    def late(folder: Path) -> bool:
        if folder.parent.name == "__pycache__":
            folder.mkdir(parents=True)
            folder.chmod(0o777)
        return made(folder)

    monkeypatch.setattr(_cache, "_made", late)
    assert chosen(kernels) == tmp_path / "home" / ".cache" / "ladtl_np" / NAME


def unwritable(monkeypatch: pytest.MonkeyPatch, *places: Path) -> None:
    """Let nothing be made below these, which permissions do not keep root from."""
    made = _cache._made
    monkeypatch.setattr(
        _cache, "_made", lambda folder: not any(map(folder.is_relative_to, places)) and made(folder)
    )


def test_what_an_installation_has_compiled_is_read_where_it_lies(
    kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    warm = kernels / "__pycache__" / NAME / "kernels_1"
    warm.mkdir(parents=True)
    unwritable(monkeypatch, kernels)
    own = str(tmp_path / "home" / ".cache" / "ladtl_np" / NAME)
    assert cache_folders(kernels, NAME) == (own, ())  # nothing is in it
    (warm / "crf.nbi").touch()
    assert cache_folders(kernels, NAME) == (own, (str(warm.parent),))
    unwritable(monkeypatch, tmp_path)
    assert cache_folders(kernels, NAME) == (None, (str(warm.parent),))
    assert capfd.readouterr().err == ""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    chosen = tmp_path / "chosen" / NAME
    chosen.mkdir(parents=True)
    (chosen / "crf.nbi").touch()
    assert cache_folders(kernels, NAME) == (None, (str(chosen), str(warm.parent)))


def test_a_folder_that_cannot_be_seen_is_told_only_if_it_was_chosen(
    kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    def unseen(folder: Path) -> str | None:
        hidden = folder.is_relative_to(kernels) or folder.is_relative_to(tmp_path / "chosen")
        return "it cannot be looked at (Permission denied)" if hidden else None

    monkeypatch.setattr(_cache, "distrust", unseen)
    assert chosen(kernels) == tmp_path / "home" / ".cache" / "ladtl_np" / NAME
    assert capfd.readouterr().err == ""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    assert chosen(kernels) == tmp_path / "home" / ".cache" / "ladtl_np" / NAME
    assert "chosen is not used: it cannot be looked at" in capfd.readouterr().err


def test_promise_39_what_others_can_write_is_not_read(
    kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm = kernels / "__pycache__" / NAME
    warm.mkdir(parents=True)
    (warm / "crf.nbi").touch()
    warm.chmod(0o777)
    unwritable(monkeypatch, kernels)
    own = tmp_path / "home" / ".cache" / "ladtl_np" / NAME
    assert cache_folders(kernels, NAME) == (str(own), ())


def test_without_a_home_a_folder_of_ones_own_among_the_temporary_files_is_taken(
    kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    unwritable(monkeypatch, kernels)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for a user without an entry
    (tmp_path / "temporary").chmod(0o1777)
    own = tmp_path / "temporary" / f"ladtl_np-{os.geteuid()}"
    assert chosen(kernels) == own / NAME
    assert mode(own) == 0o700
    assert capfd.readouterr().err == ""
    own.chmod(0o777)
    assert chosen(kernels) is None
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "there is no compile cache" in lines[1]


def test_a_relative_cache_folder_of_the_environment_is_passed_over(
    kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its specification has it."""
    unwritable(monkeypatch, kernels)
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert chosen(kernels) == tmp_path / "home" / ".cache" / "ladtl_np" / NAME
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "caches"))
    assert chosen(kernels) == tmp_path / "home" / "caches" / "ladtl_np" / NAME


# ---- with Numba ----------------------------------------------------------------------------------

KERNEL = """
import sys
import numba
from ladtl_np.kernels import _jit
if "none" in sys.argv:
    _jit._FOLDERS = _jit.Folders(None)
@_jit.kernel
def twice(x):
    return 2.0 * x
print(twice(2.0), twice._cache.cache_path, _jit._FOLDERS.own, sep="|")
"""


def run_kernel(tmp_path: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "own_kernel.py"
    script.write_text(KERNEL, "utf-8")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), "NUMBA_DISABLE_JIT": "0"}
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=environment,
    )


class Planted:
    """Runs code as soon as it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("others_write", [False, True])
def test_promise_39_a_planted_file_is_not_loaded(others_write: bool, tmp_path: Path) -> None:
    """The index of a kernel is a pickle; the control shows that it would run."""
    folder, mark = tmp_path / "cache", tmp_path / "planted code ran"
    run_kernel(tmp_path, folder)
    (index,) = folder.rglob("own_kernel.twice*.nbi")
    index.write_bytes(pickle.dumps(Planted(mark)))
    if others_write:
        next(folder.glob("kernels-*")).chmod(0o777)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "own_kernel.py")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder), "NUMBA_DISABLE_JIT": "0"},
    )
    assert mark.exists() != others_write
    if others_write:
        assert done.stdout.startswith("4.0|")
        assert done.stderr.count("is not used: others can write to") == 1


def test_promise_39_without_a_folder_nothing_is_cached_elsewhere(tmp_path: Path) -> None:
    done = run_kernel(tmp_path, tmp_path / "cache", "none")
    assert done.stdout.strip().split("|") == ["4.0", "None", "None"]
    assert not list(tmp_path.rglob("own_kernel*.nb*"))


def test_promise_39_numba_gets_no_folder_of_its_own_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the chosen folder cannot be written any more, there is no cache."""
    folder = tmp_path / "cache"
    run_kernel(tmp_path, folder)
    (inner,) = (path.parent for path in folder.rglob("own_kernel.twice*.nbi"))
    for path in inner.iterdir():
        path.unlink()
    inner.rmdir()
    inner.touch()  # so that the folder cannot be made
    done = run_kernel(tmp_path, folder)
    assert done.stdout.split("|")[:2] == ["4.0", "None"]
    assert not list(tmp_path.rglob("own_kernel*.nb*"))


AT_ONCE = """
import sys
import numba
import numpy as np
from numba.core.caching import IndexDataCacheFile as CacheFile
from ladtl_np.kernels import _jit

loading, saving = CacheFile._load_index, CacheFile._save_data
waiting = []
CacheFile._load_index = lambda file: {}  # both look before either has written
CacheFile._save_data = lambda *what: waiting.append(what)  # and the second writes its code first

if sys.argv[1] == "kernel":
    def twice(x):
        return x[0] + x[0]
    def run(dtype):
        return float(_jit.kernel(twice)(np.array([1.5], dtype)))
else:
    def make(number):
        def twice(x):
            return x + x
        code = _jit.external(f"twice_{len(waiting)}", number(number))(twice)
        return numba.njit(lambda x: code(x))
    def run(dtype):
        return float(make(numba.from_dtype(np.dtype(dtype)))(dtype(1.5)))

run(np.float32), run(np.float64)
for what in reversed(waiting):
    saving(*what)
CacheFile._load_index, CacheFile._save_data = loading, saving
print(run(np.float32), run(np.float64))
"""


@pytest.mark.parametrize("kind", ["kernel", "external"])
def test_processes_that_compile_at_once_do_not_get_each_others_code(
    kind: str, tmp_path: Path
) -> None:
    """Numba numbers the files of a kernel's code by those that it has seen in the index."""
    script = tmp_path / "at_once.py"
    script.write_text(AT_ONCE, "utf-8")
    done = subprocess.run(
        [sys.executable, str(script), kind],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "c"), "NUMBA_DISABLE_JIT": "0"},
    )
    assert done.stdout == "3.0 3.0\n"


NAMESAKES = """
import numba
import numpy as np
from ladtl_np.kernels.algebra.matmul import max_plus, multiply

@numba.njit
def both(product, best, A, B):
    multiply(product, A, B, False)
    max_plus(best, A, B)

rng = np.random.default_rng(0)
A, B = rng.normal(size=(20, 7)), rng.normal(size=(7, 90))
product, best = np.empty((2, 20, 90))
both(product, best, A, B)
print(np.allclose(product, A @ B), np.allclose(best, (A[:, :, None] + B).max(axis=1)))
"""


@pytest.mark.slow
def test_code_of_another_process_is_not_taken_for_other_code_of_the_same_name(
    tmp_path: Path,
) -> None:
    """As if two processes compiled at once, and one had the sums cached but not the maxima."""
    script, cache = tmp_path / "namesakes.py", tmp_path / "c"
    script.write_text(NAMESAKES, "utf-8")

    def run() -> str:
        return subprocess.run(
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
            env={**os.environ, "NUMBA_CACHE_DIR": str(cache), "NUMBA_DISABLE_JIT": "0"},
        ).stdout

    assert run() == "True True\n"
    for file in [*cache.rglob("*max_plus*.nb*"), *cache.rglob("*tiles*.nbi")]:
        file.unlink()
    assert run() == "True True\n"
    assert run() == "True True\n"


def test_functions_of_one_name_have_numbers_that_no_other_process_counts() -> None:
    from numba.core.bytecode import FunctionIdentity

    from ladtl_np.kernels import _jit

    numbers = [FunctionIdentity.from_function(_jit.kernel).unique_id for _ in range(2)]
    assert numbers[0] != numbers[1]
    assert min(numbers) > 2**64
