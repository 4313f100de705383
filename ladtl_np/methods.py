"""How the compared methods differ: one row each, over one design.              paper sec. 5.1

To add a method: a row here, and what the row names where it is new. Everything else (encoder,
optimiser, batches, stopping) is shared, which is what makes the comparison fair.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from ladtl_np.errors import UsageError
from ladtl_np.options import ObjectiveOptions

__all__ = ["METHODS", "Method", "method_named"]


class Method(NamedTuple):
    """One way of using a source domain."""

    summary: str
    uses_source: bool
    fixed: dict[str, Any]  # options of the objective that the method sets, whatever the user says
    label_aware: bool = True  # one MMD for each matched tag; else one over all tokens

    def objective(self, options: ObjectiveOptions) -> ObjectiveOptions:
        """The user's options with the method's own in place."""
        return msgspec.structs.replace(options, **self.fixed)


METHODS: dict[str, Method] = {
    "non-transfer": Method(
        "the target sample alone",
        uses_source=False,
        fixed={"source_share": 0.0, "w_mmd": 0.0, "w_param": 0.0},
    ),
    "joint-training": Method(
        "shared embeddings and BiLSTM, a CRF for each domain (Yang et al. 2017)",
        uses_source=True,
        fixed={"w_mmd": 0.0, "w_param": 0.0},
    ),
    "la-mmd": Method(
        "joint training with label-aware MMD alone",
        uses_source=True,
        fixed={"w_param": 0.0},
    ),
    "crf-l2": Method(
        "joint training with CRF parameter transfer alone",
        uses_source=True,
        fixed={"w_mmd": 0.0},
    ),
    "mmd-crf-l2": Method(
        "as la-dtl, with one MMD over all tokens instead of one for each label",
        uses_source=True,
        fixed={},
        label_aware=False,
    ),
    "la-dtl": Method(
        "joint training with label-aware MMD and CRF parameter transfer (Wang et al. 2018)",
        uses_source=True,
        fixed={},
    ),
}


def method_named(name: str) -> Method:
    """The row of a method, or a `UsageError` that lists them all."""
    try:
        return METHODS[name]
    except KeyError:
        raise UsageError(f"method {name!r} is not one of: {', '.join(METHODS)}") from None
