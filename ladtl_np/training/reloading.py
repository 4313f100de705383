"""Carrying the layers of the sources' model over into another network (Lee et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ladtl_np.layers.bilstm import DIRECTIONS
from ladtl_np.model.network import CHARACTERS, TARGET, Network, source_head
from ladtl_np.objective.terms import SourceTie
from ladtl_np.options.method_options import ReloadOptions
from ladtl_np.shapes import Floats, Integers

__all__ = ["carry_layers"]


def carry_layers(
    network: Network,
    trained: Network,
    ties: Sequence[SourceTie],
    options: ReloadOptions,
) -> None:
    """Copy into `network` every layer of `trained` that the options name.

    Parameters
    ----------
    network
        At its start values; what is not carried over stays so. A CRF of the source receives all of
        the trained one, the target's or a shared one what matches.
    trained
        The sources' model; the first source's CRF has the name of the target's head, the second
        one's that of the first source's, and so on.
    ties
        Of each source to the target: of its CRF only columns, rows and biases of matched tags are
        carried over to the target's. What several sources have is their mean by the shares.
    options
        One switch a layer.
    """
    if options.words:
        network.embedding[...] = trained.embedding
    whole = {f"{CHARACTERS}.embedding": options.characters}
    for lead, carried in (("", options.word_lstm), (f"{CHARACTERS}.", options.character_lstm)):
        whole |= {f"{lead}{d}.{kind}": carried for d in DIRECTIONS for kind in "WUb"}
    for name, carried in whole.items():
        if carried and name in network.weights:
            network.weights[name][...] = trained.weights[name]
    for kind in "Wb" * options.emission + "A" * options.transition:
        target = f"{network.architecture.crf_of(TARGET)}.{kind}"
        if target not in network.weights:
            continue
        crfs = [trained.weights[f"{_trained_head(number)}.{kind}"] for number in range(len(ties))]
        _carry_mean(network.weights[target], crfs, kind, ties)
        for number, crf in enumerate(crfs):
            if f"{source_head(number)}.{kind}" in network.weights:
                network.weights[f"{source_head(number)}.{kind}"][...] = crf


def _trained_head(number: int) -> str:
    """Head of a source in the sources' model."""
    return source_head(number - 1) if number else TARGET


def _carry_mean(new: Floats, crfs: Sequence[Floats], kind: str, ties: Sequence[SourceTie]) -> None:
    """Put the sources' mean into what of the target's parameter any source matches."""
    total, shares = np.zeros_like(new), np.zeros_like(new)
    for old, tie in zip(crfs, ties, strict=True):
        source, target = (_places(rows, kind) for rows in tie.matched)
        share = new.dtype.type(tie.share)
        total[target] += share * old[source]
        shares[target] += share
    seen = shares > 0
    new[seen] = total[seen] / shares[seen]


def _places(tags: Integers, kind: str) -> tuple[Any, ...]:
    """Where the values of some tags stand in a CRF's parameter: columns, both, or entries."""
    if kind == "A":
        return np.ix_(tags, tags)
    return (slice(None), tags) if kind == "W" else (tags,)
