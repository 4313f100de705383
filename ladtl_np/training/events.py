"""What a training tells while it runs: its steps, and its evaluations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ladtl_np.objective import LossTerms, TermWeights
from ladtl_np.scoring import Scores

__all__ = ["Evaluation", "Stage", "Step"]

Stage = Literal["source", "target"]


@dataclass(frozen=True, slots=True)
class Step:
    """One mini-batch done.

    Attributes
    ----------
    step, steps
        Number of this mini-batch, and of how many at most.
    terms, gradient_norm
        The loss, and the global norm of its gradient before it is cut.
    tokens, seconds
        Size of the mini-batch, and time for it.
    stage
        Whose model is trained: ``source`` in the first of two stages, else ``target``.
    """

    step: int
    steps: int
    terms: LossTerms
    gradient_norm: float
    tokens: int
    seconds: float
    stage: Stage = "target"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The model after some steps, against the development data.

    Attributes
    ----------
    step, epoch
        Steps done, and passes over the larger training set.
    terms
        Means over the steps since the evaluation before.
    weights
        What the terms of the last step were multiplied by.
    gradient_norm
        Mean global norm of the gradients over the same steps.
    learning_rate
        Of the next step.
    scores
        On the development data; None where there is none.
    best
        Whether this is the best model so far; it is the last one where there is no such data.
    seconds
        Training time since the start, evaluations included.
    tokens_per_second
        Of the training steps since the evaluation before.
    stage
        As for `Step`; only the target's stage has scores.
    """

    step: int
    epoch: float
    terms: LossTerms
    weights: TermWeights
    gradient_norm: float
    learning_rate: float
    scores: Scores | None
    best: bool
    seconds: float
    tokens_per_second: float
    stage: Stage = "target"
