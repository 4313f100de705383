"""docs/notation.md: every name in its tables exists, and every symbol of the chapters is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from ladtl_np import shapes

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ladtl_np"
PAGE = (ROOT / "docs" / "notation.md").read_text("utf-8")
CHAPTERS = sorted((ROOT / "docs" / "math").glob("*.md"))
CHAPTERS = [page for page in CHAPTERS if page.stem != "index"]

GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho "
    "sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi "
    "Psi Omega"
).split()
DECORATED = re.compile(r"\\(mathbf|mathcal|mathbb)\s*(?:\{\s*(\w+)\s*\}|(\w))")


class Row(NamedTuple):
    """A line of a table of the page."""

    paper: str
    kernel: str
    api: str
    shape: str
    equation: str


ROWS = [
    Row(*(cell.strip() for cell in line.strip("|").split(" | ")))
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| paper")
]


def without_code(text: str) -> str:
    return re.sub(r"(?ms)^( *)```.*?^\1```$", "", text)


def displayed(text: str) -> list[str]:
    """Formulas between double dollars."""
    return re.findall(r"(?s)\$\$(.*?)\$\$", without_code(text))


def inline(text: str) -> list[str]:
    """Formulas between single dollars."""
    return re.findall(r"\$([^$]+)\$", re.sub(r"(?s)\$\$.*?\$\$", "", without_code(text)))


def marked_symbols(formula: str) -> set[str]:
    r"""Greek letters, bold, calligraphic and blackboard ones, and names in \mathrm."""
    formula = re.sub(r"\\(?:text|tag|operatorname|begin|end)\*?\{[^{}]*\}", " ", formula)
    found = {f"{kind} {a or b}" for kind, a, b in DECORATED.findall(formula)}
    formula = DECORATED.sub(" ", formula)
    found |= {f"mathrm {a or b}" for a, b in re.findall(r"\\mathrm(?:\{(\w+)\}|\s(\w))", formula)}
    formula = re.sub(r"\\mathrm\{[^{}]*\}", " ", formula)
    return found | {word for word in re.findall(r"\\([A-Za-z]+)", formula) if word in GREEK}


def letters(formula: str) -> set[str]:
    """Plain Latin letters."""
    formula = re.sub(r"\\(?:text|tag|operatorname|begin|end|mathrm)\*?\{[^{}]*\}", " ", formula)
    return set(re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", DECORATED.sub(" ", formula))))


def of_all(extract: object, formulas: list[str]) -> set[str]:
    return set().union(*map(extract, formulas))  # type: ignore[call-overload, no-any-return]


def names(cell: str) -> list[str]:
    """Names in backticks, each by its last part."""
    return [name.split(".")[-1] for name in re.findall(r"`([\w.*]+)`", cell)]


def trees(*parts: str) -> Iterator[ast.Module]:
    for part in parts:
        for path in sorted((PACKAGE / part).rglob("*.py")):
            yield ast.parse(path.read_text("utf-8"))


@cache
def variables() -> frozenset[str]:
    """Parameters, variables and fields of the mathematics."""
    found = set()
    for tree in trees("kernels", "layers", "reference"):
        for node in ast.walk(tree):
            if isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.FunctionDef):
                found.add(node.name)
    return frozenset(found)


@cache
def api() -> frozenset[str]:
    """Public functions and their parameters, fields of classes, and parameters of a network."""
    found = {"word_embedding"}
    for tree in trees("."):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found |= {node.name, *(a.arg for a in node.args.args + node.args.kwonlyargs)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
    return frozenset(found)


def test_rows_have_five_columns_and_none_is_empty() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert all(line.count(" | ") == 4 or set(line) <= set("|-") for line in lines)
    assert all(cell.strip() for row in ROWS for cell in row)
    assert len(ROWS) > 60


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.paper[:30])
def test_kernel_names_stand_in_the_mathematics(row: Row) -> None:
    for name in names(row.kernel):
        assert name in variables(), name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.paper[:30])
def test_api_names_exist(row: Row) -> None:
    told = [name for name in names(row.api) if name != "*"]
    parameters = re.findall(r"`[\w*]+\.(?:\w+\.)?(\w|\*)`", row.api)  # another test has them
    for name in told:
        assert name in api() or name in parameters, name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.paper[:30])
def test_a_row_cites_equations_that_are_there(row: Row) -> None:
    paper = (ROOT / "docs" / "equations.md").read_text("utf-8")
    cited, chapter = 0, ""
    for part in row.equation.split(", "):
        found = re.fullmatch(r"(?:(\w+|Eq\.) )?\((\d+)\)", part)
        if found:
            chapter = found[1] or chapter
            place = paper if chapter == "Eq." else page_of(chapter)
            assert f"\\tag{{{found[2]}}}" in place, part
        else:
            section = re.fullmatch(r"sec\. (\d(?:\.\d)?)", part)
            assert section, part
            assert f", {part}\n" in paper, part
        cited += 1
    assert cited


def page_of(chapter: str) -> str:
    return (ROOT / "docs" / "math" / f"{chapter}.md").read_text("utf-8")


def cites(row: Row, chapter: str) -> bool:
    """Whether a row cites the chapter, or the paper alone, whose symbols hold everywhere."""
    chapters = set(re.findall(r"\b(\w+) \(", row.equation.replace("Eq. (", "")))
    return chapter in chapters or not chapters


WANTED = "a row of docs/notation.md that has the symbol and cites an equation of the chapter"
LEGEND = PAGE.split("\n| ")[0]


def sizes() -> set[str]:
    """Letters of the list at the top: "B sentences", "S and R rows"."""
    items = "\n".join(re.findall(r"(?m)^\* (.*)$", LEGEND))
    return {a or b for a, b in re.findall(r"\b([A-Z]|m) (?=[a-zG])|\b([A-Z]) and [A-Z]\b", items)}


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_greek_bold_and_named_symbols_of_a_chapter_have_a_row_that_cites_it(page: Path) -> None:
    here = [row.paper for row in ROWS if cites(row, page.stem)]
    explained = of_all(marked_symbols, inline("\n".join([LEGEND, *here])))
    shown = of_all(marked_symbols, displayed(page.read_text("utf-8")))
    assert shown <= explained, f"{sorted(shown - explained)}: {WANTED}"


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_letters_of_a_chapter_are_in_the_notation_or_introduced_beside_the_formula(
    page: Path,
) -> None:
    text = page.read_text("utf-8")
    here = [" ".join(row) for row in ROWS if cites(row, page.stem)]
    explained = of_all(letters, inline("\n".join([LEGEND, *here, text])))
    explained |= {name for name in names("\n".join(here)) if len(name) == 1}
    explained |= {a or b for _, a, b in DECORATED.findall("".join(here))} | sizes()
    shown = of_all(letters, displayed(text))
    assert shown <= explained, f"{sorted(shown - explained)}: {WANTED}"


def test_symbols_of_the_paper_s_equations_are_in_the_notation() -> None:
    paper = (ROOT / "docs" / "equations.md").read_text("utf-8")
    shown = of_all(marked_symbols, displayed(paper))
    explained = of_all(marked_symbols, inline(PAGE))
    assert shown <= explained, f"{sorted(shown - explained)}: {WANTED}"


def test_letters_of_sizes_are_those_of_the_code() -> None:
    legend = dict(re.findall(r"(?m)^``(\w)``\s+(.+)$", shapes.__doc__ or ""))
    assert sizes() == set(legend)


def test_symbols_are_seen_in_formulas() -> None:
    formula = r"\mathbf{h}_t \mathbf 1 + \mathcal R^s \varepsilon \mathrm{KL} \text{if } x \tag{3}"
    assert marked_symbols(formula) == {
        "mathbf h",
        "mathbf 1",
        "mathcal R",
        "varepsilon",
        "mathrm KL",
    }
    assert letters(formula) == {"t", "s", "x"}
