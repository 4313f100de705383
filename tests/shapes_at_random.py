"""Random ragged batches, chains and models, and the way from sentences to packed rows and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ladtl_np.arrays.packing import Packing, pack
from ladtl_np.arrays.parameters import Parameters
from ladtl_np.model.network import Architecture, Network, Start
from ladtl_np.objective.batching import Batch, EncodedSentence, domain_batch

Array = NDArray[np.float64]

START = Start(recurrent="glorot", projection="identity")

RAGGED: dict[str, tuple[int, ...]] = {
    "one token": (1,),
    "one sentence": (5,),
    "all of one token": (1, 1, 1, 1),
    "all of equal length": (3,) * 7,
    "rising": (1, 2, 4),
    "one long among short": (1, 1, 9, 1),
    "mixed": (3, 7, 1, 3, 3, 2, 7, 6),
}
"""Lengths of the sentences of a batch: the shapes at which packed layouts break."""


def packed_rows(lengths: Sequence[int]) -> Packing:
    return pack(np.array(lengths, dtype=np.int64))


def to_packed(packing: Packing, parts: Sequence[np.ndarray]) -> np.ndarray:
    """Bring one array per sentence, (T, ...) each, into packed order (N, ...)."""
    values = np.concatenate(parts)
    out = np.empty_like(values)
    out[packing.rows] = values
    return out


def by_sentence(packing: Packing, values: np.ndarray) -> list[np.ndarray]:
    """Cut packed rows (N, ...) into one array per sentence, in the order of the list."""
    lengths = np.empty(packing.sentences, np.int64)
    lengths[packing.order] = [
        np.searchsorted(-np.diff(packing.offsets), -rank, side="left")
        for rank in range(packing.sentences)
    ]
    return np.split(values[packing.rows], np.cumsum(lengths)[:-1])


def in_list_order(packing: Packing, values: np.ndarray) -> np.ndarray:
    """Bring one value per sentence from packed rank to the order of the list."""
    out = np.empty_like(values)
    out[packing.order] = values
    return out


def random_weights(
    rng: np.random.Generator, architecture: Architecture, scale: float = 0.6
) -> Parameters:
    weights = Parameters(architecture.shapes(), np.float64)
    weights.flat[:] = scale * rng.normal(size=weights.flat.size)
    return weights


def architecture_of(**sizes: Any) -> Architecture:
    """The plain architecture of these sizes, with what else is given in place of what it lacks."""
    own = ("vocabulary", "embedding", "hidden", "source_tags", "target_tags")
    plain = Architecture.plain(**{name: sizes.pop(name) for name in own})
    return msgspec.structs.replace(plain, **sizes)


def random_network(
    rng: np.random.Generator,
    *,
    words: int = 6,
    embedding: int = 3,
    hidden: int = 2,
    source_tags: int = 3,
    target_tags: int = 4,
    bias: bool = False,
    scale: float = 0.6,
    **architecture_options: Any,
) -> Network:
    architecture = architecture_of(
        vocabulary=words,
        embedding=embedding,
        hidden=hidden,
        source_tags=source_tags,
        target_tags=target_tags,
        emission_bias=bias,
        **architecture_options,
    )
    table = scale * rng.normal(size=(words, embedding))
    return Network(architecture, table, random_weights(rng, architecture, scale))


def random_sentences(
    rng: np.random.Generator, lengths: Sequence[int], words: int, tags: int
) -> list[EncodedSentence]:
    return [
        EncodedSentence(rng.integers(0, words, size=T), rng.integers(0, tags, size=T))
        for T in lengths
    ]


def random_batch(
    rng: np.random.Generator,
    network: Network,
    source: Sequence[int],
    target: Sequence[int],
    *,
    weighted: bool = False,
) -> Batch:
    """Random sentences of the given lengths; a half without lengths is empty.

    For a network that reads characters every word is spelled with one to four of them.
    """
    return random_domains(rng, network, (source, target), weighted=weighted)


def random_domains(
    rng: np.random.Generator,
    network: Network,
    lengths: Sequence[Sequence[int]],
    *,
    weighted: bool = False,
) -> Batch:
    """The same of several sources and the target, the target's lengths last."""
    sizes = network.architecture
    tags = [sizes.source_tags, *sizes.more_source_tags, sizes.target_tags]
    halves = [
        random_sentences(rng, each, sizes.vocabulary, m)
        for each, m in zip(lengths, tags, strict=True)
    ]
    if weighted:
        halves = [[s._replace(weight=float(rng.random())) for s in half] for half in halves]
    if not sizes.characters:
        return domain_batch(halves)
    spelled = [
        rng.integers(0, sizes.characters, size=1 + word % 4) for word in range(sizes.vocabulary)
    ]
    halves = [[s._replace(spellings=s.words) for s in half] for half in halves]
    return domain_batch(halves, spelled)


def workload(
    rng: np.random.Generator,
    *,
    D: int,
    H: int,
    m: int,
    words: int,
    sentences: int,
    mean_length: float,
) -> tuple[Network, Batch, Array]:
    """Model, batch and dropout mask of one of the measured workloads."""
    network = random_network(
        rng, words=words, embedding=D, hidden=H, source_tags=m, target_tags=m, scale=0.1
    )

    def half() -> list[EncodedSentence]:
        lengths = np.clip(rng.gamma(4.0, mean_length / 4.0, sentences), 8, 100).astype(np.int64)
        return [
            EncodedSentence(
                rng.zipf(1.3, T) % words,
                np.where(rng.random(T) < 0.45, 0, rng.integers(0, m, T)),
            )
            for T in lengths
        ]

    batch = domain_batch([half(), half()])
    mask = 2.0 * (rng.random((batch.words.size, D)) < 0.5)
    return network, batch, mask


def random_chains(
    rng: np.random.Generator, lengths: Sequence[int], m: int, scale: float = 1.5
) -> tuple[Packing, Array, Array, NDArray[np.int64]]:
    """Packing, emissions (N, m), transitions (m, m) and gold tags (N,) of a batch of chains."""
    packing = packed_rows(lengths)
    E, A = scale * rng.normal(size=(packing.tokens, m)), scale * rng.normal(size=(m, m))
    return packing, E, A, rng.integers(0, m, size=packing.tokens)
