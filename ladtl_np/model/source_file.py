"""A source domain as a file without its text: encoder, CRF, and sketches of hidden rows.

Training on a target reads it in place of the source's corpus.           docs/source-free.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Annotated, Any

import msgspec
import numpy as np

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import LadtlError, ModelFileError
from ladtl_np.layers.mmd_variances import LARGEST_VARIANCE
from ladtl_np.layers.random_features import Sketch, random_frequencies
from ladtl_np.model.container import Container, open_container, pack, require_arrays
from ladtl_np.model.file import parameter_shapes
from ladtl_np.model.formats import converted, format_name, misfit, require_format
from ladtl_np.model.hashed import opened, require_one_lock
from ladtl_np.model.header import most_values
from ladtl_np.model.network import Architecture, Network, from_named
from ladtl_np.model.strict_json import decode_strictly
from ladtl_np.model.values import require_values
from ladtl_np.options.seeds import stream
from ladtl_np.shapes import Floats

__all__ = ["KIND", "Noise", "SourceFile", "is_source_file", "load_source_file", "source_bytes"]

KIND, FORMAT = "source", 1
_WANTED = "a file that ladtl source export wrote"
_MEANS = "sketches"
_PROBE = 4
"""Frequencies that the file repeats, so that other ones are noticed."""
_NEAR = 1e-4
"""By how much these may differ: other libraries round the rotation otherwise."""
_MOST_FEATURES = 100_000
_MOST_GAUSSIANS = 1_000

Positive = Annotated[float, msgspec.Meta(gt=0, le=LARGEST_VARIANCE)]


class Noise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Gaussian noise on the sketches, and what it guarantees of them.      docs/source-free.md

    Attributes
    ----------
    multiplier
        Standard deviation of the noise as a multiple of each sketch's sensitivity.
    rows_a_sentence
        Rows of a label that one sentence adds to its sketch at most.
    epsilon, delta
        Of all sketches together, for two texts that differ in one sentence and not in the counts.
    """

    multiplier: Annotated[float, msgspec.Meta(gt=0)]
    rows_a_sentence: Annotated[int, msgspec.Meta(gt=0)]
    epsilon: Annotated[float, msgspec.Meta(gt=0)]
    delta: Annotated[float, msgspec.Meta(gt=0, lt=1)]


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    """What the header holds, checked on loading."""

    format: str
    architecture: Architecture
    vocabulary: dict[str, Any]
    characters: dict[str, Any] | None
    scheme: str
    tags: list[str]
    counts: list[Annotated[int, msgspec.Meta(ge=0)]]
    sketched: list[int]  # rows of the tags that have a sketch
    variances: Annotated[list[Positive], msgspec.Meta(min_length=1, max_length=_MOST_GAUSSIANS)]
    features: Annotated[int, msgspec.Meta(gt=0, le=_MOST_FEATURES)]
    seed: Annotated[int, msgspec.Meta(ge=0)]
    min_count: Annotated[int, msgspec.Meta(ge=1)]
    probe: list[float]
    noise: Noise | None
    provenance: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """All that a target is trained with in place of the source's text.

    Attributes
    ----------
    network
        Encoder, and the source's CRF as the head of the target.
    vocabulary, characters
        Words and characters, plain or hashed.
    tags
        Of the CRF.
    counts
        Tokens of each tag in the training text.
    variances
        Of the Gaussians that the sketches are made with, Q.
    features, seed
        Frequencies of the random features, F, and what they are drawn from.
    sketches
        Mean features (Q, 2, F) by row of their tag.
    min_count
        Words rarer than this in the text were left out.
    noise
        What was added to the sketches; None is nothing.
    provenance
        Versions.
    name
        The file it was read from, for messages; it is not stored.
    checksum
        Of the file that it was read from.
    """

    network: Network
    vocabulary: Vocabulary
    characters: Characters | None
    tags: TagSet
    counts: tuple[int, ...]
    variances: tuple[float, ...]
    features: int
    seed: int
    sketches: Mapping[int, Floats]
    min_count: int = 1
    noise: Noise | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    name: str = field(default="", compare=False)
    checksum: str = field(default="", compare=False)

    def sketch(self, tag: int) -> Sketch | None:
        """The sketch of a tag's rows; None where it has none."""
        means = self.sketches.get(tag)
        return None if means is None else Sketch(self.variances, means)

    def frequencies(self) -> Floats:
        """Frequencies (F, 2H) of the sketches, by the seed."""
        width = 2 * self.network.architecture.hidden
        return random_frequencies(stream(self.seed, "random features"), self.features, width)


