"""Backward functions by themselves: each of the reference is listed, and a wrong one is seen."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ladtl_np.reference
from ladtl_np.audit import kernel_pairs, reference_pairs
from ladtl_np.audit.kernel_pairs import KERNEL_PAIRS, adagrad_lines
from ladtl_np.audit.pairs import Pair, against, check_pairs
from ladtl_np.audit.reference_pairs import REFERENCE_PAIRS
from ladtl_np.layers.crf import fits_scaled_space

PAIRS = {"kernels": KERNEL_PAIRS, "reference": REFERENCE_PAIRS}


@pytest.mark.parametrize("side", PAIRS)
def test_every_pair_passes_with_room(side: str) -> None:
    lines = check_pairs(side, PAIRS[side], np.random.default_rng(5), 1e-7)
    assert [line for line in lines if line.verdict != "passed"] == []
    assert len(lines) == len(PAIRS[side])


def test_every_backward_function_of_the_reference_is_listed() -> None:
    names = set()
    for found in pkgutil.iter_modules(ladtl_np.reference.__path__):
        module = importlib.import_module(f"ladtl_np.reference.{found.name}")
        names |= {f"{found.name}.{name}" for name in module.__all__ if name.endswith("_backward")}
    whole = {"objective.objective_forward_backward", "sources.sources_forward_backward"}
    assert names - whole == REFERENCE_PAIRS.keys()


def test_the_guard_takes_log_space_where_a_score_lies_far_below() -> None:
    rng = np.random.default_rng(0)
    for path, scaled in (("CRF in scaled space", True), ("CRF in log space", False)):
        for pair in KERNEL_PAIRS[path](rng):
            assert fits_scaled_space(pair.at["E"], pair.at["A"]) is scaled


def pair_of(gradient: Any) -> Callable[[np.random.Generator], list[Pair]]:
    at = {"x": np.array([1.0, 2.0, 3.0])}
    return lambda rng: [Pair(lambda x: float(x @ x), at, (np.asarray(gradient),))]


@pytest.mark.parametrize(
    ("gradient", "found"),
    [
        ([2.0, 4.0, -6.0], "x[2]"),
        ([2.0, 4.0, 6.0 * (1 + 1e-5)], "x[2]"),
        ([np.nan, 4.0, 6.0], "x[0]"),
        ([2.0, 4.0], "x has a gradient of shape (2,)"),
    ],
)
def test_a_wrong_gradient_is_seen_where_it_is(gradient: Any, found: str) -> None:
    (line,) = check_pairs("kernels", {"f": pair_of(gradient)}, np.random.default_rng(0), 1e-6)
    assert (line.verdict, line.detail) == ("failed", found)
    (line,) = check_pairs("", {"f": pair_of([2.0, 4.0, 6.0])}, np.random.default_rng(0), 1e-6)
    assert line.verdict == "passed"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (kernel_pairs, "adagrad_dense"),
        (kernel_pairs, "adagrad_rows"),
        (kernel_pairs, "adagrad_step"),
        (kernel_pairs, "adagrad_rows_step"),
    ],
)
def test_an_update_with_another_rate_is_seen(
    module: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = getattr(module, name)
    assert all(line.verdict == "passed" for line in adagrad_lines(np.random.default_rng(0), 1e-12))
    monkeypatch.setattr(module, name, lambda *a: before(*a[:-2], 1.01 * a[-2], a[-1]))
    lines = adagrad_lines(np.random.default_rng(0), 1e-12)
    assert [line.check.split(": ")[1] for line in lines if line.verdict == "failed"] == [name]


def test_a_wrong_gradient_of_the_reference_is_seen_in_its_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    projection = reference_pairs.projection
    monkeypatch.setattr(projection, "mask_backward", lambda dP, m: dP)
    lines = check_pairs("reference", REFERENCE_PAIRS, np.random.default_rng(0), 1e-6)
    failed = [line.check for line in lines if line.verdict == "failed"]
    assert failed == ["reference: projection.mask_backward"]


def test_differences_are_relative_where_numbers_are_large_and_infinite_where_they_are_none() -> (
    None
):
    assert against(np.array([101.0, 0.5]), np.array([100.0, 0.0])) == 0.5
    assert against(np.array([np.nan]), np.array([1.0])) == np.inf
