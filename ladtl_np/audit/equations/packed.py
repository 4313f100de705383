"""Chains of several sentences under one head in the packed layout of a mini-batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ladtl_np.arrays.packing import Packing, pack
from ladtl_np.audit.chains import Chain
from ladtl_np.shapes import Floats, Integers

__all__ = ["PackedChains", "drawn_chains", "first_tokens", "pack_chains"]


@dataclass(frozen=True, slots=True)
class PackedChains:
    """Scores of sentences under one head, as training packs them.

    Attributes
    ----------
    where
        What each sentence is called, in the order of the list.
    packing
        Of the list.
    E, A
        (N, m) in packed order, and (m, m).
    tags
        (N,) gold tags in packed order.
    """

    where: tuple[str, ...]
    packing: Packing
    E: Floats
    A: Floats
    tags: Integers

    @property
    def rank(self) -> Integers:
        """(B,) packed rank of each sentence of the list."""
        return np.argsort(self.packing.order)

    def rows(self) -> list[Integers]:
        """Packed rows of each sentence's tokens, in the order of the list."""
        offsets = self.packing.offsets
        lengths = (np.arange(self.packing.sentences)[:, None] < np.diff(offsets)).sum(axis=1)
        return np.split(self.packing.rows, np.cumsum(lengths[self.rank])[:-1])

    def chains(self) -> list[tuple[str, Chain, Integers]]:
        """Name, scores and gold tags of each sentence, in the order of the list."""
        return [
            (name, Chain(self.E[rows], self.A), self.tags[rows])
            for name, rows in zip(self.where, self.rows(), strict=True)
        ]


def pack_chains(
    where: Sequence[str], E: Sequence[Floats], A: Floats, tags: Sequence[Integers]
) -> PackedChains:
    """Pack the scores (T, m) and tags (T,) of each sentence."""
    packing = pack(np.array([len(each) for each in E]))
    packed_E = np.empty((packing.tokens, A.shape[0]))
    packed_tags = np.empty(packing.tokens, np.int64)
    packed_E[packing.rows] = np.concatenate(E)
    packed_tags[packing.rows] = np.concatenate(tags)
    return PackedChains(tuple(where), packing, packed_E, A, packed_tags)


def first_tokens(chains: PackedChains, most: int) -> PackedChains:
    """The first tokens of every sentence, `most` of one, one fewer of the next, and so on.

    Scores of the first tokens are a chain as well, and one that can be enumerated.
    """
    where, E, tags = [], [], []
    for number, (name, chain, gold) in enumerate(chains.chains()):
        count = min(len(gold), most - number % most)
        where.append(f"{name}, first {count}" if count < len(gold) else name)
        E.append(chain.E[:count])
        tags.append(gold[:count])
    return pack_chains(where, E, chains.A, tags)


def drawn_chains(name: str, m: int, most: int, rng: np.random.Generator) -> PackedChains:
    """Chains of every length up to `most` whose scores are drawn, so that no path stands out."""
    lengths = [*range(1, most + 1), most]
    return pack_chains(
        [f"{name}, {m} tags, drawn scores {number}" for number in range(1, len(lengths) + 1)],
        [rng.normal(0.0, 2.0, (T, m)) for T in lengths],
        rng.normal(0.0, 2.0, (m, m)),
        [rng.integers(m, size=T) for T in lengths],
    )
