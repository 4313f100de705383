"""The experiment file: what it may hold, and every mistake in it found before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from ladtl_np.corpus.demo import SPECIALTIES
from ladtl_np.corpus.dotted import flattened
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.limits import RUNS, bounded
from ladtl_np.corpus.typed import typed
from ladtl_np.errors import UsageError
from ladtl_np.experiment.annotation import Annotation
from ladtl_np.experiment.grids import Grid, count_points, parse_grids
from ladtl_np.experiment.names import require_distinct, require_name
from ladtl_np.experiment.task import ALL_PAIRS, Task, read_tasks

__all__ = ["CorpusFiles", "Experiment", "parse_experiment"]

SEEDS = "seeds"


class CorpusFiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The files of one domain.

    Attributes
    ----------
    train
        Training corpus.
    dev
        Development corpus, which chooses the model where the domain is a target.
    test
        Test corpora.
    format
        How all of them are read.
    dev_format, test_format
        What is different in reading the development and the test corpora.
    source_model
        File of ``ladtl source export``, which stands for the domain where a method reads no corpus
        of the source.
    demo
        A specialty of the synthetic demo corpus, in place of files.
    """

    train: str = ""
    dev: str = ""
    test: list[str] = []
    format: ReadOptions = ReadOptions()
    dev_format: dict[str, Any] = {}
    test_format: dict[str, Any] = {}
    source_model: str = ""
    demo: str = ""

    def __post_init__(self) -> None:
        if not self.demo:
            if not self.train:
                raise ValueError("wants train, the training file, or demo, a synthetic specialty")
            return
        if self.demo not in SPECIALTIES:
            raise ValueError(f"demo {self.demo!r} is not one of: {', '.join(SPECIALTIES)}")
        own = (self.train, self.dev, self.test, self.dev_format, self.test_format)
        if any(own) or self.format != ReadOptions():
            raise ValueError("demo comes with its own files; leave everything else out")


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The top level of the file; `corpora` is checked one by one."""

    tasks: list[str] | str
    methods: list[str] | dict[str, dict[str, Any]]
    corpora: dict[str, dict[str, Any]]
    seeds: list[int] = msgspec.field(default_factory=lambda: [0])
    fractions: list[float] = msgspec.field(default_factory=lambda: [1.0])
    settings: dict[str, Any] = {}
    grid: dict[str, Any] | list[dict[str, Any]] = {}
    choose: Literal["", "dev"] = ""
    annotation: Annotation | None = None
    label_map: str | dict[str, Any] = ""
    preset: str = ""


class Experiment(NamedTuple):
    """An experiment as its file tells it.

    Attributes
    ----------
    name
        The file's name without its ending.
    place
        The file, for messages.
    base
        The folder that the file's paths start from.
    corpora
        Files by the name of the corpus.
    tasks
        Sources and target by these names, in order.
    methods
        Options of each method by its label; the option ``method`` is there in any case.
    seeds
        Seeds of the runs by the method's label: its own, or those of the file.
    fractions
        Shares of the target's training sentences.
    settings
        Options of all runs, nested as in config.toml.
    grids
        Options with lists of values, whose combinations are the grid points.
    choose
        ``dev`` where one grid point of each task and method is chosen by development F1.
    label_map
        A path, or pairs of types.
    preset
        Name of a preset, "" for none.
    annotation
        Rounds of simulated annotation in the place of fractions; None without.
    """

    name: str
    place: str
    base: Path
    corpora: dict[str, CorpusFiles]
    tasks: list[Task]
    methods: dict[str, dict[str, Any]]
    seeds: dict[str, list[int]]
    fractions: list[float]
    settings: dict[str, Any]
    grids: list[Grid]
    choose: str
    label_map: str | dict[str, str]
    preset: str
    annotation: Annotation | None = None


def parse_experiment(
    table: Mapping[str, Any], place: str, base: Path, name: str = "experiment"
) -> Experiment:
    """Check the table of an experiment file; the options of its runs are checked by `expand`.

    Raises
    ------
    UsageError
        For an unknown key, a wrong type, or a name that nothing defines.
    """
    top: _Table = _converted(table, _Table, place)
    corpora: dict[str, CorpusFiles] = {}
    for corpus, files in top.corpora.items():
        require_name(corpus, f"{place}: corpora")
        corpora[corpus] = _converted(files, CorpusFiles, f"{place}: corpora.{corpus}")
    methods = top.methods
    if isinstance(methods, list):
        require_distinct(methods, f"{place}: methods")
        methods = {method: {} for method in methods}
    for label in methods:
        require_name(label, f"{place}: methods")
    require_distinct(top.fractions, f"{place}: fractions")
    if not methods:
        raise UsageError(f"{place}: methods is empty; name at least one")
    seeds = _seeds(top, methods, place)
    grids = parse_grids(top.grid, methods, place)
    pairs = len(corpora) * (len(corpora) - 1)
    count = pairs if top.tasks == ALL_PAIRS else len(top.tasks)
    _require_few(count, seeds, top, grids, place)
    tasks = _tasks(top.tasks, corpora, place)
    if top.annotation is not None:
        _require_alone(top, grids, place)
    if top.choose:
        _require_choice(tasks, corpora, methods, grids, place)
    return Experiment(
        name=name,
        place=place,
        base=base,
        corpora=corpora,
        tasks=tasks,
        methods={
            label: {"method": label} | {k: v for k, v in options.items() if k != SEEDS}
            for label, options in methods.items()
        },
        seeds=seeds,
        fractions=top.fractions,
        settings=top.settings,
        grids=grids,
        choose=top.choose,
        label_map=top.label_map if isinstance(top.label_map, str) else _pairs(top, place),
        preset=top.preset,
        annotation=top.annotation,
    )


def _require_alone(top: _Table, grids: list[Grid], place: str) -> None:
    """Refuse rounds of annotation with what else would say which sentences are used, or a grid."""
    assert top.annotation is not None
    top.annotation.check(place)
    if top.fractions != [1.0]:
        raise UsageError(f"{place}: fractions has no effect with [annotation], whose shares say it")
    if any(grid.options for grid in grids):
        raise UsageError(f"{place}: a grid and [annotation] do not go together; leave one out")


def _seeds(
    top: _Table, methods: Mapping[str, Mapping[str, Any]], place: str
) -> dict[str, list[int]]:
    """Seeds by method: its own where its table has some."""
    require_distinct(top.seeds, f"{place}: {SEEDS}")
    found = dict.fromkeys(methods, top.seeds)
    for label, options in methods.items():
        if SEEDS in options:
            where = f"{place}: methods.{label}.{SEEDS}"
            found[label] = _converted(options[SEEDS], list[int], where)
            require_distinct(found[label], where)
    return found


def _converted(table: Any, wanted: type[Any], place: str) -> Any:
    try:
        return typed(table, wanted)
    except ValueError as error:
        raise UsageError(f"{place}: {bounded(str(error), 500)}; see docs/experiments.md") from None


def _tasks(wanted: list[str] | str, corpora: Mapping[str, CorpusFiles], place: str) -> list[Task]:
    """Sources and targets; every target has something to score on."""
    tasks = read_tasks(wanted, list(corpora), place)
    require_distinct([str(task) for task in tasks], f"{place}: tasks")
    for task in tasks:
        target = corpora[task.target]
        if not target.demo and not (target.dev or target.test):
            raise UsageError(
                f"{place}: task {task}: corpora.{task.target} has neither test nor dev, so that "
                "its runs would have no results"
            )
    return tasks


def _pairs(top: _Table, place: str) -> dict[str, str]:
    pairs = flattened(top.label_map if isinstance(top.label_map, dict) else {})
    for old, new in pairs.items():
        if not isinstance(new, str):
            raise UsageError(f'{place}: label_map.{old} wants a type in quotes, as LOC = "place"')
    return pairs


def _require_few(
    tasks: int, seeds: Mapping[str, list[int]], top: _Table, grids: list[Grid], place: str
) -> None:
    """Refuse more runs than anybody can wait for, before they are listed."""
    of_methods = sum(len(own) * count_points(grids, label) for label, own in seeds.items())
    rounds = top.annotation
    shares = len(rounds.shares) * len(rounds.manners()) if rounds else len(top.fractions)
    runs = tasks * shares * of_methods
    if runs > RUNS:
        raise UsageError(
            f"{place}: {runs:.3g} runs, where {RUNS:,} are the most; shorten the lists of the grid"
        )


def _require_choice(
    tasks: list[Task],
    corpora: Mapping[str, CorpusFiles],
    methods: Mapping[str, Any],
    grids: list[Grid],
    place: str,
) -> None:
    """Refuse a choice with nothing to choose from, or nothing to choose by."""
    if all(count_points(grids, label) == 1 for label in methods):
        raise UsageError(
            f"{place}: choose has no effect without a grid of several points; leave it out, or add "
            "a [grid]"
        )
    for task in tasks:
        files = corpora[task.target]
        if not (files.dev or files.demo):
            raise UsageError(
                f'{place}: choose = "dev": corpora.{task.target} has no development data to choose '
                "by; name a file with dev"
            )
