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
        "files arrays corpus kernels reference",
        "layers scoring",
        "options",
        "model",
        "objective",
        "training",
        "bench runs",
        "experiment estimator",
        "report",
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


def test_nothing_can_run_code_from_a_file_or_reach_the_network() -> None:
    forbidden = {"pickle", "marshal", "shelve", "subprocess", "socket", "urllib", "http", "ftplib"}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {(node.module or "").split(".")[0]}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                names = {"pickle"} if node.func.id in {"eval", "exec", "__import__"} else set()
            elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                names = {"pickle"}
            else:
                continue
            assert not names & forbidden, f"{path}:{getattr(node, 'lineno', 0)}"


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


# what these hold goes across the package
CROSSING = {"adding", "architecture", "crash_safety", "docs", "gradients", "promises"}


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
