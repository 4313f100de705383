"""Span precision, recall and F1, read in two ways side by side.

``conlleval`` reads tags as the script of the CoNLL shared tasks does: a tag that may not open an
entity opens one all the same. ``strict`` counts only the entities whose tags are legal in the
scheme. On legal tags the two are equal; `docs/scoring.md` shows where they part.
"""

from ladtl_np.scoring.compare import SEMANTICS, Semantics, TagSequences, score, sentence_counts
from ladtl_np.scoring.counts import Counts, Report, Scores, TypeScores
from ladtl_np.scoring.table import render

__all__ = [
    "SEMANTICS",
    "Counts",
    "Report",
    "Scores",
    "Semantics",
    "TagSequences",
    "TypeScores",
    "render",
    "score",
    "sentence_counts",
]
