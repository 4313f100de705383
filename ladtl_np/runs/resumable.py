"""Training that is in no run folder, and yet can be stopped and taken up again."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ladtl_np.errors import UsageError
from ladtl_np.runs.checkpoint import (
    Every,
    Timer,
    made_of,
    read_checkpoint,
    resume,
    write_checkpoint,
)
from ladtl_np.runs.signals import raise_for, stop_asked_for
from ladtl_np.training.events import Evaluation, Step
from ladtl_np.training.trained_model import versions
from ladtl_np.training.trainer import Trainer

__all__ = ["Interrupted", "Store", "stoppable"]


class Interrupted(KeyboardInterrupt):
    """The first Ctrl-C, met between two steps: everything is in order."""


class Store(NamedTuple):
    """Where training keeps what was done.

    Attributes
    ----------
    path
        The file; where it is there, training goes on from it. It is removed at the end.
    data
        Hashes of what is trained on, by name.
    every
        How much may be lost.
    """

    path: Path
    data: Mapping[str, str]
    every: Every


def stoppable(trainer: Trainer, store: Store | None = None) -> Iterator[Step | Evaluation]:
    """Train as ``trainer.run()`` does, until a signal to stop; with a store, from and into it.

    Without a file only Ctrl-C is met between two steps. A second signal raises its error at once,
    wherever the work is.

    Parameters
    ----------
    trainer
        A fresh one.
    store
        Where what was done is kept, if anywhere.

    Raises
    ------
    UsageError
        If the file is of other options, data or versions: which.
    ModelFileError
        If it is damaged, or no checkpoint.
    Interrupted, TerminatedError
        After a signal to stop, when the file is written.
    """
    if store is None:
        with stop_asked_for(second="raises", only=(signal.SIGINT,)) as asked:
            for event in trainer.run():
                stop = asked()
                yield event
                if stop:
                    raise Interrupted
        return
    path = store.path
    hashes = {**store.data, **made_of(trainer.prepared)}
    if path.exists():
        checkpoint, arrays = read_checkpoint(path)
        if told := checkpoint.differences(trainer.config, hashes, versions()):
            raise UsageError(
                f"{path} is the checkpoint of another training: {'; '.join(told)}. Give the same "
                "options and data, or remove it to start again"
            )
        resume(trainer, path, checkpoint.state, arrays)
    timer = Timer(store.every)
    with stop_asked_for(second="raises") as asked:
        for event in trainer.run():
            number = asked()
            if number or (isinstance(event, Step) and timer.due()):
                write_checkpoint(path, trainer, hashes, versions(), 0)
            yield event
            if number == signal.SIGINT:
                raise Interrupted
            if number:
                raise_for(number)
    path.unlink(missing_ok=True)
