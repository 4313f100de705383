"""From a training run's network to a model that stands alone."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import msgspec
import numba
import numpy as np

from ladtl_np import __version__
from ladtl_np.kernels.instruction_set import INSTRUCTIONS
from ladtl_np.model.file import Model
from ladtl_np.model.hashed import hashed
from ladtl_np.model.network import Network
from ladtl_np.options.config import portable
from ladtl_np.scoring import Scores
from ladtl_np.training.prepared import Prepared

__all__ = ["build_model", "machine", "versions"]


def build_model(
    prepared: Prepared,
    network: Network,
    scores: Mapping[str, Scores | None],
    hashes: Mapping[str, str],
) -> Model:
    """Join a network with vocabulary, tags, options, scores and hashes of its data.

    With a key, words and characters are hashed here and nowhere before: training does not differ.
    The result does not depend on the run's folder, on the data's folders or on the number of
    threads, so that equal runs write equal files.
    """
    vocabulary, characters = prepared.vocabulary, prepared.characters
    if prepared.key is not None and vocabulary.lock is None:
        network, vocabulary, characters = hashed(network, vocabulary, characters, prepared.key)
    provenance: dict[str, Any] = {"versions": versions(), "data": dict(hashes)}
    if prepared.vectors is not None:
        provenance["vectors"] = msgspec.to_builtins(prepared.vectors.portable())
    return Model(
        network=network,
        vocabulary=vocabulary,
        source_tags=prepared.source_tags,
        more_sources=prepared.heads[1:],
        target_tags=prepared.target_tags,
        label_map=dict(prepared.label_map.pairs),
        profile=prepared.profile,
        config=portable(prepared.config),
        scores={name: _short(score) for name, score in scores.items() if score is not None},
        provenance=provenance,
        characters=characters,
        target_scheme=prepared.target_scheme,
        dev_unknown=prepared.dev_unknown,
    )


def versions() -> dict[str, str]:
    """Versions that results may depend on."""
    return {
        "ladtl_np": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "scipy": version("scipy"),
    }


def machine() -> dict[str, str]:
    """What the last digits of results may depend on, and no names."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "instructions": INSTRUCTIONS.name,
    }


def _short(scores: Scores) -> dict[str, Any]:
    readings = {"conlleval": scores.conlleval, "strict": scores.strict}
    return {name: report.overall.to_json() for name, report in readings.items()}
