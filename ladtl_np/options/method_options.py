"""Options that belong to one of the compared methods, each with its default and its meaning."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "JointOptions",
    "MaskOptions",
    "ProjectionOptions",
    "ReloadOptions",
    "SimilarityOptions",
]


class JointOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What joint-training shares (Yang et al. 2017).

    Attributes
    ----------
    crf
        ``separate`` (a CRF for each domain, as in the paper's sec. 5.2) or ``shared`` (one for
        both, which needs equal tags).
    """

    crf: Literal["separate", "shared"] = "separate"


class ProjectionOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The learned map of linear-projection before the shared CRF (Peng and Dredze 2017).

    Attributes
    ----------
    init
        Where each domain's map starts: ``identity``, or ``xavier`` (uniform).
    frozen
        Whether the maps stay as they start.
    """

    init: Literal["identity", "xavier"] = "identity"
    frozen: bool = False


class MaskOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fixed masks of domain-mask before the shared CRF (Peng and Dredze 2017).

    Attributes
    ----------
    shared_fraction
        Share of the hidden units of each direction that both domains see; the rest is split
        equally between them.
    """

    shared_fraction: float = 1.0 / 3.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.shared_fraction <= 1.0:
            raise ValueError(f"shared_fraction must lie in [0, 1], got {self.shared_fraction}")


class SimilarityOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How cd-learning weighs the source's sentences (He and Sun 2017).

    Attributes
    ----------
    similarity
        A source sentence's likeness to the target: ``polynomial`` (squared cosine of mean word
        vectors), ``gaussian`` (of their distance), or ``cross-entropy`` (under an n-gram model of
        the target, scaled to 0..1).
    mode
        ``loss``: the weight multiplies the sentence's term of the loss. ``step``: it scales the
        sentence's part of the update, while AdaGrad's sums are those of the unweighted loss; twice
        the work.
    width
        Width of the Gaussian; 0 is the median distance of the source's sentences.
    order
        Order of the n-gram model.
    """

    similarity: Literal["polynomial", "gaussian", "cross-entropy"] = "polynomial"
    mode: Literal["loss", "step"] = "loss"
    width: float = 0.0
    order: int = 2

    def __post_init__(self) -> None:
        if self.width < 0.0:
            raise ValueError(f"width must not be negative, got {self.width}")
        if self.order < 1:
            raise ValueError(f"order must be at least 1, got {self.order}")


class ReloadOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What re-training carries from the source's model to the target's (Lee et al. 2017).

    With ``training.start = "source-model"`` every method of two domains starts so.

    Attributes
    ----------
    words
        Whether the word embeddings are carried over; what is not starts afresh.
    characters
        The character embeddings.
    character_lstm
        The character BiLSTM.
    word_lstm
        The word BiLSTM.
    emission
        The CRF's emission weights, of matched tags.
    transition
        The CRF's transition weights, between matched tags.
    source_steps
        Mini-batches on the source; 0 is as many as on the target.
    """

    words: bool = True
    characters: bool = True
    character_lstm: bool = True
    word_lstm: bool = True
    emission: bool = True
    transition: bool = True
    source_steps: int = 0

    def __post_init__(self) -> None:
        if self.source_steps < 0:
            raise ValueError(f"source_steps must not be negative, got {self.source_steps}")
