"""Formats the cells of the book's pages as the code is formatted: `python docs/format_cells.py`."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["CELL", "formatted"]

DOCS = Path(__file__).parent
CELL = re.compile(r"(?ms)^(```\{code-cell\} python\n(?:---\n.*?^---\n)?)(.*?)(^```$)")
"""A cell: its opening with options, its code, its end."""


def formatted(page: str) -> str:
    """Format the code of each cell of a page's text."""
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name, f"{n:03}.py") for n, _ in enumerate(CELL.finditer(page))]
        for file, cell in zip(files, CELL.finditer(page), strict=True):
            file.write_text(cell[2], "utf-8")
        config = ["--config", str(DOCS.parent / "pyproject.toml"), "--no-cache", "-q"]
        subprocess.run([sys.executable, "-m", "ruff", "format", *config, name], check=True)
        codes = iter([file.read_text("utf-8") for file in files])
    return CELL.sub(lambda cell: cell[1] + next(codes) + cell[3], page)


if __name__ == "__main__":
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text("utf-8")
        if "_build" not in path.parts and CELL.search(text):
            path.write_text(formatted(text), "utf-8")
