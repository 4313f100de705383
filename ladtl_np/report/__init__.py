"""One page on what many runs have shown: tables, figures, and where the numbers come from.

`study` finds out which run is what, `sections` has a module for each section
that makes its notes, tables and figures (`content`), `drawing` draws, and `page` puts all into one
file. The page holds labels, counts and file names, and no text of any corpus but the terms that the
user lists.
"""

from ladtl_np.report.content import Cell, Figure, Section, Table
from ladtl_np.report.drawing.pen import require_libraries
from ladtl_np.report.page import Report, build_report, extra_files, write_files
from ladtl_np.report.study import Study, study_of
from ladtl_np.report.term_list import Term, read_terms

__all__ = [
    "Cell",
    "Figure",
    "Report",
    "Section",
    "Study",
    "Table",
    "Term",
    "build_report",
    "extra_files",
    "read_terms",
    "require_libraries",
    "study_of",
    "write_files",
]
