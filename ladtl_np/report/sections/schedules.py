"""Weights of the loss's terms that change over a run."""

from __future__ import annotations

from ladtl_np.options.schedules import parse_schedule
from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.pages.drawing.figures import Band, LinePanel, lines
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.report.study import Study

__all__ = ["schedules_section"]

PLACES = 200
"""Shares of a run at which a schedule is drawn."""


def schedules_section(study: Study, pen: Pen) -> Section | None:
    """Each weight that some run changes, over the share of its steps; None without one."""
    panels: dict[str, LinePanel] = {}
    rows: dict[tuple[str, str, str], list[Cell]] = {}
    for run in study.runs:
        method = study.row(run)
        if method is None:  # a point that was not chosen
            continue
        for name, value in run.run.manifest.weights.items():
            schedule = parse_schedule(value)
            if not schedule.varies or (name, method, str(value)) in rows:
                continue
            shares = [place / PLACES for place in range(PLACES + 1)]
            values = [100 * schedule.at(share) for share in shares]
            panel = panels.setdefault(name, LinePanel(name))
            panel.lines[method] = Band(shares, values, values, values)
            rows[name, method, str(value)] = [Cell(name), Cell(method), Cell(str(value))]
    if not panels:
        return None
    section = Section("schedules", "Weights that change over a run")
    caption = "Weights of the loss over the share of the steps of a run's last stage."
    named = [panels[name] for name in sorted(panels)]
    section.figures.append(
        lines(pen, "schedules", caption, named, x="share", y="weight in per cent")
    )
    table = [rows[key] for key in sorted(rows)]
    section.tables.append(Table("schedules", caption, ["weight", "method", "schedule"], table, 3))
    return section
