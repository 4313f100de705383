"""What a page is made of: sections with notes, tables and figures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ladtl_np.printable import LONG, shown

__all__ = ["DAGGER", "Cell", "Figure", "Section", "Table", "visible"]

DAGGER = "†"
"""Characters of a name or command that are shown; only a hostile one is longer."""
_FORMULA = re.compile(r"[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?[\d.]+( ± [\d.]+)?( \(\d+\))?†?")


def visible(text: object) -> str:
    """Any value as text whose control and direction characters are escaped."""
    return shown(str(text), LONG)


class Cell(NamedTuple):
    """One cell of a table; the text is as it came, and is escaped where it is written."""

    text: str
    best: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a section.

    Attributes
    ----------
    name
        Of its TSV file, without suffix.
    caption
        What it shows.
    header
        One heading a column.
    rows
        Cells, or plain text, by row.
    names
        Leading columns that hold names; the others hold numbers.
    folded
        Whether the page shows it only when asked to.
    """

    name: str
    caption: str
    header: list[str]
    rows: list[list[Cell]]
    names: int = 1
    folded: bool = False

    def to_tsv(self) -> str:
        """Write the table as tab-separated values that no spreadsheet takes for formulas."""
        lines = [self.header, *([cell.text for cell in row] for row in self.rows)]
        return "".join("\t".join(map(_tsv_cell, line)) + "\n" for line in lines)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        rows = [[visible(cell.text) for cell in row] for row in self.rows]
        best = [
            [r, c] for r, row in enumerate(self.rows) for c, cell in enumerate(row) if cell.best
        ]
        header = [visible(text) for text in self.header]
        return {"name": self.name, "caption": visible(self.caption), "header": header} | {
            "rows": rows,
            "best": best,
        }


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing: `svg` for the page and a file, `png` for a file where it was asked for.

    `boxes` are names that no font here can write, so that the PNG has boxes in their place.
    """

    name: str
    caption: str
    svg: str
    png: bytes = b""
    boxes: tuple[str, ...] = ()


@dataclass(slots=True)
class Section:
    """A part of the page; `missing` says why it is left out, "" where it is not."""

    key: str
    title: str
    notes: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    missing: str = ""

    def tables_of(self, figure: Figure) -> list[Table]:
        """Tables with the numbers of a figure, told by their names."""
        return [t for t in self.tables if f"{t.name}-".startswith(f"{figure.name}-")]

    def other_tables(self) -> list[Table]:
        """Tables that belong to no figure."""
        drawn = [id(table) for figure in self.figures for table in self.tables_of(figure)]
        return [table for table in self.tables if id(table) not in drawn]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; figures by name."""
        return {
            "section": self.key,
            "title": self.title,
            "missing": visible(self.missing),
            "notes": [visible(note) for note in self.notes],
            "tables": [table.to_json() for table in self.tables],
            "figures": [{"name": f.name, "caption": visible(f.caption)} for f in self.figures],
        }


def _tsv_cell(text: str) -> str:
    plain = visible(text)
    return f"'{plain}" if _FORMULA.match(plain) and not _NUMBER.fullmatch(plain) else plain