def source_bytes(source: SourceFile) -> bytes:
    """The file's content; equal sources give equal bytes."""
    rows = sorted(source.sketches)
    header = _Header(
        format=format_name(KIND, FORMAT),
        architecture=source.network.architecture,
        vocabulary=source.vocabulary.to_state(),
        characters=source.characters.to_state() if source.characters else None,
        scheme=source.tags.scheme,
        tags=list(source.tags.tags),
        counts=list(source.counts),
        sketched=rows,
        variances=list(source.variances),
        features=source.features,
        seed=source.seed,
        min_count=source.min_count,
        probe=_probe(source.frequencies()),
        noise=source.noise,
        provenance=source.provenance,
    )
    arrays = source.network.named()
    if rows:
        kind = arrays["forward.W"].dtype
        arrays[_MEANS] = np.stack([source.sketches[row] for row in rows]).astype(kind)
    text = json.dumps(msgspec.to_builtins(header), ensure_ascii=False, sort_keys=True)
    return pack(arrays, text)


def _probe(frequencies: Floats) -> list[float]:
    values: list[float] = frequencies.ravel()[:_PROBE].tolist()
    return values


def is_source_file(path: str | PathLike[str]) -> bool:
    """Whether a file says that it is an exported source, sound or not."""
    try:
        with open_container(path, _WANTED) as held:
            return f'"format": "ladtl_np {KIND} '.encode() in held.text
    except ModelFileError:
        return False


def load_source_file(
    path: str | PathLike[str], vocabulary_key: str | PathLike[str] | None = None
) -> SourceFile:
    """Read an exported source and check every part of it.

    Parameters
    ----------
    path
        The file.
    vocabulary_key
        File of the key of a hashed vocabulary; else the one that LADTL_VOCABULARY_KEY names.

    Raises
    ------
    ModelFileError
        If the file is not there, damaged, of another kind or version, or its parts do not fit.
    UsageError
        If the key cannot be read, or is another file's.
    """
    with open_container(path, _WANTED) as held:
        return _checked(held, vocabulary_key)


def _checked(held: Container, vocabulary_key: str | PathLike[str] | None) -> SourceFile:
    name, header = held.name, _read_header(held)
    plain = {"provenance": header.provenance}
    try:
        vocabulary = Vocabulary.from_state(header.vocabulary)
        tags = TagSet(tuple(header.tags), header.scheme)
        characters = Characters.from_state(header.characters) if header.characters else None
        require_one_lock(vocabulary, characters)
        _require_fitting(header, vocabulary, characters)
    except (ValueError, LadtlError) as error:
        raise misfit(name, plain, str(error)) from None
    wanted = parameter_shapes(header.architecture)
    if header.sketched:
        shape = len(header.sketched), len(header.variances), 2, header.features
        wanted[_MEANS] = shape
    require_arrays(name, held.shapes, wanted)
    arrays = held.arrays()
    require_values(name, arrays)
    means = arrays.pop(_MEANS, np.zeros((0, 0))).astype(np.float64)
    vocabulary, characters = opened(name, vocabulary, characters, vocabulary_key)
    found = SourceFile(
        network=from_named(header.architecture, arrays),
        vocabulary=vocabulary,
        characters=characters,
        tags=tags,
        counts=tuple(header.counts),
        variances=tuple(header.variances),
        features=header.features,
        seed=header.seed,
        min_count=header.min_count,
        sketches=dict(zip(header.sketched, means, strict=True)),
        noise=header.noise,
        provenance=header.provenance,
        name=name,
        checksum=held.checksum or "",
    )
    if not np.allclose(header.probe, _probe(found.frequencies()), rtol=_NEAR, atol=_NEAR):
        raise ModelFileError(
            f"{name}: its sketches were made with other frequencies than its seed gives here; "
            "export it again with these versions of ladtl_np and NumPy"
        )
    return found


def _read_header(held: Container) -> _Header:
    try:
        plain = decode_strictly(held.text, most_values(held.shapes))
    except ValueError as error:
        raise ModelFileError(f"{held.name}: the header is damaged: {error}") from None
    require_format(held.name, plain, KIND, FORMAT, _WANTED)
    return converted(held.name, plain, _Header)


def _require_fitting(
    header: _Header, vocabulary: Vocabulary, characters: Characters | None
) -> None:
    """Refuse parts that do not fit each other."""
    of, m = header.architecture, len(header.tags)
    sizes = len(vocabulary), len(characters or ()), m, len(header.counts)
    if sizes != (of.vocabulary, of.characters, of.target_tags, m):
        raise ValueError("vocabulary, alphabet, tags or counts do not fit the arrays' sizes")
    if of.source_tags or of.more_source_tags or of.shared_crf or of.projection != "none":
        raise ValueError("it has another head than the source's")
    if min(of.embedding, of.hidden) < 1:
        raise ValueError("the architecture has sizes that are none")
    if min(of.character_embedding, of.character_hidden) < bool(characters):
        raise ValueError("the architecture has sizes that are none")
    if sorted(set(header.sketched)) != header.sketched or not set(header.sketched) <= set(range(m)):
        raise ValueError("its sketches are of tags that are not there")
    if len(header.probe) != min(_PROBE, header.features * 2 * of.hidden):
        raise ValueError("its frequencies are not told")
