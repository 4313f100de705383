"""An experiment in its folder: what is finished stays, what is missing is run."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from ladtl_np.arrays.processors import allowed
from ladtl_np.errors import UsageError
from ladtl_np.experiment.expansion import RunSpec, expand
from ladtl_np.experiment.file import Experiment
from ladtl_np.experiment.inputs import Inputs, OwnFiles, own_files, read_inputs
from ladtl_np.experiment.job import Event, Execute, Job
from ladtl_np.experiment.processes import run_in_processes
from ladtl_np.experiment.record import record_of
from ladtl_np.experiment.repeats import run_each_once
from ladtl_np.experiment.state import State, state_of
from ladtl_np.files import (
    is_temporary,
    make_private_folder,
    require_apart,
    sweep_temporary_files,
    write_atomically,
)
from ladtl_np.model.vocabulary_key import read_or_make_key, require_key_apart
from ladtl_np.runs.lock import FolderLock
from ladtl_np.runs.marker import holds_experiment
from ladtl_np.runs.names import EXPERIMENT_RECORD, LOCK, RESULTS

__all__ = ["Plan", "Share", "plan_experiment", "run_missing", "share_cores", "states"]


class Plan(NamedTuple):
    """An experiment whose file is right and whose corpora can be read.

    Attributes
    ----------
    name
        Of the experiment.
    out
        Its folder.
    specs
        Its runs, in order.
    own
        Files that it writes for them.
    inputs
        What they read.
    choose
        ``dev`` where one grid point of each task and method is chosen by development F1.
    """

    name: str
    out: Path
    specs: list[RunSpec]
    own: OwnFiles
    inputs: Inputs
    choose: str = ""


class Share(NamedTuple):
    """How the machine's cores are shared out: runs side by side, and threads of each at most."""

    processes: int
    threads: int


def plan_experiment(experiment: Experiment, out: Path) -> Plan:
    """Expand an experiment and read its corpora once; writes nothing.

    Raises
    ------
    UsageError
        If an option is wrong, or a file cannot be opened.
    DataError
        If there is something wrong in a file.
    """
    own = own_files(experiment)
    specs = expand(experiment, out, str(out / own.label_map) if own.label_map else "")
    inputs = read_inputs(specs, own, out)
    return Plan(experiment.name, out, specs, own, inputs, experiment.choose)


def states(plan: Plan) -> list[State]:
    """What the folder of each run holds."""
    return [state_of(spec, plan.out, plan.inputs.hashes) for spec in plan.specs]


