"""Imports point down: each layer of the package uses only lower ones."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import ladtl_np

PACKAGE = Path(ladtl_np.__file__).parent

# From low to high; parts of one row do not import each other. docs/architecture.md shows the same.
LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(row.split())
    for row in (
        "errors shapes printable",
        "files corpus kernels reference",
        "arrays",
        "layers scoring",
        "options",
        "model",
        "objective",
        "training",
        "bench pages progress runs",
        "estimator experiment spacy_component",
        "audit report tuning",
        "commands",
    )
)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The package's part that a module belongs to: a top-level module or folder."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_names(path: Path) -> set[str]:
    """All that a module imports, dotted, wherever in the module the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imported_parts(path: Path) -> set[str]:
    """Parts of the package that a module imports."""
    names = [name.split(".") for name in imported_names(path)]
    return {name[1] for name in names if name[0] == "ladtl_np" and len(name) > 1}


def test_the_page_shows_the_same_layers() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text("utf-8")
    tree = page.partition("```text\n")[2].partition("```")[0]
    told: list[set[str]] = []
    for number, part in re.findall(r"(?m)^ *(\d*) +(\w+)  +\S", tree):
        if number:
            told.insert(0, set())
            assert int(number) == len(LAYERS) - len(told) + 1
        told[0].add(part)
    assert told == list(LAYERS)


def test_the_page_fits_on_one_screen() -> None:
    page = PACKAGE.parent / "docs" / "architecture.md"
    assert len(page.read_text("utf-8").splitlines()) <= 70


def test_every_part_of_the_package_has_its_layer() -> None:
    known = frozenset().union(*LAYERS)
    parts = {part_of(path) for path in modules()} - {"__init__"}
    assert parts == known


@pytest.mark.parametrize(
    "path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)).replace("/", ".")
)
def test_imports_point_down(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        return
    level = next(n for n, row in enumerate(LAYERS) if part in row)
    allowed = frozenset().union(*LAYERS[:level]) | {part, "__version__"}
    assert imported_parts(path) <= allowed


def test_only_kernels_are_compiled() -> None:
    for path in modules():
        if any("_jit" in name.split(".") for name in imported_names(path)):
            assert part_of(path) == "kernels", path


FORBIDDEN_MODULES = set(
    "pickle cPickle _pickle pickletools marshal shelve dill cloudpickle joblib code codeop runpy "
    "imp subprocess pty socket socketserver ssl urllib urllib3 http requests httpx aiohttp ftplib "
    "smtplib poplib imaplib telnetlib xmlrpc webbrowser yaml".split()
)
FORBIDDEN_BUILTINS = {"eval", "exec", "compile", "__import__", "breakpoint"}
FORBIDDEN_OF_OS = re.compile(r"system|popen|exec[lv]\w*|spawn[lv]\w*|posix_spawnp?|fork|forkpty")
# joblib could load a pickle; it knows what a container may use, and that alone is asked of it
ALLOWED = {"arrays/processors.py": {"joblib.externals.loky.cpu_count"}}
# nothing but a file's mode and locks may need the C library
MAY_USE_CTYPES = {"files.py"}


def dangers(code: str, name: str = "module.py") -> list[str]:
    """All that could run code from a file, start a program or reach a network; promise 10."""
    found = []
    for node in ast.walk(ast.parse(code)):
        modules: set[str] = set()
        if isinstance(node, ast.ImportFrom) and allowed_names(node) <= ALLOWED.get(name, set()):
            continue
        if isinstance(node, ast.Import):
            modules = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = {(node.module or "").split(".")[0]}
            if modules <= {"os", "builtins"}:
                found += [a.name for a in node.names if FORBIDDEN_OF_OS.fullmatch(a.name)]
                found += [a.name for a in node.names if a.name in FORBIDDEN_BUILTINS]
        elif isinstance(node, ast.Name) and node.id in FORBIDDEN_BUILTINS:
            found.append(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = node.value.id
            if owner == "os" and FORBIDDEN_OF_OS.fullmatch(node.attr):
                found.append(f"os.{node.attr}")
            if owner == "builtins" and node.attr in FORBIDDEN_BUILTINS:
                found.append(f"builtins.{node.attr}")
        elif isinstance(node, ast.Call):
            found += dangerous_call(node)
        found += sorted(modules & FORBIDDEN_MODULES)
        if "ctypes" in modules and name not in MAY_USE_CTYPES:
            found.append("ctypes")
    return found


def allowed_names(node: ast.ImportFrom) -> set[str]:
    """What is imported, dotted."""
    return {f"{node.module}.{alias.name}" for alias in node.names}


def dangerous_call(node: ast.Call) -> list[str]:
    """Arrays of objects, and modules whose name is not written out."""
    function = node.func
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    owner = function.value if isinstance(function, ast.Attribute) else None
    pickles = [k for k in node.keywords if k.arg == "allow_pickle"]
    refused = [k for k in pickles if isinstance(k.value, ast.Constant) and k.value.value is False]
    if pickles != refused:
        return ["allow_pickle"]
    if called == "load" and isinstance(owner, ast.Name) and owner.id in ("np", "numpy"):
        return [] if refused else ["np.load without allow_pickle=False"]
    if called == "import_module":
        module = node.args[0]
        if isinstance(module, ast.JoinedStr):
            module = module.values[0]
            written = isinstance(module, ast.Constant) and str(module.value).startswith("ladtl_np.")
        else:
            written = isinstance(module, ast.Constant) or ast.unparse(module) == "_HOMES[name]"
        return [] if written else ["import_module of a name that is not written out"]
    return []


def test_promise_10_nothing_can_run_code_from_a_file_or_reach_the_network() -> None:
    for path in modules():
        name = str(path.relative_to(PACKAGE))
        assert dangers(path.read_text("utf-8"), name) == [], name


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "import os, marshal",
        "from dill import loads",
        "import urllib.request",
        "from os import system",
        "from os import execvp as go",
        "from builtins import exec as go",
        "from joblib.externals.loky import cpu_count",
        "import ctypes",
        "from ctypes import CDLL",
        "def f():\n    import socket",
        "eval('1')",
        "go = exec",
        "compile('1', 'a', 'eval')",
        "__import__('os')",
        "os.system('ls')",
        "os.popen('ls')",
        "os.execv('/bin/ls', [])",
        "os.spawnlp(0, 'ls')",
        "os.posix_spawn('ls', [], {})",
        "builtins.eval('1')",
        "np.load('a')",
        "np.load('a', allow_pickle=True)",
        "np.load('a', allow_pickle=may)",
        "np.save('a', x, allow_pickle=True)",
        "import_module(name)",
        "importlib.import_module(f'{name}.x')",
    ],
)
def test_promise_10_each_way_to_do_so_would_be_noticed(code: str) -> None:
    assert dangers(code)


