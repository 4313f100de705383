"""A mini-batch's loss and its whole gradient: a module for each part, `step` for all."""

from ladtl_np.objective.step import loss_and_gradients, loss_step, variances_of
from ladtl_np.objective.terms import Gradients, LossTerms, Objective, TermWeights

__all__ = [
    "Gradients",
    "LossTerms",
    "Objective",
    "TermWeights",
    "loss_and_gradients",
    "loss_step",
    "variances_of",
]
