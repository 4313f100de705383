"""Run folders, read for a report: manifest, options and metrics."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ladtl_np.dotted import flattened
from ladtl_np.errors import DataError, UsageError
from ladtl_np.runs.manifest import DataFile, Manifest, Scores, read_manifest
from ladtl_np.runs.names import CONFIG, MANIFEST, METRICS

__all__ = ["Run", "find_runs", "read_table"]

_EXPERIMENT = "results.tsv"


@dataclass(frozen=True, slots=True)
class Run:
    """One run folder.

    Attributes
    ----------
    folder
        Where it is.
    parts
        The folders on the way to it, seen from what the user named.
    labels
        Names that its experiment gives to methods; empty for a run on its own.
    manifest
        What was run, on what, and the scores.
    options
        Options by dotted key; empty where there is no config.toml.
    learning
        Development F1 by step.
    """

    folder: Path
    parts: tuple[str, ...]
    labels: frozenset[str]
    manifest: Manifest
    options: dict[str, Any]
    learning: list[tuple[int, float]]

    @property
    def results(self) -> dict[str, Scores]:
        """Scores by corpus; empty for an unfinished run."""
        return self.manifest.results or {}

    def tests(self) -> list[str]:
        """Test corpora that it was scored on."""
        return self.manifest.tests()

    def data_of(self, corpus: str) -> DataFile | None:
        """Find the file behind a name of `results`, where the manifest tells."""
        return self.manifest.data_of(corpus)


def find_runs(places: Sequence[Path]) -> list[Run]:
    """Read the runs at and below some folders, in the order of their paths.

    Raises
    ------
    UsageError
        If there is no such folder, or no run in it.
    DataError
        If a file of a run is damaged.
    """
    for place in places:
        if not place.is_dir():
            raise UsageError(f"{place}: no such folder; name a run folder, or one that holds runs")
    shared = Path(os.path.commonpath([place.resolve() for place in places]))
    runs: dict[Path, Run] = {}
    for place in places:
        lead = place.resolve().relative_to(shared).parts
        found = sorted(place.rglob(MANIFEST))
        if not found:
            raise UsageError(
                f"{place}: no run in it; looked for {MANIFEST} there and in all folders below"
            )
        labels = _method_labels(place)
        for path in found:
            below = path.parent.relative_to(place).parts
            runs.setdefault(path.parent.resolve(), _read(path.parent, (*lead, *below), labels))
    return list(runs.values())


def _read(folder: Path, parts: tuple[str, ...], labels: frozenset[str]) -> Run:
    options: dict[str, Any] = {}
    config = folder / CONFIG
    if config.is_file():
        try:
            options = flattened(tomllib.loads(config.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{config}: not the options of a run: {error}") from None
    return Run(folder, parts, labels, read_manifest(folder), options, _learning(folder / METRICS))


def _method_labels(place: Path) -> frozenset[str]:
    """Names of the methods of an experiment, from its table of results."""
    path = place / _EXPERIMENT
    rows = read_table(path) if path.is_file() else []
    return frozenset(row["method"] for _, row in rows if row.get("method"))


def _learning(path: Path) -> list[tuple[int, float]]:
    """Development F1 by step; empty where there was no development corpus."""
    points = []
    for number, row in read_table(path) if path.is_file() else []:
        if not row.get("dev_f1"):
            continue
        try:
            points.append((int(row["step"]), float(row["dev_f1"])))
        except (KeyError, ValueError):
            raise DataError(f"{path}:{number}: no step and F1 in this line") from None
    return points


def read_table(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Read tab-separated values with a heading: line numbers and rows.

    A last line without its line end is what a killed process left, and is not read.
    """
    try:
        *lines, _ = re.split("\r?\n", path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8; was it edited?") from None
    if not lines:
        return []
    header = lines[0].split("\t")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(header):
            raise DataError(f"{path}:{number}: {len(cells)} cells under {len(header)} headings")
        rows.append((number, dict(zip(header, cells, strict=True))))
    return rows
