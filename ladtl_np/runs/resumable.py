"""Training that is in no run folder, and yet can be taken up again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

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
from ladtl_np.training.trained_model import versions
from ladtl_np.training.trainer import Evaluation, Step, Trainer

__all__ = ["resumable"]


def resumable(
    trainer: Trainer, path: Path, data: Mapping[str, str], every: Every
) -> Iterator[Step | Evaluation]:
    """Train as ``trainer.run()`` does, from a file and into it; it is removed at the end.

    Parameters
    ----------
    trainer
        A fresh one.
    path
        The file; where it is there, training goes on from it.
    data
        Hashes of what is trained on, by name.
    every
        How much may be lost.

    Raises
    ------
    UsageError
        If the file is of other options, data or versions: which.
    ModelFileError
        If it is damaged, or no checkpoint.
    KeyboardInterrupt, TerminatedError
        After a signal to stop, when the file is written.
    """
    hashes = {**data, **made_of(trainer.prepared)}
    if path.exists():
        checkpoint, arrays = read_checkpoint(path)
        if told := checkpoint.differences(trainer.config, hashes, versions()):
            raise UsageError(
                f"{path} is the checkpoint of another training: {'; '.join(told)}. Give the same "
                "options and data, or remove it to start again"
            )
        resume(trainer, path, checkpoint.state, arrays)
    timer = Timer(every)
    with stop_asked_for() as signal:
        for event in trainer.run():
            number = signal()
            if number or (isinstance(event, Step) and timer.due()):
                write_checkpoint(path, trainer, hashes, versions(), 0)
            if number:
                raise_for(number)
            yield event
    path.unlink(missing_ok=True)
