"""Central differences against a hand-written gradient, and the registry of all such checks.

A check is a function without arguments that raises AssertionError; it is registered under the name
of the backward function that it checks, without the package's name:

    @gradient_check("reference.linear.affine_backward")
    def affine() -> None:
        ...

Checks live in ``gradient_checks_*.py`` beside this file; ``test_gradients.py`` imports and runs
them all, and fails for every backward function that has none.

How exact the comparison can be: a central difference with step h of a function f has a truncation
error of h^2 f''' / 6 and a rounding error of about 2e-16 |f| / h, both near 1e-11 for h = 1e-5 and
f of size 1. ``atol`` is therefore taken times max(1, |f|), and what is compared on top of it is
relative, coordinate by coordinate, so that a large gradient cannot hide a wrong small one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[..., float]
Check = Callable[[], None]

LENGTHS = (1, 2, 4)
"""Sentence lengths at which boundaries break."""

VISIBLE = 1e3
"""A check whose largest gradient is below this many times ``atol`` would prove nothing."""

GRADIENT_CHECKS: dict[str, Check] = {}


def gradient_check(*names: str) -> Callable[[Check], Check]:
    """Register a check under the name of each backward function that it checks."""

    def register(check: Check) -> Check:
        for name in names:
            if name in GRADIENT_CHECKS:
                raise ValueError(f"{name} has two gradient checks")
            GRADIENT_CHECKS[name] = check
        return check

    return register


def numeric_gradient(
    function: Function, at: Sequence[Array], which: int, *, step: float = 1e-5
) -> Array:
    """Central differences of ``function(*at)`` over every coordinate of ``at[which]``."""
    moved = [array.copy() for array in at]
    gradient = np.empty_like(at[which])
    for index in np.ndindex(at[which].shape):
        centre = at[which][index]
        moved[which][index] = centre + step
        above = function(*moved)
        moved[which][index] = centre - step
        below = function(*moved)
        moved[which][index] = centre
        gradient[index] = (above - below) / (2 * step)
    return gradient


def check_gradient(
    function: Function,
    analytic: Sequence[Array],
    at: Sequence[Array],
    *,
    step: float = 1e-5,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    names: Sequence[str] | None = None,
) -> None:
    """Compare ``analytic`` with central differences of ``function(*at)``, in every coordinate.

    ``function`` maps the arrays ``at`` to a number, usually the scalar product of a random
    upstream gradient with an output; ``analytic`` has one gradient for each array.
    """
    names = [f"argument {k}" for k in range(len(at))] if names is None else names
    floor = atol * max(1.0, abs(function(*at)))
    largest = 0.0
    for k, (name, given, array) in enumerate(zip(names, analytic, at, strict=True)):
        assert array.dtype == np.float64, f"{name}: gradients are checked in float64"
        assert given.shape == array.shape, f"{name}: gradient {given.shape}, value {array.shape}"
        assert given.dtype == np.float64, f"{name}: gradient is {given.dtype}"
        assert np.isfinite(given).all(), f"{name}: gradient is not finite"
        numeric = numeric_gradient(function, at, k, step=step)
        size = np.maximum(abs(given), abs(numeric))
        excess = abs(given - numeric) - (floor + rtol * size)
        if size.size:
            largest = max(largest, float(size.max()))
            worst = np.unravel_index(excess.argmax(), excess.shape)
            assert excess[worst] <= 0, (
                f"{name}{list(map(int, worst))}: analytic {given[worst]:.10g}, "
                f"numeric {numeric[worst]:.10g}; {int((excess > 0).sum())} of {excess.size} differ"
            )
    assert largest >= VISIBLE * floor, f"gradients up to {largest:.1g} are too small to prove"


def check_direction(
    function: Function,
    analytic: Sequence[Array],
    at: Sequence[Array],
    rng: np.random.Generator,
    *,
    step: float = 1e-5,
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> None:
    """Compare the slope of ``function`` along one random direction, for arrays of real size.

    Four points remove the truncation error of second order, which the many coordinates of the
    direction would otherwise make visible.
    """
    direction = [rng.standard_normal(array.shape) for array in at]
    expected = sum(float(np.vdot(g, v)) for g, v in zip(analytic, direction, strict=True))

    def moved(distance: float) -> float:
        return function(*(x + distance * v for x, v in zip(at, direction, strict=True)))

    near, far = moved(step) - moved(-step), moved(2 * step) - moved(-2 * step)
    numeric = (8 * near - far) / (12 * step)
    floor = atol * max(1.0, abs(moved(0.0)))
    size = max(abs(expected), abs(numeric))
    assert size >= VISIBLE * floor, f"a slope of {size:.1g} is too small to prove"
    assert abs(expected - numeric) <= floor + rtol * size, (
        f"slope along a random direction: analytic {expected:.10g}, numeric {numeric:.10g}"
    )
