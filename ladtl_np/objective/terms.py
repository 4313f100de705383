"""What the objective is made of: weights of its terms, their values, their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ladtl_np.arrays.parameters import Parameters, RowGradient
from ladtl_np.layers.random_features import Sketch
from ladtl_np.options.objective_options import ObjectiveOptions
from ladtl_np.options.schedules import parse_schedule
from ladtl_np.shapes import Floats, Integers

__all__ = ["Gradients", "LossTerms", "Objective", "SourceTie", "TermWeights"]


class SourceTie(NamedTuple):
    """How a source is tied to the target.

    Attributes
    ----------
    matched
        (M,) source tags and (M,) target tags that mean the same.
    label_weights
        (M,) the paper's mu, which ``options.exclude_tags`` sets to 0; such a tag is left out. None
        is all ones.
    share
        What this source's terms count among those of all sources; the shares sum to 1.
    """

    matched: tuple[Integers, Integers]
    label_weights: Floats | None = None
    share: float = 1.0


class TermWeights(NamedTuple):
    """Weights of the terms in one step; a term with weight 0 is not computed."""

    source_share: float  # epsilon of the paper
    w_mmd: float  # alpha
    w_param: float  # beta
    w_reg: float  # gamma


@dataclass(frozen=True, slots=True)
class Objective:
    """What one mini-batch is trained on: the options, and what their names mean in its numbers.

    Attributes
    ----------
    options
        Weights of the terms, or their schedules, and how they are computed. What the method does
        not have has the weight 0.
    ties
        Of each source to the target; none where there is no source. A batch of the target alone is
        held to none of them.
    label_aware
        One MMD per source and matched tag, Eq. (5); else one per source over all tokens.
    frozen
        Names of parameters that receive no gradient.
    progress
        Place in the run, from 0 to 1, at which schedules are read.
    frequencies
        (F, 2H) of the random features, fixed for the run; None where the MMD is exact.
    sketches
        Of the rows of each matched tag of sources that have no sentences, one source after the
        other; None for a tag without.
    """

    options: ObjectiveOptions
    ties: tuple[SourceTie, ...]
    label_aware: bool
    frozen: tuple[str, ...]
    progress: float = 0.0
    frequencies: Floats | None = field(default=None, compare=False, repr=False)
    sketches: tuple[Sketch | None, ...] = field(default=(), compare=False, repr=False)

    @property
    def weights(self) -> TermWeights:
        """Of the terms, at this place in the run."""
        options = self.options
        scheduled = (options.source_share, options.w_mmd, options.w_param)
        share, w_mmd, w_param = (parse_schedule(value).at(self.progress) for value in scheduled)
        return TermWeights(share, w_mmd, w_param, options.w_reg)

    @property
    def written_weights(self) -> dict[str, float | str]:
        """Numbers, and schedules as they were written."""
        return {name: getattr(self.options, name) for name in TermWeights._fields}

    def at(self, progress: float) -> Objective:
        """The same at another place in the run; itself where no weight changes."""
        options = self.options
        scheduled = (options.source_share, options.w_mmd, options.w_param)
        varies = any(parse_schedule(value).varies for value in scheduled)
        return replace(self, progress=progress) if varies else self

    @classmethod
    def la_dtl(
        cls, *matched: tuple[Integers, Integers], shares: Sequence[float] = (), **options: Any
    ) -> Objective:
        """La-DTL's objective: an MMD for each matched tag, all of weight 1, nothing frozen.

        Parameters
        ----------
        *matched
            Tags of each source that match, as in `SourceTie`.
        shares
            Of the sources, summing to 1; by default equal.
        **options
            Options of `ObjectiveOptions` that differ from their defaults.
        """
        counts = shares or [1.0 / len(matched)] * len(matched)
        ties = (SourceTie(tags, None, share) for tags, share in zip(matched, counts, strict=True))
        return cls(ObjectiveOptions(**options), tuple(ties), label_aware=True, frozen=())

    @property
    def matched(self) -> tuple[Integers, Integers]:
        """Matched tags of the only source, or of the first; none where the target is alone."""
        none = np.zeros(0, dtype=np.int64)
        return self.ties[0].matched if self.ties else (none, none)

    @property
    def label_weights(self) -> Floats | None:
        """The paper's mu of the tags in `matched`."""
        return self.ties[0].label_weights if self.ties else None

    def alone(self, number: int) -> Objective:
        """The same with one of several sources only."""
        ties = self.ties[number : number + 1]
        return replace(self, ties=tuple(tie._replace(share=1.0) for tie in ties))

    def exact(self) -> Objective:
        """The same with the MMD over all pairs of rows, and no side of it a constant."""
        frozen = () if self.sketches else self.frozen
        return replace(self, frequencies=None, sketches=(), frozen=frozen)

    def tied(self, number: int = 0, **changes: Any) -> Objective:
        """The same with another tie of one source, such as ``matched=...``."""
        ties = list(self.ties)
        ties[number] = ties[number]._replace(**changes)
        return replace(self, ties=tuple(ties))

    def likelihood_shares(self, ties: Sequence[SourceTie]) -> list[float]:
        """What each domain's mean likelihood counts: epsilon by share, and 1 - epsilon."""
        epsilon = self.weights.source_share
        return [*(epsilon * tie.share for tie in ties), 1.0 - epsilon]

    def changed(self, **options: Any) -> Objective:
        """The same with other options, such as ``w_mmd=0.0`` to leave a term out."""
        return replace(self, options=msgspec.structs.replace(self.options, **options))


class LossTerms(NamedTuple):
    """The loss of one batch and its terms, before weighting; float64."""

    total: float
    source_nll: float  # mean over the batch's source sentences, each times its weight
    target_nll: float  # the same of the target's
    mmd: float  # L_LaMMD, Eq. (5)
    param: float  # L_p, sec. 4.4, or the exact divergence; of several sources all three by share
    reg: float  # L_r, sec. 4.2


class Gradients(NamedTuple):
    """Gradient of every parameter, the embedding table's by row."""

    weights: Parameters
    embedding: RowGradient
