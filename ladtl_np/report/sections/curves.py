"""Curves over training steps, over shares of the target, and over values of a grid."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.pages.drawing.figures import Band, LinePanel, band_of, lines
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.report.study import Point, Study, StudyRun, on_corpus, point_text
from ladtl_np.runs.manifest import DEV

__all__ = ["fraction_section", "grid_section", "learning_section"]

_Y = "F1 in per cent"
_BAND = "mean over the seeds, with its 95 % interval as a band where there are two or more"


def learning_section(study: Study, pen: Pen) -> Section:
    """Development F1 by updates, which count all stages, so that methods can be compared."""
    section = Section("learning", "Learning curves")
    for number, fraction in enumerate(study.fractions, 1):
        runs = [run for run in study.members(fraction) if run.run.learning]
        panels, rows = [], []
        for task in study.tasks:
            panel = LinePanel(task)
            for row in study.rows(runs):
                values: dict[float, list[float]] = defaultdict(list)
                for run in runs:
                    if (run.task, study.row(run)) == (task, row):
                        for updates, f1 in run.run.learning:
                            values[updates].append(100 * f1)
                if values:
                    panel.lines[row] = band_of(values)
                    panel.best[row] = _best(values)
                    rows += _band_rows([task, row], panel.lines[row], values)
            if panel.lines:
                panels.append(panel)
        if panels:
            share = study.of_target(fraction)
            caption = f"Development F1 by updates{share}: {_BAND}; a ring at the best mean."
            name = f"learning-{number}"
            section.figures.append(lines(pen, name, caption, panels, x="updates", y=f"dev {_Y}"))
            header = ["task", "method", "updates", *_BAND_HEADER]
            section.tables.append(Table(name, caption, header, rows, names=2, folded=True))
    if not section.figures:
        section.missing = "no run has development scores in its metrics.tsv."
    if rising := _rising(study):
        count = sum(rising.values())
        which = "; ".join(f"{row} ({n})" for row, n in rising.items())
        section.notes.append(
            f"In {count} of {len(study.runs)} runs the last evaluation was the best, so F1 may "
            f"still have been rising: {which}. More training.steps may give more."
        )
    used = [run.run.manifest.vectors for run in study.runs]
    if files := sorted({vectors.file.name for vectors in used if vectors is not None}):
        count = sum(vectors is not None for vectors in used)
        named = ", ".join(files)
        section.notes.append(f"Embeddings start from {named} in {count} of {len(used)} runs.")
    return section


def _best(values: dict[float, list[float]]) -> tuple[float, float]:
    """Where the mean is highest, the first of equals, among the places that most runs reach."""
    most = max(map(len, values.values()))
    means = {x: fmean(f1) for x, f1 in sorted(values.items()) if len(f1) == most}
    x = max(means, key=lambda place: means[place])
    return x, means[x]


def _rising(study: Study) -> Counter[str]:
    """Runs of each method whose manifest tells that F1 was best at the last step."""
    told = [
        run.method
        for run in study.runs
        if any(remark.kind == "still-improving" for remark in run.run.manifest.remarks)
    ]
    return Counter(told)


def fraction_section(study: Study, pen: Pen) -> Section:
    """F1 by share of the target's training sentences, as in Figure 4 (a)."""
    section = Section("fractions", "Shares of the target's training sentences")
    if len(study.fractions) < 2:
        section.missing = "all runs have the same share of the target's training sentences."
        return section
    for number, corpus in enumerate(study.corpora(), 1):
        panels, rows = [], []
        for task in study.tasks:
            runs = [run for run in study.runs if run.task == task]
            panel = LinePanel(task, places=True)
            for row in study.rows(runs):
                values = _values(
                    ((run.fraction, run) for run in runs if study.row(run) == row), corpus
                )
                if len(values) > 1:
                    panel.lines[row] = band_of(values)
                    rows += _band_rows([task, row], panel.lines[row], values)
            if panel.lines:
                panels.append(panel)
        if panels:
            caption = f"F1{on_corpus(corpus)} by share of the target's training sentences: {_BAND}."
            name = f"fractions-{number}"
            section.figures.append(lines(pen, name, caption, panels, x="share", y=_Y))
            header = ["task", "method", "share", *_BAND_HEADER]
            section.tables.append(Table(name, caption, header, rows, names=2, folded=True))
    if not section.figures:
        section.missing = "no method has scores at two shares of the same task."
    return section


