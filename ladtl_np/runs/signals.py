"""Ctrl-C, SIGTERM, a closed terminal: met between two steps where work can go on, else at once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType
from typing import Any, Literal

from ladtl_np.errors import TerminatedError

__all__ = ["raise_for", "signals_raise", "stop_asked_for", "without_interrupts"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # not every system has all
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
AGAIN_SECONDS = 0.05
"""After which a signal is sent again whose error was lost: C has returned by then, or soon."""
Handler = Callable[[int, FrameType | None], Any]


@contextmanager
def signals_raise() -> Iterator[None]:
    """Let the first signal to stop raise an error, so that what is begun is put in order.

    A second one ends the process at once. An error that Python had to drop, because it was raised
    where C has called back, as LLVM does while kernels are compiled, is raised again.

    Raises
    ------
    KeyboardInterrupt, TerminatedError
        For Ctrl-C, and for the others.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        _end_at_next()
        raise_for(number)

    with _handled_by(stop, tuple(_SIGNALS)), _raised_again(stop):
        yield


@contextmanager
def stop_asked_for(
    *, second: Literal["ends", "raises", "noted"] = "ends", only: tuple[int, ...] = ()
) -> Iterator[Callable[[], int]]:
    """Note the first signal to stop, and give its number, 0 if there was none.

    The work inside asks between its steps, so it is never left in the middle of one.

    Parameters
    ----------
    second
        What a second signal does: it ``ends`` the process at once; it ``raises`` its error at once,
        as a library must not end the process of others; it is ``noted`` like the first, as a
        process whose parent ends it may get the same signal from the system as well.
    only
        The signals that are met so; none are all.
    """
    asked = 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked and second == "raises":
            raise_for(number)
        asked = number
        if second == "ends":
            _end_at_next()

    with _handled_by(note, only or tuple(_SIGNALS)):
        yield lambda: asked


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Let processes that are started here ignore Ctrl-C from their first moment."""
    resource_tracker.ensure_running()  # it would unblock the signal when it is first started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def raise_for(number: int) -> None:
    """End the program with 128 and the signal's number, as the signal would have.

    Raises
    ------
    KeyboardInterrupt, TerminatedError
        For Ctrl-C, and for the others.
    """
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise TerminatedError(number=number)


@contextmanager
def _handled_by(handler: Handler, numbers: tuple[int, ...]) -> Iterator[None]:
    """Handle the signals for a while.

    One that the process ignores, as a shell's background jobs ignore Ctrl-C, stays ignored. A
    thread that is not the main one cannot handle signals, and none reaches it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    found = {number: signal.getsignal(number) for number in numbers}
    before = {number: old for number, old in found.items() if old is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def _raised_again(handler: Handler) -> Iterator[None]:
    """Send a signal once more whose error nobody could catch, until somebody can."""
    before = sys.unraisablehook

    def dropped(lost: Any) -> None:
        number = _number_of(lost.exc_value)
        if not number or threading.current_thread() is not threading.main_thread():
            before(lost)
            return
        signal.signal(number, handler)  # it is the first one once more
        main = threading.main_thread().ident
        again = threading.Timer(AGAIN_SECONDS, signal.pthread_kill, (main, number))
        again.daemon = True
        again.start()

    sys.unraisablehook = dropped
    try:
        yield
    finally:
        sys.unraisablehook = before


def _number_of(error: BaseException | None) -> int:
    """The signal that an error of `raise_for` stands for; 0 for another error."""
    if isinstance(error, TerminatedError):
        return error.exit_code - 128
    return int(signal.SIGINT) if isinstance(error, KeyboardInterrupt) else 0


def _end_at_next() -> None:
    """Let the next signal end the process, whatever it is doing."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
