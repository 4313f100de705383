"""The model: embeddings, one BiLSTM for both domains, their CRFs.         docs/math/objective.md"""

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
    "PROJECTIONS",
    "SHARED",
    "SOURCE",
    "TARGET",
    "Architecture",
    "Network",
    "Start",
    "from_named",
    "initialise",
]

EMBEDDING = "word_embedding"
CHARACTERS = "characters"
SOURCE, TARGET, SHARED = "source_crf", "target_crf", "shared_crf"
PROJECTIONS = ("source_projection.T", "target_projection.T")


class Architecture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every size that fixes the shape of a parameter, and which parameters the domains share.

    A domain with 0 tags has no CRF: a model trained on the target alone has no source head.
    """

    vocabulary: int  # V
    embedding: int  # D
    hidden: int  # H, units per direction
    source_tags: int  # m of the source
    target_tags: int  # m of the target
    emission_bias: bool
    shared_crf: bool  # one CRF; row k of the source's tags means row k of the target's
    projection: Literal["none", "linear", "mask"]  # between encoder and CRF
    shared_fraction: float  # of a mask
    characters: int  # C, size of the alphabet; 0 is no character BiLSTM
    character_embedding: int
    character_hidden: int  # units per direction

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
        if self.shared_crf and self.source_tags != self.target_tags:
            raise ValueError(
                "a shared CRF needs as many source tags as target tags, got "
                f"{self.source_tags} and {self.target_tags}"
            )

    def heads(self) -> dict[str, int]:
        """Name and number of tags of each domain that the model can tag."""
        sizes = {SOURCE: self.source_tags, TARGET: self.target_tags}
        return {name: m for name, m in sizes.items() if m > 0}

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
        if self.projection == "linear":
            shapes |= dict.fromkeys(PROJECTIONS, (2 * H, 2 * H))
        if self.characters:
            size = self.character_embedding
            shapes |= _lstm_shapes(f"{CHARACTERS}.", size, self.character_hidden)
            shapes[f"{CHARACTERS}.embedding"] = (self.characters, size)
        return shapes


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

    def projection_name(self, head: str) -> str:
        """Name of a head's learned map, which only some models have."""
        return PROJECTIONS[0] if head == SOURCE else PROJECTIONS[1]

    def projection(self, head: str) -> Floats | None:
        """What a head's hidden states go through: a map (2H, 2H), a mask (2H,), or nothing."""
        sizes = self.architecture
        if sizes.projection == "linear":
            return self.weights[self.projection_name(head)]
        if sizes.projection == "mask":
            domain: Literal["source", "target"] = "source" if head == SOURCE else "target"
            mask = domain_mask(domain, sizes.hidden, sizes.shared_fraction)
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
