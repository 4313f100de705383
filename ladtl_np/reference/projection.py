"""What stands between the encoder and a CRF that both domains share (Peng and Dredze 2017).

The numbers in brackets are the equations of docs/math/projection.md.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.shapes import Floats

__all__ = [
    "domain_mask",
    "linear_projection_backward",
    "linear_projection_forward",
    "mask_backward",
    "mask_forward",
]


def linear_projection_forward(H: Floats, T: Floats) -> Floats:
    """``P = H T_d``, the map of the sentence's own domain, (1).

    Parameters
    ----------
    H : (T, 2H)
    T : (2H, 2H)

    Returns
    -------
    P : (T, 2H)
    """
    # P = H T                                                          (1)
    return H @ T


def linear_projection_backward(dP: Floats, H: Floats, T: Floats) -> tuple[Floats, Floats]:
    """Gradients of `linear_projection_forward`, (2).

    Returns
    -------
    dH : (T, 2H)
    dT : (2H, 2H)
    """
    return dP @ T.T, H.T @ dP  # reverses (1)


def domain_mask(
    domain: str, units: int, shared_fraction: float, *, number: int = 0, sources: int = 1
) -> Floats:
    """``m_d``: 1 where a domain may look, 0 where it may not, (3).

    Unit j of a direction is shared for j < s, source i's for u_i <= j < u_(i+1) with u_0 = s, and
    the target's beyond the last source's.

    Parameters
    ----------
    domain
        ``source`` or ``target``.
    units
        H, hidden units of each direction.
    shared_fraction
    number, sources
        Which source, from 0 on, and of how many.

    Returns
    -------
    m : (2H,)
    """
    s = round(shared_fraction * units)
    u = [s + i * ((units - s) // (sources + 1)) for i in range(sources + 1)]
    m = []
    for _ in ("forward", "backward"):
        for j in range(units):
            own = u[number] <= j < u[number + 1] if domain == "source" else j >= u[-1]
            m.append(1.0 if j < s or own else 0.0)
    return np.array(m)


def mask_forward(H: Floats, m: Floats) -> Floats:
    """``P = H * m_d``, row by row, (4).

    Parameters
    ----------
    H : (T, 2H)
    m : (2H,)

    Returns
    -------
    P : (T, 2H)
    """
    # P = H m                                                          (4)
    return H * m


def mask_backward(dP: Floats, m: Floats) -> Floats:
    """Gradient of `mask_forward`, (5).

    Returns
    -------
    dH : (T, 2H)
    """
    return dP * m  # reverses (4)
