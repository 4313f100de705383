"""Whether probabilities hold: a reliability diagram, and its numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.pages.drawing.figures import LinePanel, band_of, lines
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.report.calibrations import Calibrated, Numbers
from ladtl_np.scoring.calibration import WANTED_PRECISION

__all__ = ["calibration_section"]

_DIAGONAL = "as probable as right"
_HEADER = ["gold", "predicted", "mean p", "right", "ECE", "Brier", "kept", "recall", "from p"]


def calibration_section(found: Sequence[Calibrated], pen: Pen) -> Section:
    """A panel for each file, a line for each model, and a table of types."""
    section = Section("calibration", "Whether probabilities hold")
    panels: list[LinePanel] = []
    points: list[list[Cell]] = []
    rows: list[list[Cell]] = []
    labels = _labels(list(dict.fromkeys(one.model for one in found)))
    for gold in dict.fromkeys(one.gold for one in found):
        panel = LinePanel(os.path.basename(gold))
        panel.lines[_DIAGONAL] = band_of({0.0: [0.0], 100.0: [100.0]})
        for one in found:
            if one.gold != gold:
                continue
            bins = one.calibration.overall.filled()
            if bins:
                values = {100 * each.probability: [100 * each.right] for each in bins}
                panel.lines[labels[one.model]] = band_of(values)
            for each in bins:
                told = f"{100 * each.probability:.2f}", f"{100 * each.right:.2f}"
                points.append(_cells(gold, one.model, *told, f"{each.entities:,.0f}"))
            rows += _rows(one)
        panels.append(panel)
    caption = (
        "Share of the predicted entities that are right, by their mean probability, in bins of ten "
        "per cent; below the diagonal a model is too sure."
    )
    name, x, y = "reliability", "mean probability in per cent", "right in per cent"
    section.figures.append(lines(pen, name, caption, panels, x=x, y=y))
    header = ["file", "model", "mean p", "right", "entities"]
    section.tables.append(Table(name, caption, header, points, names=2, folded=True))
    caption = (
        "Per cent, but for the Brier score. ECE is the expected calibration error; the last three "
        f"are of as many entities as have a precision of {100 * WANTED_PRECISION:g} %."
    )
    header = ["file", "model", "type", *_HEADER]
    section.tables.append(Table("calibration", caption, header, rows, names=3))
    return section


def _labels(models: Sequence[str]) -> dict[str, str]:
    """Names of models without the folders that all are in."""
    if len(models) == 1:
        return {models[0]: os.path.basename(models[0])}
    folder = os.path.commonpath([os.path.dirname(os.path.abspath(model)) for model in models])
    return {model: os.path.relpath(model, folder) for model in models}


def _rows(one: Calibrated) -> Iterator[list[Cell]]:
    """All entities, and those of each type."""
    yield _cells(one.gold, one.model, "all", *_numbers(one.calibration.overall))
    for kind, numbers in one.calibration.types.items():
        yield _cells(one.gold, one.model, kind, *_numbers(numbers))


def _numbers(of: Numbers) -> Iterator[str]:
    yield from (f"{of.gold:,}", f"{of.predicted:,}")
    yield from (f"{100 * x:.2f}" for x in (of.mean_probability, of.precision, of.ece))
    yield f"{of.brier:.4f}"
    at = of.kept()
    kept = (0.0, 0.0, 0.0) if at is None else (at.share, at.recall, at.least)
    yield from (f"{100 * x:.2f}" for x in kept)


def _cells(*texts: str) -> list[Cell]:
    return [Cell(text) for text in texts]
