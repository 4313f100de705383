"""Matrix products of the sizes that training has, on one thread, beside two libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from ladtl_np.bench import operations
from ladtl_np.bench.contests import Contest, Rival, same_arrays
from ladtl_np.bench.goals import PACKED, TORCH
from ladtl_np.bench.measure import Part
from ladtl_np.kernels.linear import affine_forward
from ladtl_np.kernels.product import packed_product, packed_strips
from ladtl_np.shapes import Floats

__all__ = ["BLAS", "PLAIN", "SIZES", "products"]

BLAS = "NumPy's BLAS"
PLAIN = "plain"

SIZES = (
    (32, 800, 200),  # a step of *medical*: active sentences, gates, hidden state
    (13, 400, 100),  # of *weibo*
    (25, 400, 100),
    (128, 128, 200),
    (1350, 400, 100),  # the input projection of *weibo*
    (2700, 800, 128),  # of *medical*
    (512, 512, 512),
)
"""Rows and columns of the product, and the inner size."""


def products(*, peers: bool, torch: bool) -> Iterator[Contest]:
    """Each size with a factor as it lies and with a packed one; the peers' is as it lies."""
    for rows, columns, inner in SIZES:
        rng = np.random.default_rng(5)
        A = rng.normal(size=(rows, inner)).astype(np.float32)
        B = rng.normal(size=(inner, columns)).astype(np.float32)
        rivals = []
        if peers:
            rivals.append(Rival(BLAS, _blas(A, B), same_arrays))
        if torch:
            rivals.append(Rival(TORCH, _torch(A, B), same_arrays))
        for variant, ours in ((PLAIN, _plain(A, B)), (PACKED, _packed(A, B))):
            name, count = f"{rows} x {columns}, {inner}", operations.product(rows, columns, inner)
            yield Contest("matmul", variant, name, ours, tuple(rivals), operations=count)


def _part(call: Callable[[], object], out: Any) -> Part:
    return Part(call, lambda _: {"out": out})


def _plain(A: Floats, B: Floats) -> Part:
    out, no_bias = np.empty((len(A), B.shape[1]), A.dtype), np.empty(0, A.dtype)
    return _part(lambda: affine_forward(out, A, B, no_bias), out)


def _packed(A: Floats, B: Floats) -> Part:
    out, packed = np.empty((len(A), B.shape[1]), A.dtype), packed_strips(B)
    return _part(lambda: packed_product(out, A, packed), out)


def _blas(A: Floats, B: Floats) -> Part:
    out = np.empty((len(A), B.shape[1]), A.dtype)
    return _part(lambda: np.matmul(A, B, out=out), out)


def _torch(A: Floats, B: Floats) -> Part:
    torch: Any = import_module("torch")
    X, Y = torch.from_numpy(A), torch.from_numpy(B)
    out = torch.empty((len(A), B.shape[1]))
    return _part(lambda: torch.mm(X, Y, out=out), out)
