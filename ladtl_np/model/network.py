"""The model: embeddings, one BiLSTM for all domains, their CRFs.          docs/math/objective.md"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import DTypeLike

from ladtl_np.arrays.parameters import Parameters
from ladtl_np.layers.bilstm import DIRECTIONS
from ladtl_np.layers.projection import domain_mask
from ladtl_np.shapes import Floats

__all__ = [
    "CHARACTERS",
    "EMBEDDING",
    "LEARNED",
    "SHARED",
    "SOURCE",
    "TARGET",
    "Architecture",
    "Network",
    "Start",
    "domain_of",
    "from_named",
    "head_names",
    "initialise",
    "projection_name",
    "source_head",
    "source_number",
]

EMBEDDING = "word_embedding"
CHARACTERS = "characters"
SOURCE, TARGET, SHARED = "source_crf", "target_crf", "shared_crf"
LEARNED = {"linear": "T"}
"""Projections that are learned, and what their parameter is called."""


def source_head(number: int) -> str:
    """Head of a source, counted from 0: ``source_crf``, ``source2_crf``, ``source3_crf``."""
    return SOURCE if number == 0 else f"source{number + 1}_crf"


def source_number(head: str) -> int | None:
    """Which source a head is of, counted from 0; None for the target's."""
    digits = domain_of(head).removeprefix("source")
    return None if head == TARGET else int(digits or 1) - 1


def domain_of(head: str) -> str:
    """What users call a head's domain: ``source``, ``source2``, ``target``."""
    return head.removesuffix("_crf")


def head_names(domains: int) -> list[str]:
    """Heads of so many domains, the target's last."""
    return [*map(source_head, range(domains - 1)), TARGET]


