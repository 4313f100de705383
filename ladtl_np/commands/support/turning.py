"""Tables that are too wide for a terminal, turned: a line for each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["fitting"]

FOLDING = 4
"""Columns up to which a table that is too wide folds its cells and stays readable."""


def fitting(table: Table, console: Console) -> Table:
    """The table itself, or turned where its columns would be cut: each row is a block of lines."""
    if len(table.columns) <= FOLDING:
        return table
    wanted = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    return table if wanted <= console.width else _turned(table)


def _turned(table: Table) -> Table:
    from rich.table import Table

    turned = Table(box=None, show_header=False, pad_edge=False)
    turned.title, turned.caption = table.title, table.caption
    turned.add_column(overflow="fold")
    turned.add_column(justify="right", overflow="fold")
    first, *others = table.columns
    rows = zip(first.cells, *(column.cells for column in others), strict=True)
    for name, *cells in rows:
        turned.add_row(Text.from_markup(name) if isinstance(name, str) else name, "", style="bold")
        for column, cell in zip(others, cells, strict=True):
            if cell != "":
                turned.add_row(Text(f"  {_heading(column.header)}"), cell)
    return turned


def _heading(header: object) -> str:
    return str(header).replace("-\n", "").replace("\n", " ")
