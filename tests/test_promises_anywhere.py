"""Every command works without a home, without a user's entry, and on an installation of others.

The installation is a copy of the package that nobody may write, with compiled code in it or none.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numba
import pytest
from every_command import write_inputs

import ladtl_np
from ladtl_np.kernels import _jit
from ladtl_np.training.warm_up import warm_up

PACKAGE = Path(ladtl_np.__file__).parent
USER = 12345
NO_TEMPORARY_FILES = "import tempfile; tempfile._candidate_tempdir_list = lambda: ['/nowhere']\n"
MAIN = "from ladtl_np.commands import main; main()"
AS_USER = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")

pytestmark = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="without compilation there is no compiled code"
)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that other users may enter, which pytest's own may not be."""
    folder = Path(tempfile.mkdtemp(prefix="ladtl-anywhere-"))
    folder.chmod(0o755)
    yield folder
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


def subfolder(file_folder: Path) -> str:
    """Where Numba keeps the code of the files of a folder."""
    return f"{file_folder.name}_{hashlib.sha1(str(file_folder).encode()).hexdigest()}"


@pytest.fixture(scope="module")
def installation(place: Path) -> Path:
    """The package, its compiled code and inputs for every command, for all to read."""
    warm_up()
    own = _jit._FOLDERS.own
    assert own is not None
    package = place / "lib" / "ladtl_np"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("kernels", "kernels/algebra"):
        warm = package / "kernels" / "__pycache__" / Path(own).name / subfolder(package / part)
        shutil.copytree(Path(own) / subfolder(PACKAGE / part), warm)
    (place / "site").mkdir()
    (place / "site" / "sitecustomize.py").write_text(NO_TEMPORARY_FILES, "utf-8")
    write_inputs(place / "in")
    for path in (place / "lib", place / "site", place / "in"):
        readable(path)
    return package


def readable(folder: Path) -> None:
    """Let everybody read what is below, and nobody write it."""
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)


