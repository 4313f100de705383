"""Start values of a run's networks: drawn by the seed, with word vectors put in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.model.network import Architecture, Network, Start, initialise
from ladtl_np.options.config import Config
from ladtl_np.options.methods import Method
from ladtl_np.options.seeds import stream
from ladtl_np.shapes import Floats

__all__ = ["StartValues"]


class StartValues(NamedTuple):
    """What start values depend on besides the tags: drawn by the seed, word vectors put in."""

    config: Config
    method: Method
    shared_crf: bool
    vocabulary: Vocabulary
    characters: Characters | None
    vectors: Mapping[str, Floats]

    def architecture(self, source_tags: TagSet | None, target_tags: TagSet) -> Architecture:
        """Sizes of a network with heads for these tags; no source tags, no source head."""
        config, characters = self.config, self.characters
        return Architecture(
            vocabulary=len(self.vocabulary),
            embedding=config.model.embedding,
            hidden=config.model.hidden,
            source_tags=len(source_tags) if source_tags else 0,
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
        self, source_tags: TagSet | None, target_tags: TagSet, *, first_stage: bool = False
    ) -> Network:
        """A network with heads for these tags."""
        config, architecture = self.config, self.architecture(source_tags, target_tags)
        start = Start(recurrent=config.model.recurrent_init, projection=config.projection.init)
        chance = stream(config.seed, "start values", first_stage=first_stage)
        network = initialise(architecture, chance, start)
        for word, vector in self.vectors.items():
            network.embedding[self.vocabulary.index[word]] = vector
        return network
