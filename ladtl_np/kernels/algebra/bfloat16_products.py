"""A step of an LSTM, and x W + b, with dot products of bfloat16.             docs/performance.md

Weights are those of bfloat16.pack_gates: groups of 16 hidden units, each with its four gates. In
plain Python the functions are what NumPy makes of the same rounded numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import overload

from ladtl_np.kernels._jit import STRICT, inline
from ladtl_np.kernels.algebra.bfloat16 import Halves, rounded, widened
from ladtl_np.kernels.algebra.bfloat16_tiles import LANES, ROWS, projection_tile, step_tile
from ladtl_np.kernels.algebra.elementwise import sigmoid
from ladtl_np.shapes import Floats, Integers

__all__ = ["project", "step"]

_project_tile, _step_tile = projection_tile(ROWS), step_tile(ROWS)


def _products(X: Halves, weights: Halves) -> Floats:
    """X (n, K) W as (n, groups, 4, LANES)."""
    pairs = widened(X).reshape(len(X), X.shape[1] // 2, 2)
    product: Any = np.einsum("nks,gkqls->ngql", pairs, widened(weights[:, : pairs.shape[1]]))
    return product


def project(projected: Floats, X: Halves, W: Halves, b: Floats) -> None:
    """projected (n, groups, 4, LANES) = X (n, K) W + b, where n is a multiple of ROWS."""
    projected[...] = _products(X, W) + b


def step(
    out: Floats,
    after: Halves,
    cell: Floats,
    projected: Floats,
    words: Integers,
    before: Halves,
    U: Halves,
) -> None:
    """Write a step's states as out (rows, H) and after (rows, H'), and replace cell (rows, H').

    Its gates are those of projected[words] + before U. The first cells of sentences have a `before`
    of no columns, and are 0.
    """
    i, f, o, g = np.moveaxis(projected[words] + _products(before, U), 2, 0)
    c_before = cell.reshape(f.shape)
    c = sigmoid(f) * c_before + sigmoid(i) * np.tanh(g)
    h = (sigmoid(o) * np.tanh(c)).reshape(cell.shape)
    cell[...] = c.reshape(cell.shape)
    after[...] = rounded(h)
    out[...] = h[:, : out.shape[1]]


@inline
def _project(projected: Floats, X: Halves, W: Halves, b: Floats) -> None:
    for g in range(W.shape[0]):
        for n in range(0, X.shape[0], ROWS):
            _project_tile(
                b.ctypes.data + g * b.strides[0],
                X.ctypes.data + n * X.strides[0],
                X.strides[0],
                W.shape[1],
                W.ctypes.data + g * W.strides[0],
                projected.ctypes.data + n * projected.strides[0] + g * projected.strides[1],
                projected.strides[0],
            )


@inline
def _step(
    out: Floats,
    after: Halves,
    cell: Floats,
    projected: Floats,
    words: Integers,
    before: Halves,
    U: Halves,
) -> None:
    # a group's weights stay in the first cache while all sentences go by
    count = (words.size + ROWS - 1) // ROWS
    for g in range(U.shape[0]):
        first, units = 0, g * LANES
        for n in range(count):
            rows = (words.size - first) // (count - n)  # as equal as can be
            places = (
                words.ctypes.data + first * words.strides[0],
                projected.ctypes.data + g * projected.strides[1],
                projected.strides[0],
                before.ctypes.data + first * before.strides[0],
                before.strides[0],
                before.shape[1] // 2,
                U.ctypes.data + g * U.strides[0],
                cell.ctypes.data + first * cell.strides[0] + units * cell.itemsize,
                cell.strides[0],
                after.ctypes.data + first * after.strides[0] + units * after.itemsize,
                out.ctypes.data + first * out.strides[0] + units * out.itemsize,
                out.strides[0],
                out.shape[1] - units,
            )
            _step_tile(rows, places)
            first += rows


@overload(project, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose_project(projected, X, W, b):  # type: ignore[no-untyped-def]
    return lambda projected, X, W, b: _project(projected, X, W, b)


@overload(step, jit_options={"error_model": "numpy", "fastmath": STRICT})
def _choose_step(out, after, cell, projected, words, before, U):  # type: ignore[no-untyped-def]
    return lambda out, after, cell, projected, words, before, U: _step(
        out, after, cell, projected, words, before, U
    )
