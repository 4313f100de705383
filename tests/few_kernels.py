"""A few kernels on fixed numbers: what processes with other instructions compute as well."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numba.core.event import Listener, register

from ladtl_np.arrays.workers import Workers
from ladtl_np.kernels import _jit
from ladtl_np.kernels.algebra import elementwise
from ladtl_np.kernels.linear import affine_forward
from ladtl_np.kernels.lstm import LstmCache, LstmWeights, lstm_forward
from ladtl_np.layers.mmd import RowPair, mmd_backward, mmd_forward
from ladtl_np.shapes import Floats

Normal = Callable[..., Floats]


@_jit.kernel
def exponentials(out: Floats, x: Floats) -> None:
    for n in range(x.size):
        out[n] = elementwise.exp(x[n])


def powers(normal: Normal) -> Floats:
    x = normal(37) * np.float32(9)
    out = np.empty_like(x)
    exponentials(out, x)
    return out


def product(normal: Normal) -> Floats:
    # beyond whole vectors there are 3 columns of 4 with SSE2, and 7 of 8 with AVX2
    out = np.empty((13, 31), np.float32)
    affine_forward(out, normal(13, 21), normal(21, 31), normal(31))
    return out


def lstm(normal: Normal) -> Floats:
    N, D, H = 9, 7, 5
    output, gates = np.zeros((N, 2 * H), np.float32), np.empty((N, 4 * H), np.float32)
    cache = LstmCache(gates, *np.empty((2, N, H), np.float32))
    weights = LstmWeights(normal(D, 4 * H), normal(H, 4 * H), normal(4 * H))
    lstm_forward(output, cache, normal(N, D), weights, np.array([0, 4, 7, 9]), H, True)
    return output


def mmd(normal: Normal) -> Floats:
    """Values of a large and a small pair, and their gradient."""
    hidden, few, many = normal(120, 11), np.arange(7), np.arange(50)
    pairs = RowPair(0, many, many + 50), RowPair(1, few, few + 100)
    values, cache = mmd_forward(hidden, pairs, [(4.0, 9.0)] * 2, Workers())
    dhidden = np.zeros_like(hidden)
    mmd_backward(dhidden, np.ones(2), cache, Workers())
    return np.concatenate([values, dhidden.ravel()])


KERNELS = {kernel.__name__: kernel for kernel in (powers, product, lstm, mmd)}


def results(names: Iterable[str]) -> dict[str, Floats]:
    """What the kernels of some names give, in float32."""
    rng = np.random.default_rng(0)
    return {
        name: KERNELS[name](lambda *shape: rng.normal(size=shape).astype(np.float32))
        for name in names
    }


class Compiled(Listener):
    """Counts what is compiled."""

    def __init__(self) -> None:
        self.count = 0

    def on_start(self, event: object) -> None:
        self.count += 1

    def on_end(self, event: object) -> None:
        pass


if __name__ == "__main__":
    file, *names = sys.argv[1:]
    counter = Compiled()
    register("numba:compile", counter)
    np.savez(Path(file), **results(names), compiled=counter.count)
    print(_jit._FOLDERS.own)
