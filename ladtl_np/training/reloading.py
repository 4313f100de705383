"""Carrying a source model's layers over into another network (Lee et al. 2017)."""

from __future__ import annotations

import numpy as np

from ladtl_np.layers.bilstm import DIRECTIONS
from ladtl_np.model.network import CHARACTERS, SOURCE, TARGET, Network
from ladtl_np.options.method_options import ReloadOptions
from ladtl_np.shapes import Integers

__all__ = ["carry_layers"]


def carry_layers(
    network: Network,
    trained: Network,
    matched: tuple[Integers, Integers],
    options: ReloadOptions,
) -> None:
    """Copy into `network` every layer of `trained` that the options name.

    Parameters
    ----------
    network
        At its start values; what is not carried over stays so. A CRF of the source receives all of
        the trained one, the target's or a shared one what matches.
    trained
        The source's model; its one CRF is the source's, under the name of a target head.
    matched
        (M,) source tags and (M,) target tags that mean the same: of the target's CRF only their
        columns, rows and biases are copied.
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
    every = np.arange(trained.architecture.target_tags)
    tags = {network.architecture.crf_of(TARGET): matched}
    if f"{SOURCE}.W" in network.weights:
        tags[SOURCE] = every, every
    for crf, (source, target) in tags.items():
        new, old = network.weights, trained.weights
        if options.emission:
            new[f"{crf}.W"][:, target] = old[f"{TARGET}.W"][:, source]
            if f"{crf}.b" in new:
                new[f"{crf}.b"][target] = old[f"{TARGET}.b"][source]
        if options.transition:
            new[f"{crf}.A"][np.ix_(target, target)] = old[f"{TARGET}.A"][np.ix_(source, source)]
