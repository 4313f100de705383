"""Gain in F1 of each entity type against how far apart its hidden states were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from ladtl_np.corpus.schemes import split_tag
from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.pages.drawing.scatter import scatter
from ladtl_np.report.sections.labels import type_scores
from ladtl_np.report.study import Study, StudyRun

__all__ = ["discrepancy_section"]

_FEWEST = 4
"""Points from which on a rank correlation is told."""


class _Type(NamedTuple):
    task: str
    kind: str
    f1: tuple[float, float]  # of either method
    mmd: tuple[float, float]
    tokens: float  # of the smaller sample, mean over its tags and the first method's runs

    @property
    def gain(self) -> float:
        return self.f1[0] - self.f1[1]


def discrepancy_section(study: Study, pen: Pen, methods: Sequence[str]) -> Section:
    """MMD of each entity type under two methods, and the first one's gain over the second."""
    section = Section("discrepancy", "Gain against MMD")
    if len(methods) < 2:
        section.missing = "it compares two methods, and there are no scores of two."
        return section
    for number, (corpus, fraction, where) in enumerate(study.places(), 1):
        types = _types(study, methods, corpus, fraction)
        if types:
            _add(section, pen, methods, types, where, f"discrepancy-{number}")
    if section.tables:
        section.notes.insert(
            0,
            "MMD² of a type is the mean over its tags, between the hidden states that the best "
            "model gives the training tokens of both domains, under the 19 reference kernels. "
            "Samples of few tokens look further apart than they are; the smaller sample's size "
            "stands in the table.",
        )
    else:
        section.missing = (
            f"no task has runs of {methods[0]} and {methods[1]} that tell the MMD of each label."
        )
    return section


def _add(
    section: Section,
    pen: Pen,
    methods: Sequence[str],
    types: Sequence[_Type],
    where: str,
    name: str,
) -> None:
    first, second = methods
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for one in types:
        points[one.kind].append((one.mmd[1], one.gain))
    caption = (
        f"Gain in F1 of {first} over {second}{where} against the MMD² that {second} leaves: a "
        "point for each entity type and task, means over the seeds."
    )
    axes = {"x": f"MMD² under {second}", "y": "gain in F1"}
    section.figures.append(scatter(pen, name, caption, points, **axes))
    rows = []
    for one in types:
        mmd = [f"{one.mmd[1]:.3f}", f"{one.mmd[0]:.3f}", f"{one.mmd[0] - one.mmd[1]:+.3f}"]
        cells = [one.task, one.kind, f"{one.tokens:.0f}", *mmd, f"{one.gain:+.2f}"]
        rows.append([Cell(cell) for cell in cells])
    header = ["task", "type", "tokens", f"MMD² {second}", f"MMD² {first}", "change", "gain in F1"]
    section.tables.append(Table(name, caption, header, rows, names=2, folded=True))
    lead = where.lstrip(", ")
    note = _correlation(types, methods)
    note = f"{lead}: {note}" if lead else note
    section.notes.append(note[0].upper() + note[1:])


def _correlation(types: Sequence[_Type], methods: Sequence[str]) -> str:
    """Say whether types further apart gain more, by ranks."""
    lowered = sum(one.mmd[0] < one.mmd[1] for one in types)
    told = f"{methods[0]} leaves {lowered} of {len(types)} types closer than {methods[1]} does"
    apart, gains = [one.mmd[1] for one in types], [one.gain for one in types]
    if len(types) < _FEWEST or len(set(apart)) < 2 or len(set(gains)) < 2:
        return f"{told}."
    from scipy.stats import spearmanr  # slow to import, and --help needs none of it

    rho = float(spearmanr(apart, gains).statistic)
    return (
        f"{told}; the rank correlation of MMD² under {methods[1]} and the gain is {rho:+.2f} over "
        f"{len(types)} types and tasks, which are not independent of each other."
    )


def _types(study: Study, methods: Sequence[str], corpus: str, fraction: float) -> list[_Type]:
    """Types that both methods have scores and MMDs of, by task, the largest MMD first."""
    found = []
    for task in study.tasks:
        runs = study.members(fraction, task)
        scores = [type_scores(study, runs, method, corpus) for method in methods]
        apart = [_apart(study, runs, method) for method in methods]
        kinds = [kind for kind in scores[0] if all(kind in d for d in (scores[1], *apart))]
        of_task = [
            _Type(
                task,
                kind,
                (scores[0][kind][1], scores[1][kind][1]),
                (apart[0][kind][0], apart[1][kind][0]),
                apart[0][kind][1],
            )
            for kind in kinds
        ]
        found += sorted(of_task, key=lambda one: (-one.mmd[1], one.kind))
    return found


def _apart(study: Study, runs: Sequence[StudyRun], method: str) -> dict[str, tuple[float, float]]:
    """Mean MMD² and mean tokens of the smaller sample, by type of the target."""
    values: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for run in runs:
        if run.method == method and study.row(run) == method:
            for label in run.run.manifest.label_mmd:
                _, kind = split_tag(label.target)
                if kind:
                    fewer = min(label.source_tokens, label.target_tokens)
                    values[kind].append((label.mmd, fewer))
    return {
        kind: (fmean(mmd for mmd, _ in found), fmean(tokens for _, tokens in found))
        for kind, found in values.items()
    }
