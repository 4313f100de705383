"""Squared maximum mean discrepancy with a sum of Gaussians, and its label-aware form.

Differences ``x - z`` are formed one by one. The shorter way through one matrix product loses most
digits for near rows (docs/math/mmd.md, "Gram form"). The numbers in brackets are the equations of
docs/math/mmd.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladtl_np.shapes import Floats, Integers

__all__ = [
    "label_aware_mmd_backward",
    "label_aware_mmd_forward",
    "mean_kernel_backward",
    "mean_kernel_forward",
    "mmd_backward",
    "mmd_forward",
]


def mean_kernel_forward(X: Floats, Z: Floats, variances: Sequence[float]) -> float:
    """Mean of the kernel over all pairs of rows, (1) and (2).

    Parameters
    ----------
    X : (S, K)
    Z : (R, K)
    variances : Q numbers > 0

    Returns
    -------
    float
    """
    total = 0.0
    for x in X:
        # k(x, z) = sum_q exp(-||x - z||^2 / (2 s_q))                  (1)
        squared = ((x - Z) ** 2).sum(axis=1)
        total += sum(float(np.exp(squared / (-2 * s)).sum()) for s in variances)
    # mean = sum_ij k(x_i, z_j) / (S R)                                (2)
    return total / (len(X) * len(Z))


def mean_kernel_backward(
    dmean: float, X: Floats, Z: Floats, variances: Sequence[float]
) -> tuple[Floats, Floats]:
    """Gradients of `mean_kernel_forward`, (5) and (6).

    Parameters
    ----------
    dmean
        Upstream gradient.
    X, Z, variances
        As in `mean_kernel_forward`.

    Returns
    -------
    dX : (S, K)
    dZ : (R, K)
    """
    dX, dZ = np.zeros_like(X), np.zeros_like(Z)
    dkernel = dmean / (len(X) * len(Z))  # reverses (2)
    for i, x in enumerate(X):
        difference = x - Z
        squared = (difference**2).sum(axis=1)
        # w = sum_q exp(-||x - z||^2 / (2 s_q)) / s_q                  (5)
        w = np.zeros_like(squared)
        for s in variances:
            w += np.exp(squared / (-2 * s)) / s
        pull = dkernel * w[:, None] * difference
        dX[i] -= pull.sum(axis=0)  # reverses (1)
        dZ += pull  # reverses (1)
    return dX, dZ


def mmd_forward(X: Floats, Z: Floats, variances: Sequence[float]) -> float:
    """Squared MMD of two samples, biased V-statistic, Eq. (4).

    Parameters
    ----------
    X : (S, K)
    Z : (R, K)
    variances : Q numbers > 0

    Returns
    -------
    float
        At least 0 up to rounding; exactly 0 if a sample is empty.
    """
    if len(X) == 0 or len(Z) == 0:
        return 0.0
    # MMD^2 = mean k(x, x') + mean k(z, z') - 2 mean k(x, z)           Eq. (4)
    return (
        mean_kernel_forward(X, X, variances)
        + mean_kernel_forward(Z, Z, variances)
        - 2 * mean_kernel_forward(X, Z, variances)
    )


def mmd_backward(
    dmmd: float, X: Floats, Z: Floats, variances: Sequence[float]
) -> tuple[Floats, Floats]:
    """Gradients of `mmd_forward`, (7).

    Parameters
    ----------
    dmmd
        Upstream gradient.
    X, Z, variances
        As in `mmd_forward`.

    Returns
    -------
    dX : (S, K)
    dZ : (R, K)
        Exactly zero if a sample is empty.
    """
    if len(X) == 0 or len(Z) == 0:
        return np.zeros_like(X), np.zeros_like(Z)
    left, right = mean_kernel_backward(dmmd, X, X, variances)  # reverses term 1 of Eq. (4)
    dX = left + right
    left, right = mean_kernel_backward(dmmd, Z, Z, variances)  # reverses term 2 of Eq. (4)
    dZ = left + right
    left, right = mean_kernel_backward(-2 * dmmd, X, Z, variances)  # reverses term 3 of Eq. (4)
    return dX + left, dZ + right


def label_aware_mmd_forward(
    H_source: Floats,
    tags_source: Integers,
    H_target: Floats,
    tags_target: Integers,
    pairs: tuple[Integers, Integers],
    variances: Sequence[float],
    label_weights: Sequence[float] | Floats,
) -> tuple[float, Floats]:
    """La-MMD: one MMD for each matched tag, Eq. (5).

    Parameters
    ----------
    H_source, H_target : (N_s, 2H), (N_t, 2H)
        Hidden rows of the tokens of either half of the batch.
    tags_source, tags_target : (N_s,), (N_t,)
        Their gold tags.
    pairs : two of (M,)
        Matched tags: source numbers, target numbers.
    variances : Q numbers > 0
    label_weights : (M,)
        ``mu_y``; 0 leaves a tag out.

    Returns
    -------
    total : float
    per_label : (M,)
        Squared MMD of each pair without its weight; exactly 0 for a tag that either half lacks.
    """
    per_label = np.zeros(len(pairs[0]))
    for k, (tag_s, tag_t) in enumerate(zip(*pairs, strict=True)):
        per_label[k] = mmd_forward(
            H_source[tags_source == tag_s], H_target[tags_target == tag_t], variances
        )
    # L = sum_y mu_y MMD^2(y)                                          Eq. (5)
    return float(np.dot(label_weights, per_label)), per_label


def label_aware_mmd_backward(
    dtotal: float,
    H_source: Floats,
    tags_source: Integers,
    H_target: Floats,
    tags_target: Integers,
    pairs: tuple[Integers, Integers],
    variances: Sequence[float],
    label_weights: Sequence[float] | Floats,
) -> tuple[Floats, Floats]:
    """Gradients of `label_aware_mmd_forward`, (8).

    Parameters
    ----------
    dtotal
        Upstream gradient.
    H_source, tags_source, H_target, tags_target, pairs, variances, label_weights
        As in `label_aware_mmd_forward`.

    Returns
    -------
    dH_source : (N_s, 2H)
    dH_target : (N_t, 2H)
        Exactly zero in rows whose tag is unmatched or absent from the other half.
    """
    dH_source, dH_target = np.zeros_like(H_source), np.zeros_like(H_target)
    for mu, tag_s, tag_t in zip(label_weights, *pairs, strict=True):
        here, there = tags_source == tag_s, tags_target == tag_t
        dX, dZ = mmd_backward(dtotal * float(mu), H_source[here], H_target[there], variances)
        dH_source[here] += dX  # reverses Eq. (5)
        dH_target[there] += dZ  # reverses Eq. (5)
    return dH_source, dH_target
