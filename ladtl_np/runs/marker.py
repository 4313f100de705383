"""How a folder shows that it holds a run of this program, and which files are the run's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from ladtl_np.runs.names import (
    BEST,
    CHECKPOINT,
    CONFIG,
    EXPERIMENT_RECORD,
    LAST,
    MANIFEST,
    RECORDS,
    RESULTS,
    SEARCH_RECORD,
    TRIALS,
    is_predictions,
)

__all__ = [
    "EXPERIMENT",
    "RUN",
    "SEARCH",
    "experiment_record",
    "holds_experiment",
    "holds_run",
    "is_kept",
    "is_own_name",
    "run_files",
    "search_record",
    "signed",
    "signed_run",
]

RUN, EXPERIMENT = "ladtl_np run 1", "ladtl_np experiment 1"
SEARCH = "ladtl_np search 1"
"""Formats of a folder; the number rises when an earlier version could not read it."""
_KIND, _HASH, _PREDICTIONS = "format", "sha256", "predictions"
_OWN = (*RECORDS, BEST, LAST, CHECKPOINT)
_MOST_BYTES = 50_000_000  # the manifest of a large run has some hundred thousand


def signed(content: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A folder's record with its format, and a hash of everything else in it.

    So neither a file of that name from elsewhere nor one that was edited by hand passes for it.
    """
    content = {_KIND: kind, **content}
    return {**content, _HASH: _hash(content)}


def signed_run(manifest: Mapping[str, Any], predictions: Sequence[str]) -> dict[str, Any]:
    """A manifest as it is written: signed, with the files of predictions that are the run's."""
    return signed({**manifest, _PREDICTIONS: list(predictions)}, RUN)


def _hash(content: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != _HASH}
    return sha256(json.dumps(rest, sort_keys=True).encode("ascii")).hexdigest()


def _record(path: Path, kind: str) -> dict[str, Any] | None:
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        content = json.loads(path.read_bytes())
        sound = content[_KIND] == kind and content[_HASH] == _hash(content)
        return content if sound else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def holds_run(folder: Path) -> bool:
    """Whether this program wrote a run into a folder."""
    return _record(folder / MANIFEST, RUN) is not None


def holds_experiment(folder: Path) -> bool:
    """Whether this program wrote an experiment into a folder."""
    return experiment_record(folder) is not None


def experiment_record(folder: Path) -> dict[str, Any] | None:
    """The record of the experiment in a folder, None where this program wrote none."""
    return _record(folder / EXPERIMENT_RECORD, EXPERIMENT)


def search_record(folder: Path) -> dict[str, Any] | None:
    """The record of the search in a folder, None where this program wrote none."""
    return _record(folder / SEARCH_RECORD, SEARCH)


def run_files(folder: Path) -> list[str]:
    """Names of the files in a folder that are its run's; none where there is no run."""
    manifest = _record(folder / MANIFEST, RUN)
    if manifest is None:
        return []
    listed = manifest.get(_PREDICTIONS)
    predictions = [name for name in listed if _plain(name)] if isinstance(listed, list) else []
    names = (*_OWN, *predictions)
    return [name for name in names if (folder / name).is_file()]


def _plain(name: object) -> bool:
    """Whether a name that a manifest lists can be one that a run gives its predictions."""
    return isinstance(name, str) and is_predictions(name) and Path(name).name == name


def is_own_name(name: str) -> bool:
    """Whether a run may write a file of this name."""
    return name in _OWN or is_predictions(name)


def is_kept(path: Path) -> bool:
    """Whether a file is of a run, experiment or search, so that no other command replaces it."""
    if path.name in (EXPERIMENT_RECORD, RESULTS) and holds_experiment(path.parent):
        return True
    if path.name in (SEARCH_RECORD, TRIALS, CONFIG) and search_record(path.parent) is not None:
        return True
    return path.name in run_files(path.parent)
