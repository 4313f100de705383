"""How the ten compared methods differ: one row each, over one design.         paper sec. 5.1, 5.2

Encoder, optimiser, batches, regulariser and stopping rule are the same for all, which is what makes
the comparison fair. To add a method: a row here, and what the row names where that is new.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from ladtl_np.errors import UsageError

__all__ = ["FROM_FILE", "METHODS", "Method", "method_named"]


class Method(NamedTuple):
    """One way of using a source domain; the defaults are joint training with separate CRFs."""

    summary: str
    source: Literal["with the target", "before the target", "as a file", "unused"] = (
        "with the target"
    )
    crf: Literal["separate", "shared", "joint.crf"] = "separate"  # the last: that option chooses
    projection: Literal["none", "linear", "mask"] = "none"  # between the encoder and a shared CRF
    source_weights: Literal["equal", "similarity"] = "equal"  # of the source's sentences
    mmd: Literal["none", "all tokens", "each label"] = "none"  # Eq. (4), Eq. (5)
    parameter_transfer: bool = False  # L_p of sec. 4.4
    options: str = ""  # the section of options that is this method's own

    @property
    def reads_source(self) -> bool:
        """Whether a corpus of the source is read."""
        return self.source in ("with the target", "before the target")


FROM_FILE: dict[str, Method] = {
    "source-free": Method(
        "as la-dtl on the target alone, towards a source that is a file without its text",
        source="as a file",
        mmd="each label",
        parameter_transfer=True,
    ),
}
"""What learns from a source that is a file: it is compared with the others beside them."""

METHODS: dict[str, Method] = {
    "non-transfer": Method("the target sample alone", source="unused"),
    "linear-projection": Method(
        "a learned map for each domain, then one CRF for both (Peng and Dredze 2017)",
        crf="shared",
        projection="linear",
        options="projection",
    ),
    "domain-mask": Method(
        "hidden units shared by both or seen by one domain, then one CRF (Peng and Dredze 2017)",
        crf="shared",
        projection="mask",
        options="mask",
    ),
    "cd-learning": Method(
        "all shared, source sentences weighted by likeness to the target (He and Sun 2017)",
        crf="shared",
        source_weights="similarity",
        options="cd",
    ),
    "re-training": Method(
        "train on the source, carry the layers over, train on the target (Lee et al. 2017)",
        source="before the target",
        options="reload",
    ),
    "joint-training": Method(
        "shared embeddings and BiLSTM, a CRF for each domain (Yang et al. 2017)",
        crf="joint.crf",
        options="joint",
    ),
    "la-mmd": Method("joint training with label-aware MMD alone", mmd="each label"),
    "crf-l2": Method("joint training with CRF parameter transfer alone", parameter_transfer=True),
    "mmd-crf-l2": Method(
        "as la-dtl, with one MMD over all tokens instead of one for each label",
        mmd="all tokens",
        parameter_transfer=True,
    ),
    "la-dtl": Method(
        "joint training with label-aware MMD and CRF parameter transfer (Wang et al. 2018)",
        mmd="each label",
        parameter_transfer=True,
    ),
}
"""Those that are compared, each on the corpora of a source and a target."""


def method_named(name: str) -> Method:
    """The row of a method, or a `UsageError` that lists them all."""
    every = METHODS | FROM_FILE
    if name not in every:
        raise UsageError(f"method {name!r} is not one of: {', '.join(every)}")
    return every[name]
