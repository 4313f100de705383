"""Start values of a run's networks: drawn by the seed, with word vectors put in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.model.network import Architecture, Network, Start, initialise
from ladtl_np.options.config import Config
from ladtl_np.options.methods import Method
from ladtl_np.options.seeds import stream
from ladtl_np.training.word_vectors import Rows

__all__ = ["StartValues"]


class StartValues(NamedTuple):
    """What start values depend on besides the tags: drawn by the seed, word vectors put in."""

    config: Config
    method: Method
    shared_crf: bool
    vocabulary: Vocabulary
    characters: Characters | None
    vectors: Rows

    @property
    def trained_words(self) -> int:
        """Rows of the vocabulary without those of words that only the file of vectors has."""
        return len(self.vocabulary) - len(self.vectors.more)

    def architecture(self, sources: Sequence[TagSet], target_tags: TagSet) -> Architecture:
        """Sizes of a network with heads for these tags; no source tags, no source head."""
        config, characters = self.config, self.characters
        first, *more = [len(tags) for tags in sources] or [0]
        return Architecture(
            vocabulary=len(self.vocabulary),
            embedding=config.model.embedding,
            hidden=config.model.hidden,
            source_tags=first,
            more_source_tags=tuple(more),
            target_tags=len(target_tags),
            emission_bias=config.model.emission_bias,
            shared_crf=self.shared_crf,
            projection=self.method.projection,
            shared_fraction=config.mask.shared_fraction,
            characters=len(characters) if characters else 0,
            character_embedding=config.characters.embedding if characters else 0,
            character_hidden=config.characters.hidden,
        )

    def network(
        self, sources: Sequence[TagSet], target_tags: TagSet, *, first_stage: bool = False
    ) -> Network:
        """A network with heads for these tags.

        Nothing is drawn for the file's own words, so that training does not depend on their number.
        """
        config, architecture = self.config, self.architecture(sources, target_tags)
        drawn = msgspec.structs.replace(architecture, vocabulary=self.trained_words)
        start = Start(recurrent=config.model.recurrent_init, projection=config.projection.init)
        chance = stream(config.seed, "start values", first_stage=first_stage)
        network = initialise(drawn, chance, start)
        rows, values, more = self.vectors
        network.embedding[rows] = values
        return Network(architecture, np.concatenate([network.embedding, more]), network.weights)
