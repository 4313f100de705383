"""The elementwise part of one step of an LSTM, there and back.                docs/math/lstm.md"""

from __future__ import annotations

from ladtl_np.kernels._jit import inline
from ladtl_np.kernels.algebra.elementwise import sigmoid, tanh
from ladtl_np.shapes import Floats

__all__ = ["copy_row", "finish_step", "step_backward"]

# Rows are passed as slices of length H: an index such as H + k might be negative for all that the
# compiler knows, and the check against it keeps a loop from becoming vector code. Part of a row is
# taken from the row: of output[row, a:b] it is not known that its elements are neighbours.
# Exponentials run over several rows at once, so that no row ends in the scalar rest of a vector
# loop. For that tanh(a) of the last gate is taken as 2 sigmoid(2 a) - 1.

# rows whose elementwise part is done together: they stay in the first cache over all its passes,
# and a multiple of 4 of them fills whole vectors of 16 numbers whenever H is a multiple of 4
BLOCK_ROWS = 4


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
    for first in range(0, cell.shape[0], BLOCK_ROWS):
        last = first + BLOCK_ROWS
        _finish_rows(
            states[first:last],
            column,
            gates[first:last],
            cell[first:last],
            tanh_cell[first:last],
            cell_before[first:last],
        )


@inline
def _finish_rows(
    states: Floats,
    column: int,
    gates: Floats,
    cell: Floats,
    tanh_cell: Floats,
    cell_before: Floats,
) -> None:
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


@inline
def step_backward(
    gates: Floats,
    db: Floats,
    dcell: Floats,
    dhidden: Floats,
    doutput: Floats,
    column: int,
    tanh_cell: Floats,
    cell_before: Floats,
    sent_back: int,
) -> None:
    """finish_step reversed: gates become the gradients of their sums, which are added to db."""
    H = tanh_cell.shape[1]
    for j in range(gates.shape[0]):
        dc, dh = dcell[j], dhidden[j]
        upstream = doutput[j][column : column + H]
        if j < sent_back:
            for k in range(H):
                dh[k] += upstream[k]
        else:
            copy_row(dh, upstream)
            dc[:] = 0.0
        a = gates[j]
        i, f, o, g = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :]
        _hidden_backward(o, dc, dh, tanh_cell[j])
        if j < cell_before.shape[0]:
            _cell_backward(i, f, g, dc, cell_before[j])
        else:
            _first_cell_backward(i, f, g, dc)
        for k in range(a.size):
            db[k] += a[k]


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
