"""``ladtl tune``: a search for the options of one task, within a budget."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import click
import msgspec

from ladtl_np.commands.support.chosen import chosen_config
from ladtl_np.commands.support.command import Command
from ladtl_np.commands.support.experiment_display import ExperimentDisplay
from ladtl_np.commands.support.formats import json_option, tell, warn
from ladtl_np.commands.support.progress import told_of_compiling
from ladtl_np.commands.support.ranges import FiniteRange
from ladtl_np.commands.support.tune_display import tell_found, tell_plan
from ladtl_np.corpus.dotted import flattened
from ladtl_np.corpus.lines import file_sha256
from ladtl_np.errors import LadtlError, TerminatedError, UsageError
from ladtl_np.experiment.inputs import OwnFiles, read_inputs
from ladtl_np.experiment.processes import run_in_processes
from ladtl_np.experiment.runner import share_cores
from ladtl_np.files import require_apart
from ladtl_np.model.vocabulary_key import read_or_make_key, require_key_apart
from ladtl_np.options.config import Config, apply_settings
from ladtl_np.options.input_file import require_utf8
from ladtl_np.options.method_checks import chosen_method
from ladtl_np.options.methods import METHODS
from ladtl_np.printable import counted
from ladtl_np.runs.names import CONFIG, SEARCH_RECORD, TRIALS
from ladtl_np.training.warm_up import warm_up
from ladtl_np.tuning.halving import BRACKET, Rung, TrialRun, budgeted, unbounded, whole_runs
from ladtl_np.tuning.record import Record, held_record
from ladtl_np.tuning.results import Found, found_in, write_found
from ladtl_np.tuning.space import default_space, read_space
from ladtl_np.tuning.trials import MOST, Trials

__all__ = ["command"]

RUNS = 30
SHOWN_RUNGS = 4  # of a plan without end: point 0, and one bracket
START_SECONDS = 3.0  # about, of a run's process before it trains
RECORD_SECONDS = 5.0  # between two notes of the time that a search has taken
_FILE = click.Path(path_type=str)


@click.command(name="tune", cls=Command, epilog="What is searched, and how: docs/tuning.md.")
@click.option(
    "--source",
    type=_FILE,
    multiple=True,
    help="Training corpus of a source domain; may be given several times.",
)
@click.option("--target", type=_FILE, help="Training corpus of the target domain.")
@click.option("--dev", type=_FILE, help="Development corpus of the target: chooses the options.")
@click.option(
    "--test",
    type=_FILE,
    multiple=True,
    help="Test corpus: scored once, at the end, with the chosen model.",
)
@click.option("--method", help=f"How the source is used: {', '.join(METHODS)}.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the search.")
@click.option(
    "--runs",
    type=click.IntRange(1, MOST),
    help=f"Budget: runs that are begun, most of them stopped early.  [default: {RUNS}]",
)
@click.option("--minutes", type=FiniteRange(min=0, min_open=True), help="Budget: working time.")
@click.option("--space", type=_FILE, help="TOML file of options and their ranges.")
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Seeds of each point that reaches the end; the mean decides.",
)
@click.option("--steps", type=int, help="Mini-batches of a run that reaches the end.")
@click.option("--config", "config_file", type=_FILE, help="TOML file of options to start from.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any option; not searched then."
)
@click.option("--jobs", type=click.IntRange(min=1), help="Runs side by side.  [default: the cores]")
@click.option("--dry-run", is_flag=True, help="Check everything, tell the plan, write nothing.")
@json_option
def command(
    out: Path,
    runs: int | None,
    minutes: float | None,
    space: str | None,
    seeds: int,
    config_file: str | None,
    jobs: int | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    r"""Search the options of one task on its development data, within a budget.

    Random search with successive halving: point 0 is the options as they are, and goes on to the
    end with the best. The same command again goes on; more --runs or --minutes go further. Ends
    with OUT/config.toml for `ladtl train --config`, OUT/trials.tsv and the chosen run in OUT/best.

    \b
    Examples:
      ladtl tune --source news.txt --target tweets.txt --dev tweets-dev.txt --out tuned
      ladtl tune --source news.txt --target tweets.txt --dev tweets-dev.txt --out tuned \
          --minutes 60 --seeds 3 --space space.toml --set model.hidden=200
    """
    require_utf8([out, config_file or "", space or "", *sys.argv[1:]], "tune")
    if runs and minutes:
        raise UsageError("--runs and --minutes are two budgets; give one of them")
    config = _config(config_file, given)
    trials = _trials(config, space, seeds, out, given)
    rungs = None if minutes else budgeted(runs or RUNS, seeds, trials.score)
    hashes = _read(config, config_file, space, out)
    if dry_run:
        plan = rungs or islice(unbounded(seeds, trials.score), SHOWN_RUNGS)
        tell_plan(trials, plan, as_json)
        return
    if config.vocabulary.key:
        require_key_apart(config.vocabulary.key, out)
        read_or_make_key(config.vocabulary.key)  # one for all runs, before any of them
    with held_record(trials, hashes) as record:
        search = _Search(trials, hashes, record, jobs, minutes)
        try:
            found = search.run(rungs or unbounded(seeds, trials.score, search.bracket))
        except (KeyboardInterrupt, TerminatedError):
            write_found(found_in(trials, search.failed), trials, config)  # as far as it came
            raise
        write_found(found, trials, config)
    tell_found(found, trials, config, search.failed, as_json)


def _config(config_file: str | None, given: dict[str, Any]) -> Config:
    """The options without a search, found to name a task that can be searched for."""
    config = chosen_config(False, config_file, given, {})
    if not config.data.target:
        raise UsageError("give the target's training corpus with --target")
    if not config.data.dev:
        raise UsageError("options are chosen on development data; name them with --dev")
    chosen_method(config, has_source=bool(config.data.source))
    return config


def _trials(
    config: Config, space: str | None, seeds: int, out: Path, given: dict[str, Any]
) -> Trials:
    """The runs of the search: one thread each where nothing else is said, and no test corpora."""
    own = set(flattened(apply_settings({}, given["settings"])))
    own |= {"training.steps"} if given["steps"] is not None else set()
    drawn = read_space(space, config, own) if space else default_space(config, own)
    if not drawn:
        raise UsageError("every option of the search is set; leave some --set out")
    data = msgspec.structs.replace(config.data, test=[], test_format={})
    threads = config.threads if "threads" in own else 1
    bare = msgspec.structs.replace(config, data=data, threads=threads)
    return Trials(bare, drawn, seeds, out)


def _read(config: Config, config_file: str | None, space: str | None, out: Path) -> dict[str, str]:
    """Read every corpus once, so that what is wrong is told before anything is trained."""
    whole = Trials(config, {}, 1, out).spec(TrialRun(0, 0))
    inputs = read_inputs([whole], OwnFiles({}), out)
    tell(inputs.remarks)
    hashes = dict(inputs.hashes)
    hashes |= {path: file_sha256(path) for path in config.data.label_maps()}
    read = [*hashes, *(path for path in (config_file, space) if path)]
    require_apart([out / name for name in (SEARCH_RECORD, TRIALS, CONFIG)], read)
    return hashes


class _Search:
    """Does what the rungs ask for, until they end or the time is up."""

    def __init__(
        self,
        trials: Trials,
        hashes: dict[str, str],
        record: Record,
        jobs: int | None,
        minutes: float | None,
    ) -> None:
        self.trials, self.record = trials, record
        self.failed: dict[TrialRun, str] = {}
        self._hashes, self._minutes = hashes, minutes
        first = trials.spec(TrialRun(0, 0))
        self._processes = share_cores([first], jobs).processes
        if jobs and self._processes < jobs:
            warn(f"--jobs {jobs} is more than the cores allow; {self._processes} side by side")
        self._before, self._begin = record.seconds, time.monotonic()

    def run(self, rungs: Iterator[Rung]) -> Found:
        """Train what is missing and say what was found."""
        for rung in rungs:
            todo = [
                run
                for run in rung.runs
                if run not in self.failed and self.trials.f1(run, rung.share) is None
            ]
            if todo and not self._over():
                self._train(rung, todo)
            self._note()
            if self._over():
                break
        found = found_in(self.trials, self.failed)
        if found.choice.chosen is None and not self.failed:
            raise LadtlError(
                "the time was up before any point came to its end; the same command with more "
                "--minutes goes on"
            )
        return found

    def bracket(self) -> int:
        """Points of the next bracket: as many as the time that is left may be enough for."""
        assert self._minutes is not None
        left = 60 * self._minutes - self._spent()
        affordable = left * self._processes / (START_SECONDS + (self.trials.seconds() or 0.0))
        sizes = range(BRACKET, 1, -1)
        return next((n for n in sizes if whole_runs(n, self.trials.seeds) <= affordable), 1)

    def _train(self, rung: Rung, todo: list[TrialRun]) -> None:
        points = len({run.point for run in rung.runs})
        click.echo(
            f"Rung {rung.number} of {rung.of}: {counted(points, 'points')} to "
            f"{100 * rung.share:g} % of the steps, {counted(len(todo), 'runs')} to do",
            err=True,
        )
        if compiled := told_of_compiling(warm_up()):  # once here rather than in every process
            click.echo(compiled, err=True)
        path = self.trials.config.data.embeddings
        vectors = self._hashes[path] if path else ""
        jobs = [self.trials.job(run, rung.share, sys.argv[1:], vectors) for run in todo]
        display = ExperimentDisplay([self.trials.spec(run) for run in todo])
        events = run_in_processes(jobs, self._processes, self._stopped)
        try:
            with closing(events), display:
                for event in events:
                    display.show(event)
        except (KeyboardInterrupt, TerminatedError):
            self._note()
            told = f"Interrupted: {display.summary()}. The same command goes on with the rest."
            click.echo(told, err=True)
            raise
        self.failed |= {todo[number]: error for number, error in display.failed.items()}

    def _over(self) -> bool:
        """Whether the time is up."""
        return self._minutes is not None and self._spent() >= 60 * self._minutes

    def _spent(self) -> float:
        """Seconds of work in all calls together."""
        return self._before + time.monotonic() - self._begin

    def _stopped(self) -> bool:
        """Note the time now and then, and say whether it is up."""
        if self._spent() - self.record.seconds >= RECORD_SECONDS:
            self._note()
        return self._over()

    def _note(self) -> None:
        self.record.seconds = self._spent()
        self.record.write()
