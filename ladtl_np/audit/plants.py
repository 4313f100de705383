"""The errors that can be planted, from the table beside this module."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

__all__ = ["PACKAGE", "Plant", "plants"]

PACKAGE = Path(__file__).parents[1]
"""Folder of the package."""


class Plant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wrong line."""

    name: str
    file: str  # seen from the package
    old: str  # stands exactly once in the file
    new: str
    tells: str  # what is wrong with it
    audit: Literal["gradients", "equations"]  # which has to notice
    test: str  # file of the tests that notices, without suffix

    @property
    def module(self) -> str:
        """Name of the module that it stands in."""
        return ".".join([PACKAGE.name, *Path(self.file).with_suffix("").parts])

    @property
    def compiled(self) -> bool:
        """Whether Numba compiles what it stands in."""
        return self.file.startswith("kernels/")

    def planted(self, source: str) -> str:
        """The file's text with the error in it.

        Raises
        ------
        ValueError
            If the line that it changes is not there once.
        """
        if source.count(self.old) != 1:
            raise ValueError(f"{self.file} holds {source.count(self.old)} times: {self.old!r}")
        return source.replace(self.old, self.new)


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    plant: list[Plant]


@cache
def plants() -> dict[str, Plant]:
    """Every error by its name, those of the kernels first."""
    table = msgspec.toml.decode((PACKAGE / "audit" / "plants.toml").read_bytes(), type=_Table)
    return {plant.name: plant for plant in table.plant}
