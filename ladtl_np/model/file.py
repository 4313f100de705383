"""A trained model as one safetensors file; everything but the arrays is JSON in its header."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.cutting.profile import Profile, TokenMode
from ladtl_np.corpus.labels import LabelMap, TagSet
from ladtl_np.corpus.unknown import UnknownTokens
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import ModelFileError, ModelWarning
from ladtl_np.files import write_atomically
from ladtl_np.model.container import (
    Container,
    open_bytes,
    open_container,
    pack,
    require_arrays,
)
from ladtl_np.model.formats import format_name, version_warning
from ladtl_np.model.hashed import opened
from ladtl_np.model.header import (
    FORMAT,
    WANTED,
    Header,
    most_values,
    plain_header,
    read_header,
    read_parts,
    require_short,
    stored_head,
)
from ladtl_np.model.network import (
    EMBEDDING,
    Architecture,
    Network,
    domain_of,
    from_named,
    source_head,
)
from ladtl_np.model.source_head import SourceHead
from ladtl_np.model.strict_json import count_keys
from ladtl_np.model.values import require_values
from ladtl_np.options.config import Config

__all__ = [
    "Model",
    "load_model",
    "model_bytes",
    "model_from_bytes",
    "parameter_shapes",
    "save_model",
]


@dataclass(frozen=True, slots=True)
class Model:
    """All that tagging and audits need.

    Attributes
    ----------
    network
        Sizes and parameters.
    vocabulary
        Words of the embedding rows.
    source_tags, target_tags
        Tags of each head; None for a head that is not there. Of several sources the first.
    label_map
        Source types and the target types paired with them.
    more_sources
        Tags, pairs and share of each further source.
    profile
        How raw text is cut, to look like the training data.
    config
        The run's options.
    scores
        Development and test scores of this very model.
    provenance
        Versions and hashes of the training data; no times, so equal runs make equal files.
    characters
        The alphabet; None for a model that does not read characters.
    target_scheme
        Tag scheme of the target's training corpus; the model gives BIOES, whatever its own is.
    dev_unknown
        Tokens of the development data that the model does not know; None where that is not told.
    temperature
        What the target tagger's scores are divided by before probabilities are made of them; no tag
        depends on it.
    name
        The file it was read from, for messages; it is not stored.
    """

    network: Network
    vocabulary: Vocabulary
    source_tags: TagSet | None
    target_tags: TagSet
    label_map: dict[str, str]
    profile: Profile
    config: Config
    scores: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    characters: Characters | None = None
    target_scheme: str = "BIOES"
    dev_unknown: UnknownTokens | None = None
    more_sources: tuple[SourceHead, ...] = ()
    temperature: float = 1.0
    name: str = field(default="", compare=False)

    @property
    def sources(self) -> tuple[SourceHead, ...]:
        """Every source's head, in order; none for a model of the target alone."""
        if self.source_tags is None:
            return ()
        share = 1.0 - sum(head.share for head in self.more_sources)
        return (SourceHead(self.source_tags, LabelMap(self.label_map), share), *self.more_sources)

    def tag_sets(self) -> dict[str, TagSet]:
        """Tags of each domain that is there: ``source``, ``source2``, ..., ``target``."""
        heads = enumerate(self.sources)
        tags = {domain_of(source_head(number)): head.tags for number, head in heads}
        return tags | {"target": self.target_tags}

    @property
    def token_mode(self) -> TokenMode:
        """What a token of raw text is."""
        return self.profile.tokens


def model_bytes(model: Model) -> bytes:
    """The file's content; the same model gives the same bytes.

    Raises
    ------
    ModelFileError
        If tags or words are so long that such a file would not be read again.
    """
    header = Header(
        format=format_name("model", FORMAT),
        architecture=model.network.architecture,
        vocabulary=model.vocabulary.to_state(),
        source_tags=list(model.source_tags.tags) if model.source_tags else [],
        target_tags=list(model.target_tags.tags),
        label_map=dict(model.label_map),
        token_mode=model.token_mode,
        config=model.config,
        scores=model.scores,
        provenance=model.provenance,
        characters=model.characters.to_state() if model.characters else None,
        target_scheme=model.target_scheme,
        profile=model.profile,
        dev_unknown=model.dev_unknown,
        more_sources=[stored_head(head) for head in model.more_sources],
        temperature=model.temperature,
    )
    text = json.dumps(plain_header(header), ensure_ascii=False, sort_keys=True)
    arrays = model.network.named()
    require_short(model.name or "this model", header)
    try:
        count_keys(text.encode(), most_values({key: array.shape for key, array in arrays.items()}))
    except ValueError as error:
        raise ModelFileError(
            f"the model cannot be written: its header has {error}; leave rare words out "
            "(vocabulary.min_count), or cut the text into smaller tokens"
        ) from None
    return pack(arrays, text)


def save_model(path: str | PathLike[str], model: Model) -> None:
    """Write the model atomically; an earlier file at `path` is replaced or left as it was."""
    write_atomically(Path(path), model_bytes(model))


def load_model(
    path: str | PathLike[str], vocabulary_key: str | PathLike[str] | None = None
) -> Model:
    """Read a model and check every part of it.

    A `ModelWarning` tells where the version of ladtl_np that wrote it may have tagged otherwise.

    Parameters
    ----------
    path
        The file.
    vocabulary_key
        File of the key of a hashed vocabulary; by default the one that the environment variable
        LADTL_VOCABULARY_KEY names. Without a key such a model can be described, and does not tag.

    Raises
    ------
    ModelFileError
        If the file is not there, damaged, of another kind or version, or its parts do not fit.
    UsageError
        If the key cannot be read, or is another model's.
    """
    with open_container(path, WANTED) as held:
        header = read_header(held)
        model = _checked(held, header, vocabulary_key)
    told = version_warning(held.name, {"provenance": header.provenance})
    if told is not None:
        warnings.warn(told, ModelWarning, stacklevel=2)
    return model


def model_from_bytes(
    name: str, content: bytes, vocabulary_key: str | PathLike[str] | None = None
) -> Model:
    """Turn what `model_bytes` gave into a model, which is checked as a file's is.

    Raises
    ------
    ModelFileError, UsageError
        As for `load_model`; messages call the model `name`.
    """
    held = open_bytes(name, content, WANTED)
    return _checked(held, read_header(held), vocabulary_key)


def _checked(held: Container, header: Header, vocabulary_key: str | PathLike[str] | None) -> Model:
    name = held.name
    parts = read_parts(name, header)
    # all but the values is checked before there is room for them
    require_arrays(name, held.shapes, parameter_shapes(header.architecture))
    arrays = held.arrays()
    require_values(name, arrays)
    vocabulary, characters = opened(name, parts.vocabulary, parts.characters, vocabulary_key)
    return Model(
        network=from_named(header.architecture, arrays),
        vocabulary=vocabulary,
        source_tags=parts.source_tags,
        target_tags=parts.target_tags,
        label_map=header.label_map,
        profile=parts.profile,
        config=header.config,
        scores=header.scores,
        provenance=header.provenance,
        characters=characters,
        target_scheme=header.target_scheme,
        dev_unknown=header.dev_unknown,
        more_sources=parts.more_sources,
        temperature=header.temperature,
        name=name,
    )


def parameter_shapes(of: Architecture) -> dict[str, tuple[int, ...]]:
    """Shape of every array that a model of these sizes has."""
    return {EMBEDDING: (of.vocabulary, of.embedding), **of.shapes()}
