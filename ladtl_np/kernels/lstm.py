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

from typing import NamedTuple

import numpy as np

from ladtl_np.kernels._jit import inline, kernel
from ladtl_np.kernels.algebra.matmul import multiply, multiply_packed, pack
from ladtl_np.kernels.lstm_step import copy_row, finish_step, step_backward
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "SPAN_ROWS",
    "LstmCache",
    "LstmScratch",
    "LstmWeights",
    "lstm_backward",
    "lstm_forward",
    "visited_before",
]

# rows whose inputs are projected together, and receive their gradients together; their gates fit
# into the second cache
SPAN_ROWS = 128


class LstmWeights(NamedTuple):
    """Parameters of one direction, or their gradients."""

    W: Floats  # (D, 4H)
    U: Floats  # (H, 4H)
    b: Floats  # (4H,)


class LstmCache(NamedTuple):
    """What lstm_backward needs of one direction; written by lstm_forward, used up going back."""

    gates: Floats  # (N, 4H) after their non-linearity, order i, f, o, g; then their gradients
    cell: Floats  # (N, H)
    tanh_cell: Floats  # (N, H)


class LstmScratch(NamedTuple):
    """Room that lstm_backward works in; holds nothing before or after."""

    dcell: Floats  # (B, H)
    dhidden: Floats  # (B, H)
    inputs: Floats  # (max(SPAN_ROWS, B), D + H), or fewer rows for fewer tokens


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


@kernel
def lstm_forward(
    output: Floats,
    cache: LstmCache,
    X: Floats,
    weights: LstmWeights,
    offsets: Integers,
    column: int,
    reverse: bool,
) -> None:
    """Write h into output[:, column:column + H], and the cache."""
    gates, cell, tanh_cell = cache
    W, U, b = weights
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
    """The visit after a span: its steps have SPAN_ROWS rows at most, or are one step."""
    steps = offsets.size - 1
    rows, end = 0, visit
    while end < steps:
        t = steps - 1 - end if reverse else end
        rows += offsets[t + 1] - offsets[t]
        if rows > SPAN_ROWS and end > visit:
            break
        end += 1
    return end


@kernel
def lstm_backward(
    dX: Floats,
    dweights: LstmWeights,
    doutput: Floats,
    scratch: LstmScratch,
    output: Floats,
    cache: LstmCache,
    X: Floats,
    weights: LstmWeights,
    offsets: Integers,
    column: int,
    reverse: bool,
) -> None:
    """Write dX and add to dweights, given doutput[:, column:column + H]; uses up the cache."""
    dW, dU, db = dweights
    dcell, dhidden, inputs = scratch
    gates, cell, tanh_cell = cache
    W, U, _ = weights
    D, H = W.shape[0], U.shape[0]
    steps = offsets.size - 1
    packed_U, packed_W = pack(U.T), pack(W.T)
    both = np.zeros((D + H, 4 * H), dW.dtype)
    sent_back = 0  # sentences for which dcell and the step visited last hold gradients
    last_visited = 0
    done = 0  # visits whose inputs have received their gradients
    for visit in range(steps):
        t = visit if reverse else steps - 1 - visit
        if visit == done:
            done = _end_of_span(offsets, visit, not reverse)
            begin = offsets[visit if reverse else steps - done]
            end = offsets[done if reverse else t + 1]
        first, last = offsets[t], offsets[t + 1]
        before, carried = visited_before(offsets, t, reverse)
        received = gates[last_visited : last_visited + sent_back]
        multiply_packed(dhidden[:sent_back], received, packed_U, 0, False)
        place = inputs[first - begin : last - begin]
        _copy_inputs(place, X[first:last], output, before, carried, column)
        step_backward(
            gates[first:last],
            db,
            dcell,
            dhidden,
            doutput[first:last],
            column,
            tanh_cell[first:last],
            cell[before : before + carried],
            sent_back,
        )
        last_visited = first
        # in reverse order the next step visited has at most these rows; running back it has more
        sent_back = carried
        if visit + 1 == done:
            # a = [x ; h_before] [W ; U] + b: one product over a span's rows for both weights
            multiply(both, inputs[: end - begin].T, gates[begin:end], True)
            multiply_packed(dX[begin:end], gates[begin:end], packed_W, 0, False)
    dW += both[:D]
    dU += both[D:]


@inline
def _copy_inputs(
    inputs: Floats, X: Floats, output: Floats, before: int, carried: int, column: int
) -> None:
    """inputs = [x ; h_before] for the rows of a step."""
    D = X.shape[1]
    H = inputs.shape[1] - D
    for j in range(X.shape[0]):
        row = inputs[j]
        copy_row(row[:D], X[j])
        if j < carried:
            copy_row(row[D:], output[before + j][column : column + H])
        else:
            row[D:] = 0.0
