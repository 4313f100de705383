"""Before anything is timed: the peer computes what we compute.  Needs torch, as ``model`` does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.bench.agreement import compare_arrays
from ladtl_np.bench.peer.functions import optimiser, tensor, torch
from ladtl_np.bench.peer.model import TorchModel
from ladtl_np.bench.workloads import KERNELS, Case
from ladtl_np.objective import loss_and_gradients, loss_step
from ladtl_np.options.parts import AdaGradOptions
from ladtl_np.training.optimizer import AdaGrad, global_norm

__all__ = ["one_thread", "verify"]

# Largest difference over the largest value of each array. Float32 keeps about 7 digits, of which
# the narrowest Gaussians and the sums over a sentence cost some on either side.
TOLERANCES: dict[type[np.floating], float] = {np.float64: 1e-10, np.float32: 1e-3}
OPTIONS = AdaGradOptions(clip_norm=0.0)


def verify(case: Case) -> dict[str, float]:
    """Check loss, every gradient and one update, in float64 and float32, for every kernel choice.

    Returns
    -------
    dict
        The largest relative difference found, by dtype and kernels.

    Raises
    ------
    PeerMismatch
        If anything differs by more than rounding.
    """
    found = {}
    with one_thread():
        for dtype, tolerance in TOLERANCES.items():
            typed = case.astype(dtype)
            for name, variances in KERNELS.items():
                what = f"{case.workload.name}, {name}, {np.dtype(dtype)}"
                found[what] = _check_step(typed, variances, tolerance, what)
                if dtype is np.float32:  # which oneDNN computes
                    what += ", padded"
                    found[what] = _check_step(typed, variances, tolerance, what, padded=True)
    return found


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch at one thread: on a busy machine its threads wait for each other far too long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _check_step(
    case: Case,
    variances: tuple[float, ...],
    tolerance: float,
    what: str,
    *,
    padded: bool = False,
) -> float:
    terms, ours = loss_and_gradients(
        case.network, case.batch, case.objective(variances), dropout_mask=case.mask
    )
    peer = TorchModel(case, variances, padded=padded)
    loss = peer.loss(tensor(case.mask))
    loss.backward()
    total = {"loss": np.array([terms.total])}
    worst = compare_arrays(total, {"loss": np.array([loss.item()])}, tolerance, what)
    gradients = peer.in_our_layout(gradients=True)
    worst = max(worst, compare_arrays(ours, gradients, tolerance, f"{what}, gradient"))
    if case.network.embedding.dtype == np.float64:
        # a first step is the gradient's sign times the rate, so float32 rounding would show whole
        worst = max(worst, _check_update(case, variances, peer, tolerance, what))
    return worst


def _check_update(
    case: Case, variances: tuple[float, ...], peer: TorchModel, tolerance: float, what: str
) -> float:
    network = case.network.copy()
    with single_threaded_blas():
        _, gradients = loss_step(
            network, case.batch, case.objective(variances), case.mask, None, Workers()
        )
        AdaGrad(network, OPTIONS).update(network, gradients, global_norm(gradients))
    optimiser(peer.parameters(), OPTIONS).step()
    updated = peer.in_our_layout(gradients=False)
    return compare_arrays(network.named(), updated, tolerance, f"{what}, after a step")
