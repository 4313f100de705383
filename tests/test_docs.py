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


def test_python_of_a_page_is_run_with_what_it_prints() -> None:
    for page in PAGES:
        for block in re.findall(r"(?ms)^```python\n(.*?)^```$", page.read_text("utf-8")):
            assert block.startswith(">>> "), f"{page}: {block}"
    parsed = doctest.DocTestParser().get_examples((ROOT / "README.md").read_text("utf-8"))
    assert [e.want for e in parsed if e.want][-1] == "(True, 0)\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", without_code(page)):
        assert (page.parent / target).exists(), target


WRITTEN_BY_A_PROGRAM = {"docs/results/benchmarks.md"}
WIDTH = 100


def wide_lines(text: str) -> list[str]:
    """Lines of prose that are wider than a page: no code, table, formula, heading or mere link."""
    text = re.sub(r"(?ms)^( *)```.*?^\1```$|^ *\$\$.*?\$\$", "", text)
    wide = [line for line in text.splitlines() if len(line) > WIDTH]
    return [
        line
        for line in wide
        if not line.startswith(("|", "#", "    "))
        and not re.fullmatch(r"(?:[-*] )?!?\[[^]]*\]\([^)]*\)\S*|\$[^$]+\$\S*", line.strip())
    ]


def test_wide_lines_are_found_in_prose_alone() -> None:
    long = "word " * 21
    assert wide_lines(f"{long}\n\n* {long}") == [long, f"* {long}"]
    link = f"[a page]({'x' * 100})"
    assert not wide_lines(f"```text\n{long}\n```\n\n| {long} |\n\n$$a\n{long}$$\n\n* {link}\n")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda p: p.name)
def test_prose_has_one_width(page: Path) -> None:
    if page.relative_to(ROOT).as_posix() not in WRITTEN_BY_A_PROGRAM:
        assert wide_lines(page.read_text("utf-8")) == []


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


def promised_tests() -> dict[int, set[str]]:
    """Test files by the numbers of the promises that their tests are named for."""
    found: dict[int, set[str]] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for numbers in re.findall(
            r"def test_promise_(\d\d(?:_and_\d\d)*)_", path.read_text("utf-8")
        ):
            for number in numbers.split("_and_"):
                found.setdefault(int(number), set()).add(path.stem)
    return found


def test_every_promise_has_tests_and_the_page_lists_their_files() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    rows = re.findall(r"(?m)^\| (\d+) \| .* \| (`.*`) \|$", page)
    listed = {int(number): set(re.findall(r"`(\w+)`", files)) for number, files in rows}
    assert sorted(listed) == list(range(1, 45))
    assert listed == promised_tests()
