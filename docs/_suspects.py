"""Planted errors for the exercises. Try them before you read them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ladtl_np.reference.crf import log_sum_exp
from ladtl_np.reference.lstm import lstm_forward

__all__ = ["PLANTS", "emission_gradient", "lstm_gradient", "mmd_gradient"]

PLANTS = ("shorter-sentences", "transitions-swapped", "rows-without-mask")
"""Names of errors that `ladtl audit gradients --plant` knows."""

Array = NDArray[np.float64]


def emission_gradient(E: Array, A: Array, tags: NDArray[np.int64]) -> Array:
    """Gradient of the CRF's negative log-likelihood by E, docs/math/crf.md (4)-(10)."""
    alpha, beta = np.zeros_like(E), np.zeros_like(E)
    alpha[0] = E[0]
    for t in range(1, len(E)):
        alpha[t] = E[t] + log_sum_exp(alpha[t - 1][:, None] + A, axis=0)
    for t in reversed(range(len(E) - 2)):
        beta[t] = log_sum_exp(A + (E[t + 1] + beta[t + 1]), axis=1)
    joint = alpha + beta
    dE = np.exp(joint - log_sum_exp(joint, axis=1)[:, None])
    dE[np.arange(len(E)), tags] -= 1.0
    return dE


def mmd_gradient(X: Array, Z: Array, variance: float) -> tuple[Array, Array]:
    """Gradients of the squared MMD with one Gaussian, docs/math/mmd.md (7)."""

    def pull(P: Array, Q: Array) -> Array:
        apart = P[:, None] - Q[None]
        weight = np.exp(-(apart**2).sum(axis=-1) / (2 * variance)) / variance
        summed: Array = (weight[..., None] * apart).sum(axis=1)
        return summed / (len(P) * len(Q))

    return -2 * pull(X, X) + pull(X, Z), -2 * pull(Z, Z) + pull(Z, X)


def lstm_gradient(dhidden: Array, X: Array, W: Array, U: Array, b: Array) -> tuple[Array, ...]:
    """Gradients of one LSTM by X, W, U and b, docs/math/lstm.md (5)-(10)."""
    gates, cell, hidden = lstm_forward(X, W, U, b)
    H = hidden.shape[1]
    dZ = np.zeros_like(gates)
    dh_next, dc_next = np.zeros(H), np.zeros(H)
    for t in reversed(range(len(X))):
        i, f, o, g = np.split(gates[t], 4)
        before = cell[t - 1] if t else np.zeros(H)
        dh = dhidden[t] + dh_next
        tanh_c = np.tanh(cell[t])
        dc = dh * o * (1 - tanh_c**2) + dc_next
        di, df, do, dg = dc * g, dc * before, dh * tanh_c, dc * i
        dZ[t] = np.concatenate([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g)])
        dh_next, dc_next = U @ dZ[t], dc * f
    return dZ @ W.T, X.T @ dZ, hidden[:-1].T @ dZ[1:], dZ.sum(axis=0)
