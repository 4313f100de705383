"""A report as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ladtl_np.bench.results import Change, Report, Row
from ladtl_np.bench.table import (
    Grid,
    beside,
    change_line,
    machine_lines,
    main_table,
    missing_peer,
    peers_table,
    quartiles,
    set_lines,
)

__all__ = ["markdown"]

_TOLD = "Written by `ladtl bench --markdown`. What is measured, and how, stands in"
_SHARE = """\
*Of peak* is the share of the best float32 product that was seen with this instruction set and as
many threads; of parts whose rate is in GB/s, the share of the fastest copy or sum over as much
memory. *Ratio* is the usual peer's time over ours, the first in the table of peers; beside *best
peer* stands the fastest one's in float32."""


def markdown(report: Report, compared: Sequence[Change] = ()) -> str:
    """Build a page of its own: the machine, the tables, and what changed."""
    lines = ["# Benchmarks", "", f"{_TOLD} [benchmarks](../benchmarks.md).", ""]
    lines += [f"* {line}" for line in machine_lines(report)]
    lines += ["", _SHARE]
    if missing_peer(report):
        lines += ["", missing_peer(report)]
    if len(report.sets) > 1:
        lines += ["", "## Instruction sets beside each other", "", *_grid(beside(report))]
    for name, found in report.sets.items():
        rows = [row for row in report.rows if row.isa == name]
        lines += ["", f"## {name}", "", *(f"* {line}" for line in set_lines(name, found))]
        lines += ["", *_grid(_with_quartiles(rows))]
        if any(row.peers for row in rows):
            lines += ["", f"### Peers, {name}", "", *_grid(peers_table(rows))]
    if compared:
        lines += ["", "## Since the earlier report", ""]
        lines += [f"* {change_line(change)}" for change in compared]
    return "\n".join(lines) + "\n"


def _with_quartiles(rows: Sequence[Row]) -> Grid:
    table = main_table(rows)
    cells = [(*told, quartiles(row.ours)) for told, row in zip(table.rows, rows, strict=True)]
    return Grid((*table.headings, "quartiles"), cells)


def _grid(table: Grid) -> Iterator[str]:
    yield _line(table.headings)
    yield _line("--:" if table.right_aligned(heading) else "---" for heading in table.headings)
    yield from (_line(row) for row in table.rows)


def _line(values: Iterable[str]) -> str:
    return "| " + " | ".join(value.replace("\n", "; ") for value in values) + " |"
