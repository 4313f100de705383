"""``ladtl experiment``: a grid of runs from one file."""

from __future__ import annotations

import sys
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

from ladtl_np.commands.support.choice_display import tell_choices
from ladtl_np.commands.support.cluster import dask_wait_option, tell_of_waiting
from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.experiment_display import ExperimentDisplay, means_table
from ladtl_np.commands.support.formats import json_option, print_json, print_table, tell, warn
from ladtl_np.commands.support.progress import told_of_compiling
from ladtl_np.errors import TerminatedError, UsageError
from ladtl_np.experiment.choice import Choice
from ladtl_np.experiment.cluster.connection import connect
from ladtl_np.experiment.cluster.runs import run_on_cluster, share_workers
from ladtl_np.experiment.cluster.scheduler import Cluster
from ladtl_np.experiment.expansion import RunSpec
from ladtl_np.experiment.loading import load_experiment
from ladtl_np.experiment.record import choices_among
from ladtl_np.experiment.results import means, read_results, remarks_of_runs, write_results
from ladtl_np.experiment.runner import Plan, Share, plan_experiment, run_missing, share_cores
from ladtl_np.experiment.runner import states as states_of
from ladtl_np.options.input_file import require_utf8
from ladtl_np.printable import LONG, counted, shown
from ladtl_np.training.warm_up import warm_up

__all__ = ["command"]


