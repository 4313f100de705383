"""When training has failed: numbers that are not finite, or a loss that no longer means anything.

A model that has learned nothing guesses, which costs log m for each token. A large learning rate
can push the loss far above that for some steps and still learn; training of the demo corpus with a
learning rate of 100 peaked at 80,000 times the first loss. At a million times the cost of guessing,
for several steps on end or in the last step, float32 has no digits left for what a tag is worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.errors import DivergedError
from ladtl_np.model.network import Network
from ladtl_np.objective import LossTerms
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.options.objective_options import ObjectiveOptions
from ladtl_np.options.parts import AdaGradOptions

__all__ = ["MEANINGLESS", "STEPS", "Taken", "Watch", "advised", "guessing"]

MEANINGLESS = 1e6
"""Times the loss of guessing from which a loss means nothing."""

STEPS = 10
"""Steps on end that such a loss may last."""

LISTED = 50  # sentences of either domain whose lines a message names


class Taken(NamedTuple):
    """The sentences of one domain in a mini-batch, and the name of their corpus."""

    name: str
    sentences: Sequence[EncodedSentence]


class Watch:
    """Looks at every step of one training, and raises `DivergedError` where it has failed.

    Parameters
    ----------
    options
        Weights of the terms: a weight above 1 raises what a loss may be.
    tags
        Tags of the larger tag set.

    Attributes
    ----------
    meaningless
        Steps on end, up to the last one, whose loss meant nothing.
    """

    def __init__(self, options: ObjectiveOptions, tags: int) -> None:
        weights = options.largest("w_mmd"), options.largest("w_param"), options.w_reg
        self.weight = max(1.0, *weights)
        self.tags, self.meaningless = tags, 0
        self._said = ""

    def step(
        self, number: int, terms: LossTerms, norm: float, rate: float, taken: Sequence[Taken]
    ) -> None:
        """Check a step before its update.

        Parameters
        ----------
        number
            Of the step.
        terms, norm
            Its loss and the norm of its gradient.
        rate
            Learning rate.
        taken
            The sentences of the mini-batch.
        """
        finite = math.isfinite(terms.total) and math.isfinite(norm)
        sentences = [sentence for part in taken for sentence in part.sentences]
        most = MEANINGLESS * self.weight * guessing(sentences, self.tags)
        self.meaningless = 0 if finite and terms.total <= most else self.meaningless + 1
        if finite and not self.meaningless:
            return
        self._said = (
            f"step {number} diverged: loss {terms.total:g}, gradient norm {norm:g}, learning rate "
            f"{rate:g}, {terms}; sentences of the mini-batch: {_places(taken)}"
        )
        if not finite:
            raise DivergedError(self._said)
        if self.meaningless >= STEPS:
            raise DivergedError(f"{self._said}; guessing would cost less, {STEPS} steps on end")

    def updated(self, number: int, network: Network, rate: float) -> None:
        """Check the dense weights after an update; this costs one product of them."""
        flat = network.weights.flat
        # a sum of squares that overflows is no proof, but the cheapest hint
        if math.isfinite(float(flat @ flat)) or np.isfinite(flat).all():
            return
        raise DivergedError(
            f"step {number} diverged: its update, with learning rate {rate:g}, left weights that "
            f"are not finite: {', '.join(_bad(network))}"
        )

    def evaluated(self, number: int, network: Network, *, last: bool) -> None:
        """Check everything before a model is scored and kept.

        Parameters
        ----------
        number
            Steps done.
        network
            The model.
        last
            Whether training ends here: then no loss without a meaning may stand.
        """
        if bad := _bad(network):
            raise DivergedError(
                f"step {number} diverged: weights that are not finite: {', '.join(bad)}"
            )
        if last and self.meaningless:
            raise DivergedError(f"{self._said}; guessing would cost less, when training ended")


def advised(error: DivergedError, best: int | None, options: AdaGradOptions) -> DivergedError:
    """The error with what is kept, the model of step `best` or none, and what to try."""
    kept = "There is no earlier model" if best is None else f"The model of step {best} is kept"
    clip = "" if options.clip_norm else ", or optimizer.clip_norm=5"
    return DivergedError(f"{error}. {kept}. Try a smaller optimizer.learning_rate{clip}")


def guessing(sentences: Sequence[EncodedSentence], tags: int) -> float:
    """Mean loss of a sentence whose tags are drawn at random, and never less than 1."""
    tokens = sum(sentence.words.size for sentence in sentences)
    return 1.0 + tokens / max(len(sentences), 1) * math.log(tags)


def _bad(network: Network) -> list[str]:
    """Names of the parameters that are not finite."""
    return [name for name, array in network.named().items() if not np.isfinite(array).all()]


def _places(taken: Sequence[Taken]) -> str:
    """File and lines of the sentences, never their text."""
    told = []
    for name, sentences in taken:
        if sentences:
            lines = [str(sentence.line) for sentence in sentences[:LISTED]]
            more = f" and {len(sentences) - LISTED} more" if len(sentences) > LISTED else ""
            told.append(f"{name}: lines {', '.join(lines)}{more}")
    return "; ".join(told)
