"""A source domain without its text: tags, counts, and a sketch of each tag's hidden rows.

docs/source-free.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from ladtl_np.corpus.labels import TagSet
from ladtl_np.layers.random_features import Sketch
from ladtl_np.shapes import Floats

__all__ = ["Noise", "Sketched"]


class Noise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Gaussian noise on the sketches, and what it guarantees of them.      docs/source-free.md

    Attributes
    ----------
    multiplier
        Standard deviation of the noise as a multiple of each sketch's sensitivity.
    rows_a_sentence
        Rows of a label that one sentence adds to its sketch at most.
    epsilon, delta
        Of all sketches together, for two texts that differ in one sentence and not in the counts.
    """

    multiplier: Annotated[float, msgspec.Meta(gt=0)]
    rows_a_sentence: Annotated[int, msgspec.Meta(gt=0)]
    epsilon: Annotated[float, msgspec.Meta(gt=0)]
    delta: Annotated[float, msgspec.Meta(gt=0, lt=1)]


@dataclass(frozen=True, slots=True)
class Sketched:
    """One source.

    Attributes
    ----------
    tags
        Of its CRF.
    counts
        Tokens of each tag in its text.
    variances
        Of the Gaussians that the sketches are made with, Q.
    sketches
        Mean features (Q, 2, F) by row of their tag.
    noise
        What was added to the sketches; None is nothing.
    """

    tags: TagSet
    counts: tuple[int, ...]
    variances: tuple[float, ...]
    sketches: Mapping[int, Floats]
    noise: Noise | None = None

    def sketch(self, tag: int) -> Sketch | None:
        """The sketch of a tag's rows; None where it has none."""
        means = self.sketches.get(tag)
        return None if means is None else Sketch(self.variances, means)
