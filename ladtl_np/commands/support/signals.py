"""Ctrl-C and SIGTERM, met where a run can be taken up again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ladtl_np.errors import TerminatedError

__all__ = ["raise_for", "stop_asked_for"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_asked_for() -> Iterator[Callable[[], int]]:
    """Note the first signal to stop, and give its number, 0 if there was none; a second one acts.

    The work inside asks between its steps, so it is never left in the middle of one.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    asked = 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
