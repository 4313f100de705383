"""The runs of a search: where they lie, how far they came, and what they scored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ladtl_np.errors import DataError
from ladtl_np.experiment.choice import Choice, PointScores
from ladtl_np.experiment.expansion import RunSpec
from ladtl_np.experiment.job import Job
from ladtl_np.experiment.task import Task
from ladtl_np.options.config import Config
from ladtl_np.runs.folder import unique_names
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.manifest import DEV
from ladtl_np.runs.names import METRICS
from ladtl_np.runs.replacing import current
from ladtl_np.runs.tables import read_table
from ladtl_np.tuning.halving import TrialRun
from ladtl_np.tuning.space import Space, config_at, draw

__all__ = ["MOST", "Trials"]

MOST = 10_000
"""Points of a search; each is a draw after those before it."""
_NUMBER = re.compile(r"[0-9]{4}")

POINT = "point="
"""Starts the name of a point's folder, which reports take for a grid point."""


@dataclass(frozen=True)
class Trials:
    """All runs that a search may have, as they lie on the disk.

    Attributes
    ----------
    config
        The options without a search, which are point 0; no test corpora are among them.
    space
        What the other points' options are drawn from.
    seeds
        How many each point is trained with that reaches the end.
    out
        Folder of the search.
    """

    config: Config
    space: Space
    seeds: int
    out: Path

    def spec(self, run: TrialRun) -> RunSpec:
        """The run with all its options."""
        values = draw(self.space, self.config.seed, run.point)
        seed = self.config.seed + run.seed
        config = msgspec.structs.replace(config_at(self.config, values), seed=seed)
        folder = f"{POINT}{run.point:04}/seed-{seed}"
        fraction = config.data.target_fraction
        data = config.data
        sources = [source.path for source in data.sources()] or ["no source"]
        *named, target = unique_names([*sources, data.target])
        task = Task(tuple(named), target)
        return RunSpec(task, config.method, seed, fraction, values, config, folder, not values)

    def until(self, spec: RunSpec, share: float) -> int:
        """The step at which a run is compared after a share of its steps: an evaluation, or all."""
        training = spec.config.training
        if share == 1.0:
            return training.steps
        every = training.evaluate_every
        return min(max(round(share * training.steps / every), 1) * every, training.steps)

    def job(self, run: TrialRun, share: float, command: Sequence[str], vectors: str) -> Job:
        """What a worker needs to train a run to a share of its steps."""
        spec = self.spec(run)
        until = self.until(spec, share) if share < 1.0 else 0
        return Job(spec.config, self.out / spec.folder, tuple(command), vectors, until=until)

    def f1(self, run: TrialRun, share: float) -> float | None:
        """Best development F1 within a share of the steps; None for a run that is not there yet."""
        spec = self.spec(run)
        found = FoundRun(self.out / spec.folder, self.out)
        whole = found.finished()
        if share == 1.0:
            return None if whole is None else _of_model(found)
        step = self.until(spec, share)
        try:
            learning = found.by_step
        except DataError:
            return None
        scores = [f1 for at, f1 in learning if at <= step]
        came = whole is not None or any(at >= step for at, _ in learning)
        return max(scores) if came and scores else None

    def begun(self) -> list[int]:
        """Numbers of the points that have a folder."""
        names = [path.name.removeprefix(POINT) for path in self.out.glob(f"{POINT}*")]
        return sorted(int(name) for name in names if _NUMBER.fullmatch(name))

    def seconds(self) -> float | None:
        """How long the first run of point 0 trained, None where it is not known."""
        folder = self.out / self.spec(TrialRun(0, 0)).folder
        try:
            rows = read_table(current(folder, METRICS))
            return float(rows[-1][1]["seconds"])
        except (DataError, IndexError, KeyError, ValueError):
            return None

    def score(self, point: int, share: float) -> float | None:
        """F1 of a point's first seed, by which points are compared on the way."""
        return self.f1(TrialRun(point, 0), share)

    def finished(self, point: int) -> PointScores | None:
        """A point that was trained to the end with every seed; None where it was not."""
        scores = [self.f1(TrialRun(point, seed), 1.0) for seed in range(self.seeds)]
        found = [f1 for f1 in scores if f1 is not None]
        if len(found) < self.seeds:
            return None
        spec = self.spec(TrialRun(point, 0))
        return PointScores(spec.above_seeds, spec.grid, spec.default, {DEV: found})

    def choice(self, points: Sequence[int]) -> Choice:
        """Choose among points by mean development F1 at their end; the earliest of equals."""
        finished = [found for point in points if (found := self.finished(point)) is not None]
        spec = self.spec(TrialRun(0, 0))
        return Choice(str(spec.task), spec.method, spec.fraction, finished, [])


def _of_model(run: FoundRun) -> float | None:
    scores = run.results.get(DEV)
    return None if scores is None else scores.f1("conlleval")
