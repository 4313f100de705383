"""Tags of a head as decoding needs them: which may follow which, and their names in BIOES."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import PREFIXES, LegalTags, legal_start_end_transition, split_tag
from ladtl_np.kernels.posterior_log import Spelling
from ladtl_np.shapes import Integers

__all__ = ["TagNames", "allowed_tags", "spelling_of", "way_of"]


def way_of(scheme: str, constrained: bool) -> str:
    """Which tag sequences decoding may choose, in words."""
    return f"constrained to legal {scheme}" if constrained else "unconstrained"


def allowed_tags(tags: TagSet, *, constrained: bool) -> LegalTags:
    """What decoding may choose: legal sequences of the tags' scheme, or any."""
    if constrained:
        return legal_start_end_transition(tags.tags, tags.scheme)
    m = len(tags)
    return LegalTags(np.ones(m, np.bool_), np.ones(m, np.bool_), np.ones((m, m), np.bool_))


def spelling_of(tags: TagSet) -> Spelling:
    """Which spans the tags spell as conlleval reads them, in sequences legal or not."""
    numbers = {kind: number for number, kind in enumerate(("", *tags.types))}
    pairs = [split_tag(tag) for tag in tags.tags]
    kinds = np.array([numbers[kind] for _, kind in pairs], np.int64)
    opens = np.array([prefix in "BS" for prefix, _ in pairs])
    closes = np.array([prefix in "ES" for prefix, _ in pairs])
    same = (kinds[:, None] == kinds) & (kinds > 0)
    return Spelling(kinds, same & ~closes[:, None] & ~opens)


class TagNames:
    """Names of a head's tags.

    Parameters
    ----------
    tags
        Of the head.
    own
        Whether names are given as the head has them; else in BIOES. Tags that unconstrained
        decoding leaves illegal stay so in the head's own scheme, and become the tags of the spans
        that conlleval reads in another one.
    """

    def __init__(self, tags: TagSet, *, own: bool) -> None:
        self.written = own or tags.scheme == "BIOES"
        self.names = np.array(tags.tags, dtype=object)
        pairs = [split_tag(tag) for tag in tags.tags]
        numbers = {kind: number for number, kind in enumerate(("", *tags.types))}
        self.kinds = np.array([numbers[kind] for _, kind in pairs], np.int64)
        self.begins = np.array([prefix == "B" for prefix, _ in pairs], np.bool_)
        bioes = [[f"{prefix}-{kind}" for prefix in PREFIXES["BIOES"]] for kind in tags.types]
        self.bioes = np.array([["O"] * len(PREFIXES["BIOES"]), *bioes], dtype=object)

    def of(self, best: Integers, lengths: Sequence[int]) -> list[str]:
        """Names of all tags.

        Parameters
        ----------
        best
            (N,) numbers of tags, one sentence after the other.
        lengths
            Tokens of each sentence.
        """
        names = self.names[best] if self.written else self._in_bioes(best, lengths)
        return list(names.tolist())

    def _in_bioes(self, best: Integers, lengths: Sequence[int]) -> NDArray[np.object_]:
        """The spans of IOB2 tags in BIOES: I goes on with what its own type has begun."""
        kinds = self.kinds[best]
        goes_on = np.zeros(best.size + 1, np.bool_)  # the last stands for the end
        goes_on[1:-1] = (kinds[1:] == kinds[:-1]) & ~self.begins[best[1:]]
        goes_on[np.cumsum([0, *lengths])] = False
        # columns B, I, E and S of PREFIXES: begun here or before, and open after it or not
        column = np.where(goes_on[1:], goes_on[:-1], 3 - goes_on[:-1])
        named: NDArray[np.object_] = self.bioes[kinds, column]
        return named