@pytest.mark.parametrize(
    "code",
    [
        "re.compile('a')",
        "np.load('a', allow_pickle=False)",
        "import_module('numpy')",
        "import_module(f'ladtl_np.commands.{name}')",
        "from ladtl_np.kernels import encoding",
        "array.ctypes.data",
        "os.replace(a, b)",
    ],
)
def test_what_is_harmless_is_not_noticed(code: str) -> None:
    assert dangers(code) == []
    assert dangers("import ctypes", "files.py") == []
    place = "arrays/processors.py"
    assert dangers("from joblib.externals.loky import cpu_count", place) == []
    for more in ("from joblib import load", "from joblib import cpu_count", "import joblib"):
        assert dangers(more, place) == ["joblib"]


def test_modules_stay_small() -> None:
    sizes = sorted(len(path.read_text("utf-8").splitlines()) for path in modules())
    assert sizes[-1] <= 300
    assert sizes[len(sizes) // 2] < 150


def test_kernels_take_a_dozen_arguments_at_most() -> None:
    """Buffers that belong together are one named tuple."""
    for path in sorted((PACKAGE / "kernels").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                assert len(node.args.args) <= 12, f"{path.name}: {node.name}"


def test_kernels_whose_sums_may_be_split_write_to_no_array() -> None:
    """Else the order of a sum depends on where the arrays lie, and so on the threads."""
    found = 0
    for path in sorted((PACKAGE / "kernels").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and "reducing_kernel" in {
                ast.unparse(decorator) for decorator in node.decorator_list
            }:
                found += 1
                for inner in ast.walk(node):
                    writes = isinstance(inner, ast.Subscript) and isinstance(inner.ctx, ast.Store)
                    assert not writes, f"{path.name}: {node.name} writes to an array"
    assert found >= 4


# what these hold goes across the package
CROSSING = {"adding", "architecture", "crash_safety", "docs", "gradients", "mutation"}
CROSSING |= {"promises", "tools"}


def test_every_test_file_is_named_for_what_it_tests() -> None:
    """A module or a folder of the package, a command, or one of the above; then what of it."""
    names = {path.stem for path in modules()} | {path.parent.name for path in modules()} | CROSSING
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        words = path.stem.split("_")[1:]
        if words[0] in ("command", "reference") and len(words) > 1:
            words = words[1:]
        starts = {"_".join(words[:n]) for n in range(1, len(words) + 1)}
        assert starts & names, f"{path.name} is named for nothing in the package"


def test_every_planted_error_still_fits_the_code() -> None:
    """`make mutants` plants them; each has to name a line that stands once, and a test file."""
    tests = Path(__file__).parent
    table = tomllib.loads((tests / "planted_errors.toml").read_text("utf-8"))
    assert len(table["error"]) >= 100
    for error in table["error"]:
        code = (PACKAGE.parent / error["file"]).read_text("utf-8")
        assert code.count(error["old"]) == 1, f"{error['file']}: {error['old']}"
        assert error["new"] != error["old"]
        assert (tests / f"{error['test']}.py").is_file(), error["test"]
