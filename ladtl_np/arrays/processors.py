"""How many processors this process may compute on, and what defaults follow from it."""

from __future__ import annotations

import os
import warnings
from functools import cache

__all__ = ["allowed", "lowered", "seen"]


def seen() -> int:
    """Processors that the system shows this process, as libraries count them that know no quota."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def allowed() -> int:
    """Processors that this process may use, at least 1.

    Counted are its affinity, the quota of its container (control groups of version 1 and 2, rounded
    up), and ``LOKY_MAX_CPU_COUNT`` of the environment.
    """
    try:
        with warnings.catch_warnings():  # joblib tells of systems on which its pools do not work
            warnings.simplefilter("ignore")
            # joblib's own says 1 where it can make no semaphores, which threads do without
            from joblib.externals.loky import cpu_count

            return min(int(cpu_count()), seen())
    except (ImportError, OSError, ValueError):  # a file or a variable that holds no number
        return seen()


def lowered(default: int) -> tuple[int, str]:
    """A default number of threads, lowered to `allowed`, and a line that says so, "" if it is not.

    Parameters
    ----------
    default
        What is used where there are enough processors.
    """
    most = allowed()
    if default <= most:
        return default, ""
    told = "1 processor" if most == 1 else f"{most} processors"
    return most, f"Threads: {most} in place of {default}, as this process may use {told}."
