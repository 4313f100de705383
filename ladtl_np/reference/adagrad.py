"""AdaGrad (Duchi et al. 2011), dense and for the embedding rows that a batch touched.

The numbers in brackets are the equations of docs/math/adagrad.md.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.shapes import Floats, Integers

__all__ = ["adagrad_rows_step", "adagrad_step"]


def adagrad_step(
    parameter: Floats,
    accumulator: Floats,
    gradient: Floats,
    learning_rate: float,
    epsilon: float,
) -> tuple[Floats, Floats]:
    """One update of a whole array, (1) and (2).

    Parameters
    ----------
    parameter, accumulator, gradient : same shape
        ``accumulator`` holds the sum of the squared gradients so far, plus its initial value.
    learning_rate
    epsilon
        Added to the root; > 0, so that a coordinate that never had a gradient stays where it is.

    Returns
    -------
    parameter, accumulator
        New arrays; the inputs are untouched.
    """
    # v <- v + g^2                                                     (1)
    # p <- p - learning_rate g / (sqrt(v) + epsilon)                   (2)
    accumulator = accumulator + gradient**2
    parameter = parameter - learning_rate * gradient / (np.sqrt(accumulator) + epsilon)
    return parameter, accumulator


def adagrad_rows_step(
    parameter: Floats,
    accumulator: Floats,
    rows: Integers,
    row_gradients: Floats,
    learning_rate: float,
    epsilon: float,
) -> tuple[Floats, Floats]:
    """One update of some rows, equal to the dense update with zero gradient elsewhere, (3).

    Parameters
    ----------
    parameter, accumulator : (V, D)
    rows : (N,)
        Touched rows. A row may occur more than once: its gradients are summed *before* they are
        squared, as the dense update does.
    row_gradients : (N, D)
    learning_rate, epsilon
        As in `adagrad_step`.

    Returns
    -------
    parameter, accumulator
        New arrays; the inputs are untouched.
    """
    distinct, position = np.unique(rows, return_inverse=True)
    summed = np.zeros((len(distinct), parameter.shape[1]), parameter.dtype)
    np.add.at(summed, position, row_gradients)
    parameter, accumulator = parameter.copy(), accumulator.copy()
    parameter[distinct], accumulator[distinct] = adagrad_step(
        parameter[distinct], accumulator[distinct], summed, learning_rate, epsilon
    )
    return parameter, accumulator
