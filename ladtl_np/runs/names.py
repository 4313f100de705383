"""Names of the files in a run's folder, and in an experiment's."""

from __future__ import annotations

__all__ = [
    "BEST",
    "CHECKPOINT",
    "CONFIG",
    "EXPERIMENT_RECORD",
    "LAST",
    "LOCK",
    "LOG",
    "MANIFEST",
    "METRICS",
    "NEW",
    "RECORDS",
    "RESULTS",
    "SEARCH_RECORD",
    "TRIALS",
    "is_predictions",
    "predictions_of",
]

CONFIG = "config.toml"
"""Every option of the run."""
MANIFEST = "manifest.json"
"""What was run, on what, and the scores; with scores, the run is finished."""
METRICS = "metrics.tsv"
"""One row for each evaluation."""
LOG = "log.jsonl"
"""One line for each event."""
RECORDS = (CONFIG, MANIFEST, METRICS, LOG)
"""What a run tells of itself."""
BEST, LAST = "best.safetensors", "last.safetensors"
"""The chosen model, and the one after the last step."""
CHECKPOINT = "checkpoint.safetensors"
"""What an interrupted run goes on from; gone when it is finished."""
NEW = ".new"
"""Folder of a run that is to replace the one beside it, while it is not complete."""
LOCK = ".lock"
"""Held by the process that writes into the folder; an experiment's folder has one as well."""
EXPERIMENT_RECORD, RESULTS = "experiment.json", "results.tsv"
"""What an experiment's folder holds beside its runs."""
SEARCH_RECORD, TRIALS = "search.json", "trials.tsv"
"""What the folder of a search holds beside its runs, and a config.toml."""
_PREDICTIONS = "predictions-"


def predictions_of(corpus: str) -> str:
    """Name the file of a test corpus with gold and predicted tags."""
    return f"{_PREDICTIONS}{corpus}"


def is_predictions(name: str) -> bool:
    """Whether a file is one of `predictions_of`."""
    return name.startswith(_PREDICTIONS)
