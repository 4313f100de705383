"""Which tests watch a module: those that are named for its stem, then those that import it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "ladtl_np"
PACKAGES = ("reference", "kernels", "layers", "objective", "training", "model", "options", "arrays")
GLUE = ("objective", "training", "model", "options", "arrays")
WITHOUT = {"kernels/_cache.py", "kernels/_jit.py", "kernels/notice.py"}
WITHOUT |= {"arrays/limits.py", "arrays/processors.py", "training/warm_up.py"}
"""What compiles, caches, and asks the machine: only other processes would see its errors."""

GRADIENTS = "test_gradients"
LAWS = ("test_training_laws", "test_options_laws")
WHOLE = {
    "arrays": ("test_batching", "test_encoding", "test_objective", GRADIENTS),
    "layers": ("test_objective",),
    "objective": (GRADIENTS, "test_objective", "test_training_laws"),
    "training": (*LAWS, "test_training"),
    "model": ("test_decoding", "test_tagging", "test_model_file", "test_training_laws"),
    "options": (*LAWS, "test_method_checks", "test_config", "test_options_routes"),
}
"""What watches a whole package, the glue above all."""

OWN = {f"training/{name}.py" for name in ("diverged", "estimate", "remarks", "word_vectors")}
OWN |= {
    f"model/{name}.py"
    for name in (
        *("container", "file", "formats", "hashed", "header", "layout", "privacy"),
        *("strict_json", "values", "verify", "vocabulary_key", "wider"),
    )
}
"""Modules that no number of a run goes through: only their own tests watch them."""

ALSO = {
    "kernels/algebra/strips.py": ("test_matmul",),
    "kernels/algebra/tiles.py": ("test_matmul",),
    "model/privacy.py": ("test_command_model", "test_promises_privacy"),
    "model/verify.py": ("test_command_model", "test_promises_models"),
    "model/container.py": ("test_model_file", "test_promises_models"),
    "model/file.py": ("test_promises_models",),
    "model/formats.py": ("test_model_file", "test_command_model", "test_promises_models"),
    "model/hashed.py": ("test_model_file", "test_promises_privacy"),
    "model/header.py": ("test_model_file", "test_promises_models"),
    "model/layout.py": ("test_container", "test_promises_models"),
    "model/strict_json.py": ("test_model_file", "test_promises_models"),
    "model/values.py": ("test_model_file", "test_promises_models"),
    "model/vocabulary_key.py": ("test_model_file", "test_promises_privacy"),
    "training/encoding.py": ("test_preparation",),
    "training/start_values.py": ("test_preparation",),
    "options/demo.py": ("test_command_train",),
    "options/method_checks.py": ("test_word_vectors",),
}
"""Modules that are watched through others, of which the tests import nothing by name."""

ELSEWHERE = ("test_command", "test_report", "test_docs", "test_experiment", "test_bench")
ELSEWHERE += ("test_promises", "test_estimator", "test_spacy", "test_checkpoint", "test_audit")
ELSEWHERE += ("test_formats", "test_demo", "test_crash", "test_arch", "test_adding", "test_cost")
"""Tests of other parts, slow or in processes of their own, which import much."""


class Watchers(NamedTuple):
    """Test files, and of the gradient checks those that are named for the module."""

    files: tuple[str, ...]
    checks: tuple[str, ...] | None = None  # how their names start; None for all


def mutated_modules() -> list[str]:
    """The modules that errors are planted in, as paths below the package."""
    return [
        name
        for package in PACKAGES
        for path in sorted((ROOT / PACKAGE / package).rglob("*.py"))
        if (name := path.relative_to(ROOT / PACKAGE).as_posix()) not in WITHOUT
    ]


def watchers_of(module: str) -> Watchers:
    """The tests of a module, given as a path below the package.

    Those named for its stem, those that import it, those of its whole package; of the mathematics
    also those whose helpers import it, or that import a module that imports it.
    """
    package, stem = module.split("/")[0], Path(module).stem
    dotted = ".".join((PACKAGE, *Path(module).with_suffix("").parts))
    above = {name for name, imported in _package_imports().items() if dotted in imported}
    named, near, far = [], [], []
    for name, (own, all_of) in _test_imports().items():
        if name.startswith(ELSEWHERE):
            continue
        named += [name] if _is_named_for(name, stem) else []
        near += [name] if dotted in own else []
        far += [name] if dotted in all_of or own & above else []
    if package in GLUE or "algebra" in module:  # whose tests compile everything anew
        far = []
    else:
        near.append(GRADIENTS)
    whole = () if module in OWN else WHOLE.get(package, ())
    files = (*named, *near, *far, *whole, *ALSO.get(module, ()))
    checks = tuple(name.removeprefix(f"{PACKAGE}.") for name in (dotted, *sorted(above)))
    return Watchers(tuple(dict.fromkeys(files)), checks)


def _is_named_for(test: str, stem: str) -> bool:
    words = test.removeprefix("test_").removeprefix("reference_")
    return words in (stem, stem.split("_")[0]) or words.startswith(f"{stem}_")


@cache
def _package_imports() -> dict[str, set[str]]:
    """What every module of the package imports from it, by dotted names."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): imported_by(path)
        for path in sorted((ROOT / PACKAGE).rglob("*.py"))
    }


@cache
def _test_imports() -> dict[str, tuple[set[str], set[str]]]:
    """What every test file imports from the package: itself, and with the helpers beside it."""
    files = {path.stem: imported_by(path) for path in sorted((ROOT / "tests").glob("*.py"))}

    def through(name: str, seen: frozenset[str]) -> set[str]:
        own = files[name]
        beside = [helper for helper in own if helper in files and helper not in seen]
        return own.union(*(through(helper, seen | {helper}) for helper in beside))

    tests = [name for name in files if name.startswith("test_")]
    return {name: (files[name], through(name, frozenset({name}))) for name in tests}


def imported_by(path: Path) -> set[str]:
    """Names of modules that a file imports, and of what it imports from them."""
    return set(_imported(ast.parse(path.read_text("utf-8"))))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
