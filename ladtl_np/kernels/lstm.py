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
from ladtl_np.kernels.matmul import multiply, multiply_packed, pack
from ladtl_np.shapes import Floats, Integers

__all__ = ["copy_row", "finish_step", "lstm_backward", "lstm_forward", "visited_before"]

# rows whose inputs are projected together; their gates fit into the second cache
SPAN_ROWS = 128


@inline
def visited_before(offsets: Integers, t: int, reverse: bool) -> tuple[int, int]:
    """First row of the step that carries its state into step t, and how many rows it carries."""
    if reverse:
        if t + 2 >= offsets.size:
            return 0, 0
        return offsets[t + 1], offsets[t + 2] - offsets[t + 1]
    if t == 0:
        return 0, 0
    return offsets[t - 1], offsets[t + 1] - offsets[t]


# Rows are passed as slices of length H: an index such as H + k might be negative for all that the
# compiler knows, and the check against it keeps a loop from becoming vector code. Part of a row is
# taken from the row: of output[row, a:b] it is not known that its elements are neighbours.
# Exponentials run over a whole step at once, so that no row ends in the scalar rest of a vector
# loop. For that tanh(a) of the last gate is taken as 2 sigmoid(2 a) - 1.


@inline
def copy_row(to: Floats, x: Floats) -> None:
    """to = x."""
    for k in range(x.size):
        to[k] = x[k]


@inline
def _sigmoid_of_all(flat: Floats) -> None:
    for k in range(flat.size):
        flat[k] = sigmoid(flat[k])


@inline
def _tanh_of_all(to: Floats, x: Floats) -> None:
    for k in range(x.size):
        to[k] = tanh(x[k])


@inline
def _next_cell(c: Floats, i: Floats, f: Floats, g: Floats, c_before: Floats) -> None:
    """c = f * c_before + i * g, where g comes in as sigmoid(2 a) and leaves as tanh(a)."""
    one = c.dtype.type(1)
    for k in range(c.size):
        g[k] = g[k] + g[k] - one
        c[k] = f[k] * c_before[k] + i[k] * g[k]


@inline
def _first_cell(c: Floats, i: Floats, g: Floats) -> None:
    one = c.dtype.type(1)
    for k in range(c.size):
        g[k] = g[k] + g[k] - one
        c[k] = i[k] * g[k]


@inline
def _hidden(h: Floats, o: Floats, tanh_c: Floats) -> None:
    for k in range(h.size):
        h[k] = o[k] * tanh_c[k]


@inline
def finish_step(
    states: Floats,
    column: int,
    gates: Floats,
    cell: Floats,
    tanh_cell: Floats,
    cell_before: Floats,
) -> None:
    """Turn the gates' sums of a step (rows, 4H) into gates, cells and states[:, column:].

    The first cell_before.shape[0] rows have a cell before them. cell and cell_before may be the
    same rows.
    """
    rows, H = cell.shape
    for j in range(rows):
        g = gates[j][3 * H :]
        for k in range(H):
            g[k] += g[k]
    _sigmoid_of_all(gates.reshape(-1))
    for j in range(rows):
        a = gates[j]
        i, f, g = a[:H], a[H : 2 * H], a[3 * H :]
        if j < cell_before.shape[0]:
            _next_cell(cell[j], i, f, g, cell_before[j])
        else:
            _first_cell(cell[j], i, g)
    _tanh_of_all(tanh_cell.reshape(-1), cell.reshape(-1))
    for j in range(rows):
        _hidden(states[j][column : column + H], gates[j][2 * H : 3 * H], tanh_cell[j])


@kernel
def lstm_forward(
    output: Floats,
    gates: Floats,
    cell: Floats,
    tanh_cell: Floats,
    X: Floats,
    W: Floats,
    U: Floats,
    b: Floats,
    offsets: Integers,
    column: int,
    reverse: bool,
) -> None:
    """Write h into output[:, column:column + H], and what lstm_backward reads.

    That is gates (N, 4H) after their non-linearity, cell and tanh_cell (N, H).
    """
    H = U.shape[0]
    steps = offsets.size - 1
    packed_W, packed_U = pack(W), pack(U)
    states = output[:, column : column + H]
    projected = 0  # visits whose inputs have been projected
    for visit in range(steps):
        t = steps - 1 - visit if reverse else visit
        if visit == projected:
            # X W for the steps of a span at once: many rows, and still in the cache when needed
            projected = _end_of_span(offsets, visit, reverse)
            begin = offsets[steps - projected if reverse else visit]
            end = offsets[t + 1 if reverse else projected]
            for row in range(begin, end):
                copy_row(gates[row], b)
            multiply_packed(gates[begin:end], X[begin:end], packed_W, 0, True)
        first, last = offsets[t], offsets[t + 1]
        before, carried = visited_before(offsets, t, reverse)
        h_before = states[before : before + carried]
        multiply_packed(gates[first : first + carried], h_before, packed_U, 0, True)
        finish_step(
            output[first:last],
            column,
            gates[first:last],
            cell[first:last],
            tanh_cell[first:last],
            cell[before : before + carried],
        )


