"""MMD forward and backward of one pair of samples, by rows S + R."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.arrays.workers import Workers
from ladtl_np.bench import operations
from ladtl_np.bench.ours import mmd_rows
from ladtl_np.bench.workloads import KERNELS
from ladtl_np.layers.mmd import RowPair, mmd_backward, mmd_forward
from ladtl_np.reference.mmd import mmd_backward as reference_backward
from ladtl_np.reference.mmd import mmd_forward as reference_forward

WIDTH = 200
CHECKED = 2000  # the reference holds matrices of all pairs


@pytest.mark.parametrize("kernels", list(KERNELS))
@pytest.mark.parametrize("rows", [100, 500, 2000, 5000, 20_000])
def test_mmd_by_rows(measure, rows: int, kernels: str, threads: int) -> None:
    hidden, variances, workers = mmd_rows(rows // 2, WIDTH), KERNELS[kernels], Workers(threads)
    pair = RowPair(0, np.arange(rows // 2), np.arange(rows // 2, rows))

    def call() -> tuple[float, np.ndarray]:
        dhidden = np.zeros_like(hidden)
        values, cache = mmd_forward(hidden, (pair,), (variances,), workers)
        mmd_backward(dhidden, np.ones(1), cache, workers)
        return float(values[0]), dhidden

    if rows <= CHECKED:
        check(hidden.astype(np.float64), variances, *call())
    count = operations.mmd(rows, WIDTH, len(variances))
    curve = f"mmd, {kernels}"
    measure(call, curve=curve, axis="rows", size=rows, threads=threads, operations=count)


def check(hidden, variances, value: float, dhidden) -> None:
    X, Z = np.split(hidden, 2)
    np.testing.assert_allclose(value, reference_forward(X, Z, variances), rtol=1e-3)
    wanted = np.concatenate(reference_backward(1.0, X, Z, variances))
    np.testing.assert_allclose(dhidden, wanted, atol=2e-3 * np.abs(wanted).max())