class Architecture(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Every size that fixes the shape of a parameter, and which parameters the domains share.

    A domain with 0 tags has no CRF: a model trained on the target alone has no source head.
    With one source the file of a model says nothing of further ones.
    """

    vocabulary: int  # V
    embedding: int  # D
    hidden: int  # H, units per direction
    source_tags: int  # m of the source, of several the first
    target_tags: int  # m of the target
    emission_bias: bool
    shared_crf: bool  # one CRF; row k of a source's tags means row k of the target's
    projection: Literal["none", "linear", "mask"]  # between encoder and CRF
    shared_fraction: float  # of a mask
    characters: int  # C, size of the alphabet; 0 is no character BiLSTM
    character_embedding: int
    character_hidden: int  # units per direction
    more_source_tags: tuple[int, ...] = ()  # m of each further source

    @classmethod
    def plain(
        cls, *, vocabulary: int, embedding: int, hidden: int, source_tags: int, target_tags: int
    ) -> Architecture:
        """The paper's: a CRF without bias for each domain, nothing before it, no characters."""
        return cls(
            vocabulary=vocabulary,
            embedding=embedding,
            hidden=hidden,
            source_tags=source_tags,
            target_tags=target_tags,
            emission_bias=False,
            shared_crf=False,
            projection="none",
            shared_fraction=1.0,
            characters=0,
            character_embedding=0,
            character_hidden=0,
        )

    def __post_init__(self) -> None:
        if self.more_source_tags and min(self.source_tags, *self.more_source_tags) < 1:
            raise ValueError(
                "every one of several sources needs tags, got "
                f"{self.source_tags} and {list(self.more_source_tags)}"
            )
        for m in (self.source_tags, *self.more_source_tags):
            if self.shared_crf and m != self.target_tags:
                raise ValueError(
                    "a shared CRF needs as many source tags as target tags, got "
                    f"{m} and {self.target_tags}"
                )

    def sources(self) -> tuple[int, ...]:
        """Number of tags of each source; none for a model of the target alone."""
        return (self.source_tags, *self.more_source_tags) if self.source_tags else ()

    def heads(self) -> dict[str, int]:
        """Name and number of tags of each domain that the model can tag, the target last."""
        sizes = {source_head(number): m for number, m in enumerate(self.sources())}
        return sizes | ({TARGET: self.target_tags} if self.target_tags else {})

    def projections(self) -> tuple[str, ...]:
        """Name of each domain's learned map, where the model has them."""
        if self.projection not in LEARNED:
            return ()
        heads = head_names(max(len(self.sources()), 1) + 1)
        return tuple(projection_name(head, self.projection) for head in heads)

    def crf_of(self, head: str) -> str:
        """Name of the CRF that a head uses."""
        return SHARED if self.shared_crf else head

    @property
    def word_inputs(self) -> int:
        """Columns of the word BiLSTM's inputs: the embedding and the characters' final states."""
        return self.embedding + 2 * self.character_hidden

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter but the word embeddings, in storage order."""
        H = self.hidden
        shapes = _lstm_shapes("", self.word_inputs, H)
        for head, m in self.heads().items():
            crf = self.crf_of(head)
            shapes[f"{crf}.W"] = (2 * H, m)
            shapes[f"{crf}.A"] = (m, m)
            if self.emission_bias:
                shapes[f"{crf}.b"] = (m,)
        # what follows is drawn after the others, so that they start alike in every method
        shapes |= dict.fromkeys(self.projections(), (2 * H, 2 * H))
        if self.characters:
            size = self.character_embedding
            shapes |= _lstm_shapes(f"{CHARACTERS}.", size, self.character_hidden)
            shapes[f"{CHARACTERS}.embedding"] = (self.characters, size)
        return shapes


def projection_name(head: str, projection: str = "linear") -> str:
    """Name of a head's learned map, which only some models have."""
    return f"{domain_of(head)}_projection.{LEARNED.get(projection, '')}"


def _lstm_shapes(lead: str, inputs: int, H: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for direction in DIRECTIONS:
        shapes[f"{lead}{direction}.W"] = (inputs, 4 * H)
        shapes[f"{lead}{direction}.U"] = (H, 4 * H)
        shapes[f"{lead}{direction}.b"] = (4 * H,)
    return shapes


@dataclass(frozen=True, slots=True)
class Network:
    """Architecture and parameters.

    Attributes
    ----------
    architecture
        The sizes.
    embedding
        (V, D) table, named ``word_embedding``; the only parameter with a row-sparse gradient.
    weights
        All others, over one flat buffer.
    """

    architecture: Architecture
    embedding: Floats
    weights: Parameters

    def named(self) -> dict[str, Floats]:
        """Every parameter by name; the arrays are the model's own, not copies."""
        return {EMBEDDING: self.embedding, **self.weights}

    def astype(self, dtype: DTypeLike) -> Network:
        """A copy in another dtype."""
        return Network(self.architecture, self.embedding.astype(dtype), self.weights.astype(dtype))

    def copy(self) -> Network:
        """A copy that later updates do not reach."""
        return self.astype(self.embedding.dtype)

    def pair(self, number: int) -> Network:
        """One of several sources and the target, as a network of two domains; a copy."""
        sizes, own = self.architecture, domain_of(source_head(number))
        if not sizes.more_source_tags:
            return self
        two = msgspec.structs.replace(
            sizes, source_tags=sizes.sources()[number], more_source_tags=()
        )
        names = {name: name.replace("source_", f"{own}_", 1) for name in two.shapes()}
        arrays = {name: self.weights[kept] for name, kept in names.items()}
        return from_named(two, {EMBEDDING: self.embedding, **arrays})

    def projection(self, head: str) -> Floats | None:
        """What a head's hidden states go through: a map (2H, 2H), a mask (2H,), or nothing."""
        sizes = self.architecture
        if sizes.projection in LEARNED:
            return self.weights[projection_name(head, sizes.projection)]
        if sizes.projection == "mask":
            place, count = source_number(head), max(len(sizes.sources()), 1)
            mask = domain_mask(
                "target" if place is None else "source",
                sizes.hidden,
                sizes.shared_fraction,
                number=place or 0,
                sources=count,
            )
            return mask.astype(self.embedding.dtype)
        return None


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """How parameters start."""

    recurrent: Literal["glorot", "normal"]  # U: uniform per gate, or N(0, 0.01^2)
    projection: Literal["identity", "xavier"]


def initialise(
    architecture: Architecture,
    rng: np.random.Generator,
    start: Start,
    dtype: DTypeLike = np.float32,
) -> Network:
    """Random start: Glorot uniform weights, small transitions, forget bias 1; math/network.md.

    Embeddings are uniform in +-sqrt(3 / columns), so that a row has expected norm 1. Recurrent
    matrices are Glorot uniform per gate. The draws do not depend on the dtype, and what only some
    methods have is drawn last.
    """
    weights = Parameters(architecture.shapes(), dtype)
    shape = architecture.vocabulary, architecture.embedding
    embedding = _uniform(rng, np.sqrt(3.0 / shape[1]), shape).astype(dtype)
    for name, array in weights.items():
        kind = name.rpartition(".")[2]
        if kind == "b":
            array[:] = 0.0
        elif kind == "A" or (kind == "U" and start.recurrent == "normal"):
            array[:] = rng.normal(0.0, 0.01, array.shape)
        elif kind == "T" and start.projection == "identity":
            array[:] = np.eye(len(array))
        elif kind == "embedding":
            array[:] = _uniform(rng, np.sqrt(3.0 / array.shape[1]), array.shape)
        else:
            rows, columns = array.shape
            per_gate = name.rpartition(".")[0].endswith(DIRECTIONS)
            fan_out = columns // 4 if per_gate else columns
            array[:] = _uniform(rng, np.sqrt(6.0 / (rows + fan_out)), array.shape)
    for name, array in weights.items():
        if name.endswith(tuple(f"{direction}.b" for direction in DIRECTIONS)):
            H = array.size // 4
            array[H : 2 * H] = 1.0  # the forget gate starts open
    return Network(architecture, embedding, weights)


def _uniform(rng: np.random.Generator, bound: float, shape: tuple[int, ...]) -> Floats:
    return rng.uniform(-bound, bound, shape)


def from_named(architecture: Architecture, arrays: Mapping[str, Floats]) -> Network:
    """A network around given arrays, copied; shapes must be the architecture's."""
    table = arrays[EMBEDDING]
    weights = Parameters(architecture.shapes(), table.dtype)
    for name, view in weights.items():
        view[...] = arrays[name]
    return Network(architecture, np.array(table), weights)
