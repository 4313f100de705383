"""What the objective is made of: weights of its terms, their values, their gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec

from ladtl_np.arrays.parameters import Parameters, RowGradient
from ladtl_np.options.parts import ObjectiveOptions
from ladtl_np.shapes import Floats, Integers

__all__ = ["Gradients", "LossTerms", "Objective"]


@dataclass(frozen=True, slots=True)
class Objective:
    """What one mini-batch is trained on: the options, and what their names mean in its numbers.

    Attributes
    ----------
    options
        Weights of the terms and how they are computed. What the method does not have has the
        weight 0; a term with weight 0 is not computed.
    matched
        (M,) source tags and (M,) target tags that mean the same.
    label_aware
        One MMD per matched tag, Eq. (5); else a single one over all tokens.
    label_weights
        (M,) the paper's mu, which ``options.exclude_tags`` sets to 0; such a tag is left out. None
        is all ones.
    frozen
        Names of parameters that receive no gradient.
    """

    options: ObjectiveOptions
    matched: tuple[Integers, Integers]
    label_aware: bool
    label_weights: Floats | None
    frozen: tuple[str, ...]

    @classmethod
    def la_dtl(cls, matched: tuple[Integers, Integers], **options: Any) -> Objective:
        """La-DTL's objective: an MMD for each matched tag, all of weight 1, nothing frozen.

        Parameters
        ----------
        matched
            As above.
        **options
            Options of `ObjectiveOptions` that differ from their defaults.
        """
        given = ObjectiveOptions(**options)
        return cls(given, matched, label_aware=True, label_weights=None, frozen=())

    def changed(self, **options: Any) -> Objective:
        """The same with other options, such as ``w_mmd=0.0`` to leave a term out."""
        return replace(self, options=msgspec.structs.replace(self.options, **options))


class LossTerms(NamedTuple):
    """The loss of one batch and its terms, before weighting; float64."""

    total: float
    source_nll: float  # mean over the batch's source sentences, each times its weight
    target_nll: float  # the same of the target's
    mmd: float  # L_LaMMD, Eq. (5)
    param: float  # L_p, sec. 4.4, or the exact divergence
    reg: float  # L_r, sec. 4.2


class Gradients(NamedTuple):
    """Gradient of every parameter, the embedding table's by row."""

    weights: Parameters
    embedding: RowGradient
