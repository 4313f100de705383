"""Text to tag, and the model in memory that tags it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ladtl_np.bench.workloads import Case, Workload, draw_sentences
from ladtl_np.corpus.cutting.profile import Profile
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.vocabulary import UNKNOWN, Vocabulary
from ladtl_np.model.file import Model
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.options.config import DEFAULTS

__all__ = ["TaggingCase", "build_tagging_case"]


@dataclass(frozen=True, slots=True)
class TaggingCase:
    """A model, and the same sentences as text and as row numbers."""

    model: Model
    lines: tuple[str, ...]
    sentences: tuple[EncodedSentence, ...]
    peer_batch: int  # sentences that peers take at a time, as many as a training batch has

    @property
    def tokens(self) -> int:
        """Number of tokens of all sentences."""
        return sum(sentence.words.size for sentence in self.sentences)

    def batches(self, *, by_length: bool) -> list[list[int]]:
        """Sentences of each batch that peers take, longest first inside a batch.

        Batches are made as the text comes, or of sentences of like length.
        """
        numbers = list(range(len(self.sentences)))
        if by_length:
            numbers = self._longest_first(numbers)
        size = self.peer_batch
        return [self._longest_first(numbers[n : n + size]) for n in range(0, len(numbers), size)]

    def _longest_first(self, numbers: list[int]) -> list[int]:
        return sorted(numbers, key=lambda n: -self.sentences[n].words.size)


def build_tagging_case(case: Case, *, sentences: int, seed: int = 1) -> TaggingCase:
    """Draw text with the workload's lengths and words, for the case's target tagger."""
    workload = case.workload
    drawn = draw_sentences(workload, np.random.default_rng(seed), sentences)
    words = (UNKNOWN, *(f"word{row}" for row in range(1, workload.vocabulary)))
    lines = tuple(" ".join(words[row] for row in s.words.tolist()) for s in drawn)
    tags = made_up_tags(workload)
    vocabulary = Vocabulary(words, lower=False, digits_to_zero=False)
    model = Model(case.network, vocabulary, tags, tags, {}, Profile(), DEFAULTS)
    return TaggingCase(model, lines, drawn, 2 * workload.sentences)


def made_up_tags(workload: Workload) -> TagSet:
    """O and BIOES tags of as many types as are needed; the last type may lack some."""
    names = [f"{prefix}-T{n // 4}" for n in range(0, workload.tags - 1, 4) for prefix in "BESI"]
    return TagSet(("O", *names[: workload.tags - 1]))
