"""Sums of Gaussians over many distances: one polynomial for the wide ones.    docs/math/mmd.md (17)

    k = sum_q exp(-d h_q),     g = sum_q 2 h_q exp(-d h_q),     h_q = 1 / (2 s_q)

Over distances from `low` to `high` a Gaussian with (high - low) h_q of a few units is as good as
its first Chebyshev polynomials, and so is the sum of all such Gaussians. An exponential is left
for each narrower one that does not underflow.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import inline
from ladtl_np.kernels.algebra.elementwise import exp
from ladtl_np.shapes import Floats, Scalar

__all__ = ["COEFFICIENTS", "NODES", "UNDERFLOW", "gaussian_sums", "to_unit", "wide_sums"]

# exp(-100) is 4e-44, below the smallest float32; in float64 it adds less than rounding does
UNDERFLOW = 100.0
# a Gaussian that falls by more than exp(-SPREAD) over the distances would need too many terms
SPREAD = 4.0
# fewer Gaussians than this are computed sooner than a polynomial
FEWEST = 2
# terms that are evaluated in one pass: few enough that all constants stay in registers
PASS = 5
# terms at most, for float64
COEFFICIENTS = 20
# distances that differ by less are one: the scale to them could not be held in float32
NO_WIDTH = 1e-30
# points at which the sums are computed to find the terms
NODES = 24

_ANGLES = np.pi * (np.arange(NODES) + 0.5) / NODES
_POINTS = np.cos(_ANGLES)
# a_n = sum_m COSINES[n, m] f(t_m) are the coefficients of T_n at the points t_m
_COSINES = np.cos(np.arange(COEFFICIENTS)[:, None] * _ANGLES) * (2.0 / NODES)
_COSINES[0] *= 0.5


def _chebyshev() -> Floats:
    """Coefficients of T_n by powers of t, a row each: T_n = 2 t T_{n-1} - T_{n-2}."""
    table = np.zeros((COEFFICIENTS, COEFFICIENTS))
    table[0, 0] = table[1, 1] = 1.0
    for n in range(2, COEFFICIENTS):
        table[n, 1:] = 2.0 * table[n - 1, :-1]
        table[n] -= table[n - 2]
    return table


_POWERS = _chebyshev()


@inline
def wide_sums(
    terms: Floats,
    narrow: Floats,
    at_nodes: Floats,
    series: Floats,
    half_inverse: Floats,
    low: float,
    high: float,
) -> tuple[int, int]:
    """Find the polynomials of k and g over the distances from low to high.

    Writes terms (2, COEFFICIENTS), by powers of t = (2 d - low - high) / (high - low), and to
    `narrow` (Q,) the h_q that are not in them. Returns how many terms count, and how many h_q.
    Scratch: at_nodes (2, NODES) and series (2, COEFFICIENTS), both float64.
    """
    wide, count = 0, 0
    for q in range(half_inverse.size):
        if low * half_inverse[q] > UNDERFLOW:
            continue
        if (high - low) * half_inverse[q] <= SPREAD:
            wide += 1
        else:
            narrow[count] = half_inverse[q]
            count += 1
    at_nodes[:] = 0.0
    for q in range(half_inverse.size):
        h = np.float64(half_inverse[q])
        if low * half_inverse[q] > UNDERFLOW or not (high - low) * half_inverse[q] <= SPREAD:
            continue
        if wide < FEWEST:
            narrow[count] = half_inverse[q]
            count += 1
        else:
            _add_at_nodes(at_nodes[0], at_nodes[1], h, 0.5 * (low + high), 0.5 * (high - low))
    if wide < FEWEST:
        return 0, count
    most = 0
    for row in range(2):
        _to_series(series[row], at_nodes[row])
        most = max(most, _terms_needed(series[row], float(np.finfo(terms.dtype).eps)))
    for row in range(2):
        for power in range(most):
            total = 0.0
            for n in range(power, most):
                total += series[row, n] * _POWERS[n, power]
            terms[row, power] = total
    return most, count


@inline
def to_unit(low: float, high: float) -> tuple[float, float]:
    """Scale and shift of t = d scale + shift, which runs from -1 to 1; 0 for hardly any width."""
    scale = 2.0 / (high - low) if high - low > NO_WIDTH else 0.0
    return scale, -scale * 0.5 * (low + high)


@inline
def _add_at_nodes(k: Floats, g: Floats, h: float, middle: float, radius: float) -> None:
    for m in range(NODES):
        each = exp(-(middle + radius * _POINTS[m]) * h)
        k[m] += each
        g[m] += each * (h + h)


@inline
def _to_series(series: Floats, values: Floats) -> None:
    for n in range(COEFFICIENTS):
        total = 0.0
        for m in range(NODES):
            total += values[m] * _COSINES[n, m]
        series[n] = total


@inline
def _terms_needed(series: Floats, epsilon: float) -> int:
    """The first multiple of PASS after which all terms together are below rounding."""
    tail, enough = 0.0, 0.25 * epsilon * series[0]
    needed = COEFFICIENTS
    while needed > PASS:
        for n in range(needed - PASS, needed):
            tail += abs(series[n])
        if tail > enough:
            break
        needed -= PASS
    return needed


@inline
def gaussian_sums(
    k: Floats,
    g: Floats,
    d: Floats,
    terms: Floats,
    needed: int,
    narrow: Floats,
    least: Scalar,
    scale: Scalar,
    shift: Scalar,
) -> None:
    """Write the sums k and g of the distances d, the least of which is given; t = d scale + shift.

    What `terms` and `narrow` hold was found by wide_sums, and so was how many terms are needed.
    """
    if needed > 0:
        last = needed - PASS
        _first_terms(k, g, terms[0][last:needed], terms[1][last:needed], d, scale, shift)
        for first in range(last - PASS, -1, -PASS):
            of_k, of_g = terms[0][first : first + PASS], terms[1][first : first + PASS]
            _more_terms(k, g, of_k, of_g, d, scale, shift)
    else:
        for s in range(d.size):
            k[s] = 0.0
            g[s] = 0.0
    for q in range(narrow.size):
        h = narrow[q]
        if least * h > UNDERFLOW:
            continue
        for s in range(d.size):
            each = exp(-d[s] * h)
            k[s] += each
            g[s] += each * (h + h)


@inline
def _first_terms(
    k: Floats, g: Floats, of_k: Floats, of_g: Floats, d: Floats, scale: Scalar, shift: Scalar
) -> None:
    """Horner's rule at every distance for the PASS terms of the highest powers."""
    k0, k1, k2, k3, k4 = of_k[0], of_k[1], of_k[2], of_k[3], of_k[4]
    g0, g1, g2, g3, g4 = of_g[0], of_g[1], of_g[2], of_g[3], of_g[4]
    one = d.dtype.type(1)  # what is marked as far away would overflow
    for s in range(d.size):
        t = min(d[s] * scale + shift, one)
        k[s] = (((k4 * t + k3) * t + k2) * t + k1) * t + k0
        g[s] = (((g4 * t + g3) * t + g2) * t + g1) * t + g0


@inline
def _more_terms(
    k: Floats, g: Floats, of_k: Floats, of_g: Floats, d: Floats, scale: Scalar, shift: Scalar
) -> None:
    """The next PASS terms, of lower powers."""
    k0, k1, k2, k3, k4 = of_k[0], of_k[1], of_k[2], of_k[3], of_k[4]
    g0, g1, g2, g3, g4 = of_g[0], of_g[1], of_g[2], of_g[3], of_g[4]
    one = d.dtype.type(1)  # what is marked as far away would overflow
    for s in range(d.size):
        t = min(d[s] * scale + shift, one)
        k[s] = ((((k[s] * t + k4) * t + k3) * t + k2) * t + k1) * t + k0
        g[s] = ((((g[s] * t + g4) * t + g3) * t + g2) * t + g1) * t + g0
