"""What was measured on: processor, caches, versions, commit, and the peak of a matrix product."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

import ladtl_np
from ladtl_np.arrays.processors import allowed
from ladtl_np.arrays.workers import Workers
from ladtl_np.kernels.linear import affine_forward
from ladtl_np.shapes import Floats

__all__ = ["machine", "matrix_product_peak"]

PACKAGES = (
    *("numpy", "numba", "llvmlite", "scipy", "torch", "pytorch-crf", "onnxruntime"),
    "threadpoolctl",
)
BLAS_SIZE, TILES_SIZE = 2048, 400


def machine() -> dict[str, Any]:
    """Facts that a measurement means nothing without; no names of people, machines or folders."""
    return {
        "cpu": _cpu_model(),
        "cores": allowed(),
        "caches": _caches(),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {"ladtl_np": ladtl_np.__version__, **_versions()},
        "blas": _blas(),
        "commit": _commit(Path(ladtl_np.__file__).parents[1]),
    }


def matrix_product_peak(threads: int, repeats: int = 10) -> float:
    """Highest GFLOP/s seen in float32 products: by NumPy's BLAS, or by our tiles on each thread.

    BLAS libraries do not know every processor, so neither alone is the machine's peak.
    """
    return max(_blas_peak(threads, repeats), _tiles_peak(threads, repeats))


def _blas_peak(threads: int, repeats: int) -> float:
    X, Y, out = _factors(BLAS_SIZE)
    with threadpool_limits(threads, user_api="blas"):
        return 2.0 * BLAS_SIZE**3 / _best_seconds(lambda: np.matmul(X, Y, out=out), repeats) / 1e9


def _tiles_peak(threads: int, repeats: int) -> float:
    workers, no_bias = Workers(threads), np.empty(0, np.float32)
    each = [_factors(TILES_SIZE) for _ in range(threads)]
    tasks = [partial(affine_forward, out, X, Y, no_bias) for X, Y, out in each]
    seconds = _best_seconds(lambda: workers.run(*tasks), 20 * repeats)
    return 2.0 * threads * TILES_SIZE**3 / seconds / 1e9


def _factors(size: int) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(0)
    X, Y = (rng.random((size, size), dtype=np.float32) for _ in range(2))
    return X, Y, np.empty_like(X)


def _best_seconds(product: Callable[[], Any], repeats: int) -> float:
    product()
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        product()
        best = min(best, time.perf_counter() - start)
    return best


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").split("\n"):
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _caches() -> dict[str, str]:
    """Size of each cache of the first core, such as ``{"L2": "2048K"}``."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = (
                (index / name).read_text("utf-8").strip() for name in ("level", "type", "size")
            )
        except OSError:
            continue
        found[f"L{level}{'' if kind == 'Unified' else kind[0].lower()}"] = size
    return found


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _blas() -> list[str]:
    """The BLAS of NumPy and that of SciPy, which the kernels call."""
    return [
        f"{found['internal_api']} {found['version']} ({found.get('architecture', 'unknown')})"
        for found in threadpool_info()
        if found["user_api"] == "blas"
    ]


def _commit(root: Path) -> str | None:
    """Commit of the checkout that holds the package, read from its files; None outside of one."""
    folder = root / ".git"
    try:
        head = (folder / "HEAD").read_text("utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (folder / name).is_file():
            return (folder / name).read_text("utf-8").strip()
        for line in (folder / "packed-refs").read_text("utf-8").split("\n"):
            commit, _, packed = line.partition(" ")
            if packed == name:
                return commit
    except OSError:
        pass
    return None
