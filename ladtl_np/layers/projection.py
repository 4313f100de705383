"""What stands between the encoder and a shared CRF.                       docs/math/projection.md

A map is a matrix (2H, 2H) that is learned; a mask is a vector (2H,) of zeros and ones that is not.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ladtl_np.arrays.memory import Empty
from ladtl_np.layers.linear import affine_backward, affine_forward
from ladtl_np.shapes import Floats

__all__ = ["domain_mask", "fold", "projection_backward", "projection_forward"]


def domain_mask(
    domain: Literal["source", "target"],
    units: int,
    shared_fraction: float,
    *,
    number: int = 0,
    sources: int = 1,
) -> Floats:
    """Mask (2H,) of one domain: blocks shared, of each source, target only in a direction's units.

    The blocks are cut within each direction, so that every block sees the text from both sides.

    Parameters
    ----------
    domain
        Whose mask.
    units
        H, hidden units of each direction.
    shared_fraction
        Share of the units that all domains see, rounded; of the rest each source gets an equal
        part, rounded down, and the target what is left.
    number, sources
        Which source it is, counted from 0, and of how many.
    """
    shared = round(shared_fraction * units)
    part = (units - shared) // (sources + 1)
    start = shared + part * (number if domain == "source" else sources)
    mask = np.zeros(units)
    mask[:shared] = 1.0
    mask[start : start + part if domain == "source" else units] = 1.0
    return np.tile(mask, 2)


def projection_forward(
    hidden: Floats, projection: Floats | None, empty: Empty = np.empty
) -> Floats:
    """P (N, 2H) = hidden T, or hidden * m, or hidden itself where there is no projection."""
    if projection is None:
        return hidden
    if projection.shape[-1] != hidden.shape[1]:
        raise ValueError(
            f"hidden states have {hidden.shape[1]} columns, "
            f"the projection wants {projection.shape[-1]}"
        )
    if projection.ndim == 2:
        return affine_forward(hidden, projection, None, empty)
    P: Floats = empty(hidden.shape, hidden.dtype)
    return np.multiply(hidden, projection, out=P)


def projection_backward(
    dprojection: Floats | None,
    dP: Floats,
    hidden: Floats,
    projection: Floats | None,
    empty: Empty = np.empty,
) -> Floats:
    """Add to the map's gradient; returns dhidden (N, 2H). A mask is not learned."""
    if projection is None:
        return dP
    if projection.ndim == 1:
        dhidden: Floats = empty(dP.shape, dP.dtype)
        return np.multiply(dP, projection, out=dhidden)
    if dprojection is None:
        dprojection = np.zeros_like(projection)
    return affine_backward(dprojection, None, dP, hidden, projection, empty)


def fold(projection: Floats | None, W: Floats) -> Floats:
    """Emission weights (2H, m) that do the projection's work as well: T W, or diag(m) W."""
    if projection is None:
        return W
    return projection @ W if projection.ndim == 2 else projection[:, None] * W
