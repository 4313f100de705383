"""Options under which the demo corpus trains in about a minute."""

from __future__ import annotations

from typing import Any

__all__ = ["demo_options"]


def demo_options() -> dict[str, Any]:
    """Options of ``train --demo`` that differ from the defaults; the user's own come after them."""
    return {
        "data": {"target_fraction": 0.1},
        "training": {"steps": 500, "evaluate_every": 50},
    }
