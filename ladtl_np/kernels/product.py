"""The matrix product by itself, with one factor packed beforehand, as the LSTM uses it."""

from __future__ import annotations

from ladtl_np.kernels._jit import kernel
from ladtl_np.kernels.algebra.matmul import multiply_packed, pack
from ladtl_np.shapes import Floats

__all__ = ["packed_product", "packed_strips"]


@kernel
def packed_strips(B: Floats) -> Floats:
    """B (K, N) in strips as wide as a tile."""
    return pack(B)


@kernel
def packed_product(out: Floats, A: Floats, packed: Floats) -> None:
    """Write out (M, N) = A (M, K) B, with B from packed_strips."""
    multiply_packed(out, A, packed, 0, False)
