"""What the objective is made of: weights of its terms, their values, their gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from ladtl_np.arrays.parameters import Parameters, RowGradient
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.shapes import Floats, Integers

__all__ = ["Gradients", "LossTerms", "Objective"]


@dataclass(frozen=True, slots=True)
class Objective:
    """Weights of the loss terms, and which tags of the two domains match.

    Attributes
    ----------
    matched
        (M,) source tags and (M,) target tags that mean the same.
    source_share
        The paper's epsilon: weight of the source's mean NLL; the target's is 1 - epsilon.
    w_mmd, w_param, w_reg
        The paper's alpha, beta and gamma. A term with weight 0 is not computed.
    label_aware
        One MMD per matched tag, Eq. (5); else a single one over all tokens.
    label_weights
        (M,) the paper's mu; a tag with weight 0 is left out. None is all ones.
    variances
        The Gaussians' variances s_q, or None for the median heuristic on each pair of samples.
    mmd_floor
        Least value of each label's squared MMD, absent labels included; a label below it sends
        back nothing. 0 is no floor.
    transfer
        What L_p is: ``l2``, the squared distance of the CRFs' parameters (sec. 4.4), or ``kl``, the
        mean exact divergence of their label distributions on the batch's sentences, which needs
        all tags matched.
    both_sides
        Whether the divergence sends gradients to the source's scores as well; else the source's
        distribution counts as a constant.
    frozen
        Names of parameters that receive no gradient.
    """

    matched: tuple[Integers, Integers]
    source_share: float = 0.3
    w_mmd: float = 0.02
    w_param: float = 0.03
    w_reg: float = 1e-4
    label_aware: bool = True
    label_weights: Floats | None = None
    variances: tuple[float, ...] | None = REFERENCE_VARIANCES
    mmd_floor: float = 0.0
    transfer: Literal["l2", "kl"] = "l2"
    both_sides: bool = False
    frozen: tuple[str, ...] = ()


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
