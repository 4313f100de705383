"""Nested tables as tables of dotted keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["flattened"]


def flattened(table: Mapping[str, Any], lead: str = "") -> dict[str, Any]:
    """Turn a nested table into one of dotted keys, such as ``training.steps``."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{lead}{key}.")
        else:
            flat[lead + key] = value
    return flat
