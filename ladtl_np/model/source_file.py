"""A source domain as a file without its text: encoder, CRF, and sketches of hidden rows.

Training on a target reads it in place of the source's corpus.           docs/source-free.md
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
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
from ladtl_np.layers.random_features import random_frequencies
from ladtl_np.model.container import Container, open_container, pack, require_arrays
from ladtl_np.model.file import parameter_shapes
from ladtl_np.model.formats import converted, format_name, misfit, require_format
from ladtl_np.model.hashed import opened, require_one_lock
from ladtl_np.model.header import most_values
from ladtl_np.model.network import Architecture, Network, from_named
from ladtl_np.model.sketched import Noise, Sketched
from ladtl_np.model.strict_json import decode_strictly
from ladtl_np.model.values import require_values
from ladtl_np.options.seeds import stream
from ladtl_np.shapes import Floats

__all__ = ["KIND", "SourceFile", "is_source_file", "load_source_file", "source_bytes"]

KIND, FORMAT = "source", 1
_WANTED = "a file that ladtl source export wrote"
_PROBE = 4
"""Frequencies that the file repeats, so that other ones are noticed."""
_NEAR = 1e-4
"""By how much these may differ: other libraries round the rotation otherwise."""
_MOST_FEATURES = 100_000
_MOST_GAUSSIANS = 1_000

Positive = Annotated[float, msgspec.Meta(gt=0, le=LARGEST_VARIANCE)]


class _Domain(msgspec.Struct, forbid_unknown_fields=True):
    """What the header holds of each source."""

    tags: list[str]
    counts: list[Annotated[int, msgspec.Meta(ge=0)]]
    sketched: list[int]  # rows of the tags that have a sketch
    variances: Annotated[list[Positive], msgspec.Meta(min_length=1, max_length=_MOST_GAUSSIANS)]
    noise: Noise | None


class _Header(_Domain, omit_defaults=True):
    """What the header holds, checked on loading; its own domain is the model's."""

    format: str
    architecture: Architecture
    vocabulary: dict[str, Any]
    characters: dict[str, Any] | None
    scheme: str
    features: Annotated[int, msgspec.Meta(gt=0, le=_MOST_FEATURES)]
    seed: Annotated[int, msgspec.Meta(ge=0)]
    min_count: Annotated[int, msgspec.Meta(ge=1)]
    probe: list[float]
    provenance: dict[str, Any]
    passed_on: list[_Domain] = []

    def domains(self) -> list[_Domain]:
        """All sources, the model's own first."""
        return [self, *self.passed_on]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """All that a target is trained with in place of the source's text.

    Attributes
    ----------
    network
        Encoder, and the CRF of the text as the head of the target. Those of sources that were
        passed on are heads of sources, in their order.
    vocabulary, characters
        Words and characters, plain or hashed.
    own
        Tags, counts and sketches of the text.
    features, seed
        Frequencies of the random features, F, and what they are drawn from.
    min_count
        Words rarer than this in the text were left out.
    passed_on
        Sources that the model itself learned from as a file, as that had them.
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
    own: Sketched
    features: int
    seed: int
    min_count: int = 1
    passed_on: tuple[Sketched, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    name: str = field(default="", compare=False)
    checksum: str = field(default="", compare=False)

    def domains(self) -> tuple[Sketched, ...]:
        """All sources: that of the text, then those that were passed on."""
        return (self.own, *self.passed_on)

    def frequencies(self) -> Floats:
        """Frequencies (F, 2H) of the sketches, by the seed."""
        width = 2 * self.network.architecture.hidden
        return random_frequencies(stream(self.seed, "random features"), self.features, width)


def source_bytes(source: SourceFile) -> bytes:
    """The file's content; equal sources give equal bytes."""
    own, *passed_on = map(_domain, source.domains())
    header = _Header(
        **msgspec.structs.asdict(own),
        format=format_name(KIND, FORMAT),
        architecture=source.network.architecture,
        vocabulary=source.vocabulary.to_state(),
        characters=source.characters.to_state() if source.characters else None,
        scheme=source.own.tags.scheme,
        features=source.features,
        seed=source.seed,
        min_count=source.min_count,
        probe=_probe(source.frequencies()),
        provenance=source.provenance,
        passed_on=passed_on,
    )
    arrays = source.network.named()
    kind = arrays["forward.W"].dtype
    for number, domain in enumerate(source.domains()):
        means = [domain.sketches[row] for row in sorted(domain.sketches)]
        if means:
            arrays[_means(number)] = np.stack(means).astype(kind)
    text = json.dumps(msgspec.to_builtins(header), ensure_ascii=False, sort_keys=True)
    return pack(arrays, text)


