"""Paths of the kernels that a subject's own loss may not take, on small shapes, by themselves.

Log space and scaled space of the CRF, the MMD of many rows, maps and masks before a shared CRF, and
AdaGrad, which has a formula in place of a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladtl_np.arrays.packing import pack
from ladtl_np.arrays.workers import Workers
from ladtl_np.audit.outcome import Line, held
from ladtl_np.audit.pairs import LENGTHS, Pair, Pairs, against
from ladtl_np.kernels.adagrad import adagrad_dense, adagrad_rows
from ladtl_np.layers.crf import SAFE_RANGE, crf_backward, crf_forward
from ladtl_np.layers.embedding import embedding_backward, embedding_forward
from ladtl_np.layers.mmd import RowPair, mmd_backward, mmd_forward
from ladtl_np.layers.projection import projection_backward, projection_forward
from ladtl_np.layers.random_features import feature_mmd_forward, random_frequencies
from ladtl_np.reference.adagrad import adagrad_rows_step, adagrad_step
from ladtl_np.shapes import Floats

__all__ = ["KERNEL_PAIRS", "adagrad_lines"]

M = 3
MANY = 44
"""Rows that the MMD takes in blocks."""
Rng = np.random.Generator


def _chains(rng: Rng, lengths: Sequence[int], below: float) -> Pair:
    """Likelihoods of a packed batch; one score of it lies so far below the others."""
    offsets = pack(np.array(lengths)).offsets
    tokens, sentences = int(offsets[-1]), len(lengths)
    E, A = rng.normal(size=(tokens, M)), rng.normal(size=(M, M))
    tags, dnll = rng.integers(0, M, size=tokens), rng.normal(size=sentences)
    E[0, (tags[0] + 1) % M] -= below

    def function(E: Floats, A: Floats) -> float:
        return float(dnll @ crf_forward(E, A, tags, offsets)[0])

    dE, dA = np.zeros_like(E), np.zeros_like(A)
    crf_backward(dE, dA, dnll, crf_forward(E, A, tags, offsets)[1])
    return Pair(function, {"E": E, "A": A}, (dE, dA))


def _scaled(rng: Rng) -> list[Pair]:
    return [_chains(rng, lengths, 0.0) for lengths in ((1,), LENGTHS)]


def _log_space(rng: Rng) -> list[Pair]:
    # beyond what scaled space holds, so that the guard takes log space
    below = 2.0 * SAFE_RANGE[np.dtype(np.float64)]
    return [_chains(rng, lengths, below) for lengths in ((1,), LENGTHS)]


def _mmd_in_blocks(rng: Rng) -> list[Pair]:
    hidden = rng.normal(size=(MANY, 2))
    hidden[1] = hidden[0] + 1e-3  # a near pair, which is computed by differences
    rows, d = rng.permutation(MANY), rng.normal(size=1)
    # one narrow Gaussian, and two that are wide enough for a polynomial
    pairs, variances = [RowPair(0, rows[: MANY // 3], rows[MANY // 3 :])], [(0.5, 20.0, 40.0)]

    def function(hidden: Floats) -> float:
        return float(d @ mmd_forward(hidden, pairs, variances, Workers())[0])

    gradient = np.zeros_like(hidden)
    mmd_backward(gradient, d, mmd_forward(hidden, pairs, variances, Workers())[1], Workers())
    return [Pair(function, {"hidden": hidden}, (gradient,))]


def _random_features(rng: Rng) -> list[Pair]:
    hidden, W = rng.normal(size=(MANY, 2)), random_frequencies(rng, 5, 2)
    rows, d = rng.permutation(MANY), rng.normal(size=1)
    # the first Gaussian is blind
    given = [RowPair(0, rows[: MANY // 3], rows[MANY // 3 :])], [(0.1, 2.0, 40.0)], W, Workers()

    def function(hidden: Floats) -> float:
        return float(d @ feature_mmd_forward(hidden, *given)[0])

    gradient = np.zeros_like(hidden)
    mmd_backward(gradient, d, feature_mmd_forward(hidden, *given)[1], Workers())
    return [Pair(function, {"hidden": hidden}, (gradient,))]


def _map(rng: Rng) -> list[Pair]:
    X, T, dP = rng.normal(size=(3, 4)), rng.normal(size=(4, 4)), rng.normal(size=(3, 4))
    dT = np.zeros_like(T)
    dX = projection_backward(dT, dP, X, T)
    return [
        Pair(lambda X, T: float(np.vdot(dP, projection_forward(X, T))), {"H": X, "T": T}, (dX, dT))
    ]


def _mask(rng: Rng) -> list[Pair]:
    X, dP, m = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), np.array([1.0, 0.0, 1.0, 1.0])
    gradient = projection_backward(None, dP, X, m)
    return [Pair(lambda X: float(np.vdot(dP, projection_forward(X, m))), {"H": X}, (gradient,))]


def _masked_rows(rng: Rng) -> list[Pair]:
    words, dX = rng.integers(0, 2, size=4), rng.normal(size=(4, 2))  # two words, which repeat
    table, mask = rng.normal(size=(3, 2)), rng.choice([0.0, 2.0], size=(4, 2))
    gradient = np.zeros_like(table)
    rows, values = embedding_backward(dX, words, mask)
    gradient[rows] = values

    def function(table: Floats) -> float:
        return float(np.vdot(dX, embedding_forward(table, words, mask)))

    return [Pair(function, {"table": table}, (gradient,))]


KERNEL_PAIRS: Pairs = {
    "embedding rows under a mask": _masked_rows,
    "CRF in scaled space": _scaled,
    "CRF in log space": _log_space,
    "MMD of many rows": _mmd_in_blocks,
    "MMD by random features": _random_features,
    "map before a shared CRF": _map,
    "mask before a shared CRF": _mask,
}
"""Cases of each path, by what it is."""


def adagrad_lines(rng: Rng, tolerance: float) -> list[Line]:
    """Two updates against v + g^2 and p - rate g / (sqrt(v) + epsilon), kernels and reference."""
    rows, rate, epsilon = np.array([4, 1, 4]), 0.1, 1e-3
    theta: Floats = rng.normal(size=(6, 2))
    sums: Floats = rng.uniform(0.1, 1.0, (6, 2))
    gradients = rng.normal(size=(2, 3, 2))  # of rows, one of which occurs twice
    wanted_theta, wanted_sums = theta.copy(), sums.copy()
    by_kernel, by_rows = (theta.copy(), sums.copy()), (theta.copy(), sums.copy())
    by_reference, by_reference_rows = (theta, sums), (theta, sums)
    for step in gradients:
        dense = np.zeros_like(theta)
        for row, each in zip(rows.tolist(), step, strict=True):
            dense[row] += each
        for place in np.ndindex(theta.shape):
            slope = float(dense[place])
            wanted_sums[place] += slope * slope
            wanted_theta[place] -= rate * slope / (float(wanted_sums[place]) ** 0.5 + epsilon)
        flat, squares, g = (part.reshape(-1) for part in (*by_kernel, dense))
        adagrad_dense(flat, squares, g, g, rate, epsilon)
        distinct = np.unique(rows)
        adagrad_rows(*by_rows, distinct, dense[distinct], dense[distinct], rate, epsilon)
        by_reference = adagrad_step(*by_reference, dense, rate, epsilon)
        by_reference_rows = adagrad_rows_step(*by_reference_rows, rows, step, rate, epsilon)
    found = {
        "kernels: adagrad_dense": by_kernel,
        "kernels: adagrad_rows": by_rows,
        "reference: adagrad_step": by_reference,
        "reference: adagrad_rows_step": by_reference_rows,
    }
    return [
        held(name, max(against(p, wanted_theta), against(v, wanted_sums)), tolerance)
        for name, (p, v) in found.items()
    ]
