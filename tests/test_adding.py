"""The worked example of docs/adding.md: its patches apply, and what they add holds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "adding.md"
LEFT_OUT = shutil.ignore_patterns("__pycache__", "_build", "images", "*.svg", "*.tsv")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")

CHECKS = (
    "tests/test_scaling.py",
    "tests/test_methods.py",
    "tests/test_projection.py",
    "tests/test_architecture.py",
    "tests/test_docs.py::test_parameters_named_in_the_notation_exist",
    "tests/test_docs.py::test_code_files_named_in_the_docs_exist",
    "tests/test_docs.py::test_prose_has_one_width",
    "tests/test_gradients.py::test_promise_23_every_backward_function_has_a_gradient_check",
    "tests/test_gradients.py::test_every_gradient_check_names_a_function_that_exists",
    "tests/test_gradients.py::test_promise_23_gradient[reference.scaling.scaling_backward]",
    "tests/test_gradients.py::test_promise_23_gradient[layers.scaling.scaling_backward]",
    "tests/test_gradients.py::test_promise_23_gradient[layers.projection.projection_backward]",
)


@pytest.fixture
def patched(tmp_path: Path) -> Path:
    """A copy of the sources with every patch of the page."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed, and the patches are applied by it")
    tree = tmp_path / "tree"
    for folder in ("ladtl_np", "tests", "docs", "benchmarks"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=LEFT_OUT)
    for name in ("pyproject.toml", *PAGES):
        shutil.copy(ROOT / name, tree)
    text = PAGE.read_text("utf-8")
    patch = "".join(re.findall(r"^```diff\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    subprocess.run(["git", "init", "--quiet"], cwd=tree, check=True)  # else an outer one counts
    done = subprocess.run(
        ["git", "apply", "-C1", "-"], input=patch, cwd=tree, text=True, capture_output=True
    )
    assert done.returncode == 0, f"the page's patches do not fit the sources: {done.stderr}"
    return tree


def test_the_example_of_the_page_passes_its_own_checks(patched: Path) -> None:
    # without compilation: the copy's kernels would all be compiled anew
    environment = os.environ | {"PYTHONPATH": str(patched), "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CHECKS],
        cwd=patched,
        env=environment,
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout


def test_every_file_that_the_page_adds_or_edits_is_named_once() -> None:
    named = re.findall(r"^\+\+\+ b/(.*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(named) == len(set(named))
    for part in ("docs/math/", "ladtl_np/reference/", "ladtl_np/layers/", "tests/gradient_checks_"):
        assert any(name.startswith(part) for name in named), part
