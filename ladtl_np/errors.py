"""Every error that a user can meet, with the exit code that the commands give it."""

from __future__ import annotations

__all__ = [
    "DataError",
    "DivergedError",
    "LadtlError",
    "ModelFileError",
    "ModelWarning",
    "ScoreError",
    "TerminatedError",
    "UsageError",
]


class LadtlError(Exception):
    """A failure that a sentence can explain; the message says what to do."""

    exit_code = 1


class UsageError(LadtlError):
    """An option or argument is wrong, or two of them contradict each other."""

    exit_code = 2


class DataError(LadtlError):
    """A corpus, vector or label-map file does not hold what it should; names file and line."""

    exit_code = 3


class DivergedError(LadtlError):
    """The loss or a gradient stopped being finite."""

    exit_code = 4


class ModelFileError(LadtlError):
    """A model file is damaged, hostile, or does not fit what is asked of it."""


class ModelWarning(UserWarning):
    """A model loads, and may not do exactly what it did when it was written."""


class ScoreError(LadtlError):
    """A tagger's scores are not finite, so its tags would mean nothing."""


class TerminatedError(LadtlError):
    """The process was asked to end by a signal, SIGTERM unless `number` says another."""

    def __init__(self, message: str = "terminated", number: int = 15) -> None:
        super().__init__(message)
        self.exit_code = 128 + number