def share_cores(specs: Sequence[RunSpec], wanted: int | None) -> Share:
    """Share out the cores: threads times processes are never more than there are."""
    cores = allowed()
    threads = min(max(spec.config.threads for spec in specs), cores)
    most = max(1, cores // threads)
    return Share(min(wanted or most, most), threads)


def run_missing(
    plan: Plan,
    share: Share,
    *,
    overwrite: bool = False,
    command: Sequence[str] = (),
    execute: Execute | None = None,
) -> Generator[Event, None, None]:
    """Do all runs that have no results yet, and yield what happens to them.

    Parameters
    ----------
    plan
        What to run.
    share
        How many at a time.
    overwrite
        Whether results of other options or data are replaced.
    command
        What the user called, for the manifests.
    execute
        Executes the jobs; by default in processes of this machine.

    Yields
    ------
    Event
        Its job is the place of the run in `plan.specs`.

    Raises
    ------
    UsageError
        If the folder holds something else, or results of other options without `overwrite`.
    LadtlError
        If the folder is in use.
    """
    execute = execute or partial(run_in_processes, processes=share.processes)
    written = [EXPERIMENT_RECORD, RESULTS, *plan.own.contents]
    own = {str(plan.out / name) for name in plan.own.contents}
    require_apart([plan.out / name for name in written], plan.inputs.hashes.keys() - own)
    with _in_use(plan.out):
        found = states(plan)
        if not overwrite:
            _require_same(plan, found)
        _write_inputs(plan)
        missing = [n for n, state in enumerate(found) if state.kind != "finished"]
        for number in sorted(set(range(len(found))) - set(missing)):
            yield Event(number, "present", 1.0)
        jobs = [_job(plan, spec, share.threads, command) for spec in plan.specs]
        done = {n for n, state in enumerate(found) if state.kind == "finished"}
        for wave in _waves(plan.specs, missing):
            present = [jobs[number] for number in sorted(done)]
            able = []
            for number in wave:
                if _waits_for(plan, number, done):
                    yield Event(number, "failed", error="the round of annotation before it failed")
                else:
                    able.append(number)
            wanted = [jobs[number] for number in able]
            with closing(run_each_once(wanted, present, execute)) as events:
                for event in events:
                    if event.kind in ("done", "equal"):
                        done.add(able[event.job])
                    yield event._replace(job=able[event.job])


def _waves(specs: Sequence[RunSpec], missing: Sequence[int]) -> Iterator[list[int]]:
    """The runs that are missing; rounds of annotation one after the other, seeds within them.

    All runs of one seed come before those of the next, so that an experiment which is interrupted
    has whole tables.
    """
    rounds = {n: of.number if (of := specs[n].annotation) else 0 for n in missing}
    turn = {seed: place for place, seed in enumerate(dict.fromkeys(spec.seed for spec in specs))}
    for number in sorted(set(rounds.values())):
        yield sorted((n for n in missing if rounds[n] == number), key=lambda n: turn[specs[n].seed])


def _waits_for(plan: Plan, number: int, done: set[int]) -> bool:
    """Whether a run chooses with the model of one that was not done."""
    of = plan.specs[number].annotation
    if of is None or of.before is None:
        return False
    return of.before[0] not in {plan.out / plan.specs[n].folder for n in done}


def _job(plan: Plan, spec: RunSpec, threads: int, command: Sequence[str]) -> Job:
    config = msgspec.structs.replace(spec.config, threads=min(spec.config.threads, threads))
    vectors = plan.inputs.hashes[config.data.embeddings] if config.data.embeddings else ""
    folder = plan.out / spec.folder
    return Job(config, folder, tuple(command), vectors, annotation=spec.annotation)


@contextmanager
def _in_use(out: Path) -> Iterator[None]:
    """Hold the experiment's folder for this process."""
    _require_experiment(out)
    lock = FolderLock(out, "experiment")
    lock.take()
    try:
        _require_experiment(out)  # another process may have been here meanwhile
        yield
    finally:
        lock.leave()


def _require_experiment(out: Path) -> None:
    """Refuse a folder that holds anything but an experiment."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out wants a folder")
    names = os.listdir(out) if out.is_dir() else []
    there = [name for name in names if name != LOCK and not is_temporary(name)]
    if there and not holds_experiment(out):
        raise UsageError(
            f"{out} holds files, and no {EXPERIMENT_RECORD} as this version of ladtl_np writes it; "
            "choose another folder with --out"
        )


def _require_same(plan: Plan, found: Sequence[State]) -> None:
    different = [n for n, state in enumerate(found) if state.kind == "different"]
    if different:
        first = different[0]
        raise UsageError(
            f"{plan.out} holds results of other options or data for {len(different)} of "
            f"{len(found)} runs: in {plan.specs[first].folder}, {found[first].differences}. Choose "
            "another --out, or --overwrite to replace these results"
        )


def _write_inputs(plan: Plan) -> None:
    """Write what the runs read and the user has no file of, and which runs there are."""
    for key in sorted({spec.config.vocabulary.key for spec in plan.specs} - {""}):
        require_key_apart(key, plan.out)
        read_or_make_key(key)  # one for all runs, before any of them
    record = record_of(plan.name, plan.specs, plan.choose)
    text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    for name, content in {EXPERIMENT_RECORD: text.encode("utf-8"), **plan.own.contents}.items():
        path = plan.out / name
        make_private_folder(path.parent)
        sweep_temporary_files(path.parent)
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
