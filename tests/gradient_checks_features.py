"""Gradient checks of the MMD by random features: reference, kernels, the term of the objective."""

from __future__ import annotations

import numpy as np
from gradient_check import check_gradient, gradient_check

from ladtl_np.kernels import random_features as kernels
from ladtl_np.reference import random_features as reference

D, F = 3, 5
VARIANCES = (0.3, 1.0, 4.0)


@gradient_check("reference.random_features.mean_features_backward")
def mean_features() -> None:
    rng = np.random.default_rng(60)
    for S in (1, 4):
        X, W, d = rng.normal(size=(S, D)), rng.normal(size=(F, D)), rng.normal(size=(3, 2, F))
        check_gradient(
            lambda X, d=d, W=W: np.vdot(d, reference.mean_features_forward(X, VARIANCES, W)),
            [reference.mean_features_backward(d, X, VARIANCES, W)],
            at=[X],
        )


@gradient_check("reference.random_features.feature_mmd_backward")
def features_of_two_samples() -> None:
    rng = np.random.default_rng(61)
    for S, R in ((1, 1), (2, 4), (4, 1)):
        X, Z, d = rng.normal(size=(S, D)), 1 + rng.normal(size=(R, D)), rng.normal()
        W = rng.normal(size=(F, D))
        check_gradient(
            lambda X, Z, d=d, W=W: d * reference.feature_mmd_forward(X, Z, VARIANCES, W),
            reference.feature_mmd_backward(d, X, Z, VARIANCES, W),
            at=(X, Z),
            names=("X", "Z"),
        )


@gradient_check("reference.random_features.sketched_mmd_backward")
def features_of_a_sketch() -> None:
    rng = np.random.default_rng(62)
    means, W = rng.normal(size=(3, 2, F)), rng.normal(size=(F, D))
    for R in (1, 4):
        Z, d = rng.normal(size=(R, D)), rng.normal()
        check_gradient(
            lambda Z, d=d: d * reference.sketched_mmd_forward(means, Z, VARIANCES, W),
            [reference.sketched_mmd_backward(d, means, Z, VARIANCES, W)],
            at=[Z],
        )


@gradient_check("kernels.random_features.feature_gradient")
def sums_of_cosines_and_sines() -> None:
    rng = np.random.default_rng(63)
    rows, scales = np.array([4, 0, 2]), 0.5 / np.pi / np.sqrt(VARIANCES)
    hidden, W, d = rng.normal(size=(5, D)), rng.normal(size=(F, D)), rng.normal(size=(3, 2, F))
    factors = kernels.packed_frequencies(W)

    def function(hidden):
        sums = np.zeros((3, 2, F))
        kernels.feature_sums(sums, hidden, rows, factors, scales, 1.0)
        return np.vdot(d, sums)

    dP = np.full((3, D), np.nan)
    slopes = d / np.sqrt(VARIANCES)[:, None, None]
    kernels.feature_gradient(dP, hidden, rows, factors, scales, slopes)
    gradient = np.zeros_like(hidden)
    gradient[rows] = dP
    check_gradient(function, [gradient], [hidden])
