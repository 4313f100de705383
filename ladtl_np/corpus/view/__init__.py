"""Texts with marked entities as HTML: what ``tag --to html``, comparisons and reviews draw with."""

from ladtl_np.corpus.view.marks import LEVELS, Mark, level_of, marked, percent, safe
from ladtl_np.corpus.view.page import Palette, page_end, page_start, style_sheet

__all__ = [
    "LEVELS",
    "Mark",
    "Palette",
    "level_of",
    "marked",
    "page_end",
    "page_start",
    "percent",
    "safe",
    "style_sheet",
]
