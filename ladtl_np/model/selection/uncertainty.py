"""How unsure a model is of sentences.                                    docs/selection.md"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, get_args

import numpy as np

from ladtl_np.model.confidence import Asked, Sure
from ladtl_np.model.tagging import Tagger
from ladtl_np.shapes import Floats

__all__ = ["STRATEGIES", "Strategy", "uncertainties"]

Strategy = Literal["entropy", "margin", "span", "random"]
"""What is chosen by; ``random`` asks no model."""
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)


def _entropy(sure: Sure) -> float:
    """Nats for each token, (1)."""
    return sure.entropy / len(sure.tags)


def _margin(sure: Sure) -> float:
    """From 0, where the best path is alone, to 1, where the second is as probable, (2)."""
    if len(sure.paths) < 2:
        return 0.0
    first, second = (path.probability for path in sure.paths)
    # of very long sentences both may be 0, and then nothing tells them apart
    return 2.0 * second / (first + second) if first > 0.0 else 1.0


def _span(sure: Sure) -> float:
    """Expected share of tokens whose span, or whose O, is not as predicted, (3)."""
    return float(np.mean(1.0 - sure.tokens))


_MEASURES: dict[Strategy, tuple[Callable[[Sure], float], Asked]] = {
    "entropy": (_entropy, Asked()),
    "margin": (_margin, Asked(paths=2)),
    "span": (_span, Asked()),
}


def uncertainties(tagger: Tagger, sentences: Iterable[Sequence[str]], by: Strategy) -> Floats:
    """How unsure a model is of each sentence, from 0 for one that it is sure of.

    Parameters
    ----------
    tagger
        The model, with one of its heads.
    sentences
        Tokens of each; none is empty.
    by
        ``entropy``: (1), ``margin``: (2), or ``span``: (3).

    Returns
    -------
    (n,)
        Float64.

    Raises
    ------
    ScoreError
        If the scores of a sentence are not finite.
    """
    measure, asked = _MEASURES[by]
    found = [measure(sure) for chunk in tagger.sure_chunks(sentences, asked) for sure in chunk]
    return np.array(found, np.float64)
