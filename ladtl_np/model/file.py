"""A trained model as one safetensors file; everything but the arrays is JSON in its header."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.labels import LabelMap, TagSet
from ladtl_np.corpus.raw import TokenMode
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import LadtlError, ModelFileError, ModelWarning
from ladtl_np.files import write_atomically
from ladtl_np.model.container import (
    Container,
    open_container,
    pack,
    require_arrays,
)
from ladtl_np.model.formats import (
    converted,
    format_name,
    misfit,
    require_format,
    version_warning,
)
from ladtl_np.model.hashed import opened, require_one_lock
from ladtl_np.model.network import EMBEDDING, Architecture, Network, from_named
from ladtl_np.model.strict_json import count_keys, decode_strictly
from ladtl_np.model.values import require_values
from ladtl_np.options.config import Config
from ladtl_np.printable import shown

__all__ = [
    "FORMAT",
    "WANTED",
    "Header",
    "Model",
    "load_model",
    "model_bytes",
    "parameter_shapes",
    "read_header",
    "read_parts",
    "save_model",
]

FORMAT = 1
"""The newest format, which is written; all before it are read."""
WANTED = "a model file such as RUN/best.safetensors"
_MOST_TAG = 100_000  # characters of a tag
_VALUES = 100_000


class Header(msgspec.Struct, forbid_unknown_fields=True):
    """What the header holds, checked on loading."""

    format: str
    architecture: Architecture
    vocabulary: dict[str, Any]
    source_tags: list[str]
    target_tags: list[str]
    label_map: dict[str, str]
    token_mode: TokenMode
    config: Config
    scores: dict[str, Any]
    provenance: dict[str, Any]
    characters: dict[str, Any] | None = None


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
        Tags of each head; None for a head that is not there.
    label_map
        Source types and the target types paired with them.
    token_mode
        How raw text is cut: ``characters`` if every training token was one character.
    config
        The run's options.
    scores
        Development and test scores of this very model.
    provenance
        Versions and hashes of the training data; no times, so equal runs make equal files.
    characters
        The alphabet; None for a model that does not read characters.
    name
        The file it was read from, for messages; it is not stored.
    """

    network: Network
    vocabulary: Vocabulary
    source_tags: TagSet | None
    target_tags: TagSet
    label_map: dict[str, str]
    token_mode: TokenMode
    config: Config
    scores: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    characters: Characters | None = None
    name: str = field(default="", compare=False)


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
    )
    text = json.dumps(msgspec.to_builtins(header), ensure_ascii=False, sort_keys=True)
    arrays = model.network.named()
    _require_short(model.name or "this model", header)
    try:
        count_keys(text.encode(), _most_values({key: array.shape for key, array in arrays.items()}))
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
    name = str(path)
    with open_container(path, WANTED) as held:
        header = read_header(held)
        parts = read_parts(name, header)
        # all but the values is checked before there is room for them
        require_arrays(name, held.shapes, parameter_shapes(header.architecture))
        arrays = held.arrays()
    require_values(name, arrays)
    vocabulary, characters = opened(name, parts.vocabulary, parts.characters, vocabulary_key)
    told = version_warning(name, {"provenance": header.provenance})
    if told is not None:
        warnings.warn(told, ModelWarning, stacklevel=2)
    return Model(
        network=from_named(header.architecture, arrays),
        vocabulary=vocabulary,
        source_tags=parts.source_tags,
        target_tags=parts.target_tags,
        label_map=header.label_map,
        token_mode=header.token_mode,
        config=header.config,
        scores=header.scores,
        provenance=header.provenance,
        characters=characters,
        name=name,
    )


def read_header(held: Container) -> Header:
    """Header of a model, its parts not yet compared with each other.

    Raises
    ------
    ModelFileError
        If it is not a model's, a newer version's, or damaged.
    """
    try:
        plain = decode_strictly(held.text, _most_values(held.shapes))
    except ValueError as error:
        raise ModelFileError(f"{held.name}: the header is damaged: {error}") from None
    require_format(held.name, plain, "model", FORMAT, WANTED)
    return converted(held.name, plain, Header)


class Parts(NamedTuple):
    """What a header says, as the objects that know its rules."""

    vocabulary: Vocabulary
    source_tags: TagSet | None
    target_tags: TagSet
    characters: Characters | None


def read_parts(name: str, header: Header) -> Parts:
    """Vocabulary, tags and alphabet of a header, which fit each other and its sizes.

    Raises
    ------
    ModelFileError
        If they do not, or are damaged.
    """
    plain = {"provenance": header.provenance}
    _require_short(name, header)
    try:
        vocabulary = Vocabulary.from_state(header.vocabulary)
        source_tags = TagSet(tuple(header.source_tags)) if header.source_tags else None
        target_tags = TagSet(tuple(header.target_tags))
        characters = Characters.from_state(header.characters) if header.characters else None
        require_one_lock(vocabulary, characters)
        _require_label_map(header.label_map, source_tags, target_tags)
    except (ValueError, LadtlError) as error:
        raise misfit(name, plain, str(error)) from None
    for state, part in ((header.vocabulary, vocabulary), (header.characters, characters)):
        unknown = (state or {}).keys() - (part.to_state().keys() if part else ())
        if unknown:
            raise misfit(name, plain, f"unknown field {shown(min(unknown))}")
    of = header.architecture
    sizes = (len(vocabulary), len(source_tags or ()), len(target_tags), len(characters or ()))
    if sizes != (of.vocabulary, of.source_tags, of.target_tags, of.characters):
        raise ModelFileError(f"{name}: vocabulary, tags or alphabet do not fit the arrays' sizes")
    if min(of.embedding, of.hidden) < 1 or not 0.0 <= of.shared_fraction <= 1.0:
        raise ModelFileError(f"{name}: the architecture has sizes that are none")
    if min(of.character_embedding, of.character_hidden) < bool(characters):
        raise ModelFileError(f"{name}: the architecture has sizes that are none")
    return Parts(vocabulary, source_tags, target_tags, characters)


def _most_values(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Values that a header may have beside these arrays: some, and two for each row of numbers."""
    return _VALUES + 2 * sum(shape[0] for shape in shapes.values() if math.prod(shape))


def _require_short(name: str, header: Header) -> None:
    if max(map(len, header.source_tags + header.target_tags), default=0) > _MOST_TAG:
        raise ModelFileError(
            f"{name}: a tag of more than {_MOST_TAG:,} characters; rename its type"
        )


def _require_label_map(pairs: dict[str, str], source: TagSet | None, target: TagSet) -> None:
    """Refuse pairs of types that are not there; without a source they mean nothing."""
    if source is not None:
        if len(pairs) > len(source):
            raise ValueError(f"{len(pairs):,} pairs of types, and {len(source):,} source tags")
        LabelMap(pairs).check(source, target)


def parameter_shapes(of: Architecture) -> dict[str, tuple[int, ...]]:
    """Shape of every array that a model of these sizes has."""
    return {EMBEDDING: (of.vocabulary, of.embedding), **of.shapes()}
