"""Which of several sources gave what: with all of them, without each one, and each alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.report.scores import Results, results_of
from ladtl_np.report.study import Study

__all__ = ["has_several", "source_rows", "sources_section"]

_NONE = "–"


class _Learned(NamedTuple):
    """The sources of a task and its target, by name."""

    sources: tuple[str, ...]
    target: str

    @classmethod
    def of(cls, task: str) -> _Learned:
        left, _, target = task.rpartition(" → ")
        return cls(tuple(part for part in left.split(" + ") if part), target)

    def among(self, tasks: Sequence[str]) -> str | None:
        """The task with these sources, in whatever order it names them."""
        for task in tasks:
            other = _Learned.of(task)
            if other.target == self.target and sorted(other.sources) == sorted(self.sources):
                return task
        return None

    def without(self, source: str) -> _Learned:
        return self._replace(sources=tuple(name for name in self.sources if name != source))


def has_several(study: Study) -> bool:
    """Whether any task has several sources."""
    return any(len(_Learned.of(task).sources) > 1 for task in study.tasks)


def sources_section(study: Study) -> Section:
    """A table for each test corpus and share: F1 with all sources, and what each of them gave."""
    section = Section("sources", "Sources")
    for number, (corpus, fraction, where) in enumerate(study.places(), 1):
        results = results_of(study, study.members(fraction), corpus)
        rows = list(source_rows(results))
        if rows:
            header = ["target", "method", "source", "all", "without it", "it gave", "it alone"]
            caption = f"F1 with all sources, without each one, and with each alone{where}"
            section.tables.append(Table(f"sources-{number}", caption, header, rows, names=3))
    if section.tables:
        section.notes.append(
            "F1 in per cent, means over the seeds that both have. All is the task with the most "
            "sources of its target; what a source gave is all minus without it. A task that the "
            "runs do not have is left open."
        )
    else:
        section.missing = "no run on several sources has scores."
    return section


def source_rows(results: Results) -> Iterator[list[Cell]]:
    """A row for each method, target and source, where a task of that target has several."""
    tasks: dict[str, list[str]] = {}
    for task in results.tasks():
        tasks.setdefault(_Learned.of(task).target, []).append(task)
    for of_target in tasks.values():
        most = max(of_target, key=lambda task: len(_Learned.of(task).sources))
        sources = _Learned.of(most).sources
        rows = [row for row, scores in results.scores.items() if most in scores]
        for row in rows if len(sources) > 1 else ():
            for source in sources:
                yield _row(results, row, most, source)


def _row(results: Results, row: str, most: str, source: str) -> list[Cell]:
    learned = _Learned.of(most)
    others = learned.without(source), _Learned((source,), learned.target)
    without, alone = (_means(results, row, most, each.among(results.tasks())) for each in others)
    every = fmean(results.scores[row][most].values())
    names = [Cell(text) for text in (learned.target, row, source)]
    gave = _NONE if without is None else f"{without[0] - without[1]:+.2f}"
    return [*names, Cell(f"{every:.2f}"), _cell(without), Cell(gave), _cell(alone)]


def _means(results: Results, row: str, task: str, other: str | None) -> tuple[float, float] | None:
    """Means of a row in two tasks over the seeds that both have."""
    one, two = (results.scores[row].get(name or "", {}) for name in (task, other))
    seeds = sorted(one.keys() & two.keys())
    if not seeds:
        return None
    return fmean(one[seed] for seed in seeds), fmean(two[seed] for seed in seeds)


def _cell(means: tuple[float, float] | None) -> Cell:
    return Cell(_NONE if means is None else f"{means[1]:.2f}")
