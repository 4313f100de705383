"""A model's vocabulary, and behind it the words of a file of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.vectors.forms import forms_of
from ladtl_np.corpus.vocabulary import Vocabulary

__all__ = ["WiderVocabulary"]


@dataclass(frozen=True, eq=False)
class WiderVocabulary(Vocabulary):
    """Looks words up in the model first, then as they are in a file, lower-cased, digits as 0.

    The file's words stand as they are, even where the model's are hashed: they are in memory only,
    and `to_state` refuses.

    Attributes
    ----------
    file_rows
        Row of each word of the file, behind those of the model.
    """

    file_rows: Mapping[str, int] = field(default_factory=dict, repr=False)

    @classmethod
    def around(cls, vocabulary: Vocabulary, file_rows: Mapping[str, int]) -> WiderVocabulary:
        """The words of a model, and those of a file."""
        of = vocabulary
        return cls(of.words, of.lower, of.digits_to_zero, of.singleton, of.lock, file_rows)

    def encode(self, tokens: Sequence[str]) -> NDArray[np.int64]:
        """Return the row of each token, 0 for those that neither the model nor the file has."""
        rows = super().encode(tokens)
        for place in np.flatnonzero(rows == 0).tolist():
            rows[place] = self._in_file(tokens[place])
        return rows

    def _in_file(self, token: str) -> int:
        for form, _ in forms_of(self.normalise(token)):
            row = self.file_rows.get(form)
            if row is not None:
                return row
        return 0

    def to_state(self) -> dict[str, Any]:
        """Refuse: a model's file has no room for another file's words."""
        raise ValueError("a model that was given a file of vectors is not written; write the other")
