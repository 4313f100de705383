"""What a file of word vectors gave to a run: told by its manifest and by its model's header."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import msgspec

from ladtl_np.corpus.vectors.coverage import Count, Coverage
from ladtl_np.corpus.vectors.scanning import VectorReport

__all__ = ["UsedVectors", "read_used"]


class UsedVectors(msgspec.Struct, frozen=True, kw_only=True):
    """A file of word vectors, and how much of a run's data it covers.

    Attributes
    ----------
    file
        What was found in it.
    added
        Words of the file that the model knows beside those of its training data.
    coverage
        Of each corpus, in the order of their roles.
    """

    file: VectorReport
    added: Count
    coverage: tuple[Coverage, ...]

    def portable(self) -> UsedVectors:
        """The same without folders, and without tests: equal runs have it equal."""
        kept = (
            msgspec.structs.replace(split, name=PurePath(split.name).name)
            for split in self.coverage
            if split.role != "test"
        )
        return msgspec.structs.replace(self, coverage=tuple(kept))


def read_used(told: Any) -> UsedVectors | None:
    """Read what a model's header tells; None where it tells nothing that makes sense."""
    try:
        return msgspec.convert(told, UsedVectors)
    except msgspec.ValidationError:
        return None
