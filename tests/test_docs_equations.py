"""docs/equations.md: every equation of the paper, and that all it names is there."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import numpy as np
import oracles
import pytest
from click.testing import CliRunner

from ladtl_np.commands import ladtl
from ladtl_np.reference import crf

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "equations.md"
MATH = ROOT / "docs" / "math"
ROWS = ["to read", "that trains", "derived in", "tests", "audit"]
NUMBERED = {f"Eq. ({n})" for n in range(1, 9)} | {"Lemma A.1", "Lemma A.2"}
UNNUMBERED = {r"\mathcal{L} =", r"\mathcal{L}_c =", r"\mathcal{L}_p =", r"\mathcal{L}_r =", r"\sup"}


def sections() -> dict[str, str]:
    """Text of each section, by its heading."""
    _, *parts = re.split(r"(?m)^## (.*)\n", PAGE.read_text("utf-8"))
    return dict(zip(parts[::2], parts[1::2], strict=True))


SECTIONS = sections()


def row(section: str, name: str) -> str:
    """The second column of a section's row."""
    found = re.findall(rf"(?m)^\| {name} \| (.+) \|$", SECTIONS[section])
    assert len(found) == 1, f"{section}: {name}"
    return str(found[0])


def numbers(told: str) -> list[int]:
    """Numbers of equations: "(1), (4)–(6)" is 1, 4, 5, 6."""
    found: list[int] = []
    for first, last in re.findall(r"\((\d+)\)(?:–\((\d+)\))?", told):
        found += range(int(first), int(last or first) + 1)
    return found


@cache
def tags(chapter: str) -> frozenset[int]:
    """Numbers of the equations of a chapter."""
    return frozenset(
        map(int, re.findall(r"\\tag\{(\d+)\}", (MATH / f"{chapter}.md").read_text("utf-8")))
    )


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_number_and_lemma_of_the_paper_has_a_section_and_its_formula() -> None:
    assert {heading.split(":")[0] for heading in SECTIONS if ", sec." not in heading} == NUMBERED
    for heading, text in SECTIONS.items():
        formula, _ = text.split("| what for | where |", 1)
        number = re.match(r"Eq\. \((\d)\)", heading)
        assert re.findall(r"\\tag\{(\d+)\}", formula) == ([number[1]] if number else []), heading
        assert formula.strip().startswith("$$"), heading
    formulas = " ".join(text.split("| what for | where |", 1)[0] for text in SECTIONS.values())
    assert all(start in formulas for start in UNNUMBERED)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_has_every_row(section: str) -> None:
    named = re.findall(r"(?m)^\| (\w[^|]*) \| [^|]*\S[^|]* \|$", SECTIONS[section])
    assert named == ["what for", *ROWS]


@pytest.mark.parametrize("section", SECTIONS)
def test_functions_can_be_imported(section: str) -> None:
    for name in ("to read", "that trains"):
        functions = re.findall(r"`([\w.]+)`", row(section, name))
        assert functions, name
        for function in functions:
            module, _, attribute = function.rpartition(".")
            assert hasattr(importlib.import_module(f"ladtl_np.{module}"), attribute), function
            if name == "to read":
                assert module.startswith("reference."), function
            else:
                assert not module.startswith("reference."), function


@pytest.mark.parametrize("section", SECTIONS)
def test_chapters_have_the_numbers(section: str) -> None:
    told = re.findall(r"\[(\w+)\]\(math/(\w+)\.md\) ([^\[]+)", row(section, "derived in"))
    assert told
    for shown, chapter, which in told:
        assert shown == chapter
        assert numbers(which)
        assert set(numbers(which)) <= tags(chapter), f"{chapter} {which}"


@pytest.mark.parametrize("section", SECTIONS)
def test_tests_exist(section: str) -> None:
    told = re.findall(r"`(test_\w+\.py)::(\w+)`", row(section, "tests"))
    assert len(told) == row(section, "tests").count("::") > 0
    for file, name in told:
        assert name in functions_of(file), f"{file}::{name}"


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"`ladtl ([\w ]+)`", PAGE.read_text("utf-8"))))
)
def test_commands_exist(command: str) -> None:
    result = CliRunner().invoke(ladtl, [*command.split(), "--help"])
    assert result.exit_code == 0, result.output
    assert f" {command} " in result.output


@cache
def lines_of(command: str) -> tuple[str, ...]:
    """What an audit checks on the demo."""
    from ladtl_np.audit import check_divergence, check_equations, demo_subject

    check = {"equations": check_equations, "kl": check_divergence}[command]
    audit = check(demo_subject(), sentences=3)
    assert audit.passed
    return tuple(line.check for line in audit.lines)