class Somebody:
    """Runs commands in a folder of their own, with nothing in the environment but what is given."""

    def __init__(self, folder: Path, installation: Path, user: bool, **environment: str) -> None:
        folder.mkdir(mode=0o700)
        if user:
            os.chown(folder, USER, USER)
        self.folder, self.before = folder, AS_USER if user else ()
        self.inputs = installation.parents[1] / "in"
        self.environment = {"PYTHONPATH": str(installation.parent)}
        if "PYTHONPATH" in environment:
            self.environment["PYTHONPATH"] += f":{environment.pop('PYTHONPATH')}"
        self.environment |= environment

    def python(self, code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.before, sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        done = self.python(MAIN, *arguments)
        assert done.returncode == 0, (arguments, done.stderr)
        assert "Traceback" not in done.stderr, arguments
        assert "compile" not in done.stderr, arguments
        assert "Compiling" not in done.stderr, arguments
        return done

    def run_every_command(self) -> None:
        i, here = self.inputs, self.folder
        files = [f"--{role}={i / role}.txt" for role in ("source", "target", "dev", "test")]
        small = ("--set", "model.hidden=4", "--set", "model.embedding=8", "--steps", 3)
        self.run("--help")
        self.run("train", *files, *small, "--out", "run")
        self.run("tag", "--model", "run/best.safetensors", i / "text.txt")
        self.run("evaluate", "--model", "run/best.safetensors", i / "test.txt")
        self.run("score", "run/predictions-test.txt")
        self.run("compare", "run", "run")
        self.run("data", "stats", i / "source.txt")
        self.run("model", "info", "run/best.safetensors")
        if not missing("matplotlib", "jinja2"):
            self.run("report", "run", "--out", "page.html", "--figures", "figures")
            assert not list(here.glob(".fonts*"))
        if not missing("gensim"):
            vectors = ("--dimension", 8, "--min-count", 1, "--epochs", 1, "--out", "v.txt")
            self.run("vectors", "train", i / "text.txt", "--tokens", "spaces", *vectors)
        if self.spawns():
            for name in ("my.toml", "map.toml", "source.txt", "target.txt", "dev.txt", "test.txt"):
                copy = here / name
                shutil.copy(i / name, copy)
                copy.chmod(0o644)
            self.run("experiment", "my.toml", "--out", "experiment", "--jobs", 1)
        one = ("--stem", "adagrad", "--workload", "weibo", "--threads", 1, "--rounds", 1)
        bench = self.python(MAIN, "bench", *one, "--no-peer")  # in double precision as well
        assert (bench.returncode, "Traceback" in bench.stderr) == (0, False), bench.stderr

    def spawns(self) -> bool:
        """Whether the interpreter can start another: its file may be out of the user's reach."""
        code = (
            "import multiprocessing as m, os\n"
            "p = m.get_context('spawn').Process(target=os.getpid)\n"
            "p.start(); p.join(); raise SystemExit(p.exitcode)"
        )
        return self.python(code).returncode == 0


def missing(*names: str) -> bool:
    from importlib.util import find_spec

    return any(find_spec(name) is None for name in names)


@pytest.fixture
def somebody(place: Path, installation: Path, tmp_path: Path):
    def somebody(*, user: bool = False, **environment: str) -> Somebody:
        found = Somebody(place / tmp_path.name, installation, user, **environment)
        if user:
            if os.geteuid() != 0:
                pytest.skip("only root can become another user")
            if shutil.which("setpriv") is None:
                pytest.skip("there is no setpriv")
            if found.python("import numba, msgspec, rich").returncode:
                pytest.skip("another user cannot read this Python's libraries")
        return found

    return somebody


def test_promise_44_with_an_empty_environment(somebody) -> None:
    somebody().run_every_command()


def test_promise_44_without_an_entry_of_the_user_and_without_a_home(somebody) -> None:
    somebody(user=True).run_every_command()


def test_promise_44_with_a_home_of_somebody_else(somebody) -> None:
    somebody(user=True, HOME="/proc").run_every_command()


def test_promise_44_with_no_place_to_write_but_that_of_the_outputs(somebody, place: Path) -> None:
    somebody(user=True, PYTHONPATH=str(place / "site")).run_every_command()


KERNEL = """
import sys
from ladtl_np.kernels import _jit, notice
notice.tell_of_compiling(print)
@_jit.kernel
def twice(x):
    return 2.0 * x
twice(2.0); twice(2)
"""


def test_promise_44_without_any_cache_one_line_says_so(somebody, place, installation) -> None:
    """Compiled code of another state of the sources is none."""
    cold = place / "cold" / "ladtl_np"
    shutil.copytree(installation, cold, ignore=shutil.ignore_patterns("__pycache__"))
    readable(cold.parent)
    one = somebody(user=True, PYTHONPATH=str(place / "site"))
    one.environment["PYTHONPATH"] = f"{cold.parent}:{place / 'site'}"
    script = one.folder / "script.py"
    script.write_text(KERNEL, "utf-8")
    script.chmod(0o644)
    done = one.python(f"exec(compile(open({str(script)!r}).read(), {str(script)!r}, 'exec'))")
    assert done.returncode == 0, done.stderr
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("warning: there is no compile cache")
    told = "Compiling kernels, for this process alone: about a minute ..."
    assert done.stdout.splitlines() == [told]


def test_a_program_says_before_it_compiles_and_only_then(tmp_path: Path) -> None:
    script = tmp_path / "own_kernel.py"
    script.write_text(KERNEL, "utf-8")
    folder = tmp_path / "cache"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    said = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, str(script)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        said.append(done.stdout)
        if len(said) == 2:
            next(folder.rglob("own_kernel.twice*.nbc")).unlink()
    told = "Compiling kernels, once on this machine: about a minute ...\n"
    assert said == [told, "", told]


def test_a_cache_that_cannot_be_written_any_more_fails_nothing(tmp_path: Path) -> None:
    """A full disk, say: the code is used and not kept."""
    script = tmp_path / "own_kernel.py"
    failing = "import numba.core.caching as c\ndef fail(*_): raise OSError(28, 'full')\n"
    failing += "c.IndexDataCacheFile.save = fail\n"
    script.write_text(failing + KERNEL + "print(twice(4))\n", "utf-8")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "8.0"), done.stderr


def test_promise_44_an_image_of_a_container_has_its_kernels_compiled(somebody, place) -> None:
    """The commands of docs/container.md, but those that need a container."""
    page = (PACKAGE.parent / "docs" / "container.md").read_text("utf-8")
    recipe = page.partition("```dockerfile\n")[2].partition("```")[0].splitlines()
    assert recipe.index("USER ladtl") > recipe.index("RUN useradd --uid 10001 ladtl")
    kernels = place / "opt" / "ladtl-kernels"
    run = [line.removeprefix("RUN ") for line in recipe if line.startswith("RUN ")]
    commands = [line for line in run if not line.startswith(("pip", "useradd"))]
    assert len(commands) == 2
    warm_up()  # what the image would compile is copied
    shutil.copytree(Path(_jit._FOLDERS.own or ""), kernels / Path(_jit._FOLDERS.own or "").name)
    kernels.parent.chmod(0o755)
    ladtl = f"{sys.executable} {PACKAGE.parent / 'cli.py'}"
    for command in commands:
        command = command.replace("/opt/ladtl-kernels", str(kernels))
        command = command.replace("/tmp/warm", str(place / "warm")).replace(
            "ladtl train", f"{ladtl} train"
        )
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(kernels)}
        subprocess.run(["sh", "-ec", command], check=True, env=environment, capture_output=True)
    files = [path for path in kernels.rglob("*") if path.suffix == ".nbi"]
    assert len(files) > 50
    one = somebody(user=True, NUMBA_CACHE_DIR=str(kernels), PYTHONPATH=str(place / "site"))
    one.environment["PYTHONPATH"] = f"{PACKAGE.parent}:{place / 'site'}"
    if one.python("import ladtl_np.kernels").returncode:
        pytest.skip("another user cannot read this checkout")
    one.run("train", "--demo", "--steps", 2, "--out", "run", "--set", "training.evaluate_every=2")
