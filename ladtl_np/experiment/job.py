"""One run of an experiment, wherever it is executed, and what executing runs tells of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from ladtl_np.arrays.workers import single_threaded_blas
from ladtl_np.errors import LadtlError, TerminatedError
from ladtl_np.experiment.annotation import Round, annotate
from ladtl_np.model.vocabulary_key import read_key
from ladtl_np.options.config import Config
from ladtl_np.runs.folder import RunFolder
from ladtl_np.runs.run import Run, read_corpora, read_label_maps
from ladtl_np.runs.signals import raise_for, stop_asked_for
from ladtl_np.training.events import Evaluation, Step
from ladtl_np.training.preparation import prepare
from ladtl_np.training.prepared import Prepared

__all__ = ["VECTORS", "Event", "Execute", "Job", "explanation", "perform"]

VECTORS = "vectors"
"""Event of a run's log that tells which word vectors were read."""


class Job(NamedTuple):
    """What a worker needs to know of a run.

    Attributes
    ----------
    config
        Every option.
    folder
        The run folder.
    command
        What the user called, for the manifest.
    vectors
        SHA-256 of the file of word vectors, for the log.
    base
        Folder that relative paths start from; "" where the process that does the run is in it.
    patience
        Seconds that another process has to leave the run folder.
    until
        Step of the target's stage from which on the run waits at its next evaluation, with a
        checkpoint to go on from; 0 is the end.
    annotation
        What is chosen of the target before the run, where annotation is simulated.
    """

    config: Config
    folder: Path
    command: tuple[str, ...] = ()
    vectors: str = ""
    base: str = ""
    patience: float = 0.0
    until: int = 0
    annotation: Round | None = None


class Event(NamedTuple):
    """News of one job.

    Attributes
    ----------
    job
        Its place in the list of jobs.
    kind
        ``started``, ``progress``, then ``done`` or ``failed`` once; or alone ``present``, for a run
        that was finished before, or ``equal``, for one that another run of the experiment answers.
        After ``lost`` a run waits and is started again.
    share
        How much of it is done, from 0 to 1.
    error
        Why it failed or was lost.
    """

    job: int
    kind: Literal["present", "equal", "started", "progress", "lost", "done", "failed"]
    share: float = 0.0
    error: str = ""


Execute = Callable[[Sequence[Job]], Generator[Event, None, None]]
"""Executes jobs in any order and yields their events; closing the iterator ends all work."""


def perform(job: Job, report: Callable[[float], None]) -> None:
    """Do one run in this process, from files to a complete run folder.

    An interrupted run goes on from its checkpoint. `report` is told the share done. SIGTERM, where
    this is the main thread, leaves a checkpoint, and so does a run that is to wait at some step.

    Raises
    ------
    LadtlError
        If the run cannot be done; the folder then has no results.
    """
    if job.config.vocabulary.key:
        read_key(job.config.vocabulary.key)  # a run by itself would make another key
    if job.annotation is not None:
        annotate(job.annotation, job.config)
    with RunFolder(job.folder, "continue", patience=job.patience) as folder:
        folder.protect(job.config.data.inputs())
        corpora = read_corpora(job.config)
        prepared = prepare(job.config, corpora, *read_label_maps(job.config))
        before, total = _steps(prepared)
        with single_threaded_blas():
            run = Run(prepared, corpora, folder, list(job.command))
            _take_up(run)
            if job.vectors:
                folder.log(VECTORS, sha256=job.vectors)
            with stop_asked_for(second="noted") as signal:
                for event in run.train():
                    if isinstance(event, Step):
                        done = event.step + (before if event.stage == "target" else 0)
                        report(done / total)
                    if signal() or _waits(event, job):
                        run.save_checkpoint()
                        if signal():
                            raise_for(signal())
                        return
            run.finish()


def _waits(event: Step | Evaluation, job: Job) -> bool:
    """Whether a run has come as far as it is to go for now; never at its last step."""
    evaluated = isinstance(event, Evaluation) and event.stage == "target"
    return evaluated and 0 < job.until <= event.step < job.config.training.steps


def _take_up(run: Run) -> None:
    """Go on from a checkpoint of this very run, if there is one; else it starts from its seed."""
    if not run.folder.resumes:
        return
    try:
        run.resume()
    except LadtlError as error:
        run.folder.restart()
        run.folder.log("started again", reason=explanation(error))


def _steps(prepared: Prepared) -> tuple[int, int]:
    """Steps of the first stage, if there is one, and of the whole run."""
    first = prepared.first_stage
    before = first.config.training.steps if first is not None else 0
    return before, before + prepared.config.training.steps


def explanation(error: BaseException) -> str:
    """Say in a line why a run failed; where, if the cause is a bug."""
    if isinstance(error, LadtlError | TerminatedError):
        return str(error)
    if isinstance(error, MemoryError):
        return "not enough memory"
    trace = error.__traceback__ or sys.exc_info()[2]
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else ""
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}"
    return f"{type(error).__name__}{place}; this is a bug, please report it"
