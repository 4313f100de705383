"""One direction of an LSTM over a packed batch.                             docs/math/lstm.md

    a_t = x_t W + h_{t-1} U + b                       gate pre-activations, order i, f, o, g
    i, f, o = sigmoid(a_t[:3H]),  g = tanh(a_t[3H:])
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)

Step t is the rows offsets[t]:offsets[t + 1]. Row j of a step and row j of its neighbours belong to
one sentence, so a state is carried by taking the first rows of the step visited before: all of this
step's rows when running forward, and the first offsets[t + 2] - offsets[t + 1] when running in
reverse, where the other sentences only start.
"""

from __future__ import annotations

import numpy as np

from ladtl_np._jit import inline, kernel
from ladtl_np.kernels.elementwise import sigmoid, tanh
from ladtl_np.shapes import Floats, Integers

__all__ = ["lstm_backward", "lstm_forward"]


@inline
def _visited_before(offsets: Integers, t: int, reverse: bool) -> tuple[int, int]:
    """First row of the step that carries its state into step t, and how many rows it carries."""
    if reverse:
        if t + 2 >= offsets.size:
            return 0, 0
        return offsets[t + 1], offsets[t + 2] - offsets[t + 1]
    if t == 0:
        return 0, 0
    return offsets[t - 1], offsets[t + 1] - offsets[t]


@kernel
def lstm_forward(
    output: Floats,
    gates: Floats,
    cell: Floats,
    hidden: Floats,
    recurrent: Floats,
    X: Floats,
    W: Floats,
    U: Floats,
    b: Floats,
    offsets: Integers,
    column: int,
    reverse: bool,
) -> None:
    """Write h into output[:, column:column + H] and hidden; cache gates (N, 4H) and cell (N, H).

    `recurrent` (B, 4H) is scratch.
    """
    H = U.shape[0]
    steps = offsets.size - 1
    np.dot(X, W, gates)
    for visit in range(steps):
        t = steps - 1 - visit if reverse else visit
        first, last = offsets[t], offsets[t + 1]
        before, carried = _visited_before(offsets, t, reverse)
        if carried > 0:
            np.dot(hidden[before : before + carried], U, recurrent[:carried])
        for row in range(first, last):
            j = row - first
            a = gates[row]
            if j < carried:
                r = recurrent[j]
                for k in range(4 * H):
                    a[k] += r[k] + b[k]
            else:
                for k in range(4 * H):
                    a[k] += b[k]
            for k in range(3 * H):
                a[k] = sigmoid(a[k])
            for k in range(3 * H, 4 * H):
                a[k] = tanh(a[k])
            c, h, out = cell[row], hidden[row], output[row]
            if j < carried:
                c_before = cell[before + j]
                for k in range(H):
                    c[k] = a[H + k] * c_before[k] + a[k] * a[3 * H + k]
            else:
                for k in range(H):
                    c[k] = a[k] * a[3 * H + k]
            for k in range(H):
                h[k] = a[2 * H + k] * tanh(c[k])
            for k in range(H):
                out[column + k] = h[k]


@kernel
def lstm_backward(
    dX: Floats,
    dW: Floats,
    dU: Floats,
    db: Floats,
    doutput: Floats,
    dgates: Floats,
    dcell: Floats,
    dhidden: Floats,
    hidden_before: Floats,
    product: Floats,
    gates: Floats,
    cell: Floats,
    hidden: Floats,
    X: Floats,
    W: Floats,
    U: Floats,
    offsets: Integers,
    column: int,
    reverse: bool,
) -> None:
    """Write dX and add dW, dU, db, given doutput[:, column:column + H].

    Scratch: dgates (N, 4H), dcell and dhidden (B, H), hidden_before (N, H), product
    (max(D, H), 4H).
    """
    N, H = hidden.shape
    D = X.shape[1]
    steps = offsets.size - 1
    U_transposed = U.T
    sent_back = 0  # sentences for which dcell and dgates of the step visited last are valid
    last_visited = 0
    for visit in range(steps):
        t = visit if reverse else steps - 1 - visit
        first, last = offsets[t], offsets[t + 1]
        before, carried = _visited_before(offsets, t, reverse)
        if sent_back > 0:
            np.dot(
                dgates[last_visited : last_visited + sent_back], U_transposed, dhidden[:sent_back]
            )
        for row in range(first, last):
            j = row - first
            a, c, da, dc, dh = gates[row], cell[row], dgates[row], dcell[j], dhidden[j]
            upstream = doutput[row]
            if j < sent_back:
                for k in range(H):
                    dh[k] += upstream[column + k]
            else:
                for k in range(H):
                    dh[k] = upstream[column + k]
                    dc[k] = 0.0
            h_before = hidden_before[row]
            if j < carried:
                c_before = cell[before + j]
                h_source = hidden[before + j]
                for k in range(H):
                    h_before[k] = h_source[k]
                _cell_backward(da, dc, dh, a, c, c_before, H)
            else:
                for k in range(H):
                    h_before[k] = 0.0
                _first_cell_backward(da, dc, dh, a, c, H)
        last_visited = first
        # in reverse order the next step visited has at most these rows; running back it has more
        sent_back = carried
    # a = X W + h_before U + b, all rows at once
    np.dot(X.T, dgates, product[:D])
    for d in range(D):
        for k in range(4 * H):
            dW[d, k] += product[d, k]
    np.dot(hidden_before.T, dgates, product[:H])
    for d in range(H):
        for k in range(4 * H):
            dU[d, k] += product[d, k]
    for row in range(N):
        for k in range(4 * H):
            db[k] += dgates[row, k]
    np.dot(dgates, W.T, dX)


# The sums below are written without the constant 1: a literal would turn float32 into float64.


@inline
def _cell_backward(
    da: Floats, dc: Floats, dh: Floats, a: Floats, c: Floats, c_before: Floats, H: int
) -> None:
    """Reverse one token's cell; on return dc is what goes to the token before."""
    for k in range(H):
        i, f, o, g = a[k], a[H + k], a[2 * H + k], a[3 * H + k]
        tanh_c = tanh(c[k])
        # h = o * tanh(c) reversed: dc += dh * o * (1 - tanh(c)^2)
        dh_o = dh[k] * o
        d_c = dc[k] + (dh_o - dh_o * tanh_c * tanh_c)
        # c = f * c_before + i * g reversed, each through its own non-linearity
        da[k] = d_c * g * (i - i * i)
        da[H + k] = d_c * c_before[k] * (f - f * f)
        da[2 * H + k] = dh[k] * tanh_c * (o - o * o)
        dg = d_c * i
        da[3 * H + k] = dg - dg * g * g
        dc[k] = d_c * f


@inline
def _first_cell_backward(da: Floats, dc: Floats, dh: Floats, a: Floats, c: Floats, H: int) -> None:
    """Reverse the first cell that a direction visits in a sentence: there is no state before it."""
    for k in range(H):
        i, o, g = a[k], a[2 * H + k], a[3 * H + k]
        tanh_c = tanh(c[k])
        dh_o = dh[k] * o
        d_c = dc[k] + (dh_o - dh_o * tanh_c * tanh_c)
        da[k] = d_c * g * (i - i * i)
        da[H + k] = 0.0
        da[2 * H + k] = dh[k] * tanh_c * (o - o * o)
        dg = d_c * i
        da[3 * H + k] = dg - dg * g * g
