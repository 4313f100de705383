"""AdaGrad (Duchi et al. 2011) over a network: dense weights, and the embedding rows in use."""

from __future__ import annotations

import math

import numpy as np

from ladtl_np.kernels.adagrad import adagrad_dense, adagrad_rows
from ladtl_np.kernels.parameter_transfer import squared_norm
from ladtl_np.model.network import Network
from ladtl_np.objective import Gradients
from ladtl_np.options.parts import AdaGradOptions

__all__ = ["AdaGrad", "global_norm"]


class AdaGrad:
    """Sums of squared gradients of one network, and the update."""

    def __init__(self, network: Network, options: AdaGradOptions) -> None:
        self.options = options
        self.step = 0
        self.weight_sums = np.full_like(network.weights.flat, options.initial_accumulator)
        self.row_sums = np.full_like(network.embedding, options.initial_accumulator)

    def learning_rate(self) -> float:
        """The rate of the next step, after its staircase decay."""
        options = self.options
        stairs = self.step // options.decay_steps if options.decay_steps else 0
        return options.learning_rate * options.decay**stairs

    def update(
        self, network: Network, gradients: Gradients, norm: float, sums_of: Gradients | None = None
    ) -> None:
        """Move every parameter, given the gradients' global norm.

        Parameters
        ----------
        network
            What is moved.
        gradients
            Where to; scaled in place where clipping applies.
        norm
            Their global norm.
        sums_of
            Gradients of the same rows whose squares are summed, and whose norm is clipped, instead,
            so that a scaling of `gradients` scales the step.
        """
        clip = self.options.clip_norm
        norm = norm if sums_of is None else global_norm(sums_of)
        if clip and norm > clip:
            for part in (gradients, sums_of):
                if part is not None:
                    part.weights.flat *= clip / norm
                    part.embedding.values[:] *= clip / norm
        summed = gradients if sums_of is None else sums_of
        scalar = network.embedding.dtype.type
        step = scalar(self.learning_rate()), scalar(self.options.epsilon)
        d, g = gradients.weights.flat, summed.weights.flat
        adagrad_dense(network.weights.flat, self.weight_sums, d, g, *step)
        (rows, d), g = gradients.embedding, summed.embedding.values
        adagrad_rows(network.embedding, self.row_sums, rows, d, g, *step)
        self.step += 1


def global_norm(gradients: Gradients) -> float:
    """Euclidean norm of all gradients together."""
    arrays = gradients.weights.flat, gradients.embedding.values.reshape(-1)
    return math.sqrt(sum(squared_norm(values) for values in arrays))
