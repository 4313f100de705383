"""What a command needs before NumPy is loaded, which hangs or aborts where it finds too little."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator

from ladtl_np.arrays.processors import seen
from ladtl_np.errors import LadtlError

__all__ = ["require_start"]

# MiB of address space and of data that are taken when a command has loaded its libraries, with one
# thread of BLAS: measured with NumPy 2.4, SciPy 1.17 and Numba on Linux, and a tenth added
COMPUTING = 650, 185
READING = 120, 64
_READING = frozenset({"data", "model", "score"})
# MiB of either for each further thread of BLAS, in NumPy's library and in SciPy's
THREAD = 2 * 42
_LIMITS = ((resource.RLIMIT_AS, "-v"), (resource.RLIMIT_DATA, "-d"))
# where a user may have fewer processes than this, BLAS starts no threads of its own
FEW_PROCESSES = 1024
_BLAS_THREADS = "OPENBLAS_NUM_THREADS"


def require_start(command: str) -> None:
    """Refuse a command under limits in which its libraries would not load.

    OpenBLAS starts a thread for each processor. Under some limits it then waits for ever, under
    others it aborts. Commands compute with one thread of BLAS, so where a limit is tight it is told
    to start no other, unless the environment already says how many.

    Raises
    ------
    LadtlError
        If a limit of memory is below what the command needs to start.
    """
    processes, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    few = processes != resource.RLIM_INFINITY and processes < FEW_PROCESSES
    if few or any(_lacking(command)):
        os.environ.setdefault(_BLAS_THREADS, "1")
    for option, allowed, need in _lacking(command):
        threads = _blas_threads()
        fewer = f", or set {_BLAS_THREADS}=1" if threads > 1 else ""
        raise LadtlError(
            f"ladtl {command} needs {need:,} MiB to start, and ulimit {option} allows "
            f"{allowed:,} MiB; raise it with ulimit {option} {need * 1024}{fewer}, or ask for more "
            "memory for this job"
        )


def _lacking(command: str) -> Iterator[tuple[str, int, int]]:
    """Each limit that is too low: option of ulimit, MiB allowed, MiB needed."""
    needs = READING if command in _READING else COMPUTING
    for (limit, option), alone in zip(_LIMITS, needs, strict=True):
        allowed, _ = resource.getrlimit(limit)
        need = alone + THREAD * (_blas_threads() - 1)
        if allowed != resource.RLIM_INFINITY and allowed < need * 2**20:
            yield option, allowed // 2**20, need


def _blas_threads() -> int:
    """Threads that OpenBLAS is going to have: what the environment says, or all that it sees."""
    for name in (_BLAS_THREADS, "GOTO_NUM_THREADS", "OMP_NUM_THREADS"):
        told = os.environ.get(name, "")
        if told.isascii() and told.isdigit() and int(told) > 0:
            return min(int(told), seen())
    return seen()
