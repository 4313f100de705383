"""After Ctrl-C: the best model so far, and what to tell of it."""

from __future__ import annotations

import os
import time
import warnings

from ladtl_np.model.network import Network
from ladtl_np.runs.resumable import Store
from ladtl_np.training.trainer import Trainer

__all__ = ["SOON", "Presses", "kept_network", "tell_of_interruption"]

SOON = 5.0
"""Seconds within which a second Ctrl-C means all that is going on, not one more training."""


class Presses:
    """When Ctrl-C ended a training in this process; one training after another may be ended so."""

    def __init__(self) -> None:
        self._last = float("-inf")

    def again(self) -> bool:
        """Note one, and tell whether another one was just before."""
        before, self._last = self._last, time.monotonic()
        return self._last - before < SOON


def kept_network(trainer: Trainer) -> tuple[Network, str] | None:
    """The network to keep of a training that was stopped, and what it is; None if there is none.

    Without development data that is the last one, as at the end of a training.
    """
    best, dev = trainer.best_evaluation, trainer.prepared.dev
    if trainer.step == 0:
        return None
    if dev is not None and best is not None:
        return trainer.best, f"the best model so far, of step {best.step:,}, is kept"
    why = "" if dev is None else ", which was not evaluated yet,"
    return trainer.network, f"the model{why} of step {trainer.step:,} is kept"


def tell_of_interruption(trainer: Trainer, kept: str, store: Store | None) -> None:
    """Warn whoever called `fit`."""
    steps = trainer.config.training.steps
    further = "" if store is None else f"; fit with checkpoint={os.fspath(store.path)!r} goes on"
    warnings.warn(
        f"fit was interrupted after step {trainer.step:,} of {steps:,}; {kept}{further}",
        UserWarning,
        stacklevel=3,
    )
