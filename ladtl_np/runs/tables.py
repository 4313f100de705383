"""Tab-separated tables with a heading, read back."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ladtl_np.corpus.documents import read_document
from ladtl_np.corpus.limits import TABLE_BYTES
from ladtl_np.errors import DataError, UsageError
from ladtl_np.printable import LONG, shown

__all__ = ["read_table"]


def read_table(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Read tab-separated values with a heading: line numbers and rows; none without a file.

    A last line without its line end is what a killed process left, and is not read.

    Raises
    ------
    DataError
        If it is no such table, or cannot be read.
    """
    if not os.path.lexists(path):
        return []
    try:
        *lines, _ = re.split("\r?\n", read_document(path, TABLE_BYTES))
    except UsageError as error:
        raise DataError(str(error)) from None
    if not lines:
        return []
    header = lines[0].split("\t")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(header):
            place = f"{shown(str(path), LONG)}:{number}"
            raise DataError(f"{place}: {len(cells)} cells under {len(header)} headings")
        rows.append((number, dict(zip(header, cells, strict=True))))
    return rows