def _domain(source: Sketched) -> _Domain:
    return _Domain(
        tags=list(source.tags.tags),
        counts=list(source.counts),
        sketched=sorted(source.sketches),
        variances=list(source.variances),
        noise=source.noise,
    )


def _means(number: int) -> str:
    """Name of the array of a source's sketches."""
    return "sketches" if number == 0 else f"sketches{number + 1}"


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
        tags = [TagSet(tuple(domain.tags), header.scheme) for domain in header.domains()]
        characters = Characters.from_state(header.characters) if header.characters else None
        require_one_lock(vocabulary, characters)
        _require_fitting(header, vocabulary, characters)
    except (ValueError, LadtlError) as error:
        raise misfit(name, plain, str(error)) from None
    wanted = parameter_shapes(header.architecture)
    for number, domain in enumerate(header.domains()):
        if domain.sketched:
            shape = len(domain.sketched), len(domain.variances), 2, header.features
            wanted[_means(number)] = shape
    require_arrays(name, held.shapes, wanted)
    arrays = held.arrays()
    require_values(name, arrays)
    own, *passed_on = _sketched(header, tags, arrays)
    vocabulary, characters = opened(name, vocabulary, characters, vocabulary_key)
    found = SourceFile(
        network=from_named(header.architecture, arrays),
        vocabulary=vocabulary,
        characters=characters,
        own=own,
        features=header.features,
        seed=header.seed,
        min_count=header.min_count,
        passed_on=tuple(passed_on),
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


def _sketched(
    header: _Header, tags: Sequence[TagSet], arrays: Mapping[str, Floats]
) -> Iterator[Sketched]:
    for number, (domain, of) in enumerate(zip(header.domains(), tags, strict=True)):
        means = arrays.get(_means(number), np.zeros((0, 0))).astype(np.float64)
        yield Sketched(
            tags=of,
            counts=tuple(domain.counts),
            variances=tuple(domain.variances),
            sketches=dict(zip(domain.sketched, means, strict=True)),
            noise=domain.noise,
        )


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
    of, domains = header.architecture, header.domains()
    tags = [len(domain.tags) for domain in domains]
    sizes = len(vocabulary), len(characters or ()), [len(domain.counts) for domain in domains]
    if (*sizes, tags) != (of.vocabulary, of.characters, tags, [of.target_tags, *of.sources()]):
        raise ValueError("vocabulary, alphabet, tags or counts do not fit the arrays' sizes")
    if of.shared_crf or of.projection != "none":
        raise ValueError("it has another head than the source's")
    if min(of.embedding, of.hidden) < 1:
        raise ValueError("the architecture has sizes that are none")
    if min(of.character_embedding, of.character_hidden) < bool(characters):
        raise ValueError("the architecture has sizes that are none")
    for domain, m in zip(domains, tags, strict=True):
        rows = domain.sketched
        if sorted(set(rows)) != rows or not set(rows) <= set(range(m)):
            raise ValueError("its sketches are of tags that are not there")
    if len(header.probe) != min(_PROBE, header.features * 2 * of.hidden):
        raise ValueError("its frequencies are not told")