@click.command(name="experiment", cls=Command)
@click.argument("experiment", metavar="FILE_OR_NAME")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder of the experiment."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder that the experiment's paths start from.  [default: the file's own]",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of all runs, by its key; wins over the file's [settings].",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Runs side by side; times their threads never more than the cores.  [default: as many]",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Run on the workers of a Dask cluster: its scheduler, such as tcp://host:8786.",
)
@dask_wait_option
@click.option(
    "--overwrite", is_flag=True, help="Replace finished runs whose options or data differ."
)
@click.option("--dry-run", is_flag=True, help="Check everything, list the runs, write nothing.")
@json_option
def command(
    experiment: str,
    out: Path,
    data: Path | None,
    settings: tuple[str, ...],
    jobs: int | None,
    dask: str | None,
    dask_wait: float,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    r"""Train a grid of tasks, methods, seeds and options, and tabulate the results.

    FILE_OR_NAME is a TOML file (docs/experiments.md) or an experiment of the package: demo, table2,
    table2-large, figure4, figure5, sources, sources-joined, table4, table5, active, active-weibo.
    The same command again continues: finished runs are not repeated. Ends with OUT/results.tsv, and
    a run folder below OUT for each run.

    \b
    Examples:
      ladtl experiment demo --out demo-experiment
      ladtl experiment table2 --data corpora --out table2 --dry-run
      ladtl experiment my.toml --out my-experiment --jobs 2 --set training.steps=500
      ladtl experiment my.toml --out /shared/my-experiment --dask tcp://10.0.0.1:8786
    """
    if dask is None:
        refuse_without_effect(["dask_wait"], "without --dask", "name a scheduler with that")
    require_utf8([out, *sys.argv[1:]], "experiment")  # its records name them
    with connect(dask, 60 * dask_wait) if dask is not None else nullcontext() as cluster:
        plan = plan_experiment(load_experiment(experiment, data, settings), out)
        if cluster and any(spec.annotation for spec in plan.specs):
            raise UsageError(
                f"{shown(plan.name, LONG)} has an [annotation], whose rounds choose with the "
                "models of those before them; run it without --dask"
            )
        if cluster:
            share = share_workers(cluster, plan.specs, jobs)
        else:
            share = share_cores(plan.specs, jobs)
        tell(plan.inputs.remarks)
        if jobs and share.processes < jobs and not cluster:  # which may grow
            warn(f"--jobs {jobs} is more than the cores allow; {share.processes} runs side by side")
        if dry_run:
            _list(plan, share, as_json)
            return
        if cluster:
            tell_of_waiting(cluster)
        failed = _run(plan, share, overwrite, cluster, jobs)
    _tell(plan, failed, as_json)


class _Written(NamedTuple):
    """Runs that are finished, what is chosen among their grid points, and where results are."""

    finished: list[RunSpec]
    choices: list[Choice]
    chosen: set[str]
    path: Path


def _write_results(plan: Plan) -> _Written:
    """Write the results of all runs that are finished."""
    finished = [
        spec
        for spec, state in zip(plan.specs, states_of(plan), strict=True)
        if state.kind == "finished"
    ]
    choices = choices_among(plan.specs, finished, plan.out) if plan.choose else []
    chosen = {choice.chosen.folder for choice in choices if choice.chosen is not None}
    path = write_results(finished, plan.out, chosen if plan.choose else None)
    return _Written(finished, choices, chosen, path)


def _tell(plan: Plan, failed: dict[int, str], as_json: bool) -> None:
    """Write and print the results; leaves with code 1 if a run failed."""
    out, (finished, choices, chosen, path) = plan.out, _write_results(plan)
    further = remarks_of_runs(finished, out, plan.inputs.remarks)
    if as_json:
        print_json(
            {
                "experiment": plan.name,
                "runs": len(plan.specs),
                "failed": [plan.specs[n].to_json() | {"error": e} for n, e in failed.items()],
                "means": [mean.to_json() for mean in means(finished, out)],
                **({"choices": [each.to_json() for each in choices]} if plan.choose else {}),
                "results": [result.to_json() for result in read_results(finished, out)],
                "remarks": [remark.to_json() for remark in (*plan.inputs.remarks, *further)],
            }
        )
    elif finished:
        synthetic = " (synthetic corpora)" if plan.own.synthetic else ""
        shown_runs = [s for s in finished if s.above_seeds in chosen] if plan.choose else finished
        print_table(means_table(f"{shown(plan.name, LONG)}{synthetic}", means(shown_runs, out)))
    tell_choices(choices, as_json)
    tell(further)
    click.echo(f"Results: {shown(str(path), LONG)}", err=True)
    if failed:
        click.echo(f"error: {len(failed)} of {len(plan.specs)} runs failed", err=True)
        sys.exit(1)


def _run(
    plan: Plan, share: Share, overwrite: bool, cluster: Cluster | None, jobs: int | None
) -> dict[int, str]:
    """Do what is missing, here or on a cluster; returns the errors of runs that failed."""
    execute = None
    if cluster is not None:
        hashes = plan.inputs.hashes
        execute = partial(run_on_cluster, cluster=cluster, out=plan.out, hashes=hashes, most=jobs)
    elif any(state.kind != "finished" for state in states_of(plan)):
        if compiled := told_of_compiling(warm_up()):  # once here rather than in every process
            click.echo(compiled, err=True)
    events = run_missing(plan, share, overwrite=overwrite, command=sys.argv[1:], execute=execute)
    display = ExperimentDisplay(plan.specs)
    try:
        with closing(events), display:
            for event in events:
                display.show(event)
    except (KeyboardInterrupt, TerminatedError):
        click.echo(
            f"Interrupted: {display.summary()}. The same command continues with the rest.", err=True
        )
        if display.finished:
            path = _write_results(plan).path
            click.echo(f"Results so far: {shown(str(path), LONG)}", err=True)
        raise
    click.echo(display.summary(), err=True)
    return display.failed


def _list(plan: Plan, share: Share, as_json: bool) -> None:
    """Print the runs and what is there of them."""
    found = states_of(plan)
    if as_json:
        runs: list[dict[str, Any]] = [
            spec.to_json() | {"state": state.kind, "differences": state.differences}
            for spec, state in zip(plan.specs, found, strict=True)
        ]
        told = [remark.to_json() for remark in plan.inputs.remarks]
        facts = {"experiment": plan.name, "processes": share.processes, "runs": runs}
        print_json(facts | {"remarks": told})
        return
    for spec, state in zip(plan.specs, found, strict=True):
        more = f": {state.differences}" if state.differences else ""
        click.echo(f"{state.kind:<9} {spec.folder}{more}")
    missing = sum(state.kind != "finished" for state in found)
    click.echo(
        f"{counted(len(found), 'runs')}, {missing} of them to do, {share.processes} side by side",
        err=True,
    )
