"""Run folders that are there, found and read back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ladtl_np.corpus.documents import parse_json, parse_toml, read_document
from ladtl_np.corpus.dotted import flattened
from ladtl_np.corpus.limits import TABLE_BYTES, TOML_BYTES
from ladtl_np.errors import DataError, UsageError
from ladtl_np.printable import LONG, shown
from ladtl_np.runs.manifest import DataFile, Manifest, Scores, read_manifest
from ladtl_np.runs.names import CONFIG, LOG, MANIFEST, METRICS, NEW, predictions_of
from ladtl_np.runs.replacing import current
from ladtl_np.runs.tables import read_table

__all__ = ["SEED", "FoundRun", "find_runs", "runs_below", "without_seed"]

SEED = re.compile(r"(?:(?:seed|run)[-_=]?)?(\d+)")
"""Name of a folder that holds the run of a seed, such as 0, seed-0 or run_0."""


_STEP = re.compile(r"[0-9]{1,15}")
_SHARE = re.compile(r"[0-9]{1,15}(\.[0-9]{1,30})?(e-?[0-9]{1,3})?")


@dataclass(frozen=True)
class FoundRun:
    """A run folder, whose files are read when they are first asked for.

    Attributes
    ----------
    folder
        Where it is.
    root
        The folder that the user named and it lies in, or is.
    parts
        The folders on the way to it, seen from what the user named.
    """

    folder: Path
    root: Path
    parts: tuple[str, ...] = ()

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Take a folder as a run.

        Raises
        ------
        UsageError
            If there is no manifest in it.
        """
        if not (folder / MANIFEST).is_file():
            raise UsageError(f"{folder}: not a run folder; looked for {MANIFEST} in it")
        return cls(folder, folder)

    @property
    def name(self) -> str:
        """What tells it from the others below a place: the way to it, "." if none."""
        return "/".join(self.parts) or "."

    @property
    def task(self) -> str:
        """What it has in common with the other seeds: its name without the seed."""
        return "/".join(without_seed(self.parts)) or "."

    @cached_property
    def manifest(self) -> Manifest:
        """What was run, on what, and the scores; `DataError` if it is no manifest."""
        return read_manifest(self.folder)

    def finished(self) -> Manifest | None:
        """The manifest of a finished run; None without one, or where it cannot be read."""
        try:
            return None if self.manifest.results is None else self.manifest
        except DataError:
            return None

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

    def predictions(self, corpus: str) -> Path:
        """The file with the predicted tags of a test corpus, which need not be there."""
        return current(self.folder, predictions_of(corpus))

    @cached_property
    def options(self) -> dict[str, Any]:
        """Options by dotted key; empty where there is no config.toml."""
        path = current(self.folder, CONFIG)
        if not os.path.lexists(path):
            return {}
        try:
            options = flattened(parse_toml(read_document(path, TOML_BYTES), _told(path)))
        except UsageError as error:
            raise DataError(str(error)) from None
        _check_options(options, path)
        return options

    @cached_property
    def by_step(self) -> list[tuple[int, float]]:
        """Development F1 by step of the last stage; empty where there was no development corpus."""
        path = current(self.folder, METRICS)
        points = []
        for number, row in read_table(path):
            if not row.get("dev_f1"):
                continue
            step, f1 = row.get("step", ""), row["dev_f1"]
            if not (_STEP.fullmatch(step) and _SHARE.fullmatch(f1) and float(f1) <= 1):
                raise DataError(f"{_told(path)}:{number}: no step and F1 in this line")
            points.append((int(step), float(f1)))
        return points

    @property
    def learning(self) -> list[tuple[int, float]]:
        """Development F1 by updates of all stages; empty where there was no development corpus."""
        points = self.by_step
        before = self._updates_before(points[-1][0]) if points else 0
        return [(before + step, f1) for step, f1 in points]

    def _updates_before(self, last: int) -> int:
        """Updates of the stage before, which earlier runs tell by all updates and the last step."""
        manifest = self.manifest
        if manifest.updates_before is not None:
            return manifest.updates_before
        return 0 if manifest.updates is None else max(0, manifest.updates - last)

    def events(self, kind: str) -> list[dict[str, Any]] | None:
        """The lines of the log on one kind of event; None where the log cannot be read."""
        try:
            lines = read_document(current(self.folder, LOG), TABLE_BYTES).split("\n")
            events = [parse_json(line, dict[str, Any]) for line in lines if line]
        except (UsageError, DataError, ValueError):
            return None
        return [event for event in events if event.get("event") == kind]


def _told(path: Path) -> str:
    return shown(str(path), LONG)


def _check_options(options: Mapping[str, Any], path: Path) -> None:
    """Refuse values of the options by which runs are told apart that no run has."""
    seed, share = options.get("seed", 0), options.get("data.target_fraction", 1.0)
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise DataError(f"{_told(path)}: seed is not a whole number from 0 on")
    if not isinstance(share, int | float) or not 0 < share <= 1:
        raise DataError(f"{_told(path)}: data.target_fraction is not a number in (0, 1]")


def without_seed(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The folders on the way to a run without a last one that is a seed."""
    return parts[:-1] if parts and SEED.fullmatch(parts[-1]) else parts


def runs_below(place: str | Path) -> list[FoundRun]:
    """Find the runs at and below a folder, or below all that a pattern with * fits.

    Returns
    -------
    list of FoundRun
        In the order of their paths; the way to each is that below `place`, after what the pattern's
        * stand for.

    Raises
    ------
    UsageError
        If there is no such folder, or no run in it.
    """
    found = [
        FoundRun(path.parent, root, (*lead, *path.parent.relative_to(root).parts))
        for lead, root in _roots(place)
        for path in sorted(root.rglob(MANIFEST))
        if path.parent.name != NEW
    ]
    if not found:
        raise UsageError(
            f"{place}: no run in it; looked for {MANIFEST} there and in all folders below"
        )
    return found


def _roots(place: str | Path) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Folders that a path or a pattern stands for, with what stands in the place of its *."""
    parts = Path(place).parts
    stars = [number for number, part in enumerate(parts) if "*" in part]
    if not stars or Path(place).exists():
        if not Path(place).is_dir():
            raise UsageError(f"{place}: no such folder; name a run folder, or one that holds runs")
        yield (), Path(place)
        return
    if "**" in str(place):
        raise UsageError(f"{place}: ** is not understood; name each folder on the way by a *")
    base = Path(*parts[: stars[0]])
    pattern = "/".join(re.sub(r"[\[?]", r"[\g<0>]", part) for part in parts[stars[0] :])
    for root in sorted(base.glob(pattern)):
        yield tuple(root.parts[number] for number in stars), root


def find_runs(places: Sequence[str | Path]) -> list[FoundRun]:
    """Find the runs at and below some places, each once.

    The way to a run is seen from the folder that all of the places, or what their patterns fit,
    have in common.

    Raises
    ------
    UsageError
        If there is no such folder, or no run in it.
    """
    found = [run for place in places for run in runs_below(place)]
    shared = Path(os.path.commonpath([run.root.resolve() for run in found]))
    runs: dict[Path, FoundRun] = {}
    for run in found:
        lead = run.root.resolve().relative_to(shared).parts
        below = run.folder.relative_to(run.root).parts
        runs.setdefault(run.folder.resolve(), replace(run, parts=(*lead, *below)))
    return list(runs.values())
