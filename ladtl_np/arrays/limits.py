"""How much memory this process may still take: the machine's, its own limits, its container's."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ladtl_np.errors import LadtlError

__all__ = ["Room", "require_room", "room", "told_size"]

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


class Room(NamedTuple):
    """Bytes that may still be taken, and what it is that allows no more."""

    size: float
    limit: str


def room(proc: Path = PROC, cgroups: Path = CGROUPS) -> Room:
    """The least that any limit leaves; infinite where the system tells nothing.

    Parameters
    ----------
    proc, cgroups
        Where Linux tells about processes and containers; elsewhere they do not exist.
    """
    found = [*_machine(proc), *_own_limits(proc), *_containers(proc, cgroups)]
    least = min(found, default=Room(float("inf"), "nothing"))
    return Room(max(least.size, 0.0), least.limit)


def require_room(needed: float, what: str, advice: str) -> None:
    """Refuse work that would not fit, before it takes anything.

    Parameters
    ----------
    needed
        Bytes that it is going to take.
    what
        What needs them, as the start of a sentence.
    advice
        What to do about it.

    Raises
    ------
    LadtlError
        If the process may not take that much.
    """
    free = room()
    if needed > free.size:
        raise LadtlError(
            f"{what} needs about {told_size(needed)} of memory, and {free.limit} leaves "
            f"{told_size(free.size)}. {advice}"
        )


def told_size(size: float) -> str:
    """Bytes in the unit that suits them, as in ``1.5 GiB``."""
    for unit, bytes_of_it in (("GiB", 2**30), ("MiB", 2**20)):
        if size >= bytes_of_it:
            return f"{size / bytes_of_it:,.1f} {unit}"
    return f"{size / 2**10:,.1f} KiB"


def _machine(proc: Path) -> Iterator[Room]:
    told = dict(line.split(":", 1) for line in _lines(proc / "meminfo") if ":" in line)
    if "MemAvailable" in told:
        yield Room(2.0**10 * int(told["MemAvailable"].split()[0]), "this machine's free memory")
    else:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        yield Room(float(pages), "this machine's memory")


def _own_limits(proc: Path) -> Iterator[Room]:
    # whole address space, resident, shared, code, unused, data and stack, unused; in pages
    taken = [int(number) for line in _lines(proc / "self/statm") for number in line.split()]
    page = os.sysconf("SC_PAGE_SIZE")
    limits = ((resource.RLIMIT_AS, 0, "ulimit -v"), (resource.RLIMIT_DATA, 5, "ulimit -d"))
    for limit, place, name in limits:
        most, _ = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY:
            used = page * taken[place] if len(taken) > place else 0
            yield Room(float(most - used), f"the limit of this process ({name})")


def _containers(proc: Path, cgroups: Path) -> Iterator[Room]:
    """What each control group that holds this process leaves, of version 1 or 2."""
    for line in _lines(proc / "self/cgroup"):
        _, kinds, path = line.split(":", 2)
        if kinds == "":
            names, base, idle = ("memory.max", "memory.current"), cgroups, "inactive_file"
        elif "memory" in kinds.split(","):
            names = "memory.limit_in_bytes", "memory.usage_in_bytes"
            base, idle = cgroups / "memory", "total_inactive_file"
        else:
            continue
        group = Path(path.strip().lstrip("/"))
        # inside a container the group's own path may lead nowhere, and its limit lies at the top
        for folder in (base / group, *(base / parent for parent in group.parents)):
            most, used = (_number(folder / name) for name in names)
            if most is not None:
                free = most - (used or 0) + _cache(folder, idle)
                yield Room(float(free), "the memory limit of this container or job (cgroup)")


def _cache(folder: Path, name: str) -> int:
    """Bytes of file cache that the system gives up for the asking."""
    counted = (line.split() for line in _lines(folder / "memory.stat"))
    return next((int(words[1]) for words in counted if words[:1] == [name]), 0)


def _number(path: Path) -> int | None:
    """The number in a file; None for ``max`` and where there is no such file."""
    words = "".join(_lines(path)).split()
    return int(words[0]) if words and words[0].isdigit() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except OSError:
        return []
