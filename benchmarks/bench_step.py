"""Whole training steps of both workloads, by sentences of each domain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ladtl_np.bench.agreement import compare_arrays
from ladtl_np.bench.ours import Ours
from ladtl_np.bench.workloads import KERNELS, WORKLOADS, build_case
from ladtl_np.objective import loss_and_gradients
from ladtl_np.reference.objective import ObjectiveWeights, objective_forward_backward

CHECKED = 4  # sentences of each domain: the reference is slow


@pytest.mark.parametrize("name", list(WORKLOADS))
@pytest.mark.parametrize("kernels", list(KERNELS))
@pytest.mark.parametrize("sentences", [CHECKED, 16, 64])
def test_step_by_sentences(measure, name: str, kernels: str, sentences: int, threads: int) -> None:
    case = build_case(replace(WORKLOADS[name], sentences=sentences))
    if sentences == CHECKED:
        check(case.astype(np.float64), KERNELS[kernels])
    call = Ours(case, threads).step(KERNELS[kernels]).call
    curve = f"step, {name}, {kernels}"
    facts = {"threads": threads, "tokens": case.tokens}
    measure(call, curve=curve, axis="sentences", size=sentences, **facts)


def check(case, variances) -> None:
    """Loss and every gradient, without dropout, against the reference."""
    objective = case.objective(variances)
    terms, gradients = loss_and_gradients(case.network, case.batch, objective)
    wanted_terms, wanted = objective_forward_backward(
        case.network.named(),
        case.source,
        case.target,
        weights=ObjectiveWeights(*objective.weights),
        pairs=objective.matched,
        variances=variances,
    )
    np.testing.assert_allclose(terms.total, wanted_terms["total"], rtol=1e-9)
    compare_arrays(wanted, gradients, 1e-9, "reference")
