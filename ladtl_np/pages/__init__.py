"""HTML pages that ask nothing of anybody: what they are made of, drawings, and the files beside.

`content` has sections with notes, tables and figures, `drawing` draws, `page` writes all into one
file.
"""

from ladtl_np.pages.content import Cell, Figure, Section, Table
from ladtl_np.pages.drawing.pen import Pen, require_libraries
from ladtl_np.pages.page import Page, extra_files, write_files

__all__ = [
    "Cell",
    "Figure",
    "Page",
    "Pen",
    "Section",
    "Table",
    "extra_files",
    "require_libraries",
    "write_files",
]