def grid_section(study: Study, pen: Pen) -> Section:
    """F1 by the value of each option of a grid, as in Figure 5."""
    section = Section("grid", "Values of a grid")
    keys = sorted({key for run in study.runs for key, _ in run.point})
    if not keys:
        section.missing = "the runs of each method have the same options."
        return section
    for corpus in study.corpora():
        for fraction in study.fractions:
            runs = study.members(fraction)
            for key in keys:
                _add_grid(section, study, pen, key, runs, corpus)
    if section.figures:
        section.notes.append(
            "One option is varied at a time. The others of the grid stay where it was tried at the "
            "most values; where several points tell as much, at the one with the best mean "
            "development F1."
        )
    else:
        section.missing = "no option has scores at two values, the others being equal."
    return section


def _add_grid(
    section: Section, study: Study, pen: Pen, key: str, runs: list[StudyRun], corpus: str
) -> None:
    varied = sorted({repr(v): v for run in runs for k, v in run.point if k == key}.items())
    values = _in_order([value for _, value in varied])
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    panels, rows = [], []
    for task in study.tasks:
        panel = LinePanel(task, ticks=[] if numeric else [str(v) for v in values], places=True)
        for method in study.methods:
            found: list[tuple[float, StudyRun]] = []
            for run in _varied(key, [run for run in runs if run.method == method], study):
                if run.task == task:
                    value = dict(run.point)[key]
                    found.append((float(value if numeric else values.index(value)), run))
            scores = _values(found, corpus)
            if len(scores) > 1:
                panel.lines[method] = band_of(scores)
                names = None if numeric else [str(v) for v in values]
                rows += _band_rows([task, method], panel.lines[method], scores, names)
        if panel.lines:
            panels.append(panel)
    if panels:
        share = study.of_target(runs[0].fraction)
        caption = f"F1{on_corpus(corpus)} by {key}{share}: {_BAND}."
        name = f"grid-{len(section.figures) + 1}"
        section.figures.append(lines(pen, name, caption, panels, x=key, y=_Y))
        header = ["task", "method", key, *_BAND_HEADER]
        section.tables.append(Table(name, caption, header, rows, names=2, folded=True))


def _varied(key: str, runs: Sequence[StudyRun], study: Study) -> list[StudyRun]:
    """Runs of one method and share that differ in one option only; the most values of it decide."""
    groups: dict[str, list[StudyRun]] = defaultdict(list)
    for run in runs:
        if key in dict(run.point):
            groups[_without(run.point, key)].append(run)
    if not groups:
        return []
    chosen = study.chosen(runs[0].fraction, runs[0].method)

    def merits(rest: str) -> tuple[int, bool, float]:
        tried = len({run.point for run in groups[rest]})
        best = chosen is not None and rest == _without(chosen, key)
        scores = [f1 for run in groups[rest] if (f1 := run.f1(DEV)) is not None]
        return tried, best, fmean(scores) if scores else 0.0

    return groups[max(groups, key=merits)]


def _without(point: Point, key: str) -> str:
    return point_text(tuple(pair for pair in point if pair[0] != key))


def _in_order(values: list[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)


def _values(places: Iterable[tuple[float, StudyRun]], corpus: str) -> dict[float, list[float]]:
    values: dict[float, list[float]] = defaultdict(list)
    for place, run in places:
        f1 = run.f1(corpus)
        if f1 is not None:
            values[place].append(f1)
    return values


_BAND_HEADER = ["runs", "F1", "95 % from", "to"]


def _band_rows(
    lead: list[str],
    band: Band,
    values: dict[float, list[float]],
    names: list[str] | None = None,
) -> list[list[Cell]]:
    rows = []
    for x, mean, low, high in zip(*band, strict=True):
        place = f"{x:g}" if names is None else names[int(x)]
        bounds = ["–" if number != number else f"{number:.2f}" for number in (low, high)]
        cells = [*lead, place, str(len(values[x])), f"{mean:.2f}", *bounds]
        rows.append([Cell(cell) for cell in cells])
    return rows
