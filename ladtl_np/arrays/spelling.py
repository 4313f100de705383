"""Distinct spellings of a batch as one packed layout: the cost of characters follows words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.packing import pack
from ladtl_np.shapes import Integers

__all__ = ["Spellings", "pack_spellings"]


class Spellings(NamedTuple):
    """U distinct words, each a row of characters, M characters in all."""

    characters: Integers  # (M,) rows of the character embedding, in packed order
    offsets: Integers  # (L + 1,) steps of the packed layout
    first: Integers  # (U,) packed row of each word's first character, in the order of the list
    last: Integers  # (U,) of its last


def pack_spellings(spelled: Sequence[Integers]) -> Spellings:
    """Pack words given as character rows, each of at least one character."""
    lengths = np.array([word.size for word in spelled], dtype=np.int64)
    if lengths.size and not lengths.min():
        raise ValueError(f"word {int(lengths.argmin())} has no characters; every word needs one")
    packing = pack(lengths)
    characters = np.empty(packing.tokens, dtype=np.int64)
    if spelled:
        characters[packing.rows] = np.concatenate(spelled)
    ends = np.cumsum(lengths)
    return Spellings(
        characters,
        packing.offsets,
        first=packing.rows[ends - lengths],
        last=packing.rows[ends - 1],
    )
