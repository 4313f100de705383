"""From an experiment to its runs: one checked `Config` and one folder name for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ladtl_np.corpus.dotted import flattened
from ladtl_np.errors import UsageError
from ladtl_np.experiment.annotation import ANNOTATED, STRATEGY, Annotation, Round
from ladtl_np.experiment.file import Experiment
from ladtl_np.experiment.grids import Grid, point_name, points_of
from ladtl_np.experiment.run_options import CORPORA, options_above, table_of
from ladtl_np.experiment.task import Task
from ladtl_np.options.config import DEFAULTS, Config, parse_config, set_option
from ladtl_np.options.effects import Idle, idle_options, moved_options
from ladtl_np.options.method_checks import chosen_method, has_effect
from ladtl_np.options.methods import method_named
from ladtl_np.options.presets import preset_options

__all__ = ["CORPORA", "RunSpec", "expand"]

DRAWN = "drawn"  # folder of the lists that no model was asked for
# options that the file says in another place
_ELSEWHERE = {
    "method": "methods",
    "seed": "seeds",
    "data.source": "corpora and tasks",
    "data.more_sources": "corpora and tasks",
    "data.source_model": "corpora.NAME.source_model",
    "data.target": "corpora and tasks",
    "data.dev": "corpora",
    "data.test": "corpora",
    "data.source_format": "corpora.NAME.format",
    "data.target_format": "corpora.NAME.format",
    "data.dev_format": "corpora.NAME.dev_format",
    "data.test_format": "corpora.NAME.test_format",
    "data.target_fraction": "fractions",
    "data.target_chosen": "annotation",
    "data.label_map": "label_map",
}


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run of an experiment.

    Attributes
    ----------
    task
        The corpora.
    method
        The method's label in the file.
    seed, fraction
        Of the run, and of the target's training sentences; in rounds of annotation of its tokens.
    grid
        The grid point: values by dotted key.
    config
        Every option.
    folder
        Where it writes, relative to the experiment's folder: task, method, fraction, grid point if
        there is a grid, seed. What else the experiment holds does not change it.
    default
        Whether the grid point changes nothing of what the method has without it.
    annotation
        The round that it is of, where annotation is simulated.
    """

    task: Task
    method: str
    seed: int
    fraction: float
    grid: dict[str, Any]
    config: Config
    folder: str
    default: bool = True
    annotation: Round | None = None

    @property
    def above_seeds(self) -> str:
        """The folder that the runs of all its seeds lie in."""
        return self.folder.rpartition("/")[0]

    def to_json(self) -> dict[str, Any]:
        """Return plain values that name the run."""
        return {
            "folder": self.folder,
            "task": str(self.task),
            "method": self.method,
            "seed": self.seed,
            "fraction": self.fraction,
            "grid": self.grid,
        }


def expand(experiment: Experiment, out: Path, label_map: str = "") -> list[RunSpec]:
    """List the runs of an experiment in order: by task, method, fraction, grid point, seed.

    Where grid points are chosen from, one that equals an earlier one is left out.

    Parameters
    ----------
    experiment
        What the file says.
    out
        Folder of the experiment, which holds the files of synthetic corpora.
    label_map
        Path of the label map for the runs' options.

    Raises
    ------
    UsageError
        For an unknown option, a value out of range, an option without effect under a method, or
        two runs with one folder.
    """
    _check_keys(experiment)
    if experiment.annotation is not None:
        rounds = list(_rounds(experiment, experiment.annotation, out, label_map))
        _require_own_folders(rounds, experiment.place)
        _require_effects(experiment, rounds)
        return rounds
    points = {label: _points(experiment, label) for label in experiment.methods}
    specs: list[RunSpec] = []
    wanted = (
        (*place, *point, seed)
        for place in itertools.product(experiment.tasks, experiment.methods, experiment.fractions)
        for point in points[place[1]]
        for seed in experiment.seeds[place[1]]
    )
    for task, label, fraction, point, default, seed in wanted:
        parts = [task.folder, label, f"fraction-{fraction:g}"]
        parts += [point_name(point)] if point else []
        folder = "/".join([*parts, f"seed-{seed}"])
        table = table_of(experiment, task, label, point, seed, out, label_map)
        set_option(table, "data.target_fraction", fraction)
        config = _checked(table, f"{experiment.place}: run {folder}")
        specs.append(RunSpec(task, label, seed, fraction, point, config, folder, default))
    _require_own_folders(specs, experiment.place)
    _require_effects(experiment, specs)
    return _without_repeats(specs) if experiment.choose else specs


