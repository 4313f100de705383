"""Objectives of tests: settings by their options' names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ladtl_np.objective import Objective

_OWN = ("label_aware", "frozen")


def objective_of(**settings: Any) -> Objective:
    """La-DTL's objective of one source, with other options or with other fields of its own."""
    own = {name: settings.pop(name) for name in _OWN if name in settings}
    kernel = settings.get("kernel")
    if isinstance(kernel, tuple):
        settings["kernel"] = list(kernel)
    mu = settings.pop("label_weights", None)
    objective = Objective.la_dtl(settings.pop("matched"), **settings)
    return replace(objective.tied(label_weights=mu), **own)
