"""Gradient checks of the reference's projections and of its divergence, all coordinates."""

from __future__ import annotations

import numpy as np
from gradient_check import LENGTHS, check_gradient, gradient_check

from ladtl_np.reference import divergence, projection

H, M_TAGS = 2, 3


@gradient_check("reference.projection.linear_projection_backward")
def linear_projection() -> None:
    rng = np.random.default_rng(50)
    for length in LENGTHS:
        hidden, T = rng.normal(size=(length, 2 * H)), rng.normal(size=(2 * H, 2 * H))
        dP = rng.normal(size=hidden.shape)
        check_gradient(
            lambda hidden, T, dP=dP: np.vdot(dP, projection.linear_projection_forward(hidden, T)),
            projection.linear_projection_backward(dP, hidden, T),
            at=(hidden, T),
            names=("H", "T"),
        )


@gradient_check("reference.projection.mask_backward")
def mask() -> None:
    rng = np.random.default_rng(51)
    m = projection.domain_mask("target", H, 0.5)
    for length in LENGTHS:
        hidden, dP = rng.normal(size=(length, 2 * H)), rng.normal(size=(length, 2 * H))
        check_gradient(
            lambda hidden, dP=dP: np.vdot(dP, projection.mask_forward(hidden, m)),
            [projection.mask_backward(dP, m)],
            at=[hidden],
        )


@gradient_check("reference.divergence.divergence_backward")
def divergence_of_one_sentence() -> None:
    rng = np.random.default_rng(52)
    for length in LENGTHS:
        E_s, E_t = rng.normal(size=(2, length, M_TAGS))
        A_s, A_t = rng.normal(size=(2, M_TAGS, M_TAGS))
        d = rng.normal()
        check_gradient(
            lambda E_t, A_t, E_s=E_s, A_s=A_s, d=d: (
                d * divergence.divergence_forward(E_s, A_s, E_t, A_t)
            ),
            divergence.divergence_backward(d, E_s, A_s, E_t, A_t),
            at=(E_t, A_t),
            names=("E_t", "A_t"),
        )


@gradient_check("reference.divergence.divergence_source_backward")
def divergence_by_the_source_s_scores() -> None:
    rng = np.random.default_rng(53)
    for length in LENGTHS:
        E_s, E_t = rng.normal(size=(2, length, M_TAGS))
        A_s, A_t = rng.normal(size=(2, M_TAGS, M_TAGS))
        d = rng.normal()
        check_gradient(
            lambda E_s, A_s, E_t=E_t, A_t=A_t, d=d: (
                d * divergence.divergence_forward(E_s, A_s, E_t, A_t)
            ),
            divergence.divergence_source_backward(d, E_s, A_s, E_t, A_t),
            at=(E_s, A_s),
            names=("E_s", "A_s"),
        )
