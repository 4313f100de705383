"""Scores of single entity types, two methods side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from ladtl_np.errors import UsageError
from ladtl_np.pages.content import Cell, Section, Table, visible
from ladtl_np.pages.drawing.figures import gains
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.report.scores import OURS
from ladtl_np.report.study import Study, StudyRun

__all__ = ["contrasted", "label_section", "type_scores"]

JOINT = "joint-training"


def contrasted(study: Study, wanted: Sequence[str] = ()) -> list[str]:
    """Choose the two methods that the page looks at closely, or one where there is no other.

    These are la-dtl and joint-training where they are there; otherwise those with the best means.

    Raises
    ------
    UsageError
        If a wanted method is not there.
    """
    for method in wanted:
        if method not in study.methods:
            known = ", ".join(map(visible, study.methods))
            raise UsageError(f"no run has the method {visible(method)!r}; there are: {known}")
    if wanted:
        return list(wanted)
    means = {method: _mean(study, method) for method in study.methods}
    finished = [method for method, mean in means.items() if mean is not None]
    order = sorted(finished, key=lambda method: -(means[method] or 0))
    order.sort(key=lambda method: {OURS: 0, JOINT: 1}.get(_base(study, method), 2))
    return order[:2]


def _mean(study: Study, method: str) -> float | None:
    """Mean F1 over everything that a method was scored on, None if no run has finished."""
    corpora = study.corpora()
    runs = [run for run in study.runs if run.method == method]
    scores = [f1 for corpus in corpora for run in runs if (f1 := run.f1(corpus)) is not None]
    return fmean(scores) if scores else None


def label_section(study: Study, pen: Pen, methods: Sequence[str]) -> Section:
    """F1 of each entity type under two methods, and the gain; also the gain over joint training."""
    section = Section("labels", "F1 by entity type")
    if len(methods) < 2:
        section.missing = "it compares two methods, and there are no scores of two."
        return section
    for number, place in enumerate(study.places(), 1):
        _add_labels(section, study, pen, methods, place, f"labels-{number}")
    if not section.tables:
        section.missing = f"no task has scores by type for both {methods[0]} and {methods[1]}."
    return section


def _add_labels(
    section: Section,
    study: Study,
    pen: Pen,
    methods: Sequence[str],
    place: tuple[str, float, str],
    name: str,
) -> None:
    corpus, fraction, where = place
    others = [m for m in study.methods if m not in methods and _base(study, m) == JOINT][:1]
    compared = [*methods, *others]
    panels: dict[str, list[tuple[str, float, float]]] = {}
    rows: list[list[Cell]] = []
    for task in study.tasks:
        runs = study.members(fraction, task)
        found = [type_scores(study, runs, method, corpus) for method in compared]
        if not (found[0] and found[1]):
            continue
        kinds = [kind for kind in found[0] if kind in found[1]]
        kinds.sort(key=lambda kind: (found[1][kind][1] - found[0][kind][1], kind))
        panels[task] = [(kind, found[0][kind][1], found[1][kind][1]) for kind in kinds]
        for kind in kinds:
            gold, f1 = found[0][kind]
            cells = [task, kind, f"{gold:g}", f"{f1:.2f}", f"{found[1][kind][1]:.2f}"]
            for scores in found[1:]:
                cells.append(f"{f1 - scores[kind][1]:+.2f}" if kind in scores else "–")
            rows.append([Cell(cell) for cell in cells])
    if not rows:
        return
    first, second = methods
    caption = (
        f"F1 of each entity type{where}, {first} and {second}, means over the seeds; types "
        f"with the largest gain of {first} come first."
    )
    section.figures.append(gains(pen, name, caption, panels, (first, second)))
    header = ["task", "type", "gold", first, second, *(f"gain over {m}" for m in compared[1:])]
    section.tables.append(Table(name, caption, header, rows, names=2, folded=True))


def _base(study: Study, method: str) -> str:
    return next(run.base for run in study.runs if run.method == method)


def type_scores(
    study: Study, runs: Sequence[StudyRun], method: str, corpus: str
) -> dict[str, tuple[float, float]]:
    """Mean gold count, and mean F1 in per cent, of each type over a method's runs.

    A type that a run neither has nor predicts counts in the other runs alone.
    """
    values: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for run in runs:
        name = run.corpus(corpus)
        if run.method == method and study.row(run) == method and name is not None:
            for kind, counts in run.run.results[name].conlleval.per_type.items():
                values[kind].append((counts.gold, 100 * counts.f1))
    return {
        kind: (fmean(gold for gold, _ in found), fmean(f1 for _, f1 in found))
        for kind, found in values.items()
    }
