"""Ctrl-C and SIGTERM, met where a run can be taken up again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ladtl_np.errors import TerminatedError

__all__ = ["raise_for", "stop_asked_for"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_AT_ONCE: dict[signal.Signals, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}


@contextmanager
def stop_asked_for() -> Iterator[Callable[[], int]]:
    """Note the first signal to stop, and give its number, 0 if there was none; a second one acts.

    The work inside asks between its steps, so it is never left in the middle of one. A signal that
    the process ignores, as a shell's background jobs ignore Ctrl-C, stays ignored.
    """
    found = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: old for number, old in found.items() if old is not signal.SIG_IGN}
    asked = 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = number
        for each in before:
            signal.signal(each, _AT_ONCE[each])

    for each in before:
        signal.signal(each, note)
    try:
        yield lambda: asked
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def raise_for(number: int) -> None:
    """End the program as the signal would have: with 130 or 143.

    Raises
    ------
    KeyboardInterrupt, TerminatedError
        For the one or the other.
    """
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise TerminatedError("terminated")
