"""All sources of what an audit looks at, and sentences that stand in for a source's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.model.network import Network
from ladtl_np.model.source_head import SourceHead
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.objective.terms import Objective, SourceTie

__all__ = ["Whole", "standing_in", "whole_of"]


class Whole(NamedTuple):
    """All of several sources.

    Attributes
    ----------
    network, initial
        In float64, of all of them; before training, where that is known.
    objective
        With a tie for each.
    heads, sources
        Tags and pairs of each, and its sentences.
    """

    network: Network
    initial: Network | None
    objective: Objective
    heads: tuple[SourceHead, ...]
    sources: tuple[tuple[EncodedSentence, ...], ...]


def whole_of(
    network: Network,
    initial: Network | None,
    objective: Objective,
    heads: tuple[SourceHead, ...],
    sources: Sequence[tuple[EncodedSentence, ...]],
) -> Whole | None:
    """All of several sources, in float64; None where there is one at most."""
    if len(sources) < 2:
        return None
    started = None if initial is None else initial.astype(np.float64)
    return Whole(network.astype(np.float64), started, objective.exact(), heads, tuple(sources))


def standing_in(target: Sequence[EncodedSentence], tie: SourceTie) -> tuple[EncodedSentence, ...]:
    """The target's sentences with the source's tags that theirs are matched with, else O."""
    source, of_target = tie.matched
    partner = dict(zip(of_target.tolist(), source.tolist(), strict=True))
    return tuple(
        sentence._replace(
            tags=np.array([partner.get(tag, 0) for tag in sentence.tags.tolist()], np.int64)
        )
        for sentence in target
    )
