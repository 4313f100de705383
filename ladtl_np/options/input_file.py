"""A corpus file that the options of a run name."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ladtl_np.corpus.columns import ReadOptions

__all__ = ["InputFile", "Role"]

Role = Literal["source", "target", "dev", "test"]
"""What a corpus is to a run; of ``test`` there may be several."""


class InputFile(NamedTuple):
    """A corpus file of a run.

    Attributes
    ----------
    role
        As in the manifest.
    path
        Where it is.
    format
        How its columns are read.
    """

    role: Role
    path: str
    format: ReadOptions

    @property
    def trains(self) -> bool:
        """Whether the run is trained on it."""
        return self.role in ("source", "target")