def _rounds(
    experiment: Experiment, rounds: Annotation, out: Path, label_map: str
) -> Iterator[RunSpec]:
    """The runs of simulated annotation: by task, method, strategy, share, seed."""
    places = itertools.product(experiment.tasks, experiment.methods, rounds.manners())
    for task, label, manner in places:
        lead = f"{task.folder}/{label}"
        point = {STRATEGY: manner.name}
        method = method_named(experiment.methods[label]["method"])
        own = task.target if method.source == "unused" else task.folder
        before: dict[int, tuple[Path, str]] = {}
        for (number, share), seed in itertools.product(
            enumerate(rounds.shares), experiment.seeds[label]
        ):
            asks = manner.asks_a_model(number, share)
            folder = f"{lead}/fraction-{share:g}/{point_name(point)}/seed-{seed}"
            # lists that are equal have one path, so that equal runs are done once
            chosen = f"{own}/{label}/{manner.name}" if asks else f"{task.target}/{DRAWN}"
            listed = str(out / ANNOTATED / chosen / f"seed-{seed}" / f"share-{share:g}.txt")
            table = table_of(experiment, task, label, {}, seed, out, label_map)
            set_option(table, "data.target_chosen", listed)
            config = _checked(table, f"{experiment.place}: run {folder}")
            of = Round(number if asks else 0, share, manner, before[seed] if asks else None)
            before[seed] = out / folder, listed
            yield RunSpec(task, label, seed, share, dict(point), config, folder, annotation=of)


def _points(experiment: Experiment, label: str) -> list[tuple[dict[str, Any], bool]]:
    """Grid points of a method, each with whether it changes nothing of the options without it."""
    plain = flattened(msgspec.to_builtins(DEFAULTS)) | flattened(
        options_above(experiment, label, {})
    )
    points = points_of(experiment.grids, label)
    return [(point, all(plain.get(key) == point[key] for key in point)) for point in points]


def _without_repeats(specs: list[RunSpec]) -> list[RunSpec]:
    """Leave out runs of a task and method whose options an earlier grid point has as well."""
    first: dict[tuple[Task, str, bytes], RunSpec] = {}
    for spec in specs:
        first.setdefault((spec.task, spec.method, msgspec.json.encode(spec.config)), spec)
    return list(first.values())


def _check_keys(experiment: Experiment) -> None:
    """Check the options of each table by themselves, so that a message can say where."""
    place = experiment.place
    if experiment.preset:
        preset_options(experiment.preset)
    tables = {"settings": experiment.settings}
    for label, options in experiment.methods.items():
        _method_of(options, f"{place}: methods.{label}")
        tables[f"methods.{label}"] = {k: v for k, v in options.items() if k != "method"}
    for grid in experiment.grids:
        _check_grid(grid, experiment)
        for point in grid.points():
            table: dict[str, Any] = {}
            for key, value in point.items():
                set_option(table, key, value)
            tables[f"grid {point_name(point)}"] = table
    for name, table in tables.items():
        for key in flattened(table):
            for option, instead in _ELSEWHERE.items():
                if key == option or key.startswith(f"{option}."):
                    raise UsageError(
                        f"{place}: {name}: {option} is not set there; {instead} says it"
                    )
        parse_config(table, f"{place}: {name}")


def _check_grid(grid: Grid, experiment: Experiment) -> None:
    """Refuse a grid under which some method would only repeat equal runs."""
    for label, options in experiment.methods.items():
        for key in grid.options if grid.is_for(label) else ():
            if not has_effect(key, method_named(options["method"])):
                raise UsageError(
                    f"{experiment.place}: grid.{key} has no effect with method {label}; say in the "
                    "grid which methods it is for, such as methods = [...]"
                )


def _require_effects(experiment: Experiment, specs: list[RunSpec]) -> None:
    """Refuse an option that changes nothing in any run that it is set for."""
    used: set[str] = set()
    found: dict[str, Idle] = {}
    for spec in specs:
        own = {**flattened(experiment.methods[spec.method]), **spec.grid}
        shared = [key for key in flattened(experiment.settings) if key not in own]
        told = idle_options(spec.config, own)
        told += idle_options(spec.config, shared, for_all_methods=True)
        idle = {one.key: one for one in told}
        keys = moved_options(spec.config, [*own, *shared])
        used.update(key for key in keys if key not in idle)
        found = idle | found
    for key, one in found.items():
        if key not in used:
            raise UsageError(f"{experiment.place}: {one.told()}")


def _method_of(options: Mapping[str, Any], place: str) -> None:
    method = options["method"]
    if not isinstance(method, str):
        raise UsageError(f"{place}: method wants a name in quotes")
    try:
        method_named(method)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None


def _checked(table: Mapping[str, Any], place: str) -> Config:
    config = parse_config(table, place)
    try:
        chosen_method(config)
    except UsageError as error:
        raise UsageError(
            f"{place}: {error}. In an experiment, options of one method stand in "
            "[methods.NAME], not in [settings]"
        ) from None
    return config


def _require_own_folders(specs: list[RunSpec], place: str) -> None:
    """Refuse two runs in one folder, on disks that do not tell a from A as well."""
    seen: dict[str, RunSpec] = {}
    for spec in specs:
        other = seen.setdefault(spec.folder.casefold(), spec)
        if other is not spec:
            raise UsageError(
                f"{place}: two runs would write to {spec.folder}: {other.task}, {other.method} and "
                f"{spec.task}, {spec.method}; rename a corpus or method, or drop a value of a grid"
            )
