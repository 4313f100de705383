"""LSTM and bidirectional LSTM over one sentence (sec. 3).

Gate order is i, f, o, g everywhere; a sentence starts from a zero hidden state and a zero cell.
The numbers in brackets are the equations of docs/math/lstm.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladtl_np.shapes import Floats

__all__ = [
    "BilstmCache",
    "LstmCache",
    "LstmWeights",
    "bilstm_backward",
    "bilstm_forward",
    "lstm_backward",
    "lstm_forward",
    "sigmoid",
]


class LstmWeights(NamedTuple):
    """Parameters of one direction, or their gradients."""

    W: Floats  # (D, 4H)  from the input
    U: Floats  # (H, 4H)  from the previous hidden state
    b: Floats  # (4H,)


class LstmCache(NamedTuple):
    """What `lstm_backward` needs; written by `lstm_forward`, valid for that sentence only."""

    gates: Floats  # (T, 4H)  after their non-linearity, order i, f, o, g
    cell: Floats  # (T, H)
    hidden: Floats  # (T, H)


class BilstmCache(NamedTuple):
    """What `bilstm_backward` needs; valid for that sentence only."""

    forward: LstmCache  # row t is token t
    backward: LstmCache  # row t is token T - 1 - t: this direction reads the sentence reversed


def sigmoid(z: Floats) -> Floats:
    """``1 / (1 + exp(-z))``, written with tanh so that no size of ``z`` overflows."""
    s: Floats = 0.5 * (1.0 + np.tanh(0.5 * z))
    return s


def lstm_forward(X: Floats, W: Floats, U: Floats, b: Floats) -> LstmCache:
    """Read one sentence from left to right, docs/math/lstm.md (1)-(4).

    Parameters
    ----------
    X : (T, D)
    W : (D, 4H)
    U : (H, 4H)
    b : (4H,)

    Returns
    -------
    LstmCache
        Its ``hidden`` is the output.
    """
    T, H = len(X), len(U)
    gates = np.empty((T, 4 * H), X.dtype)
    cell = np.empty((T, H), X.dtype)
    hidden = np.empty((T, H), X.dtype)
    h = c = np.zeros(H, X.dtype)
    for t in range(T):
        # z_t = x_t W + h_{t-1} U + b                                  (1)
        # i, f, o = sigmoid(z_t);  g = tanh(z_t)                       (2)
        # c_t = f c_{t-1} + i g                                        (3)
        # h_t = o tanh(c_t)                                            (4)
        z = X[t] @ W + h @ U + b
        gates[t, : 3 * H] = sigmoid(z[: 3 * H])
        gates[t, 3 * H :] = np.tanh(z[3 * H :])
        i, f, o, g = gates[t].reshape(4, H)
        c = f * c + i * g
        h = o * np.tanh(c)
        cell[t], hidden[t] = c, h
    return LstmCache(gates, cell, hidden)


def lstm_backward(
    dhidden: Floats, cache: LstmCache, X: Floats, W: Floats, U: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Gradients of `lstm_forward`, docs/math/lstm.md (5)-(10).

    Parameters
    ----------
    dhidden : (T, H)
        Upstream gradient of every hidden state, without what later steps send back.
    cache
        From `lstm_forward` on the same inputs.
    X, W, U
        As in `lstm_forward`.

    Returns
    -------
    dX : (T, D)
    dW : (D, 4H)
    dU : (H, 4H)
    db : (4H,)
    """
    gates, cell, hidden = cache
    T, H = hidden.shape
    dZ = np.empty_like(gates)
    d_h_next = d_c_next = np.zeros(H, X.dtype)
    for t in reversed(range(T)):
        i, f, o, g = gates[t].reshape(4, H)
        c_before = cell[t - 1] if t > 0 else np.zeros(H, X.dtype)
        tanh_c = np.tanh(cell[t])
        d_h = dhidden[t] + d_h_next  # h_t went to the output and into (1) of step t + 1
        d_o = d_h * tanh_c  # reverses (4)
        d_c = d_h * o * (1 - tanh_c**2) + d_c_next  # reverses (4), and (3) of step t + 1
        d_i, d_f, d_g = d_c * g, d_c * c_before, d_c * i  # reverses (3)
        d_c_next = d_c * f  # reverses (3)
        dZ[t] = np.concatenate(  # reverses (2)
            [d_i * i * (1 - i), d_f * f * (1 - f), d_o * o * (1 - o), d_g * (1 - g**2)]
        )
        d_h_next = dZ[t] @ U.T  # reverses (1)
    dX: Floats = dZ @ W.T  # reverses (1)
    dW: Floats = X.T @ dZ  # reverses (1)
    dU: Floats = hidden[:-1].T @ dZ[1:]  # reverses (1); step 0 read a zero state
    db: Floats = dZ.sum(axis=0)  # reverses (1)
    return dX, dW, dU, db


def bilstm_forward(
    X: Floats, forward_weights: LstmWeights, backward_weights: LstmWeights
) -> tuple[Floats, BilstmCache]:
    """Read one sentence in both directions, docs/math/lstm.md (11).

    Parameters
    ----------
    X : (T, D)
    forward_weights, backward_weights

    Returns
    -------
    hidden : (T, 2H)
        ``[forward ; backward]`` for each token.
    caches
    """
    # h_t = [forward_t ; backward_t]                                   (11)
    forward = lstm_forward(X, *forward_weights)
    backward = lstm_forward(X[::-1], *backward_weights)
    hidden = np.concatenate([forward.hidden, backward.hidden[::-1]], axis=1)
    return hidden, BilstmCache(forward, backward)


def bilstm_backward(
    dhidden: Floats,
    caches: BilstmCache,
    X: Floats,
    forward_weights: LstmWeights,
    backward_weights: LstmWeights,
) -> tuple[Floats, LstmWeights, LstmWeights]:
    """Gradients of `bilstm_forward`, docs/math/lstm.md (12).

    Parameters
    ----------
    dhidden : (T, 2H)
        Upstream gradient.
    caches
        From `bilstm_forward` on the same inputs.
    X, forward_weights, backward_weights
        As in `bilstm_forward`.

    Returns
    -------
    dX : (T, D)
    dforward_weights, dbackward_weights : LstmWeights
    """
    H = len(forward_weights.U)
    dX_forward, *dforward = lstm_backward(
        dhidden[:, :H], caches.forward, X, forward_weights.W, forward_weights.U
    )
    dX_backward, *dbackward = lstm_backward(
        dhidden[::-1, H:], caches.backward, X[::-1], backward_weights.W, backward_weights.U
    )
    dX = dX_forward + dX_backward[::-1]  # reverses (11): both directions read X
    return dX, LstmWeights(*dforward), LstmWeights(*dbackward)
