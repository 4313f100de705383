"""The table of results in the form of the paper's Table 2, its intervals and its tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ladtl_np.experiment.results import from_to
from ladtl_np.pages.content import DAGGER, Cell, Section, Table
from ladtl_np.printable import counted
from ladtl_np.report.scores import AVERAGE, Results, Tested, results_of
from ladtl_np.report.study import Study
from ladtl_np.runs.manifest import DEV
from ladtl_np.scoring.significance import LEVEL, Summary, least_possible_p

__all__ = ["results_section", "summary_text"]


def results_section(study: Study) -> Section:
    """Tables of F1: one for each test corpus and each share of the target."""
    section = Section("results", "Results")
    corpora = study.corpora()
    if not corpora:
        section.missing = "no run has finished, so there are no scores."
        return section
    section.notes.append(
        "F1 in per cent as conlleval counts, mean ± sample deviation over the seeds; the best mean "
        "of each column is bold."
    )
    if corpora == [DEV]:
        section.notes.append(
            "No run was scored on a test corpus: these are scores on the development corpora, "
            "which also chose the models, and so are too high."
        )
    if any(run.run.manifest.updates is not None for run in study.runs):
        section.notes.append(
            "Updates are the mini-batches of a run, in both stages of a method that has two; "
            "sentences are those in them, of both domains, each as often as it was trained on."
        )
    if study.chosen_points():
        section.notes.append(
            "Of a method's grid, the point with the best mean development F1 stands for it: "
            f"{'; '.join(study.chosen_points())}."
        )
    if study.choices:
        section.notes.append(
            "For each task and method its experiment chose the grid point with the best mean "
            "development F1; the next section tells which, and how far that mattered."
        )
    section.notes.append(
        f"{DAGGER} marks la-dtl, or the best method, where it is better than every baseline of the "
        f"table with p < {LEVEL} by the one-sided randomisation paired test: over seeds within a "
        "task, over tasks in the average. p is not corrected for the number of tests."
    )
    verdicts: list[tuple[str, list[str]]] = []
    for corpus, fraction, where in study.places():
        runs = study.members(fraction)
        results = results_of(study, runs, corpus)
        if results.scores:
            verdicts.append(_add_tables(section, results, where))
    section.notes += _notes_of(verdicts)
    return section


def _add_tables(section: Section, results: Results, where: str) -> tuple[str, list[str]]:
    """Add the table and its tests; say which table it is, and what there is to say of daggers."""
    number = sum(table.name.startswith("results") for table in section.tables) + 1
    tests = results.tests()
    daggers = results.daggers(tests)
    section.tables.append(_main_table(results, daggers, f"F1{where}", f"results-{number}"))
    section.tables += _interval_table(
        results, f"95 % t intervals of the means{where}", f"intervals-{number}"
    )
    if tests:
        table = _test_table(tests, f"Paired tests{where}", f"tests-{number}")
        section.tables.append(table)
    return where.lstrip(", "), list(_verdict(results, tests, daggers))


def _notes_of(verdicts: Sequence[tuple[str, list[str]]]) -> list[str]:
    """Notes on tables, each once; what holds for all tables names none."""
    tables: dict[str, list[str]] = {}
    for name, notes in verdicts:
        for note in notes:
            tables.setdefault(note, []).append(name)
    texts = [
        note if len(names) == len(verdicts) else f"{'; '.join(names)}: {note}"
        for note, names in tables.items()
    ]
    return [text[0].upper() + text[1:] for text in texts]


def _main_table(results: Results, daggers: set[tuple[str, str]], caption: str, name: str) -> Table:
    columns = results.columns()
    cells = {(r, c): results.cell(r, c) for r in results.scores for c in columns}
    most = max((cell.n for cell in cells.values() if cell is not None), default=0)
    best = {column: results.best(column) for column in columns}
    rows = []
    for row in results.scores:
        line = [Cell(row)]
        for column in columns:
            text = summary_text(cells[row, column], most)
            mark = DAGGER if (row, column) in daggers else ""
            line.append(Cell(text + mark, row in best[column]))
        rows.append(line)
    header = ["method", *map(column_name, columns)]
    for heading, counts in (("updates", results.updates), ("sentences", results.sentences)):
        if counts:
            header.append(heading)
            for line in rows:
                line.append(Cell(from_to(counts.get(line[0].text, ())) or "–"))
    return Table(name, caption, header, rows)


def _interval_table(results: Results, caption: str, name: str) -> list[Table]:
    """Intervals of the cells; no table where no cell has two seeds."""
    columns, rows, found = results.columns(), [], False
    for row in results.scores:
        line = [Cell(row)]
        for column in columns:
            cell = results.cell(row, column)
            bounds = cell.interval if cell is not None else None
            found |= bounds is not None
            line.append(Cell("–" if bounds is None else f"{bounds[0]:.2f} to {bounds[1]:.2f}"))
        rows.append(line)
    header = ["method", *map(column_name, columns)]
    return [Table(name, caption, header, rows, folded=True)] if found else []


def _test_table(tests: Iterable[Tested], caption: str, name: str) -> Table:
    header = ["column", "method", "baseline", "pairs", "difference", "95 % from", "to"]
    header += ["p", "least possible p"]
    rows = []
    for row, column, baseline, test in tests:
        bounds = ("–", "–") if test.interval is None else [f"{b:+.2f}" for b in test.interval]
        difference = (str(test.n), f"{test.difference:+.2f}", *bounds)
        numbers = (*difference, f"{test.p:.4g}", f"{test.least_p:.4g}")
        rows.append([Cell(text) for text in (column_name(column), row, baseline, *numbers)])
    return Table(name, caption, header, rows, names=3, folded=True)


def _verdict(results: Results, tests: list[Tested], daggers: set[tuple[str, str]]) -> Iterable[str]:
    """Say where there are too few pairs for a dagger."""
    if not tests:
        yield "there is no baseline to test against, so there are no daggers."
        return
    hopeless = _too_few(tests)
    by_task = hopeless.pop(AVERAGE, 0)
    if hopeless:
        n = max(hopeless.values())
        count, columns = len(hopeless), len(results.tasks())
        yield (
            f"in {count} of {counted(columns, 'tasks')} there are too few pairs for a "
            f"dagger, whatever the scores: with {counted(n, 'seeds')} the least possible p is "
            f"{least_possible_p(n, 'greater'):.4g}. Five or more seeds can reach p < {LEVEL}."
        )
    if by_task:
        yield (
            f"the average can have no dagger: with {by_task} tasks the least possible p is "
            f"{least_possible_p(by_task, 'greater'):.4g}."
        )
    if not daggers and not hopeless:
        yield "no method is better than every baseline with such a p."


def _too_few(tests: Iterable[Tested]) -> dict[str, int]:
    """Columns in which no row can reach a dagger, and the most pairs that a row has there.

    A row has as many pairs as with the baseline with which it shares the fewest.
    """
    pairs: dict[str, dict[str, int]] = {}
    for row, column, _, test in tests:
        rows = pairs.setdefault(column, {})
        rows[row] = min(test.n, rows.get(row, test.n))
    most = {column: max(rows.values()) for column, rows in pairs.items()}
    return {c: n for c, n in most.items() if least_possible_p(n, "greater") >= LEVEL}


def column_name(column: str) -> str:
    """Head a column."""
    return "average" if column == AVERAGE else column


def summary_text(summary: Summary | None, most: int = 0) -> str:
    """Mean ± deviation; the number of runs where it is lower than that of the others."""
    if summary is None:
        return "–"
    spread = "" if summary.deviation is None else f" ± {summary.deviation:.2f}"
    count = f" ({summary.n})" if summary.n < most else ""
    return f"{summary.mean:.2f}{spread}{count}"
