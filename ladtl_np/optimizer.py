"""AdaGrad (Duchi et al. 2011) over a network: dense weights, and the embedding rows in use."""

from __future__ import annotations

import math

import numpy as np

from ladtl_np.kernels.adagrad import adagrad_dense, adagrad_rows
from ladtl_np.kernels.parameter_transfer import squared_norm
from ladtl_np.network import Network
from ladtl_np.objective import Gradients
from ladtl_np.options import AdaGradOptions

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

    def update(self, network: Network, gradients: Gradients, norm: float) -> None:
        """Move every parameter, given the gradients' global norm.

        `gradients` is scaled in place where clipping applies.
        """
        clip = self.options.clip_norm
        if clip and norm > clip:
            gradients.weights.flat *= clip / norm
            gradients.embedding.values[:] *= clip / norm
        scalar = network.embedding.dtype.type
        rate, epsilon = scalar(self.learning_rate()), scalar(self.options.epsilon)
        adagrad_dense(network.weights.flat, self.weight_sums, gradients.weights.flat, rate, epsilon)
        rows, values = gradients.embedding
        adagrad_rows(network.embedding, self.row_sums, rows, values, rate, epsilon)
        self.step += 1


def global_norm(gradients: Gradients) -> float:
    """Euclidean norm of all gradients together."""
    arrays = gradients.weights.flat, gradients.embedding.values.reshape(-1)
    return math.sqrt(sum(squared_norm(values) for values in arrays))
