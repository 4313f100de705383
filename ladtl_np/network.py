"""The model: embeddings, one BiLSTM for both domains, one CRF for each.  docs/math/objective.md"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import DTypeLike

from ladtl_np.parameters import Parameters
from ladtl_np.shapes import Floats

__all__ = ["EMBEDDING", "SOURCE", "TARGET", "Architecture", "Network", "from_named", "initialise"]

EMBEDDING = "word_embedding"
SOURCE, TARGET = "source_crf", "target_crf"


class Architecture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every size that fixes the shape of a parameter.

    A domain with 0 tags has no CRF: a model trained on the target alone has no source head.
    """

    vocabulary: int  # V
    embedding: int  # D
    hidden: int  # H, units per direction
    source_tags: int  # m of the source
    target_tags: int  # m of the target
    emission_bias: bool = False

    def heads(self) -> dict[str, int]:
        """Name and number of tags of each CRF that the model has."""
        sizes = {SOURCE: self.source_tags, TARGET: self.target_tags}
        return {name: m for name, m in sizes.items() if m > 0}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter but the embedding table, in storage order."""
        D, H = self.embedding, self.hidden
        shapes: dict[str, tuple[int, ...]] = {}
        for direction in ("forward", "backward"):
            shapes[f"{direction}.W"] = (D, 4 * H)
            shapes[f"{direction}.U"] = (H, 4 * H)
            shapes[f"{direction}.b"] = (4 * H,)
        for head, m in self.heads().items():
            shapes[f"{head}.W"] = (2 * H, m)
            shapes[f"{head}.A"] = (m, m)
            if self.emission_bias:
                shapes[f"{head}.b"] = (m,)
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


def initialise(
    architecture: Architecture, rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> Network:
    """Random start: Glorot uniform weights, small transitions, forget bias 1.

    Embeddings are uniform in +-sqrt(3 / D), so that a row has expected norm 1. Recurrent matrices
    are Glorot uniform per gate. The draws do not depend on the dtype.
    """
    D, H = architecture.embedding, architecture.hidden
    weights = Parameters(architecture.shapes(), dtype)
    bound = np.sqrt(3.0 / D)
    embedding = rng.uniform(-bound, bound, (architecture.vocabulary, D)).astype(dtype)
    for name, array in weights.items():
        kind = name.rpartition(".")[2]
        if kind == "b":
            array[:] = 0.0
        elif kind == "A":
            array[:] = rng.normal(0.0, 0.01, array.shape)
        else:
            rows, columns = array.shape
            fan_out = columns if name.partition(".")[0] in (SOURCE, TARGET) else H
            limit = np.sqrt(6.0 / (rows + fan_out))
            array[:] = rng.uniform(-limit, limit, array.shape)
    for direction in ("forward", "backward"):
        weights[f"{direction}.b"][H : 2 * H] = 1.0  # the forget gate starts open
    return Network(architecture, embedding, weights)


def from_named(architecture: Architecture, arrays: Mapping[str, Floats]) -> Network:
    """A network around given arrays, copied; shapes must be the architecture's."""
    table = arrays[EMBEDDING]
    weights = Parameters(architecture.shapes(), table.dtype)
    for name, view in weights.items():
        view[...] = arrays[name]
    return Network(architecture, np.array(table), weights)