@pytest.mark.parametrize("section", [s for s in SECTIONS if ", sec." not in s])
def test_an_audit_that_a_section_names_has_a_line_for_its_number(section: str) -> None:
    number = section.split(":")[0].replace("Lemma", "lemma")
    commands = re.findall(r"`ladtl audit (equations|kl)`", row(section, "audit"))
    assert any(number in line for command in commands for line in lines_of(command))


def test_every_section_names_a_command() -> None:
    assert all(re.fullmatch(r"(`ladtl audit \w+`(, )?)+", row(s, "audit")) for s in SECTIONS)


CODE = sorted((ROOT / "ladtl_np").rglob("*.py")) + sorted((ROOT / "tests").glob("*.py"))
PAGES = [p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts]


def test_equations_of_the_paper_that_code_and_pages_cite_are_on_the_page() -> None:
    cited = 0
    for path in [*CODE, *PAGES, ROOT / "README.md"]:
        text = re.sub(r"\s+#?\s*", " ", path.read_text("utf-8"))
        for first, more in re.findall(r"Eqs?\. \(?(\d+)\)?((?:(?:,| and| to) \(?\d+\)?)*)", text):
            for number in (first, *re.findall(r"\d+", more)):
                cited += 1
                assert f"Eq. ({number})" in NUMBERED, f"{path}: Eq. ({number})"
        for lemma in re.findall(r"[Ll]emma (A\.\d)", text):
            assert f"Lemma {lemma}" in NUMBERED, f"{path}: {lemma}"
    assert cited > 40


def test_equations_of_chapters_that_code_and_pages_cite_are_there() -> None:
    cited = 0
    for path in [*CODE, *PAGES]:
        text = re.sub(r"\s+#?\s*", " ", path.read_text("utf-8"))
        for chapter, which in re.findall(
            r"docs/math/(\w+)\.md ((?:\(\d+\)(?:[-–]|, | and )?)+)", text
        ) + re.findall(r"\]\((?:math/)?(\w+)\.md\)\s+((?:\(\d+\)(?:–|, | and )?)+)", text):
            cited += 1
            told = set(numbers(which.replace("-", "–")))
            assert told <= tags(chapter), f"{path}: {chapter} {which}"
    assert cited > 40


def mathematics() -> dict[str, str]:
    """Modules of the mathematics and the chapter whose numbers stand in their brackets."""
    found = {}
    for part in ("reference", "kernels", "layers", "objective"):
        for path in sorted((ROOT / "ladtl_np" / part).rglob("[a-z]*.py")):
            chapters = re.findall(r"docs/math/(\w+)\.md", path.read_text("utf-8"))
            if chapters:
                found[path.relative_to(ROOT / "ladtl_np").as_posix()] = chapters[0]
    return found


@pytest.mark.parametrize(("module", "chapter"), mathematics().items())
def test_numbers_in_brackets_of_a_module_are_those_of_its_chapter(
    module: str, chapter: str
) -> None:
    text = (ROOT / "ladtl_np" / module).read_text("utf-8")
    text = re.sub(r"Eq\. \(\d+\)((, | and )\(\d+\))*|docs/math/\w+\.md \(\d+\)", "", text)
    text = re.sub(r"\w\(\d+\)", "", text)  # calls
    assert set(numbers(text.replace(")-(", ")–("))) <= tags(chapter)


@pytest.mark.parametrize("T", [1, 2, 4])
def test_normalisers_and_the_divergence_keep_the_printed_bounds(T: int) -> None:
    """Eq. (7), Eq. (8) and lemma A.2, over all paths of small chains."""
    rng, m = np.random.default_rng(11), 3
    for scale in (0.01, 1.0, 5.0):
        hidden = rng.uniform(-1, 1, (T, 4))
        W_s, W_t = scale * rng.normal(size=(2, 4, m))
        A_s, A_t = scale * rng.normal(size=(2, m, m))
        E_s, E_t = hidden @ W_s, hidden @ W_t
        distance = float(((W_s - W_t) ** 2).sum() + ((A_s - A_t) ** 2).sum())
        c_1 = float(np.linalg.norm(hidden, axis=1).sum()) ** 2 + (T - 1) ** 2
        epsilon = (c_1 * distance) ** 0.5
        for path in oracles.paths(T, m):
            y = np.array(path)
            assert abs(crf.sequence_score(E_s, A_s, y) - crf.sequence_score(E_t, A_t, y)) <= epsilon
        assert abs(crf.log_partition(E_s, A_s) - crf.log_partition(E_t, A_t)) <= epsilon
        assert 0 <= oracles.enumerated_kl(E_s, A_s, E_t, A_t) <= 2 * epsilon
