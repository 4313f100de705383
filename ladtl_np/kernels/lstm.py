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

from ladtl_np._jit import inline, kernel
from ladtl_np.kernels.elementwise import sigmoid, tanh
from ladtl_np.kernels.matmul import multiply, multiply_packed, pack
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


# Rows are passed as slices of length H: an index such as H + k might be negative for all that the
# compiler knows, and the check against it keeps a loop from becoming vector code.


@inline
def _sigmoid_of_sum(a: Floats, b: Floats) -> None:
    for k in range(a.size):
        a[k] = sigmoid(a[k] + b[k])


@inline
def _tanh_of_sum(a: Floats, b: Floats) -> None:
    for k in range(a.size):
        a[k] = tanh(a[k] + b[k])


@inline
def _next_cell(c: Floats, i: Floats, f: Floats, g: Floats, c_before: Floats) -> None:
    for k in range(c.size):
        c[k] = f[k] * c_before[k] + i[k] * g[k]


@inline
def _first_cell(c: Floats, i: Floats, g: Floats) -> None:
    for k in range(c.size):
        c[k] = i[k] * g[k]


@inline
def _hidden(h: Floats, out: Floats, o: Floats, c: Floats) -> None:
    for k in range(h.size):
        h[k] = o[k] * tanh(c[k])
    for k in range(h.size):
        out[k] = h[k]


@kernel
def lstm_forward(
    output: Floats,
    gates: Floats,
    cell: Floats,
    hidden: Floats,
    X: Floats,
    W: Floats,
    U: Floats,
    b: Floats,
    offsets: Integers,
    column: int,
    reverse: bool,
) -> None:
    """Write h into output[:, column:column + H] and hidden; cache gates (N, 4H) and cell (N, H)."""
    H = U.shape[0]
    steps = offsets.size - 1
    multiply(gates, X, W, False)
    packed_U = pack(U)
    for visit in range(steps):
        t = steps - 1 - visit if reverse else visit
        first, last = offsets[t], offsets[t + 1]
        before, carried = _visited_before(offsets, t, reverse)
        h_before = hidden[before : before + carried]
        multiply_packed(gates[first : first + carried], h_before, packed_U, 0, True)
        for row in range(first, last):
            j = row - first
            a = gates[row]
            _sigmoid_of_sum(a[: 3 * H], b[: 3 * H])
            _tanh_of_sum(a[3 * H :], b[3 * H :])
            i, f, o, g = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :]
            if j < carried:
                _next_cell(cell[row], i, f, g, cell[before + j])
            else:
                _first_cell(cell[row], i, g)
            _hidden(hidden[row], output[row, column : column + H], o, cell[row])


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

    Scratch: dgates (N, 4H), dcell and dhidden (B, H), hidden_before (N, H).
    """
    N, H = hidden.shape
    steps = offsets.size - 1
    packed_U = pack(U.T)
    sent_back = 0  # sentences for which dcell and dgates of the step visited last are valid
    last_visited = 0
    for visit in range(steps):
        t = visit if reverse else steps - 1 - visit
        first, last = offsets[t], offsets[t + 1]
        before, carried = _visited_before(offsets, t, reverse)
        received = dgates[last_visited : last_visited + sent_back]
        multiply_packed(dhidden[:sent_back], received, packed_U, 0, False)
        for row in range(first, last):
            j = row - first
            dc, dh = dcell[j], dhidden[j]
            upstream = doutput[row, column : column + H]
            if j < sent_back:
                for k in range(H):
                    dh[k] += upstream[k]
            else:
                dh[:] = upstream
                dc[:] = 0.0
            a, da, c = gates[row], dgates[row], cell[row]
            i, f, o, g = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :]
            di, df, do, dg = da[:H], da[H : 2 * H], da[2 * H : 3 * H], da[3 * H :]
            _hidden_backward(do, dc, dh, o, c)
            if j < carried:
                hidden_before[row] = hidden[before + j]
                _cell_backward(di, df, dg, dc, i, f, g, cell[before + j])
            else:
                hidden_before[row] = 0.0
                df[:] = 0.0
                _first_cell_backward(di, dg, dc, i, g)
        last_visited = first
        # in reverse order the next step visited has at most these rows; running back it has more
        sent_back = carried
    # a = X W + h_before U + b, all rows at once
    multiply(dW, X.T, dgates, True)
    multiply(dU, hidden_before.T, dgates, True)
    for row in range(N):
        da = dgates[row]
        for k in range(4 * H):
            db[k] += da[k]
    multiply_packed(dX, dgates, pack(W.T), 0, False)


# Differences below are written without the constant 1: a literal would widen float32 to float64.


@inline
def _hidden_backward(do: Floats, dc: Floats, dh: Floats, o: Floats, c: Floats) -> None:
    """h = o * tanh(c) reversed: writes do before its sigmoid, adds to dc."""
    for k in range(c.size):
        tanh_c = tanh(c[k])
        dh_o = dh[k] * o[k]
        dc[k] += dh_o - dh_o * tanh_c * tanh_c
        do[k] = dh[k] * tanh_c * (o[k] - o[k] * o[k])


@inline
def _cell_backward(
    di: Floats,
    df: Floats,
    dg: Floats,
    dc: Floats,
    i: Floats,
    f: Floats,
    g: Floats,
    c_before: Floats,
) -> None:
    """c = f * c_before + i * g reversed, each factor through its own non-linearity.

    On return dc is what goes to the token before.
    """
    for k in range(dc.size):
        di[k] = dc[k] * g[k] * (i[k] - i[k] * i[k])
        df[k] = dc[k] * c_before[k] * (f[k] - f[k] * f[k])
        dc_i = dc[k] * i[k]
        dg[k] = dc_i - dc_i * g[k] * g[k]
    for k in range(dc.size):
        dc[k] *= f[k]


@inline
def _first_cell_backward(di: Floats, dg: Floats, dc: Floats, i: Floats, g: Floats) -> None:
    """c = i * g reversed: the first cell that a direction visits has no state before it."""
    for k in range(dc.size):
        di[k] = dc[k] * g[k] * (i[k] - i[k] * i[k])
        dc_i = dc[k] * i[k]
        dg[k] = dc_i - dc_i * g[k] * g[k]
