"""A trained model as one safetensors file; everything but the arrays is JSON in its header."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.raw import TokenMode
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import LadtlError, ModelFileError
from ladtl_np.files import write_atomically
from ladtl_np.model.container import pack, read_container, require_arrays, unpack
from ladtl_np.model.network import EMBEDDING, Architecture, Network, from_named
from ladtl_np.options.config import Config
from ladtl_np.printable import shown

__all__ = ["FORMAT", "Model", "load_model", "model_bytes", "save_model"]

FORMAT = "ladtl_np model 1"
_WANTED = "a model file such as RUN/best.safetensors"


class _Header(msgspec.Struct, forbid_unknown_fields=True):
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


def model_bytes(model: Model) -> bytes:
    """The file's content; the same model gives the same bytes."""
    header = _Header(
        format=FORMAT,
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
    return pack(model.network.named(), text)


def save_model(path: str | PathLike[str], model: Model) -> None:
    """Write the model atomically; an earlier file at `path` is replaced or left as it was."""
    write_atomically(Path(path), model_bytes(model))


def load_model(path: str | PathLike[str]) -> Model:
    """Read a model and check every part of it.

    Raises
    ------
    ModelFileError
        If the file is not there, damaged, of another kind or version, or its parts do not fit.
    """
    name = str(path)
    text, arrays = unpack(name, read_container(path, _WANTED), _WANTED)
    header = _header(name, text)
    of = header.architecture
    shapes = {EMBEDDING: (of.vocabulary, of.embedding), **of.shapes()}
    require_arrays(name, arrays, shapes)
    try:
        vocabulary = Vocabulary.from_state(header.vocabulary)
        source_tags = TagSet(tuple(header.source_tags)) if header.source_tags else None
        target_tags = TagSet(tuple(header.target_tags))
        characters = Characters.from_state(header.characters) if header.characters else None
    except (ValueError, LadtlError) as error:
        raise ModelFileError(f"{name}: the header is damaged: {error}") from None
    sizes = (len(vocabulary), len(source_tags or ()), len(target_tags), len(characters or ()))
    if sizes != (of.vocabulary, of.source_tags, of.target_tags, of.characters):
        raise ModelFileError(f"{name}: vocabulary, tags or alphabet do not fit the arrays' sizes")
    return Model(
        network=from_named(of, arrays),
        vocabulary=vocabulary,
        source_tags=source_tags,
        target_tags=target_tags,
        label_map=header.label_map,
        token_mode=header.token_mode,
        config=header.config,
        scores=header.scores,
        provenance=header.provenance,
        characters=characters,
    )


def _header(name: str, text: str) -> _Header:
    try:
        kind = msgspec.json.decode(text, type=dict[str, Any]).get("format")
    except (msgspec.DecodeError, RecursionError):
        raise ModelFileError(f"{name}: not a model written by ladtl_np; give {_WANTED}") from None
    if kind != FORMAT:
        raise ModelFileError(
            f"{name}: its format is {shown(str(kind))}, this version reads {FORMAT!r}; train it "
            "again or use the version of ladtl_np that wrote it"
        )
    try:
        return msgspec.json.decode(text, type=_Header)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ModelFileError(f"{name}: the header is damaged: {shown(str(error), 200)}") from None
