"""Likelihood of both domains: projection, emissions and CRF of each half of a batch, side by side.

Source: Eq. (1) and (3), sec. 4.2; docs/math/objective.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.parameters import Parameters
from ladtl_np.arrays.workers import Workers
from ladtl_np.layers.crf import crf_backward, crf_forward
from ladtl_np.layers.linear import affine_backward, affine_forward
from ladtl_np.layers.projection import projection_backward, projection_forward
from ladtl_np.model.network import SOURCE, TARGET, Network
from ladtl_np.objective.batching import Batch, Half
from ladtl_np.shapes import Floats

__all__ = ["likelihood_step"]


def likelihood_step(
    dhidden: Floats,
    gradients: Parameters,
    hidden: Floats,
    batch: Batch,
    network: Network,
    source_share: float,
    workers: Workers,
) -> dict[str, float]:
    """Mean NLL of each domain; writes dhidden (N, 2H), adds to the CRFs' and maps' gradients.

    A sentence with weight w sends back ``share * w / sentences of its domain``.
    """
    shares = {SOURCE: source_share, TARGET: 1.0 - source_share}
    halves = {SOURCE: batch.source, TARGET: batch.target}
    nll = dict.fromkeys(shares, 0.0)
    heads = [
        _Head(network, gradients, name, halves[name], hidden, shares[name], workers.memory)
        for name in network.architecture.heads()
        if halves[name].sentences
    ]
    if network.architecture.shared_crf:
        for head in heads[1:]:  # tasks side by side must not add to the same arrays
            head.gradients = head.own_gradients()
    with workers.memory.frame():
        workers.run(*(head.run for head in heads))
        for head in heads:
            nll[head.name] = head.mean_nll
            dhidden[head.half.rows] = head.dhidden
            if head.gradients is not gradients:
                for name, array in head.gradients.items():
                    gradients[name][...] += array
    return nll


class _Head:
    """Likelihood of one domain, forward and backward; writes only its own arrays."""

    def __init__(
        self,
        network: Network,
        gradients: Mapping[str, Floats],
        name: str,
        half: Half,
        hidden: Floats,
        share: float,
        memory: Memory,
    ) -> None:
        self.name, self.half, self.share, self.memory = name, half, share, memory
        self.network, self.gradients, self.all_hidden = network, gradients, hidden
        self.crf, self.map = network.architecture.crf_of(name), network.projection_name(name)

    def own_gradients(self) -> dict[str, Floats]:
        """Zeros for every parameter that this head uses."""
        names = [f"{self.crf}.W", f"{self.crf}.A", f"{self.crf}.b", self.map]
        weights = self.network.weights
        return {name: np.zeros_like(weights[name]) for name in names if name in weights}

    def run(self) -> None:
        crf, half, weights, empty = self.crf, self.half, self.network.weights, self.memory.empty
        W, bias = weights[f"{crf}.W"], weights.get(f"{crf}.b")
        projection = self.network.projection(self.name)
        hidden = empty((half.rows.size, W.shape[0]), W.dtype)
        np.take(self.all_hidden, half.rows, axis=0, out=hidden, mode="clip")  # unbuffered
        P = projection_forward(hidden, projection, empty)
        E = affine_forward(P, W, bias, empty)
        nll, cache = crf_forward(E, weights[f"{crf}.A"], half.tags, half.offsets, empty)
        self.mean_nll = float((half.weights * nll).sum()) / half.sentences
        dnll = self.share / half.sentences * half.weights
        dE = self.memory.zeros(E.shape, E.dtype)
        crf_backward(dE, self.gradients[f"{crf}.A"], dnll, cache, empty)
        dW, db = self.gradients[f"{crf}.W"], self.gradients.get(f"{crf}.b")
        dP = affine_backward(dW, db, dE, P, W, empty)
        dmap = self.gradients.get(self.map)
        self.dhidden = projection_backward(dmap, dP, hidden, projection, empty)
