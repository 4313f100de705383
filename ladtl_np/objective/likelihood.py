"""Likelihood of every domain: projection, emissions and CRF of its part of a batch, side by side.

Source: Eq. (1) and (3), sec. 4.2; docs/math/objective.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.parameters import Parameters
from ladtl_np.arrays.workers import Task, Workers
from ladtl_np.layers.crf import crf_backward, crf_forward
from ladtl_np.layers.linear import affine_backward, affine_forward
from ladtl_np.layers.projection import projection_backward, projection_forward
from ladtl_np.model.network import Network, head_names, projection_name
from ladtl_np.objective.batching import Batch, Half
from ladtl_np.shapes import Floats

__all__ = ["Heads", "likelihood_step"]


def likelihood_step(
    dhidden: Floats,
    gradients: Parameters,
    hidden: Floats,
    batch: Batch,
    network: Network,
    shares: Sequence[float],
    workers: Workers,
) -> dict[str, float]:
    """Mean NLL of each head; writes dhidden (N, 2H), adds to the CRFs' and maps' gradients.

    A sentence with weight w sends back ``share * w / sentences of its domain``; ``shares`` has one
    for each half of the batch.
    """
    with workers.memory.frame():
        heads = Heads(dhidden, gradients, hidden, batch, network, shares, workers.memory)
        workers.run(*heads.tasks)
        return heads.finish()


class Heads:
    """Likelihoods of all domains, forward and backward.

    Attributes
    ----------
    tasks
        Calls to make before `finish`, in any order and on any thread; each writes arrays of its
        own, and its own domain's rows of dhidden (N, 2H). All rows are written.
    """

    def __init__(
        self,
        dhidden: Floats,
        gradients: Parameters,
        hidden: Floats,
        batch: Batch,
        network: Network,
        shares: Sequence[float],
        memory: Memory,
    ) -> None:
        self._names = head_names(len(batch.halves))
        self._gradients, self._heads = gradients, list[_Head]()
        given, heads = (network, gradients, dhidden, hidden, memory), network.architecture.heads()
        for name, half, share in zip(self._names, batch.halves, shares, strict=True):
            if name in heads and half.sentences:
                self._heads.append(_Head(*given, name, half, share))
            else:  # nothing is sent back to it
                dhidden[half.rows] = 0.0
        if network.architecture.shared_crf:
            for head in self._heads[1:]:  # tasks side by side must not add to the same arrays
                head.gradients = head.own_gradients()
        self.tasks: tuple[Task, ...] = tuple(head.run for head in self._heads)

    def finish(self) -> dict[str, float]:
        """Mean NLL of each head in the order of the halves, 0 for one without sentences."""
        nll = dict.fromkeys(self._names, 0.0)
        for head in self._heads:
            nll[head.name] = head.mean_nll
            if head.gradients is not self._gradients:
                for name, array in head.gradients.items():
                    self._gradients[name][...] += array
        return nll


class _Head:
    """Likelihood of one domain, forward and backward; writes only its own arrays and rows."""

    def __init__(
        self,
        network: Network,
        gradients: Mapping[str, Floats],
        dhidden: Floats,
        hidden: Floats,
        memory: Memory,
        name: str,
        half: Half,
        share: float,
    ) -> None:
        self.name, self.half, self.share, self.memory = name, half, share, memory
        self.network, self.gradients = network, gradients
        self.all_dhidden, self.all_hidden = dhidden, hidden
        self.crf, self.map = (
            network.architecture.crf_of(name),
            projection_name(name, network.architecture.projection),
        )

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
        self.all_dhidden[half.rows] = projection_backward(dmap, dP, hidden, projection, empty)
