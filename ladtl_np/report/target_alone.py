"""Runs of the target alone beside those that learned from a source, whoever ran them."""

from __future__ import annotations

from collections.abc import Sequence

from ladtl_np.options.methods import METHODS
from ladtl_np.runs.found import FoundRun

__all__ = ["Named", "beside_the_others"]

Named = tuple[FoundRun, str, str]
"""A run, its task and its method."""
_Files = tuple[tuple[str, ...], ...]
_ROLES = ("target", "dev", "test")


def beside_the_others(named: Sequence[Named]) -> list[Named]:
    """Put each run of the target alone into every task whose runs have the same target.

    These are the tasks of runs with a source, whose target, development and test corpora are the
    same files, read alike. A run that is in one of them already, as in an experiment, stays there
    alone; one whose files no such run has stays where it is.
    """
    homes: dict[_Files, dict[str, None]] = {}
    for run, task, _ in named:
        files = _files(run)
        if files and not _is_alone(run):
            homes.setdefault(files, {})[task] = None
    found: list[Named] = []
    for run, task, method in named:
        tasks = homes.get(_files(run), {}) if _is_alone(run) else {}
        found += [(run, place, method) for place in ([task] if task in tasks else tasks or [task])]
    return found


def _is_alone(run: FoundRun) -> bool:
    method = METHODS.get(run.manifest.method)
    return method is not None and method.source == "unused"


def _files(run: FoundRun) -> _Files:
    """What tells one target from another; nothing where the manifest names no training file."""
    entries = [entry for entry in run.manifest.data if entry.role in _ROLES]
    if "target" not in {entry.role for entry in entries}:
        return ()
    return tuple(
        sorted(
            (e.role, e.sha256 or e.name, e.scheme, str(e.sentences), str(e.tokens)) for e in entries
        )
    )
