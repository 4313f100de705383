"""Every error that a user can meet, with the exit code that the commands give it."""

from __future__ import annotations

__all__ = [
    "MESSAGE_CHARACTERS",
    "DataError",
    "DataWarning",
    "DivergedError",
    "LadtlError",
    "ModelFileError",
    "ModelWarning",
    "ScoreError",
    "TerminatedError",
    "UsageError",
    "bounded",
]

MESSAGE_CHARACTERS = 8_000
"""A message of the program, whatever the file, key or argument holds that it names."""


def bounded(message: str, most: int = MESSAGE_CHARACTERS) -> str:
    """Cut a message in its middle: it starts with the place and ends with what to do."""
    if len(message) <= most:
        return message
    lost = f" … {len(message) - most:,} characters left out … "
    head = 3 * most // 4
    return f"{message[:head]}{lost}{message[len(message) - (most - head) :]}"


class LadtlError(Exception):
    """A failure that a sentence can explain; the message says what to do, and is `bounded`."""

    exit_code = 1

    def __str__(self) -> str:
        return bounded(super().__str__())


class UsageError(LadtlError):
    """An option or argument is wrong, or two of them contradict each other."""

    exit_code = 2


class DataError(LadtlError):
    """A corpus, vector or label-map file does not hold what it should; names file and line."""

    exit_code = 3


class DataWarning(UserWarning):
    """Training goes on with these corpora, and they are hardly what was meant; says what to do."""


class DivergedError(LadtlError):
    """The loss or a gradient stopped being finite."""

    exit_code = 4


class ModelFileError(LadtlError):
    """A model file is damaged, hostile, or does not fit what is asked of it."""


class ModelWarning(UserWarning):
    """A model loads, and may not do exactly what it did when it was written."""


class ScoreError(LadtlError):
    """A tagger's scores are not finite, so its tags would mean nothing."""


class TerminatedError(BaseException):
    """The process was asked to end by a signal, SIGTERM unless `number` says another.

    No `Exception`, as Ctrl-C is none: whoever goes on after a failure, such as a library that tries
    an import, or a command that goes on with the next file, must not go on after this.
    """

    def __init__(self, message: str = "terminated", number: int = 15) -> None:
        super().__init__(message)
        self.exit_code = 128 + number
