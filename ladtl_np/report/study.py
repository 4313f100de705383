"""Runs put in order: which task, method, share of the target, grid point and seed each one is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from statistics import fmean
from typing import Any

from ladtl_np.experiment.annotation import STRATEGY
from ladtl_np.experiment.choice import Choice
from ladtl_np.experiment.record import Chosen
from ladtl_np.experiment.results import method_labels
from ladtl_np.options.methods import FROM_FILE, METHODS
from ladtl_np.report.target_alone import beside_the_others
from ladtl_np.runs.found import SEED, FoundRun, without_seed
from ladtl_np.runs.manifest import DEV
from ladtl_np.scoring import Semantics

__all__ = ["EACH", "Point", "Study", "StudyRun", "on_corpus", "point_text", "study_of"]

Point = tuple[tuple[str, Any], ...]
"""Values of the options that a method's runs differ in, by dotted key."""
EACH = ""
"""Stands for the one test corpus of each run, whatever its name."""
_FRACTION = re.compile(r"fraction[-_=]?([\d.]+(?:e-?\d+)?)")
_STRATEGY = re.compile(rf"{STRATEGY}=([a-z]+(?:-diverse)?)")
_GRID = re.compile(r"[\w.]+=[^=]*(,[\w.]+=[^=]*)*")
_NO_GRID = re.compile(r"seed|threads|method|data\.(?!source_fraction|shares|concatenate).*")


@dataclass(frozen=True, slots=True)
class StudyRun:
    """A run and its place among the others."""

    run: FoundRun
    task: str
    method: str  # its name in the experiment
    base: str  # what it is
    fraction: float
    seed: int
    point: Point
    chosen: bool | None = None  # by its experiment, where that chooses
    strategy: str = ""  # of simulated annotation; the method's name ends with it

    def f1(self, corpus: str, reading: Semantics = "conlleval") -> float | None:
        """F1 in per cent on a corpus, None without one."""
        name = self.corpus(corpus)
        if name is None:
            return None
        return 100 * self.run.results[name].f1(reading)

    def corpus(self, wanted: str) -> str | None:
        """Name a corpus of the run, None if it was not scored on it."""
        if wanted == EACH:
            return next(iter(self.run.tests()), None)
        return wanted if wanted in self.run.results else None


@dataclass(slots=True)
class Study:
    """All runs of a report.

    Attributes
    ----------
    runs
        In order of task, method, fraction, point and seed.
    left_out
        Folders of runs that repeat another one's options, with other results.
    choices
        What the experiments chose that choose by task and method.
    """

    runs: list[StudyRun]
    left_out: list[str] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    _rows: dict[tuple[float, str], dict[Point, str]] = field(init=False)

    def __post_init__(self) -> None:
        groups: dict[tuple[float, str], list[StudyRun]] = defaultdict(list)
        for run in self.runs:
            if run.chosen is None:
                groups[run.fraction, run.method].append(run)
        self._rows = {key: _rows_of(runs) for key, runs in groups.items()}

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks."""
        return sorted({run.task for run in self.runs})

    @property
    def fractions(self) -> list[float]:
        """Shares of the target's training sentences."""
        return sorted({run.fraction for run in self.runs})

    @property
    def methods(self) -> list[str]:
        """Names of the methods, in the order of the paper's table."""
        bases = {run.method: run.base for run in self.runs}
        order = [*METHODS, *FROM_FILE]
        place = {m: order.index(b) if b in order else len(order) for m, b in bases.items()}
        return sorted(bases, key=lambda method: (place[method], method))

    def corpora(self) -> list[str]:
        """Test corpora that need a table each: `EACH` where no run has several."""
        tests = [run.run.tests() for run in self.runs if run.run.results]
        if any(len(names) > 1 for names in tests):
            return sorted({name for names in tests for name in names})
        if any(tests):
            return [EACH]
        return [DEV] if tests else []

    def members(self, fraction: float, task: str | None = None) -> list[StudyRun]:
        """Runs of one share of the target, and of one task where it is named."""
        return [
            run
            for run in self.runs
            if run.fraction == fraction and (task is None or run.task == task)
        ]

    def places(self) -> Iterator[tuple[str, float, str]]:
        """Test corpus and share of the target of each table there may be, and both in words."""
        for corpus in self.corpora():
            for fraction in self.fractions:
                yield corpus, fraction, on_corpus(corpus) + self.of_target(fraction)

    def of_target(self, fraction: float) -> str:
        """Words for a share of the target, "" where there is but one."""
        return f", {fraction:g} of the target" if len(self.fractions) > 1 else ""

    def row(self, run: StudyRun) -> str | None:
        """Name the run's row of a table of methods, None if its grid point is not shown there."""
        if run.chosen is not None:
            return run.method if run.chosen else None
        return self._rows[run.fraction, run.method].get(run.point)

    def rows(self, runs: Iterable[StudyRun]) -> list[str]:
        """Rows of some runs, in the order of the methods."""
        found = [(run.method, row) for run in runs if (row := self.row(run)) is not None]
        order = self.methods
        return list(dict.fromkeys(r for _, r in sorted(found, key=lambda f: order.index(f[0]))))

    def chosen(self, fraction: float, method: str) -> Point | None:
        """The one grid point that stands for a method, None where that cannot be told."""
        rows = self._rows.get((fraction, method), {})
        return next(iter(rows)) if len(rows) == 1 else None

    def chosen_points(self) -> list[str]:
        """Say which grid points were chosen here, one for all tasks."""
        return [
            f"{method}: {point_text(point)}" + self.of_target(fraction)
            for (fraction, method), rows in sorted(self._rows.items())
            for point in rows
            if point and len(rows) == 1
        ]


