"""What a model does with one sentence: its lattice, its scores, its gates, and both its heads."""

from ladtl_np.audit.explain.explained import LONGEST
from ladtl_np.audit.explain.explanation import explain_sentence

__all__ = ["LONGEST", "explain_sentence"]
