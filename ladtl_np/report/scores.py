"""F1 by method, task and seed: means, the best, and the tests behind the paper's daggers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ladtl_np.options.seeds import stream
from ladtl_np.report.study import Study, StudyRun
from ladtl_np.scoring.significance import LEVEL, PairedTest, Summary, mean_and_interval, paired_test

__all__ = ["AVERAGE", "BASELINES", "OURS", "Results", "Tested", "results_of"]

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
    updates, sentences
        Mini-batches of the runs of each row, of all stages, and the sentences in them, of both
        domains, where the manifests tell.
    """

    scores: Scores
    bases: Mapping[str, str]
    updates: Mapping[str, Sequence[int]] = field(default_factory=dict)
    sentences: Mapping[str, Sequence[int]] = field(default_factory=dict)

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
                    test = paired_test(*scores, rng=stream(0, "randomisation test"))
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


def results_of(study: Study, runs: Iterable[StudyRun], corpus: str) -> Results:
    """Collect the scores of runs of one fraction on one corpus."""
    scores: dict[str, dict[str, dict[int, float]]] = {row: {} for row in study.rows(runs)}
    bases: dict[str, str] = {}
    updates: dict[str, list[int]] = {}
    sentences: dict[str, list[int]] = {}
    for run in runs:
        row, f1 = study.row(run), run.f1(corpus)
        if row is not None and f1 is not None:
            scores[row].setdefault(run.task, {})[run.seed] = f1
            bases[row] = run.base
            told = run.run.manifest
            for counts, count in ((updates, told.updates), (sentences, told.sentences)):
                if count is not None:
                    counts.setdefault(row, []).append(count)
    kept = {row: tasks for row, tasks in scores.items() if tasks}
    return Results(kept, bases, updates, sentences)
