"""Sentences that training and test data share: counts, and no text."""

from __future__ import annotations

from ladtl_np.corpus.overlap import overlaps
from ladtl_np.errors import LadtlError
from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.report.study import Study
from ladtl_np.report.tagged import Library
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.manifest import DEV, DataFile

__all__ = ["leakage_section"]

_ROLES = ("target", "dev", "source")


def leakage_section(study: Study, library: Library) -> Section:
    """For each test corpus, how many of its sentences stand in what the run has learned from."""
    section = Section("leakage", "Sentences shared by training and test data")
    rows: dict[tuple[str, ...], list[Cell]] = {}
    problems: dict[str, None] = {}
    for run in study.runs:
        entries = run.run.manifest.data
        tests = [entry for entry in entries if entry.role == "test"]
        tests = tests or [entry for entry in entries if entry.role == DEV]
        for test in tests:
            for other in entries:
                key = (run.task, other.role, test.sha256 or test.name, other.sha256 or other.name)
                if other.role not in _ROLES or other == test or key in rows:
                    continue
                try:
                    rows[key] = _row(run.run, run.task, test, other, library)
                except LadtlError as error:
                    problems.setdefault(str(error).split("\n")[0])
    if rows:
        header = ["task", "looked up", "looked for in", "role", "sentences", "shared", "per cent"]
        caption = "Sentences that stand word for word in both files"
        section.tables.append(Table("leakage", caption, header, list(rows.values()), names=4))
        section.notes.append("Whole files are compared, also where a run learned from a share.")
        section.notes += [f"Left out: {problem}." for problem in problems]
    else:
        first = "; ".join(list(problems)[:3]) or "the manifests name no test and training files"
        section.missing = f"the corpora could not be read: {first}."
    return section


def _row(run: FoundRun, task: str, test: DataFile, other: DataFile, library: Library) -> list[Cell]:
    pair = [library.corpus(run, entry) for entry in (test, other)]
    found = overlaps(pair)[0]
    cells = [task, test.name, other.name, other.role, f"{len(pair[0])}", f"{found.sentences}"]
    return [Cell(text) for text in (*cells, f"{100 * found.share:.2f}")]
