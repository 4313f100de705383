"""Small samples of a target domain's training sentences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import UsageError

__all__ = ["sample"]


def sample(corpus: Corpus, fraction: float, rng: np.random.Generator) -> Corpus:
    """Take a share of a corpus's sentences at random, without replacement.

    The sample is the first ``round(fraction * n)`` sentences, at least one, of a shuffle, put back
    into file order. Samples from equal generators are nested: the 10 % are part of the 20 %.

    Parameters
    ----------
    corpus
        Where to take from. Name and hash stay, as they tell where the sentences come from.
    fraction
        Share in (0, 1].
    rng
        Where the shuffle comes from.
    """
    if not 0 < fraction <= 1:
        raise UsageError(f"the share of sentences must lie in (0, 1], got {fraction}")
    if not len(corpus):
        return corpus
    count = max(1, round(fraction * len(corpus)))
    order = rng.permutation(len(corpus))
    chosen = np.sort(order[:count])
    return replace(corpus, sentences=tuple(corpus.sentences[row] for row in chosen))
