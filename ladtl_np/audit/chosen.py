"""Which sentences of a subject an audit looks at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladtl_np.layers.mmd_variances import evenly_spaced
from ladtl_np.objective.batching import Batch, EncodedSentence, domain_batch
from ladtl_np.shapes import Integers

__all__ = ["batch_of", "some"]


def batch_of(
    source: Sequence[EncodedSentence],
    target: Sequence[EncodedSentence],
    spelled: Sequence[Integers] | None,
) -> Batch:
    """A mini-batch of both domains, or of the target alone where the source has no sentence."""
    return domain_batch([source, target] if source else [target], spelled)


def some(
    sentences: Sequence[EncodedSentence], count: int, longest: int | None = None
) -> list[EncodedSentence]:
    """At most so many sentences, evenly spaced, of at most so many tokens if there are any."""
    fitting = [s for s in sentences if longest is None or s.words.size <= longest]
    if not fitting:
        fitting = sorted(sentences, key=lambda s: s.words.size)[:count]
    places = evenly_spaced(np.arange(len(fitting)), count)
    return [fitting[place] for place in places.tolist()]
