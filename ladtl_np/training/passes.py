"""The order in which training sentences come."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladtl_np.objective.batching import EncodedSentence

__all__ = ["Passes"]


class Passes:
    """Sentences of one domain in endless shuffled passes.

    Attributes
    ----------
    rng
        Shuffles each pass.
    order
        Numbers of the sentences that the passes begun still have to give.
    """

    def __init__(self, sentences: Sequence[EncodedSentence], rng: np.random.Generator) -> None:
        self.sentences, self.rng = sentences, rng
        self.order = np.zeros(0, dtype=np.int64)

    def take(self, count: int) -> list[EncodedSentence]:
        """The next `count` sentences; a pass that ends is followed by a newly shuffled one."""
        if not self.sentences:
            return []
        while self.order.size < count:
            self.order = np.concatenate([self.order, self.rng.permutation(len(self.sentences))])
        chosen, self.order = self.order[:count], self.order[count:]
        return [self.sentences[n] for n in chosen]
