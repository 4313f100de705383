"""Objectives of tests: settings by their options' names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ladtl_np.objective import Objective

_OWN = ("label_aware", "label_weights", "frozen")


def objective_of(**settings: Any) -> Objective:
    """La-DTL's objective with other options, or with other fields of its own."""
    own = {name: settings.pop(name) for name in _OWN if name in settings}
    kernel = settings.get("kernel")
    if isinstance(kernel, tuple):
        settings["kernel"] = list(kernel)
    return replace(Objective.la_dtl(settings.pop("matched"), **settings), **own)
