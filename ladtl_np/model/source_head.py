"""What a model, and its training, know of a source's tags."""

from __future__ import annotations

from typing import NamedTuple

from ladtl_np.corpus.labels import LabelMap, TagSet

__all__ = ["SourceHead"]


class SourceHead(NamedTuple):
    """Tags of one source, and what they are to the target.

    Attributes
    ----------
    tags
        Of its CRF.
    label_map
        Its types and the target's that they are paired with.
    share
        What it counts among the sources; the shares of all sum to 1.
    """

    tags: TagSet
    label_map: LabelMap = LabelMap()
    share: float = 1.0
