"""Which grid point its experiment chose for each task and method, and how far that mattered."""

from __future__ import annotations

from ladtl_np.experiment.choice import ORACLE, Choice, notes_on
from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.report.study import Study
from ladtl_np.runs.manifest import DEV

__all__ = ["choice_section"]

_TESTS = ("chosen", "default", "worst", "median", "oracle")
_HEADINGS = ("chosen", "default", "worst by test", "median by test", "best by test")


def choice_section(study: Study) -> Section:
    """Chosen points with their development F1, and test F1 of the others beside theirs."""
    section = Section("choice", "Options chosen on development data")
    choices = [choice for choice in study.choices if choice.chosen is not None]
    if not choices:
        section.missing = "no grid point has all its runs finished."
        return section
    section.notes.append(
        "Of the grid points of a task and method whose seeds are all finished, the one with the "
        "best mean development F1 is chosen; of equal ones the first. F1 in per cent, mean over "
        "the seeds. Deviation is that of development F1 over the seeds, pooled over the points."
    )
    section.tables.append(_points_table(choices))
    if any(choice.corpora() for choice in choices):
        section.tables.append(_tests_table(choices))
        section.notes.append(ORACLE)
    names = tuple(choice.task for choice in study.choices)
    for note in notes_on(study.choices):
        begun = note if note.startswith(names) else f"{note[0].upper()}{note[1:]}"
        section.notes.append(f"{_arrow(begun)}.")
    return section


def _points_table(choices: list[Choice]) -> Table:
    header = ["task", "method", "share", "chosen point", "of", "dev", "default", "worst"]
    header += ["lead over the next", "deviation"]
    rows = []
    for choice in choices:
        assert choice.chosen is not None
        default = choice.default()
        line = [*_lead(choice), choice.chosen.name, str(len(choice.points))]
        line += [_percent(choice.chosen.mean()), _percent(default.mean() if default else None)]
        line += [_percent(min(choice.means(DEV))), _percent(choice.lead)]
        rows.append([Cell(text) for text in (*line, _percent(choice.deviation))])
    return Table("choice-1", "Development F1 of the chosen points", header, rows, names=4)


def _tests_table(choices: list[Choice]) -> Table:
    header = ["task", "method", "share", "corpus", *_HEADINGS]
    rows = []
    for choice in choices:
        for corpus in choice.corpora():
            found = choice.on(corpus)
            numbers = (_percent(found[name]) for name in _TESTS)
            rows.append([Cell(text) for text in (*_lead(choice), corpus, *numbers)])
    return Table("choice-2", "Test F1 of the chosen points and of others", header, rows, names=4)


def _lead(choice: Choice) -> list[str]:
    return [_arrow(choice.task), choice.method, f"{choice.fraction:g}"]


def _arrow(text: str) -> str:
    return text.replace(" -> ", " → ")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}"
