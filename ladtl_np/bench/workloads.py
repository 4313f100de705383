"""The two measured training batches, made from a seed: *medical* and *weibo*."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ladtl_np.layers.embedding import dropout_mask
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.model.network import Architecture, Network, Start, initialise
from ladtl_np.objective import Objective
from ladtl_np.objective.batching import Batch, EncodedSentence, domain_batch
from ladtl_np.shapes import Floats, Integers

__all__ = ["DROPOUT", "KERNELS", "MEDICAL", "WEIBO", "WORKLOADS", "Case", "Workload", "build_case"]

DROPOUT = 0.5
SHORTEST, LONGEST = 8, 100
ZIPF = 1.3
OUTSIDE = 0.45  # share of tokens whose tag is O

KERNELS: dict[str, tuple[float, ...]] = {
    "19 kernels": REFERENCE_VARIANCES,
    "1 kernel": (10.0,),
}
"""Variances of the MMD that workloads are measured with."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Sizes of a model and of a mini-batch of both domains."""

    name: str
    embedding: int  # D
    hidden: int  # H
    tags: int  # m, of each domain; all match
    vocabulary: int  # V
    sentences: int  # of each domain
    mean_length: float  # of the gamma distribution, before clipping

    def architecture(self) -> Architecture:
        """Sizes of the network."""
        return Architecture.plain(
            vocabulary=self.vocabulary,
            embedding=self.embedding,
            hidden=self.hidden,
            source_tags=self.tags,
            target_tags=self.tags,
        )


START = Start(recurrent="glorot", projection="identity")

MEDICAL = Workload("medical", 128, 200, 121, 5000, 32, 40.0)
WEIBO = Workload("weibo", 100, 100, 7, 5017, 15, 54.0)
WORKLOADS = {workload.name: workload for workload in (MEDICAL, WEIBO)}


@dataclass(frozen=True, slots=True)
class Case:
    """A workload with its arrays: what ours and the peer both start from.

    Attributes
    ----------
    workload
        The sizes.
    network
        Start values; both sides copy them.
    source, target
        Sentences of each domain.
    batch
        Both domains packed together.
    mask
        (N, D) dropout factors, used where both sides must compute the same.
    """

    workload: Workload
    network: Network
    source: tuple[EncodedSentence, ...]
    target: tuple[EncodedSentence, ...]
    batch: Batch
    mask: Floats

    @property
    def tokens(self) -> int:
        """Number of tokens N of both domains."""
        return int(self.batch.words.size)

    @property
    def matched(self) -> tuple[Integers, Integers]:
        """Source and target tags that mean the same: all."""
        same = np.arange(self.workload.tags)
        return same, same

    def objective(self, variances: tuple[float, ...]) -> Objective:
        """All loss terms at their default weights, every tag matched."""
        return Objective.la_dtl(self.matched, kernel=list(variances))

    def astype(self, dtype: type[np.floating]) -> Case:
        """Build the same case in another dtype."""
        network, mask = self.network.astype(dtype), self.mask.astype(dtype)
        return Case(self.workload, network, self.source, self.target, self.batch, mask)


def sentence_lengths(workload: Workload, rng: np.random.Generator, count: int) -> list[int]:
    """Gamma of shape 4, clipped to 8 ... 100 tokens."""
    drawn = rng.gamma(4.0, workload.mean_length / 4.0, count)
    return [int(length) for length in np.clip(drawn, SHORTEST, LONGEST)]


def draw_sentences(
    workload: Workload, rng: np.random.Generator, count: int
) -> tuple[EncodedSentence, ...]:
    """Words by Zipf's law; 45 % of the tags are O, the others uniform over all tags."""
    sentences = []
    for length in sentence_lengths(workload, rng, count):
        words = (rng.zipf(ZIPF, length) % workload.vocabulary).astype(np.int64)
        tags = rng.integers(0, workload.tags, length)
        tags[rng.random(length) < OUTSIDE] = 0
        sentences.append(EncodedSentence(words, tags))
    return tuple(sentences)


def build_case(workload: Workload, seed: int = 0) -> Case:
    """Draw network, batch and dropout mask in float32; the same seed gives the same arrays."""
    rng = np.random.default_rng(seed)
    source = draw_sentences(workload, rng, workload.sentences)
    target = draw_sentences(workload, rng, workload.sentences)
    batch = domain_batch([source, target])
    mask = dropout_mask(rng, (batch.words.size, workload.embedding), DROPOUT, np.float32)
    assert mask is not None
    return Case(
        workload, initialise(workload.architecture(), rng, START), source, target, batch, mask
    )
