"""Options of the loss: weights of its terms, and how these are computed."""

from __future__ import annotations

from typing import Literal

import msgspec

from ladtl_np.layers.mmd_variances import LARGEST_VARIANCE, REFERENCE_VARIANCES
from ladtl_np.options.ranges import require
from ladtl_np.options.schedules import parse_schedule

__all__ = ["ObjectiveOptions"]

MOST_FEATURES = 100_000
"""Frequencies with which even many rows would be compared sooner one by one."""


class ObjectiveOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weights of the loss terms (sec. 4.2).

    The first three are numbers, or schedules over `training.steps` such as ``"linear(0.9, 0)"``,
    ``"cosine(0.9, 0.1, 0.5)"``, which ends at half of the run, or ``"steps(1, 0.5: 0.3)"``.

    Attributes
    ----------
    source_share
        The paper's epsilon: weight of the source's likelihood; the target's is 1 - epsilon. A
        number or a schedule.
    w_mmd
        The paper's alpha: weight of the label-aware MMD. A number or a schedule.
    w_param
        The paper's beta: weight of the distance between the two CRFs' parameters. A number or a
        schedule.
    w_reg
        The paper's gamma: weight of the squared BiLSTM and CRF weights.
    kernel
        ``reference`` (the released code's 19 variances), ``median`` (the median heuristic), or a
        list of variances.
    mmd_estimator
        How the MMD is computed: ``exact``, over all pairs of rows; or by ``random-features``, in
        time linear in the rows, for labels with more than three rows for each frequency.
    mmd_features
        Frequencies of the random features, each of which gives a cosine and a sine for every
        Gaussian. 0 takes as many as hidden states have columns, 2 H.
    exclude_tags
        Tags of the source that the MMD leaves out, such as ``["O"]``.
    mmd_floor
        Least value of each label's squared MMD, absent labels included, as in the released code
        (1e-4); a label below it has no gradient. 0 is no floor.
    parameter_transfer
        What ties the two CRFs: ``l2`` (squared distance of their parameters, as in the paper) or
        ``kl`` (exact divergence of their label distributions; every tag must match).
    divergence_gradient
        Whom the exact divergence moves: the ``target`` alone, to which the source's distribution is
        a constant, or ``both``.
    """

    source_share: float | str = 0.3
    w_mmd: float | str = 0.02
    w_param: float | str = 0.03
    w_reg: float = 1e-4
    kernel: Literal["reference", "median"] | list[float] = "reference"
    mmd_estimator: Literal["exact", "random-features"] = "exact"
    mmd_features: int = 0
    exclude_tags: list[str] = []
    mmd_floor: float = 0.0
    parameter_transfer: Literal["l2", "kl"] = "l2"
    divergence_gradient: Literal["target", "both"] = "target"

    def __post_init__(self) -> None:
        shares = _schedule("source_share", self.source_share)
        require(
            min(shares) >= 0.0 and max(shares) <= 1.0 and shares != (1.0,) * len(shares),
            "source_share must lie in [0, 1), and in a schedule may be 1 for a part of the run, "
            f"got {self.source_share}",
        )
        require(
            0 <= self.mmd_features <= MOST_FEATURES,
            f"mmd_features must lie in [0, {MOST_FEATURES:,}], got {self.mmd_features}",
        )
        for name in ("w_mmd", "w_param", "w_reg", "mmd_floor"):
            value = getattr(self, name)
            require(min(_schedule(name, value)) >= 0.0, f"{name} must not be negative, got {value}")
        if isinstance(self.kernel, list):
            require(
                bool(self.kernel) and all(0.0 < s <= LARGEST_VARIANCE for s in self.kernel),
                "kernel must be reference, median, or a list of positive variances up to "
                f"{LARGEST_VARIANCE:g}",
            )

    def largest(self, name: Literal["source_share", "w_mmd", "w_param"]) -> float:
        """Largest value that a weight has over a run."""
        return max(parse_schedule(getattr(self, name)).values)

    def variances(self) -> tuple[float, ...] | None:
        """The Gaussians' variances; None for the median heuristic."""
        if isinstance(self.kernel, list):
            return tuple(self.kernel)
        return REFERENCE_VARIANCES if self.kernel == "reference" else None


def _schedule(name: str, value: float | str) -> tuple[float, ...]:
    """Values of an option that may be a schedule."""
    try:
        return parse_schedule(value).values
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None
