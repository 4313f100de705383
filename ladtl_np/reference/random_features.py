"""Squared MMD by random features, whose time is linear in the rows.      docs/math/mmd.md

The numbers in brackets are the equations of docs/math/mmd.md. Frequencies W (F, K) have rows that
are drawn as by N(0, I); a Gaussian of variance s reads the phases ``W x / sqrt(s)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladtl_np.shapes import Floats

__all__ = [
    "feature_mmd_backward",
    "feature_mmd_forward",
    "mean_features_backward",
    "mean_features_forward",
    "seen_variances",
    "sketched_mmd_backward",
    "sketched_mmd_forward",
]


def mean_features_forward(X: Floats, variances: Sequence[float], W: Floats) -> Floats:
    """Mean cosine and sine of every phase, (19).

    Parameters
    ----------
    X : (S, K)
    variances : Q numbers > 0
    W : (F, K)

    Returns
    -------
    (Q, 2, F)
        Cosines, then sines, of each variance.
    """
    means = np.zeros((len(variances), 2, len(W)))
    for q, s in enumerate(variances):
        phases = X @ W.T / np.sqrt(s)
        means[q] = np.cos(phases).mean(axis=0), np.sin(phases).mean(axis=0)
    return means


def mean_features_backward(
    dmeans: Floats, X: Floats, variances: Sequence[float], W: Floats
) -> Floats:
    """Gradient of `mean_features_forward` by X, (22).

    Parameters
    ----------
    dmeans : (Q, 2, F)
        Upstream gradient.
    X, variances, W
        As in `mean_features_forward`.

    Returns
    -------
    dX : (S, K)
    """
    dX = np.zeros_like(X)
    for (dcos, dsin), s in zip(dmeans, variances, strict=True):
        phases = X @ W.T / np.sqrt(s)
        dphases = (dsin * np.cos(phases) - dcos * np.sin(phases)) / len(X)  # reverses (19)
        dX += dphases @ W / np.sqrt(s)
    return dX


def seen_variances(
    X: Floats, Z: Floats, variances: Sequence[float], least: float
) -> tuple[float, ...]:
    """The variances that are at least `least` times the mean squared distance of the rows, (23).

    Narrower Gaussians see hardly any pair of different rows.
    """
    P = np.concatenate([X, Z])
    total = sum(float(((p - P) ** 2).sum()) for p in P)
    distance = total / len(P) ** 2
    return tuple(s for s in variances if s >= least * distance)


def feature_mmd_forward(X: Floats, Z: Floats, variances: Sequence[float], W: Floats) -> float:
    """Squared distance of the mean features of two samples, (20); 0 if a sample is empty.

    Parameters
    ----------
    X : (S, K)
    Z : (R, K)
    variances : Q numbers > 0
    W : (F, K)
    """
    if len(X) == 0 or len(Z) == 0:
        return 0.0
    return sketched_mmd_forward(mean_features_forward(X, variances, W), Z, variances, W)


def feature_mmd_backward(
    dmmd: float, X: Floats, Z: Floats, variances: Sequence[float], W: Floats
) -> tuple[Floats, Floats]:
    """Gradients of `feature_mmd_forward`, (21) and (22).

    Returns
    -------
    dX : (S, K)
    dZ : (R, K)
        Exactly zero if a sample is empty.
    """
    if len(X) == 0 or len(Z) == 0:
        return np.zeros_like(X), np.zeros_like(Z)
    difference = mean_features_forward(X, variances, W) - mean_features_forward(Z, variances, W)
    dmeans = dmmd * 2.0 / len(W) * difference  # reverses (20)
    dX = mean_features_backward(dmeans, X, variances, W)
    return dX, mean_features_backward(-dmeans, Z, variances, W)


def sketched_mmd_forward(means: Floats, Z: Floats, variances: Sequence[float], W: Floats) -> float:
    """As `feature_mmd_forward`, of a sample that is known by its mean features alone.

    Parameters
    ----------
    means : (Q, 2, F)
        What `mean_features_forward` gave of the other sample.
    Z : (R, K)
        At least one row.
    variances, W
        Those that the means were made with.
    """
    difference = means - mean_features_forward(Z, variances, W)
    return float((difference**2).sum()) / len(W)


def sketched_mmd_backward(
    dmmd: float, means: Floats, Z: Floats, variances: Sequence[float], W: Floats
) -> Floats:
    """Gradient dZ (R, K) of `sketched_mmd_forward`; the means are a constant."""
    difference = means - mean_features_forward(Z, variances, W)
    dmeans = -dmmd * 2.0 / len(W) * difference  # reverses (20)
    return mean_features_backward(dmeans, Z, variances, W)
