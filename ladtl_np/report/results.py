"""The table of results in the form of the paper's Table 2, and the tests behind its daggers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ladtl_np.manifest import DEV
from ladtl_np.report.content import DAGGER, Cell, Section, Table
from ladtl_np.report.study import EACH, Study, StudyRun
from ladtl_np.significance import (
    LEVEL,
    PairedTest,
    Summary,
    least_possible_p,
    mean_and_interval,
    paired_test,
)

__all__ = ["AVERAGE", "BASELINES", "Results", "Tested", "results_section", "summary_text"]

AVERAGE = ""
"""The column of the mean over the tasks."""
BASELINES = frozenset(
    "non-transfer linear-projection domain-mask cd-learning re-training joint-training".split()
)
"""What the paper's dagger compares with."""
OURS = "la-dtl"

Scores = Mapping[str, Mapping[str, Mapping[int, float]]]
"""F1 in per cent by row, task and seed."""


class Tested(NamedTuple):
    """A row held against a baseline in one column."""

    row: str
    column: str
    baseline: str
    test: PairedTest


@dataclass(slots=True)
class Results:
    """What the table shows, in numbers.

    Attributes
    ----------
    scores
        F1 in per cent by row, task and seed.
    bases
        The method behind each row, by which baselines are told.
    """

    scores: Scores
    bases: Mapping[str, str]

    def tasks(self) -> list[str]:
        """Columns but for the average, in order."""
        return sorted({task for tasks in self.scores.values() for task in tasks})

    def columns(self) -> list[str]:
        """Tasks, and the average of several ones."""
        tasks = self.tasks()
        return [*tasks, AVERAGE] if len(tasks) > 1 else tasks

    def cell(self, row: str, column: str) -> Summary | None:
        """Mean and deviation over the seeds.

        The average is the mean of the tasks' means, and there for rows with all tasks only; its
        deviation is that of the seeds' averages, of seeds with all tasks.
        """
        tasks = self.scores[row]
        if column != AVERAGE:
            values = list(tasks.get(column, {}).values())
            return mean_and_interval(values) if values else None
        if set(tasks) != set(self.tasks()):
            return None
        mean = float(np.mean([np.mean(list(seeds.values())) for seeds in tasks.values()]))
        common = set.intersection(*(set(seeds) for seeds in tasks.values()))
        averages = [np.mean([seeds[s] for seeds in tasks.values()]) for s in sorted(common)]
        spread = mean_and_interval(averages) if averages else Summary(0, mean, None, None)
        if spread.interval is None:
            return spread._replace(mean=mean)
        # around the mean that is shown, where some tasks have more seeds than others
        low, high = (bound + mean - spread.mean for bound in spread.interval)
        return spread._replace(mean=mean, interval=(low, high))

    def best(self, column: str) -> set[str]:
        """Rows with the highest mean, as far as two digits after the point tell."""
        cells = {row: self.cell(row, column) for row in self.scores}
        means = {row: round(cell.mean, 2) for row, cell in cells.items() if cell is not None}
        return {row for row, mean in means.items() if mean == max(means.values())}

    def pairs(self, first: str, second: str, column: str) -> list[tuple[float, float]]:
        """Scores of two rows: by seed, in the column of the average by task.

        A task's scores are means over the seeds that both rows have.
        """
        if column != AVERAGE:
            one, other = (self.scores[row].get(column, {}) for row in (first, second))
            return [(one[seed], other[seed]) for seed in sorted(set(one) & set(other))]
        by_task = [self.pairs(first, second, task) for task in self.tasks()]
        if not all(by_task):
            return []
        means = [np.mean(pairs, axis=0) for pairs in by_task]
        return [(float(mean[0]), float(mean[1])) for mean in means]

    def tests(self) -> list[Tested]:
        """Test la-dtl, and the best row of each column, against every baseline."""
        found = []
        for column in self.columns():
            best = self.best(column)
            for row in self.scores:
                if row not in best and self.bases[row] != OURS:
                    continue
                for other in self.scores:
                    pairs = self.pairs(row, other, column)
                    if other == row or self.bases[other] not in BASELINES or not pairs:
                        continue
                    scores = ([pair[side] for pair in pairs] for side in (0, 1))
                    test = paired_test(*scores, rng=np.random.default_rng(0))
                    found.append(Tested(row, column, other, test))
        return found

    def daggers(self, tests: Iterable[Tested]) -> set[tuple[str, str]]:
        """Rows and columns in which every baseline of the table is beaten with p < 0.05."""
        beaten: dict[tuple[str, str], set[str]] = {}
        for row, column, baseline, test in tests:
            held = beaten.setdefault((row, column), set())
            if test.p < LEVEL:
                held.add(baseline)
        wanted = {row for row in self.scores if self.bases[row] in BASELINES}
        return {place for place, held in beaten.items() if held and held == wanted - {place[0]}}


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
    if study.choices():
        section.notes.append(
            "Of a method's grid, the point with the best mean development F1 stands for it: "
            f"{'; '.join(study.choices())}."
        )
    section.notes.append(
        f"{DAGGER} marks la-dtl, or the best method, where it is better than every baseline of the "
        f"table with p < {LEVEL} by the one-sided randomisation paired test: over seeds within a "
        "task, over tasks in the average. p is not corrected for the number of tests."
    )
    verdicts: list[tuple[str, list[str]]] = []
    for corpus in corpora:
        for fraction in study.fractions:
            runs = [run for run in study.runs if run.fraction == fraction]
            results = results_of(study, runs, corpus)
            if results.scores:
                several = len(study.fractions) > 1
                verdicts.append(_add_tables(section, results, corpus, fraction, several))
    section.notes += _notes_of(verdicts)
    return section


def results_of(study: Study, runs: Iterable[StudyRun], corpus: str) -> Results:
    """Collect the scores of runs of one fraction on one corpus."""
    scores: dict[str, dict[str, dict[int, float]]] = {row: {} for row in study.rows(runs)}
    bases = {}
    for run in runs:
        row, f1 = study.row(run), run.f1(corpus)
        if row is not None and f1 is not None:
            scores[row].setdefault(run.task, {})[run.seed] = f1
            bases[row] = run.base
    return Results({row: tasks for row, tasks in scores.items() if tasks}, bases)


def _add_tables(
    section: Section, results: Results, corpus: str, fraction: float, several: bool
) -> tuple[str, list[str]]:
    """Add the table and its tests; say which table it is, and what there is to say of daggers."""
    place = "" if corpus == EACH else f" on {corpus}"
    share = f", {fraction:g} of the target's training sentences" if several else ""
    number = sum(table.name.startswith("results") for table in section.tables) + 1
    tests = results.tests()
    daggers = results.daggers(tests)
    section.tables.append(_main_table(results, daggers, f"F1{place}{share}", f"results-{number}"))
    section.tables += _interval_table(
        results, f"95 % t intervals of the means{place}{share}", f"intervals-{number}"
    )
    if tests:
        table = _test_table(tests, f"Paired tests{place}{share}", f"tests-{number}")
        section.tables.append(table)
    return f"{place}{share}".lstrip(", "), list(_verdict(results, tests, daggers))


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
    return Table(name, caption, ["method", *map(column_name, columns)], rows)


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
            f"in {count} of {columns} task{'s' * (columns != 1)} there are too few pairs for a "
            f"dagger, whatever the scores: with {n} seed{'s' * (n != 1)} the least possible p is "
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