@inline
def _end_of_span(offsets: Integers, visit: int, reverse: bool) -> int:
    """The visit after a span: its steps have SPAN_ROWS rows or few more, or are one step."""
    steps = offsets.size - 1
    rows, end = 0, visit
    while end < steps and rows < SPAN_ROWS:
        t = steps - 1 - end if reverse else end
        rows += offsets[t + 1] - offsets[t]
        end += 1
    return end


@kernel
def lstm_backward(
    dX: Floats,
    dW: Floats,
    dU: Floats,
    db: Floats,
    doutput: Floats,
    dcell: Floats,
    dhidden: Floats,
    inputs: Floats,
    output: Floats,
    gates: Floats,
    cell: Floats,
    tanh_cell: Floats,
    X: Floats,
    W: Floats,
    U: Floats,
    offsets: Integers,
    column: int,
    reverse: bool,
) -> None:
    """Write dX and add dW, dU, db, given doutput[:, column:column + H]; gates are overwritten.

    Scratch: dcell and dhidden (B, H), inputs (N, D + H).
    """
    D, H = W.shape[0], U.shape[0]
    steps = offsets.size - 1
    packed_U = pack(U.T)
    sent_back = (
        0  # sentences for which dcell and the gates' gradients of the step visited last are valid
    )
    last_visited = 0
    for visit in range(steps):
        t = visit if reverse else steps - 1 - visit
        first, last = offsets[t], offsets[t + 1]
        before, carried = visited_before(offsets, t, reverse)
        received = gates[last_visited : last_visited + sent_back]
        multiply_packed(dhidden[:sent_back], received, packed_U, 0, False)
        for row in range(first, last):
            j = row - first
            dc, dh = dcell[j], dhidden[j]
            upstream = doutput[row][column : column + H]
            if j < sent_back:
                for k in range(H):
                    dh[k] += upstream[k]
            else:
                dh[:] = upstream
                dc[:] = 0.0
            a = gates[row]
            i, f, o, g = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :]
            _hidden_backward(o, dc, dh, tanh_cell[row])
            read = inputs[row]
            copy_row(read[:D], X[row])
            if j < carried:
                copy_row(read[D:], output[before + j][column : column + H])
                _cell_backward(i, f, g, dc, cell[before + j])
            else:
                read[D:] = 0.0
                _first_cell_backward(i, f, g, dc)
            for k in range(4 * H):
                db[k] += a[k]
        last_visited = first
        # in reverse order the next step visited has at most these rows; running back it has more
        sent_back = carried
    # a = [x ; h_before] [W ; U] + b: one product over all rows for both weights
    both = np.empty((D + H, 4 * H), dW.dtype)
    multiply(both, inputs.T, gates, False)
    dW += both[:D]
    dU += both[D:]
    multiply_packed(dX, gates, pack(W.T), 0, False)


# Gradients of the gates replace the gates. Differences are written without the constant 1: as a
# literal it would widen float32 to float64.


@inline
def _hidden_backward(o: Floats, dc: Floats, dh: Floats, tanh_c: Floats) -> None:
    """h = o * tanh(c) reversed: o becomes do before its sigmoid; adds to dc."""
    for k in range(dc.size):
        o_k, t = o[k], tanh_c[k]
        dh_o = dh[k] * o_k
        dc[k] += dh_o - dh_o * t * t
        o[k] = dh[k] * t * (o_k - o_k * o_k)


@inline
def _cell_backward(i: Floats, f: Floats, g: Floats, dc: Floats, c_before: Floats) -> None:
    """c = f * c_before + i * g reversed: each factor becomes the gradient before its non-linearity.

    On return dc is what goes to the token before.
    """
    for k in range(dc.size):
        i_k, f_k, g_k = i[k], f[k], g[k]
        i[k] = dc[k] * g_k * (i_k - i_k * i_k)
        f[k] = dc[k] * c_before[k] * (f_k - f_k * f_k)
        dc_i = dc[k] * i_k
        g[k] = dc_i - dc_i * g_k * g_k
        dc[k] *= f_k


@inline
def _first_cell_backward(i: Floats, f: Floats, g: Floats, dc: Floats) -> None:
    """c = i * g reversed: the first cell that a direction visits has no state before it."""
    for k in range(dc.size):
        i_k, g_k = i[k], g[k]
        i[k] = dc[k] * g_k * (i_k - i_k * i_k)
        dc_i = dc[k] * i_k
        g[k] = dc_i - dc_i * g_k * g_k
    f[:] = 0.0
