"""What an audit found: lines that passed or failed, tables, and what can be drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ladtl_np.pages.content import Cell, Figure, Section, Table, visible
from ladtl_np.pages.drawing.pen import Pen

__all__ = ["TOLERANCE", "Audit", "Line", "Tell", "Verdict", "held", "noted", "steps_of"]

TOLERANCE = 1e-6
"""Largest relative error that passes, where nothing else is chosen."""

Verdict = Literal["passed", "failed", "noted"]

Tell = Callable[[int, int], None]
"""Told how much is done, and of how much, while a check is at work."""


def steps_of(tell: Tell | None, total: int) -> Callable[[], None]:
    """A step of the progress, one more at each call, never beyond the end."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if tell is not None:
            tell(min(done, total), total)

    return step


class Line(NamedTuple):
    """One check: what was looked at, what was found and what was wanted.

    `noted` is for what is no right or wrong: something to know, or a check that could not be made.
    """

    check: str
    found: str
    wanted: str
    verdict: Verdict
    detail: str = ""  # where it was found, or why it could not be checked


def held(check: str, error: float, tolerance: float, detail: str = "") -> Line:
    """A line for an error that must not be above a tolerance; NaN is."""
    verdict: Verdict = "passed" if error <= tolerance else "failed"
    return Line(check, f"{error:.2g}", f"at most {tolerance:.2g}", verdict, detail)


def noted(check: str, found: str, detail: str = "") -> Line:
    """A line that neither passes nor fails."""
    return Line(check, found, "", "noted", detail)


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that one audit found.

    Attributes
    ----------
    key
        Its name, as of its command: ``gradients``.
    title
        Heading of its part of a page.
    lines
        A line for each check; the audit has passed if none has failed.
    notes
        Sentences that say what was compared with what, and on what.
    tables
        Numbers beyond the lines.
    draw
        Makes the figures; called only where a page is wanted, because it needs matplotlib.
    numbers
        Plain values for JSON beyond lines and tables.
    """

    key: str
    title: str
    lines: list[Line]
    notes: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    draw: Callable[[Pen], list[Figure]] | None = None
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether no line has failed."""
        return all(line.verdict != "failed" for line in self.lines)

    @property
    def summary(self) -> str:
        """How many lines passed, failed and are noted, in words."""
        told = [f"{self.count('passed'):,} passed", f"{self.count('failed'):,} failed"]
        noted = self.count("noted")
        return ", ".join([*told, *([f"{noted:,} noted"] if noted else [])])

    def count(self, verdict: Verdict) -> int:
        """How many lines have a verdict."""
        return sum(line.verdict == verdict for line in self.lines)

    def table(self) -> Table:
        """The lines as a table, those that failed first; where they are if any of them says it."""
        order: dict[Verdict, int] = {"failed": 0, "passed": 1, "noted": 2}
        lines = sorted(self.lines, key=lambda line: order[line.verdict])
        told = any(line.detail for line in lines)
        rows = [
            [Cell(text, best=text == "failed") for text in (line.check, line.verdict, *line[1:3])]
            + [Cell(line.detail)] * told
            for line in lines
        ]
        header = ["check", "verdict", "found", "wanted", *["where"] * told]
        caption = f"{self.title}: {self.summary}"
        return Table(f"audit-{self.key}", caption, header, rows, names=len(header))

    def section(self, pen: Pen) -> Section:
        """The audit as a part of a page, with its figures."""
        figures = [] if self.draw is None else self.draw(pen)
        tables = [self.table(), *self.tables]
        return Section(self.key, self.title, list(self.notes), tables, figures)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "audit": self.key,
            "title": self.title,
            "passed": self.passed,
            "notes": [visible(note) for note in self.notes],
            "lines": [{k: visible(v) for k, v in line._asdict().items()} for line in self.lines],
            "tables": [table.to_json() for table in self.tables],
            "numbers": self.numbers,
        }

    def __str__(self) -> str:
        lines = [f"{self.title}: {self.summary}"]
        for line in self.lines:
            wanted = f", wanted {line.wanted}" if line.wanted else ""
            detail = f" ({line.detail})" if line.detail else ""
            lines.append(visible(f"  {line.verdict:6} {line.check}: {line.found}{wanted}{detail}"))
        return "\n".join(lines)
