"""Calibration for people: a table of types, and the bins of a reliability diagram as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ladtl_np.printable import LONG, shown
from ladtl_np.scoring.calibration import WANTED_PRECISION, Calibration

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["bin_lines", "calibration_table"]

_NUMBERS = ("gold", "predicted", "mean p", "right", "ECE", "Brier", "kept", "recall", "from p")


def calibration_table(found: Mapping[str, Calibration], title: str) -> Table:
    """A row for each type, and one for all; per cent, but of the Brier score."""
    from rich import box
    from rich.table import Table

    wanted = f"the last three: as many as have a precision of {100 * WANTED_PRECISION:g} %"
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, title=title, caption=wanted)
    table.add_column("type", overflow="fold")
    for name in _NUMBERS:
        table.add_column(name, justify="right")
    for kind, numbers in sorted(found.items(), key=lambda item: (item[0] == "", item[0])):
        table.add_row(shown(kind, LONG) if kind else "overall", *_cells(numbers))
    return table


def _cells(of: Calibration) -> Iterator[str]:
    yield from (f"{of.gold:,}", f"{of.predicted:,}")
    yield from (f"{100 * x:.2f}" for x in (of.mean, of.precision, of.ece))
    yield f"{of.brier:.4f}"
    at = of.at_precision
    if at is None:
        yield from ("0.00", "0.00", "-")
    else:
        yield from (f"{100 * at.share:.2f}", f"{100 * at.recall:.2f}", f"{100 * at.least:.2f}")


def bin_lines(of: Calibration) -> Iterator[str]:
    """How often entities of like probability are right."""
    yield "  probability     entities    mean   right"
    for one in of.bins:
        if one.entities:
            told = f"{100 * one.probability:7.2f} {100 * one.right:7.2f}"
            yield f"  {100 * one.least:3.0f} to {100 * one.most:3.0f} % {one.entities:11,} {told}"
