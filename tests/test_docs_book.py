"""The book: every chapter has its parts, numbered equations, and an example that is run."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [p for p in sorted(DOCS.rglob("*.md")) if "_build" not in p.parts]
SCRIPT = runpy.run_path(str(DOCS / "format_cells.py"))
CELL, formatted = SCRIPT["CELL"], SCRIPT["formatted"]
ANY_CELL = re.compile(CELL.pattern.replace("python", "(?:python|ipython3)"), CELL.flags)
WITH_CELLS = [p for p in PAGES if ANY_CELL.search(p.read_text("utf-8"))]
CHAPTERS = {p.stem: p for p in sorted((DOCS / "math").glob("*.md")) if p.stem != "index"}
PARTS = ("Complexity", "Hazards", "Worked example")


def missing_parts(text: str) -> list[str]:
    """What a chapter of the book should have and has not."""
    missing = [part for part in PARTS if not re.search(rf"(?m)^## {part}$", text)]
    example = re.split(r"(?m)^## Worked example$", text)[-1]
    cells = CELL.findall(example)
    if not any("agree(" in code for _, code, _ in cells):
        missing.append("a cell of the example that compares with another computation")
    pictures = [
        options for options, code, _ in cells if re.search(r"^Picture\(.*\)\n\Z", code, re.M)
    ]
    if not pictures:
        missing.append("a picture")
    missing += ["alt: and caption:" for told in pictures if not re.search(r"(?s)alt:.*cap", told)]
    return missing


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_every_part_of_the_plan(chapter: str) -> None:
    assert missing_parts(CHAPTERS[chapter].read_text("utf-8")) == []


@pytest.mark.parametrize("page", [*CHAPTERS.values(), DOCS / "math/index.md"], ids=lambda p: p.stem)
def test_equations_are_numbered_in_their_order(page: Path) -> None:
    numbers = [int(n) for n in re.findall(r"\\tag\{(\d+)\}", page.read_text("utf-8"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_part_that_is_missing_is_told() -> None:
    cell = "```{code-cell} python\nagree(1, 1)\n```\n"
    options = "---\nmystnb:\n  image:\n    alt: a\n  figure:\n    caption: b\n---\n"
    drawn = f"```{{code-cell}} python\n{options}Picture(figure)\n```\n"
    parts = "".join(f"## {part}\n\n" for part in PARTS)
    assert missing_parts(parts + cell + drawn) == []
    assert len(missing_parts(cell + drawn + parts)) == 2
    assert missing_parts(parts + drawn) == [
        "a cell of the example that compares with another computation"
    ]
    assert missing_parts(parts + cell) == ["a picture"]
    assert missing_parts(parts + cell + drawn.replace(options, "")) == ["alt: and caption:"]
    assert missing_parts(parts.replace("## Hazards", "## Danger") + cell + drawn) == ["Hazards"]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(DOCS)))
def test_cells_are_run_where_a_page_has_them(page: Path) -> None:
    text = page.read_text("utf-8")
    front = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
    assert text.startswith(front) == (page in WITH_CELLS)
    assert text.count("```{code-cell}") == len(ANY_CELL.findall(text)), "a cell is python"
    for cell in ANY_CELL.finditer(text):
        commands = without_commands(cell[2]) != cell[2]
        assert ("ipython3" in cell[0].splitlines()[0]) == commands, cell[0]


def without_commands(code: str) -> str:
    """A cell's Python; lines that start with ! and cells of %%sh are commands of the shell."""

    def used(found: re.Match[str]) -> str:
        names = ", ".join(re.findall(r"{(\w+)}", found[0]))
        return f"{found[1]}print({names})"

    return re.sub(r"(?m)^( *)!.*$", used, re.sub(r"(?s)\A%%sh\n.*", "", code))


def test_cells_are_in_the_style_of_the_code(tmp_path: Path) -> None:
    assert WITH_CELLS
    for page in WITH_CELLS:
        found = ANY_CELL.findall(page.read_text("utf-8"))
        cells = [without_commands(code) for _, code, _ in found]
        for code in cells:
            ast.parse(code)
        name = "_".join(page.relative_to(DOCS).with_suffix("").parts)
        (tmp_path / f"{name}.py").write_text("\n\n".join(cells), "utf-8")
    # a cell may end with a value, import what a later one needs, and use what the one before made
    allowed = ["--ignore", "D,B018,B023,E402,E731,I001"]
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    command = [sys.executable, "-m", "ruff", "check", *config, *allowed, "-q", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", WITH_CELLS, ids=lambda p: p.stem)
def test_cells_are_formatted(page: Path) -> None:
    text = page.read_text("utf-8")
    assert formatted(text) == text, "run `python docs/format_cells.py`"


def test_only_the_code_of_cells_is_formatted() -> None:
    options = "---\ntags: [hide-input]\n---\n"
    page = "x  =  1\n\n```{{code-cell}} python\n{}x{}={}1\n```\n\n```text\nx  =  1\n```\n"
    assert formatted(page.format(options, "  ", "  ")) == page.format(options, " ", " ")
