"""Simulated annotation: F1 by annotated tokens, and how many of them reach what."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.pages.drawing.figures import Band, LinePanel, band_of, lines
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.report.study import Study, on_corpus

__all__ = ["annotation_section", "tokens_to_reach"]

RANDOM, TENTH, ALL = "random", 0.1, 1.0
FEW = 0.6
"""Share of a random tenth's tokens that is few."""
_HOW = (
    "between two shares the mean F1 is taken for a straight line over the logarithm of the tokens, "
    "and the first place counts where it is reached"
)


@dataclass(slots=True)
class _Curve:
    """F1 and tokens of one task, method and strategy, by share."""

    f1: dict[float, list[float]] = field(default_factory=lambda: defaultdict(list))
    tokens: dict[float, list[int]] = field(default_factory=lambda: defaultdict(list))

    def points(self) -> list[tuple[float, float]]:
        """Mean tokens and mean F1 of each share."""
        return [(fmean(self.tokens[share]), fmean(self.f1[share])) for share in sorted(self.f1)]

    def band(self) -> Band:
        """Means and intervals over mean tokens."""
        return band_of({fmean(self.tokens[share]): self.f1[share] for share in sorted(self.f1)})


_Curves = dict[tuple[str, str], dict[str, _Curve]]
"""Curves by task and method, and by strategy."""


def annotation_section(study: Study, pen: Pen) -> Section:
    """F1 by annotated tokens of each strategy, and the tokens that reach a random tenth's F1."""
    section = Section("annotation", "Which sentences to annotate")
    for number, corpus in enumerate(study.corpora(), 1):
        curves = _curves(study, corpus)
        panels = [
            LinePanel(
                f"{task}, {method}",
                {name: of.band() for name, of in found.items()},
                logarithmic=True,
            )
            for (task, method), found in curves.items()
        ]
        if not panels:
            continue
        caption = f"F1{on_corpus(corpus)} by annotated tokens: mean over the seeds, with its 95 % "
        caption += "interval as a band where there are two or more."
        section.figures.append(
            lines(
                pen, f"annotation-{number}", caption, panels,
                x="annotated tokens", y="F1 in per cent",
            )
        )  # fmt: skip
        section.tables.append(_shares(curves, corpus, number, caption))
        section.tables.append(_reached(curves, corpus, number))
        section.notes += _few(curves, corpus)
    section.notes.append(
        "Every strategy starts with one random draw. Each share is trained on from scratch, and "
        "its best model chooses what is annotated next."
    )
    return section


def _curves(study: Study, corpus: str) -> _Curves:
    found: _Curves = {}
    for run in study.runs:
        f1 = run.f1(corpus)
        if run.strategy and f1 is not None:
            label = run.method.removesuffix(f", {run.strategy}")
            of = found.setdefault((run.task, label), {}).setdefault(run.strategy, _Curve())
            of.f1[run.fraction].append(f1)
            of.tokens[run.fraction].append(run.run.manifest.target_tokens_used)
    return found


def _shares(curves: _Curves, corpus: str, number: int, caption: str) -> Table:
    rows = [
        [Cell(text) for text in (
            task, method, strategy, f"{share:g}", f"{fmean(of.tokens[share]):.0f}",
            str(len(of.f1[share])), f"{fmean(of.f1[share]):.2f}",
        )]
        for (task, method), found in curves.items()
        for strategy, of in found.items()
        for share in sorted(of.f1)
    ]  # fmt: skip
    header = ["task", "method", "strategy", "share", "tokens", "runs", "F1"]
    return Table(f"annotation-{number}", caption, header, rows, names=3, folded=True)


def tokens_to_reach(points: Sequence[tuple[float, float]], f1: float) -> float | None:
    """Where a line through points (tokens, F1), straight over log tokens, first is as high.

    None if it never is. If the first point is as high, that is where it is known to be.
    """
    before: tuple[float, float] | None = None
    for tokens, found in points:
        if found >= f1:
            if before is None or found == before[1]:
                return tokens
            part = (f1 - before[1]) / (found - before[1])
            return math.exp(math.log(before[0]) + part * math.log(tokens / before[0]))
        before = tokens, found
    return None


def _goal(found: dict[str, _Curve], share: float) -> tuple[float, float] | None:
    """Tokens and F1 that are to be reached: those of a random draw of a share."""
    of = found.get(RANDOM)
    if of is None or share not in of.f1:
        return None
    return fmean(of.tokens[share]), fmean(of.f1[share])


def _reached(curves: _Curves, corpus: str, number: int) -> Table:
    rows = []
    for (task, method), found in curves.items():
        for strategy, of in found.items():
            row = [task, method, strategy]
            for share in (TENTH, ALL):
                row += _cells(of, _goal(found, share))
            rows.append([Cell(text) for text in row])
    header = ["task", "method", "strategy"]
    for name in ("random tenth", "all"):
        header += [f"F1 of {name}", "tokens to it", "% of its tokens"]
    caption = f"Annotated tokens that reach an F1{on_corpus(corpus)}: {_HOW}."
    return Table(f"annotation-reached-{number}", caption, header, rows, names=3)


def _cells(of: _Curve, goal: tuple[float, float] | None) -> list[str]:
    if goal is None:
        return ["–", "–", "–"]
    points = of.points()
    tokens = tokens_to_reach(points, goal[1])
    if tokens is None:
        return [f"{goal[1]:.2f}", "not reached", "–"]
    # the first share may have been more than enough
    most = "≤ " * (tokens == points[0][0])
    return [f"{goal[1]:.2f}", f"{most}{tokens:.0f}", f"{most}{100 * tokens / goal[0]:.0f}"]


def _few(curves: _Curves, corpus: str) -> list[str]:
    """For each method and strategy, on how many tasks few tokens are as good as a random tenth."""
    counts: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for (_, method), found in curves.items():
        goal = _goal(found, TENTH)
        for strategy, of in found.items():
            if goal is not None and strategy != RANDOM:
                tokens = tokens_to_reach(of.points(), goal[1])
                counts[method, strategy].append(tokens is not None and tokens <= FEW * goal[0])
    return [
        f"{method}, {strategy}: the F1 of a random tenth{on_corpus(corpus)} with at most "
        f"{100 * FEW:.0f} % of its tokens on {sum(few)} of {len(few)} tasks."
        for (method, strategy), few in counts.items()
    ]
