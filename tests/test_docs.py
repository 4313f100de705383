"""Documentation that runs: examples, symbols, commands."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from shapes_at_random import architecture_of

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
PAGES = [page for page in PAGES if "_build" not in page.parts]
MODULES = sorted((ROOT / "ladtl_np").rglob("*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_examples_of_a_page_give_what_it_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.failed == 0


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_examples_of_a_docstring_give_what_it_shows(path: Path) -> None:
    if ">>>" not in path.read_text("utf-8"):
        return
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    module = __import__(name, fromlist=["_"])
    assert doctest.testmod(module).failed == 0


def without_code(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"(?ms)^( *)```.*?^\1```$", "", page.read_text("utf-8"))


def test_python_blocks_of_the_readme_run() -> None:
    scope: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S):
        exec(compile(block, "README.md", "exec"), scope)
    assert "tagger" in scope


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", without_code(page)):
        assert (page.parent / target).exists(), target


def test_parameters_named_in_the_notation_exist() -> None:
    from ladtl_np.model.network import EMBEDDING, Architecture

    sizes = {"vocabulary": 2, "embedding": 2, "hidden": 2, "source_tags": 2, "target_tags": 2}
    names = {EMBEDDING}
    for projection in get_args(get_type_hints(Architecture)["projection"]):
        for shared in (False, True):
            choice = {"shared_crf": shared, "projection": projection}
            names |= architecture_of(**sizes, emission_bias=True, **choice).shapes().keys()
    text = (ROOT / "docs" / "notation.md").read_text("utf-8")
    told = set(re.findall(r"`((?:forward|backward|\w+_crf|\w+_projection)\.\w)`", text))
    assert told | {EMBEDDING} == names


def test_code_files_named_in_the_docs_exist() -> None:
    for page in PAGES:
        for name in re.findall(r"`(ladtl_np/[\w/]+\.\w+)`", without_code(page)):
            assert (ROOT / name).exists(), f"{page}: {name}"
