"""What was measured on: processor, caches, versions, commit."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

import ladtl_np
from ladtl_np.arrays.processors import allowed
from ladtl_np.bench.processor import cpu_words

__all__ = ["blas", "machine"]

PACKAGES = (
    *("numpy", "numba", "llvmlite", "scipy", "torch", "pytorch-crf", "onnxruntime"),
    "threadpoolctl",
)


def machine() -> dict[str, Any]:
    """Facts that a measurement means nothing without; no names of people, machines or folders."""
    return {
        "cpu": cpu_words(),
        "cores": allowed(),
        "caches": _caches(),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {"ladtl_np": ladtl_np.__version__, **_versions()},
        "commit": _commit(Path(ladtl_np.__file__).parents[1]),
    }


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


def blas() -> list[str]:
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
