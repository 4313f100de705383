"""Checks of options against their ranges."""

from __future__ import annotations

__all__ = ["require"]


def require(holds: bool, message: str) -> None:
    """Raise `ValueError` with a message unless a condition holds."""
    if not holds:
        raise ValueError(message)
