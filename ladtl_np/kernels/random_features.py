"""Sums of cosines and sines of rows' phases, and what they send back.      docs/math/mmd.md (19)

    C_qf = sum_i cos(w_f p_i / sqrt(s_q)),     S_qf = sum_i sin(w_f p_i / sqrt(s_q))

All Gaussians share the products W p, of which each takes its own multiple, in turns.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.kernels._jit import inline, kernel, reducing_kernel
from ladtl_np.kernels.algebra.elementwise import waves
from ladtl_np.kernels.algebra.matmul import multiply_packed, pack
from ladtl_np.shapes import Floats, Integers, Scalar

__all__ = ["feature_gradient", "feature_sums", "mean_squared_distance", "packed_frequencies"]

# rows at a time: their phases and what these send back stay in the second cache
ROWS = 64


@kernel
def packed_frequencies(W: Floats) -> tuple[Floats, Floats]:
    """W (F, K) as the right factor of rows' phases, and of what phases send back to rows."""
    return pack(W.T), pack(W)


@kernel
def mean_squared_distance(hidden: Floats, rows: Integers) -> float:
    """Mean of |p_i - p_j|^2 over all pairs of rows, those of a row with itself among them.

    It is twice the mean of |p_i - mean|^2.
    """
    width = hidden.shape[1]
    mean, total = np.zeros(width), 0.0
    for i in rows:
        x = hidden[i]
        for k in range(width):
            mean[k] += x[k]
    for k in range(width):
        mean[k] /= rows.size
    for i in rows:
        total += _squared_distance_to(hidden[i], mean)
    return 2.0 * total / rows.size


@reducing_kernel
def _squared_distance_to(x: Floats, mean: Floats) -> float:
    total = 0.0
    for k in range(x.size):
        difference = np.float64(x[k]) - mean[k]
        total += difference * difference
    return total


@kernel
def feature_sums(
    sums: Floats,
    hidden: Floats,
    rows: Integers,
    factors: tuple[Floats, Floats],
    scales: Floats,
    weight: float,
) -> None:
    """Add the rows' cosines and sines, times weight, to sums (Q, 2, F), float64.

    factors are packed_frequencies; scales (Q,) are 1 / (2 pi sqrt(s_q)).
    """
    frequencies = sums.shape[2]
    P = np.empty((ROWS, hidden.shape[1]), hidden.dtype)
    phases = np.empty((ROWS, frequencies), hidden.dtype)
    part = np.empty((2, frequencies), hidden.dtype)
    for first in range(0, rows.size, ROWS):
        some = rows[first : first + ROWS]
        _phases(phases, P, hidden, some, factors[0])
        for q in range(scales.size):
            part[:] = 0.0
            for r in range(some.size):
                _add_waves(part[0], part[1], phases[r], scales[q])
            for f in range(frequencies):
                sums[q, 0, f] += weight * np.float64(part[0, f])
                sums[q, 1, f] += weight * np.float64(part[1, f])


@inline
def _phases(phases: Floats, P: Floats, hidden: Floats, rows: Integers, factor: Floats) -> None:
    for r in range(rows.size):
        to, x = P[r], hidden[rows[r]]
        for k in range(x.size):
            to[k] = x[k]
    multiply_packed(phases[: rows.size], P[: rows.size], factor, 0, False)


@inline
def _add_waves(cosines: Floats, sines: Floats, phases: Floats, scale: Scalar) -> None:
    for f in range(phases.size):
        cosine, sine = waves(phases[f] * scale)
        cosines[f] += cosine
        sines[f] += sine


@kernel
def feature_gradient(
    dP: Floats,
    hidden: Floats,
    rows: Integers,
    factors: tuple[Floats, Floats],
    scales: Floats,
    slopes: Floats,
) -> None:
    """Write dP (n, K), a row for each of rows: sum_qf (S_qf cos - C_qf sin) w_f.

    slopes (Q, 2, F) are C_qf and S_qf times all that stands before them in (22).
    """
    P = np.empty((ROWS, hidden.shape[1]), hidden.dtype)
    phases = np.empty((ROWS, slopes.shape[2]), hidden.dtype)
    dphases = np.empty_like(phases)
    both = np.empty((2, slopes.shape[2]), hidden.dtype)
    for first in range(0, rows.size, ROWS):
        some = rows[first : first + ROWS]
        _phases(phases, P, hidden, some, factors[0])
        dphases[:] = 0.0
        for q in range(scales.size):
            for r in range(some.size):
                _add_slopes(dphases[r], both, phases[r], scales[q], slopes[q, 0], slopes[q, 1])
        back = dphases[: some.size]
        multiply_packed(dP[first : first + some.size], back, factors[1], 0, False)


@inline
def _add_slopes(
    dphases: Floats,
    both: Floats,
    phases: Floats,
    scale: Scalar,
    of_cosine: Floats,
    of_sine: Floats,
) -> None:
    cosines, sines = both[0], both[1]
    for f in range(phases.size):
        cosines[f], sines[f] = waves(phases[f] * scale)
    for f in range(phases.size):
        dphases[f] += of_sine[f] * cosines[f] - of_cosine[f] * sines[f]
