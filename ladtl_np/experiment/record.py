"""An experiment's record of its runs, and the choices among them read back from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from ladtl_np.errors import UsageError
from ladtl_np.experiment.choice import Choice, Listed, choices_of, scores_of
from ladtl_np.experiment.expansion import RunSpec
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.marker import EXPERIMENT, experiment_record, signed

__all__ = ["Chosen", "choices_among", "record_of", "without_other_points"]

_DEEPEST = 5  # parts of a run's folder: task, method, fraction, grid point, seed


class _Record(msgspec.Struct, frozen=True):
    """What is read of a record; only one that chooses tells of its points."""

    choose: str = ""
    runs: list[dict[str, Any]] = []


def choices_among(specs: Iterable[RunSpec], finished: Iterable[RunSpec], out: Path) -> list[Choice]:
    """Choose by the runs that are finished with the wanted options, of all that there are."""
    scored = scores_of((spec.folder for spec in finished), out)
    return choices_of([Listed(**_entry(spec)) for spec in specs], scored)


def _entry(spec: RunSpec) -> dict[str, Any]:
    return spec.to_json() | {"default": spec.default}


def record_of(name: str, specs: Sequence[RunSpec], choose: str) -> dict[str, Any]:
    """Write down which runs an experiment has, and whether its points are chosen from."""
    content: dict[str, Any] = {"experiment": name}
    if choose:
        content |= {"choose": choose, "runs": [_entry(spec) for spec in specs]}
    else:
        content["runs"] = [spec.to_json() for spec in specs]
    return signed(content, EXPERIMENT)


@dataclass(frozen=True)
class Chosen:
    """Choices of the experiments that some runs belong to.

    Attributes
    ----------
    by_folder
        Choices by the experiment's folder; only of those that choose.
    """

    by_folder: dict[Path, list[Choice]]

    @classmethod
    def among(cls, runs: Iterable[FoundRun]) -> Chosen:
        """Find the experiments around some runs, and choose anew by what is finished there.

        Choices of tasks and methods that none of the runs is of are left out.
        """
        points = {run.folder.resolve().parent for run in runs}
        places = dict.fromkeys(
            above for point in points for above in (point, *point.parents)[:_DEEPEST]
        )
        found = {place: _choices(place) for place in places}
        return cls(
            {
                place: [each for each in choices if points & {place / f for f in each.folders()}]
                for place, choices in found.items()
                if choices is not None
            }
        )

    @property
    def choices(self) -> list[Choice]:
        """All choices, in order."""
        return [choice for choices in self.by_folder.values() for choice in choices]

    def place_of(self, run: FoundRun) -> Path | None:
        """The folder of the experiment that a run belongs to, None where that does not choose."""
        folder = run.folder.resolve()
        return next((place for place in folder.parents if place in self.by_folder), None)

    def tells(self, run: FoundRun) -> bool | None:
        """Whether the run's grid point was chosen; None where its experiment does not choose."""
        place = self.place_of(run)
        if place is None:
            return None
        choices = self.by_folder[place]
        points = {choice.chosen.folder for choice in choices if choice.chosen is not None}
        return run.folder.resolve().parent.relative_to(place).as_posix() in points


def _choices(place: Path) -> list[Choice] | None:
    record = experiment_record(place)
    try:
        read = msgspec.convert(record, _Record) if record is not None else _Record()
        runs = [msgspec.convert(entry, Listed) for entry in read.runs] if read.choose else []
    except msgspec.ValidationError:
        return None
    inside = [run for run in runs if ".." not in PurePosixPath(run.folder).parts]
    if not read.choose:
        return None
    return choices_of(inside, scores_of((run.folder for run in inside), place))


def without_other_points(runs: Sequence[FoundRun], place: str | Path) -> list[FoundRun]:
    """Leave out runs of grid points that their experiment did not choose.

    So that a run and its partner of another method are called the same, the name of a chosen point
    is left out of their paths. Where `place` is the folder of one grid point, or below it, nothing
    is left out: that point was asked for.

    Raises
    ------
    UsageError
        If no run is left.
    """
    chosen = Chosen.among(runs)
    if not chosen.by_folder:
        return list(runs)
    kept = []
    for run in runs:
        told, below = chosen.tells(run), run.folder.relative_to(run.root).parts
        if told is None or len(below) < 2:
            kept.append(run)
        elif told:
            place_of = chosen.place_of(run)
            named = place_of and len(run.folder.resolve().relative_to(place_of).parts) == _DEEPEST
            parts = (*run.parts[:-2], run.parts[-1]) if named else run.parts
            kept.append(replace(run, parts=parts))
    if not kept:
        raise UsageError(
            f"{place}: no grid point is chosen there yet, as none has all its runs finished; go on "
            "with the experiment, or name the folder of one grid point"
        )
    return kept
