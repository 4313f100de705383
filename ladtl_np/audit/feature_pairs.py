"""Every backward function of `reference.random_features` on small shapes, by itself."""

from __future__ import annotations

import numpy as np

from ladtl_np.audit.pairs import Pair, Pairs
from ladtl_np.reference import random_features
from ladtl_np.shapes import Floats

__all__ = ["FEATURE_PAIRS"]

D, F = 3, 5
VARIANCES = (0.3, 1.0, 4.0)
Rng = np.random.Generator


def _mean_features(rng: Rng) -> list[Pair]:
    X, W, dmeans = rng.normal(size=(4, D)), rng.normal(size=(F, D)), rng.normal(size=(3, 2, F))
    gradient = random_features.mean_features_backward(dmeans, X, VARIANCES, W)

    def function(X: Floats) -> float:
        return float(np.vdot(dmeans, random_features.mean_features_forward(X, VARIANCES, W)))

    return [Pair(function, {"X": X}, (gradient,))]


def _feature_mmd(rng: Rng) -> list[Pair]:
    X, Z, W = rng.normal(size=(2, D)), 1.0 + rng.normal(size=(4, D)), rng.normal(size=(F, D))
    gradients = random_features.feature_mmd_backward(0.7, X, Z, VARIANCES, W)

    def function(X: Floats, Z: Floats) -> float:
        return 0.7 * random_features.feature_mmd_forward(X, Z, VARIANCES, W)

    return [Pair(function, {"X": X, "Z": Z}, gradients)]


def _sketched_mmd(rng: Rng) -> list[Pair]:
    Z, W, means = rng.normal(size=(4, D)), rng.normal(size=(F, D)), rng.normal(size=(3, 2, F))
    gradient = random_features.sketched_mmd_backward(0.7, means, Z, VARIANCES, W)

    def function(Z: Floats) -> float:
        return 0.7 * random_features.sketched_mmd_forward(means, Z, VARIANCES, W)

    return [Pair(function, {"Z": Z}, (gradient,))]


FEATURE_PAIRS: Pairs = {
    "random_features.mean_features_backward": _mean_features,
    "random_features.feature_mmd_backward": _feature_mmd,
    "random_features.sketched_mmd_backward": _sketched_mmd,
}
"""Cases by module and name, of which `REFERENCE_PAIRS` has all."""
