"""The precisions that a model can be used in: which code computes its hidden states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.packing import Packing
from ladtl_np.errors import UsageError
from ladtl_np.kernels.algebra.bfloat16 import has_dot_products
from ladtl_np.kernels.decoding import Head
from ladtl_np.kernels.instruction_set import INSTRUCTIONS
from ladtl_np.model import packed, packed_bfloat16
from ladtl_np.model.packed import Beside, Direction, Projected
from ladtl_np.options.precision import PRECISIONS, Precision
from ladtl_np.shapes import Floats, Integers

__all__ = ["Products", "products_of"]


class Products(Protocol):
    """What `packed` has for float32, and `packed_bfloat16` for bfloat16."""

    def project(
        self,
        memory: Memory,
        *,
        table: Floats,
        rows: Integers,
        weights: Mapping[str, Floats],
        name: str,
    ) -> Direction:
        """Words table[rows] W + b of one direction."""

    def best_tags(
        self,
        memory: Memory,
        *,
        packing: Packing,
        words: Integers,
        encoder: Projected,
        head: Head,
        beside: Beside | None = None,
    ) -> tuple[Integers, Floats, list[Any]]:
        """Best tags (N,) of a packed batch, in its list's order, scores (B,), and what is beside.

        The last is a value for each sentence, or nothing if `beside` is not given.
        """

    def encode_piece(
        self,
        output: Floats,
        state: Floats,
        direction: Direction,
        words: Integers,
        *,
        reverse: bool,
    ) -> None:
        """Write a direction's half of output (n, 2H), and go on with its state (2, H)."""


def products_of(precision: Precision) -> Products:
    """Code for one of `PRECISIONS`.

    Raises
    ------
    UsageError
        If the processor cannot compute so, or there is no such precision.
    """
    if precision == "float32":
        return packed
    if precision != "bfloat16":
        raise UsageError(f"precision must be {' or '.join(PRECISIONS)}, got {precision!r}")
    if not has_dot_products():
        raise UsageError(
            "precision bfloat16 needs dot products of bfloat16 (AVX512-BF16), and what is compiled "
            f"for here, {INSTRUCTIONS.name}, has none; leave --precision (precision=) out"
        )
    return packed_bfloat16
