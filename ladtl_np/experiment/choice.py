"""Which grid point stands for a task and method: the one with the best development F1.

As in sec. 5.1 of the paper, options are chosen on the target's development data. The mean over the
seeds decides, of points all of whose seeds are finished; of equal means the earlier point's. Test
scores are read to say afterwards how far the choice mattered, and decide nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from ladtl_np.printable import some_of
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.manifest import DEV

__all__ = ["ORACLE", "Choice", "Listed", "PointScores", "choices_of", "notes_on", "scores_of"]

ORACLE = (
    "Worst, median and best by test were found by the test scores: what a choice could do, and "
    "nobody's result."
)
"""To be said wherever these are shown."""
_NAMED = 3  # points that a note names


class Listed(msgspec.Struct, frozen=True):
    """A run of an experiment, as its record lists it; `RunSpec` says what the values are."""

    folder: str
    task: str
    method: str
    seed: int
    fraction: float
    grid: dict[str, Any]
    default: bool

    @property
    def above_seeds(self) -> str:
        """The folder that the runs of all its seeds lie in."""
        return self.folder.rpartition("/")[0]


@dataclass(frozen=True)
class PointScores:
    """A grid point of one task and method, all of whose runs are finished.

    Attributes
    ----------
    folder
        That the runs of its seeds lie in.
    grid
        Values by dotted key.
    default
        Whether these are the options that the method has without a grid.
    f1
        F1 by corpus as shares, one for each seed.
    """

    folder: str
    grid: dict[str, Any]
    default: bool
    f1: dict[str, list[float]]

    def mean(self, corpus: str = DEV) -> float | None:
        """Mean F1 over the seeds, None where they were not all scored on the corpus."""
        return statistics.mean(self.f1[corpus]) if corpus in self.f1 else None

    def deviation(self, corpus: str = DEV) -> float | None:
        """Sample deviation over the seeds, None for fewer than two."""
        values = self.f1.get(corpus, [])
        return statistics.stdev(values) if len(values) > 1 else None

    @property
    def name(self) -> str:
        """Its options in words."""
        return ", ".join(f"{key}={_plain(value)}" for key, value in self.grid.items()) or "no grid"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"grid": self.grid, "default": self.default, "folder": self.folder, "f1": self.f1}


@dataclass(frozen=True)
class Choice:
    """What there is to choose from for a task, method and share of the target.

    Attributes
    ----------
    task, method, fraction
        Of the runs.
    points
        Those that are chosen from, in order.
    missing
        Folders of points that are not, as runs of theirs are not finished.
    """

    task: str
    method: str
    fraction: float
    points: list[PointScores]
    missing: list[str]

    @cached_property
    def chosen(self) -> PointScores | None:
        """The point with the best mean development F1, None where none is finished."""
        scored = [point for point in self.points if point.mean() is not None]
        return max(scored, key=lambda point: point.mean() or 0.0, default=None)

    @property
    def name(self) -> str:
        """Task and method."""
        return f"{self.task}, {self.method}"

    @property
    def spread(self) -> float | None:
        """Best less worst mean development F1; None for fewer than two points."""
        means = self.means(DEV)
        return max(means) - min(means) if len(means) > 1 else None

    @property
    def lead(self) -> float | None:
        """How much better the chosen point is than the next one; None for fewer than two."""
        means = sorted(self.means(DEV))
        return means[-1] - means[-2] if len(means) > 1 else None

    @property
    def deviation(self) -> float | None:
        """Deviation over the seeds, pooled over the points; None for one seed."""
        found = [d**2 for point in self.points if (d := point.deviation()) is not None]
        return statistics.mean(found) ** 0.5 if found else None

    def folders(self) -> list[str]:
        """Folders of all points, finished or not."""
        return [*(point.folder for point in self.points), *self.missing]

    def means(self, corpus: str) -> list[float]:
        """Mean F1 of each point that has it."""
        return [mean for point in self.points if (mean := point.mean(corpus)) is not None]

    def default(self) -> PointScores | None:
        """The point that changes nothing, None where no point does or it is not finished."""
        return next((point for point in self.points if point.default), None)

    def corpora(self) -> list[str]:
        """Test corpora, in order."""
        names = dict.fromkeys(name for point in self.points for name in point.f1)
        return [name for name in names if name != DEV]

    def on(self, corpus: str) -> dict[str, float | None]:
        """Mean F1 on a test corpus: chosen point, default; worst, median and best of all points.

        The last three are chosen by the test scores themselves. They say how far a choice can
        matter, and are nobody's result.
        """
        means, default = self.means(corpus), self.default()
        return {
            "chosen": self.chosen.mean(corpus) if self.chosen else None,
            "default": default.mean(corpus) if default else None,
            "worst": min(means, default=None),
            "median": statistics.median(means) if means else None,
            "oracle": max(means, default=None),
        }

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **{"task": self.task, "method": self.method, "fraction": self.fraction},
            "chosen": self.chosen.to_json() if self.chosen else None,
            **{"spread": self.spread, "lead": self.lead, "deviation": self.deviation},
            "tests": {corpus: self.on(corpus) for corpus in self.corpora()},
            "points": [point.to_json() for point in self.points],
            "missing": self.missing,
        }


Scored = Mapping[str, Mapping[str, float]]
"""F1 by folder of a finished run and corpus."""


def scores_of(folders: Iterable[str], out: Path) -> dict[str, dict[str, float]]:
    """Read F1 by folder and corpus, of those runs of an experiment that are finished."""
    found = {folder: FoundRun(out / folder, out) for folder in folders}
    return {
        folder: {corpus: scores.f1("conlleval") for corpus, scores in run.results.items()}
        for folder, run in found.items()
        if run.finished() is not None
    }


def choices_of(runs: Iterable[Listed], scored: Scored) -> list[Choice]:
    """Choose for each task, method and share of the target, in the order of the runs."""
    groups: dict[tuple[str, str, float], dict[str, list[Listed]]] = {}
    for run in runs:
        points = groups.setdefault((run.task, run.method, run.fraction), {})
        points.setdefault(run.above_seeds, []).append(run)
    return [Choice(*key, *_sorted_out(points, scored)) for key, points in groups.items()]


def _sorted_out(
    points: Mapping[str, Sequence[Listed]], scored: Scored
) -> tuple[list[PointScores], list[str]]:
    """Points that are finished, and the folders of those that are not."""
    found, missing = [], []
    for folder, runs in points.items():
        if not all(run.folder in scored for run in runs):
            missing.append(folder)
            continue
        results = [scored[run.folder] for run in runs]
        common = [corpus for corpus in results[0] if all(corpus in each for each in results)]
        f1 = {corpus: [each[corpus] for each in results] for corpus in common}
        found.append(PointScores(folder, runs[0].grid, runs[0].default, f1))
    return found, missing


def notes_on(choices: Sequence[Choice]) -> list[str]:
    """What a reader has to know of the choices, in words."""
    return [*_unsure(choices), *_missing(choices), *_unequal(choices)]


def _unsure(choices: Sequence[Choice]) -> Iterator[str]:
    """Choices that the seeds' deviation may have made."""
    for choice in choices:
        lead, deviation = choice.lead, choice.deviation
        if choice.chosen is not None and lead is not None and deviation is not None:
            if lead <= deviation:
                yield (
                    f"{choice.name}: {choice.chosen.name} leads the next point by "
                    f"{100 * lead:.2f} on the development data, no more than the deviation over "
                    f"the seeds ({100 * deviation:.2f}): chance may have chosen"
                )
    alone = [choice for choice in choices if choice.lead is not None and choice.deviation is None]
    if alone:
        named = some_of([choice.name for choice in alone], _NAMED, "; ")
        yield f"chosen by one seed, so that nobody knows what chance did: {named}"


def _missing(choices: Sequence[Choice]) -> Iterator[str]:
    for choice in choices:
        if choice.missing:
            total = len(choice.points) + len(choice.missing)
            named = some_of(choice.missing, _NAMED, "; ")
            left = "not chosen from" if choice.points else "there is nothing to choose from"
            yield (
                f"{choice.name}: {len(choice.missing)} of {total} points are not finished, {left}: "
                f"{named}"
            )


def _unequal(choices: Sequence[Choice]) -> Iterator[str]:
    """A method that was chosen from more points than another had more chances."""
    counts = {choice.method: len(choice.points) + len(choice.missing) for choice in choices}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{method} {count}" for method, count in counts.items())
        yield f"methods were chosen from unequal numbers of points: {listed}"


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
