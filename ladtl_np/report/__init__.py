"""One page on what many runs have shown: tables, figures, and where the numbers come from.

`study` finds out which run is what, `sections` has a module for each section that makes its notes,
tables and figures, and `building` puts all on one page (`ladtl_np.pages`). It holds labels, counts
and file names, and no text of any corpus but the terms that the user lists or asks for.
"""

from ladtl_np.report.building import build_report
from ladtl_np.report.calibrations import read_calibrations
from ladtl_np.report.study import Study, study_of
from ladtl_np.report.term_list import Term, read_terms

__all__ = ["Study", "Term", "build_report", "read_calibrations", "read_terms", "study_of"]