def on_corpus(corpus: str) -> str:
    """Words for a test corpus, "" where it needs none."""
    return "" if corpus == EACH else f" on {corpus}"


def study_of(runs: Sequence[FoundRun]) -> Study:
    """Put runs in order; of runs with equal task, method, options and seed, the first is kept."""
    labels = {root: method_labels(root) for root in dict.fromkeys(run.root for run in runs)}
    named = beside_the_others([(run, *_names(run, labels[run.root])) for run in runs])
    groups: dict[tuple[str, str], list[FoundRun]] = defaultdict(list)
    for run, task, method in named:
        groups[task, method].append(run)
    keys: dict[str, set[str]] = defaultdict(set)
    for (_, method), members in groups.items():
        keys[method] |= _varying(members)
    found: dict[Any, StudyRun] = {}
    left_out = []
    decided = Chosen.among(runs)
    told = {run.folder: decided.tells(run) for run in runs}
    # a chosen run stays where one of another point has the same options
    for run, task, method in sorted(named, key=lambda each: not told[each[0].folder]):
        options = run.options
        point = tuple((key, _plain(options.get(key))) for key in sorted(keys[method]))
        seed = int(options.get("seed", _from_path(run, SEED, 0)))
        share = float(options.get("data.target_fraction", _from_path(run, _FRACTION, 1)))
        if strategy := _strategy(run):
            share, method = _from_path(run, _FRACTION, 1), f"{method}, {strategy}"
        base = run.manifest.method or method
        key = (task, method, share, str(point), seed)
        if key in found and found[key].run.results == run.results:
            continue  # as where several grids of an experiment have a point in common
        if key in found:
            left_out.append("/".join(run.parts) or str(run.folder))
        else:
            chosen = told[run.folder]
            given = run, task, method, base, share, seed, point, chosen
            found[key] = StudyRun(*given, strategy)
    ordered = [found[key] for key in sorted(found)]
    return Study(ordered, list(dict.fromkeys(left_out)), decided.choices)


def _strategy(run: FoundRun) -> str:
    """How the sentences that a run was trained on were chosen; "" where that is not told."""
    if run.manifest.target_chosen is None:
        return ""
    found = [match[1] for part in run.parts if (match := _STRATEGY.fullmatch(part))]
    return found[-1] if found else ""


def _plain(value: Any) -> Any:
    """A value that can be a key."""
    return value if isinstance(value, bool | int | float | str) else str(value)


def point_text(point: Point) -> str:
    """Write a grid point as ``key=value`` pairs."""
    return ", ".join(f"{key}={_value_text(value)}" for key, value in point)


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _names(run: FoundRun, labels: frozenset[str]) -> tuple[str, str]:
    """Task and method of a run, from its path; where that does not tell, from its manifest.

    `labels` are the names that its experiment gives to methods, none for a run on its own.
    """
    parts = [
        p for p in without_seed(run.parts) if not (_FRACTION.fullmatch(p) or _GRID.fullmatch(p))
    ]
    labels |= {run.manifest.method} - {""}
    method = next((part for part in reversed(parts) if part in labels), "")
    if method:
        parts.reverse()
        parts.remove(method)
        parts.reverse()
    task = "/".join(_arrow(part) for part in parts) or _task_of_files(run)
    return task, method or run.manifest.method or "unknown method"


def _arrow(part: str) -> str:
    return part.replace("+", " + ").replace("-to-", " → ") if part.count("-to-") == 1 else part


def _task_of_files(run: FoundRun) -> str:
    """Name a task after the training files, by their folders if these have the same name."""
    sides = [
        [PurePath(entry.name) for entry in run.manifest.data if entry.role == role]
        for role in ("source", "target")
    ]
    paths = [path for side in sides for path in side]
    alike = len({path.name for path in paths}) < len(paths)
    named = (
        " + ".join((path.parent.name or path.name) if alike else path.stem for path in side)
        for side in sides
        if side
    )
    return " → ".join(named) or "all runs"


def _from_path(run: FoundRun, pattern: re.Pattern[str], otherwise: float) -> float:
    found = [match[1] for part in run.parts if (match := pattern.fullmatch(part))]
    try:
        return float(found[-1]) if found else otherwise
    except ValueError:
        return otherwise


def _varying(runs: Sequence[FoundRun]) -> set[str]:
    """Options that are part of a grid: those in which runs of one task and method differ."""
    keys = {key for run in runs for key in run.options if not _NO_GRID.fullmatch(key)}
    return {key for key in keys if len({repr(run.options.get(key)) for run in runs}) > 1}


def _rows_of(runs: Sequence[StudyRun]) -> dict[Point, str]:
    """Rows of one method: the grid point with the best development F1, or all where there is none.

    Only points that have all tasks which any point has are chosen from.
    """
    scores: dict[Point, dict[str, list[float]]] = {}
    for run in runs:
        scores.setdefault(run.point, defaultdict(list))
        f1 = run.f1(DEV)
        if f1 is not None:
            scores[run.point][run.task].append(f1)
    method = runs[0].method
    if len(scores) == 1:
        return {runs[0].point: method}
    most = max(len(tasks) for tasks in scores.values())
    if not most:
        return {point: f"{method}, {point_text(point)}" for point in scores}
    means = {
        point: fmean(fmean(values) for values in tasks.values())
        for point, tasks in scores.items()
        if len(tasks) == most
    }
    return {max(means, key=lambda point: means[point]): method}
