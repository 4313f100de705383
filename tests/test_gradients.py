"""Every backward pass has a gradient check, and every check holds."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from gradient_check import GRADIENT_CHECKS, check_direction, check_gradient, gradient_check

import ladtl_np
from ladtl_np.reference.lstm import lstm_backward, lstm_forward

WALKED = (
    "reference",
    "kernels",
    "layers",
    "model",
    "objective",
)
# a step goes forward and backward at once
STEPS = ("likelihood_step", "mmd_step", "divergence_step", "loss_step")
ENDINGS = ("_backward", "_gradient", "_gradients", *STEPS)

for _file in sorted(Path(__file__).parent.glob("gradient_checks_*.py")):
    importlib.import_module(_file.stem)


def walked_modules() -> Iterator[ModuleType]:
    present = {module.name for module in pkgutil.iter_modules(ladtl_np.__path__)}
    for name in sorted(present.intersection(WALKED)):
        top = importlib.import_module(f"ladtl_np.{name}")
        yield top
        for module in pkgutil.walk_packages(getattr(top, "__path__", []), f"{top.__name__}."):
            yield importlib.import_module(module.name)


def backward_functions() -> set[str]:
    """Names of all functions that compute gradients, where they are defined, without `ladtl_np.`.

    Private ones count: a check may carry the names of the parts that only it reaches.
    """
    return {
        f"{module.__name__}.{name}".removeprefix("ladtl_np.")
        for module in walked_modules()
        for name, value in vars(module).items()
        if name.endswith(ENDINGS)
        and callable(value)
        and getattr(value, "__module__", module.__name__) == module.__name__
    }


def test_promise_23_every_backward_function_has_a_gradient_check():
    missing = sorted(backward_functions() - GRADIENT_CHECKS.keys())
    assert not missing, f"no gradient check is registered for {', '.join(missing)}"


def test_every_gradient_check_names_a_function_that_exists():
    stale = sorted(GRADIENT_CHECKS.keys() - backward_functions())
    assert not stale, f"gradient checks of functions that do not exist: {', '.join(stale)}"


@pytest.mark.parametrize("name", GRADIENT_CHECKS)
def test_promise_23_gradient(name):
    GRADIENT_CHECKS[name]()


def lstm_case() -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(0)
    at = [rng.normal(size=shape) for shape in ((4, 3), (3, 8), (2, 8), (8,))]
    dhidden = rng.normal(size=(4, 2))
    cache = lstm_forward(*at)
    return at, list(lstm_backward(dhidden, cache, *at[:3])), dhidden


@pytest.mark.parametrize("argument", range(4))
def test_promise_23_planted_sign_error_is_found(argument):
    at, gradients, dhidden = lstm_case()

    def function(*at):
        return np.vdot(dhidden, lstm_forward(*at).hidden)

    check_gradient(function, gradients, at)
    smallest = np.unravel_index(abs(gradients[argument]).argmin(), gradients[argument].shape)
    gradients[argument][smallest] *= -1
    with pytest.raises(AssertionError, match=rf"argument {argument}\[.*1 of \d+ differ"):
        check_gradient(function, gradients, at)
    gradients[argument] *= -1
    with pytest.raises(AssertionError, match="slope"):
        check_direction(function, gradients, at, np.random.default_rng(1))


def test_gradient_of_zeros_is_found():
    at, gradients, dhidden = lstm_case()
    with pytest.raises(AssertionError, match="differ"):
        check_gradient(
            lambda *at: np.vdot(dhidden, lstm_forward(*at).hidden),
            [np.zeros_like(gradient) for gradient in gradients],
            at,
        )


def test_missing_factor_of_one_in_a_hundred_thousand_is_found():
    x = np.linspace(1, 2, 3)
    with pytest.raises(AssertionError, match="differ"):
        check_gradient(lambda x: np.vdot(x, x), [2 * x * (1 + 1e-5)], [x])


@pytest.mark.parametrize(
    ("analytic", "reason"),
    [
        (np.zeros((3, 1)), "gradient \\(3, 1\\)"),
        (np.zeros(3, np.float32), "float32"),
        (np.full(3, np.nan), "not finite"),
    ],
)
def test_gradient_of_wrong_kind_is_found(analytic, reason):
    with pytest.raises(AssertionError, match=reason):
        check_gradient(lambda x: float(x.sum()), [analytic], [np.ones(3)])


def test_check_that_proves_nothing_fails():
    with pytest.raises(AssertionError, match="too small to prove"):
        check_gradient(lambda x: 0.0, [np.zeros(3)], [np.ones(3)])


def test_second_check_under_one_name_is_refused():
    with pytest.raises(ValueError, match="two gradient checks"):
        gradient_check("reference.lstm.lstm_backward")(lambda: None)
