"""What a search found: its points in order, and the files that it ends in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from ladtl_np.experiment.choice import Choice
from ladtl_np.experiment.repeats import copy_run
from ladtl_np.experiment.results import value_text
from ladtl_np.files import write_atomically
from ladtl_np.options.config import Config, to_toml
from ladtl_np.runs.names import CONFIG, TRIALS
from ladtl_np.tuning.effects import Effect, effects_of
from ladtl_np.tuning.halving import SHARES, TrialRun
from ladtl_np.tuning.trials import Trials

__all__ = ["BEST_RUN", "Found", "Row", "found_in", "write_found"]

BEST_RUN = "best"
"""Folder of a copy of the chosen point's run."""
_HEADING = ("point", "state", "share", "step", "seeds", "dev_f1", "deviation")


class Row(NamedTuple):
    """A point as far as it came.

    Attributes
    ----------
    point
        Its number; 0 is the options as they were given.
    values
        By dotted key; empty for point 0.
    state
        ``chosen``; ``finished`` with every seed; ``stopped`` on the way; ``failed``.
    share, step
        Of its steps, at which it was compared last.
    seeds
        How many have been trained to there.
    f1, deviation
        Mean development F1 over these, as a share, and its sample deviation.
    """

    point: int
    values: dict[str, Any]
    state: Literal["chosen", "finished", "stopped", "failed"]
    share: float
    step: int
    seeds: int
    f1: float | None
    deviation: float | None


class Found(NamedTuple):
    """The result of a search.

    Attributes
    ----------
    rows
        Points, the best first: those that came to the end before the others.
    choice
        What was chosen, from which.
    effects
        How far each option mattered, at the share of the steps that all points reached.
    """

    rows: list[Row]
    choice: Choice
    effects: list[Effect]

    @property
    def chosen(self) -> Row | None:
        """The chosen point, None where none came to the end."""
        return next((row for row in self.rows if row.state == "chosen"), None)


def found_in(trials: Trials, failed: Mapping[TrialRun, str]) -> Found:
    """Read what the runs of all points came to that were ever begun."""
    points = sorted({*trials.begun(), *(run.point for run in failed)})
    choice = trials.choice(points)
    broken = {run.point for run in failed}
    rows = [_row(trials, point, choice, point in broken) for point in points]
    rows.sort(key=lambda row: (-row.share, -(row.f1 or 0.0), row.point))
    tried = []
    for point in points:
        f1 = trials.score(point, SHARES[0])
        if f1 is not None:
            tried.append((trials.spec(TrialRun(point, 0)).grid, f1))
    return Found(rows, choice, effects_of(trials.space, tried))


def _row(trials: Trials, point: int, choice: Choice, broken: bool) -> Row:
    spec = trials.spec(TrialRun(point, 0))
    finished = next((p for p in choice.points if p.folder == spec.above_seeds), None)
    if finished is not None:
        state: Literal["chosen", "finished"] = "finished" if finished != choice.chosen else "chosen"
        step = trials.until(spec, 1.0)
        scores = finished.mean(), finished.deviation()
        return Row(point, spec.grid, state, 1.0, step, trials.seeds, *scores)
    for share in reversed(SHARES):
        f1 = trials.score(point, share)
        if f1 is not None:
            step = trials.until(spec, share)
            told: Literal["failed", "stopped"] = "failed" if broken else "stopped"
            return Row(point, spec.grid, told, share, step, 1, f1, None)
    return Row(point, spec.grid, "failed" if broken else "stopped", 0.0, 0, 0, None, None)


def write_found(found: Found, trials: Trials, config: Config) -> None:
    """Write trials.tsv, and of what was chosen its options and a copy of its first seed's run.

    Parameters
    ----------
    found
        The result.
    trials
        The search.
    config
        The options without a search, with test corpora and threads as they were given.
    """
    write_atomically(trials.out / TRIALS, _table(found.rows, list(trials.space)).encode("utf-8"))
    if found.chosen is None:
        return
    spec = trials.spec(TrialRun(found.chosen.point, 0))
    own = msgspec.structs.replace(spec.config, data=config.data, threads=config.threads)
    write_atomically(trials.out / CONFIG, to_toml(own).encode("utf-8"))
    copy_run(trials.out / spec.folder, trials.out / BEST_RUN)


def _table(rows: Sequence[Row], keys: Sequence[str]) -> str:
    lines = [[*_HEADING, *keys]]
    for row in rows:
        f1, deviation = ("" if x is None else f"{x:.6f}" for x in (row.f1, row.deviation))
        line = [str(row.point), row.state, f"{row.share:g}", str(row.step), str(row.seeds)]
        values = (value_text(row.values[key]) if key in row.values else "" for key in keys)
        lines.append([*line, f1, deviation, *values])
    return "".join("\t".join(line) + "\n" for line in lines)
