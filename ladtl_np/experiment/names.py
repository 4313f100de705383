"""What names and lists of an experiment file have to be."""

from __future__ import annotations

import re
from typing import Any

from ladtl_np.corpus.limits import bounded
from ladtl_np.errors import UsageError

__all__ = ["require_distinct", "require_name"]

# names become folders and columns of a table
_NAME = re.compile(r"[^\W_][\w.\-]{0,79}")


def require_name(name: str, place: str) -> None:
    """Refuse a name that no folder could be called after."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{place}: the name {bounded(repr(name), 100)} wants letters, digits, dots, dashes and "
            "underscores, a letter or digit first: folders are named after it"
        )


def require_distinct(values: list[Any], place: str) -> None:
    """Refuse an empty list, and one that has a value twice."""
    if not values:
        raise UsageError(f"{place} is empty")
    seen: set[Any] = set()
    for value in values:
        key = _hashable(value)
        if key in seen:
            raise UsageError(f"{place} names {bounded(repr(value), 200)} twice")
        seen.add(key)


def _hashable(value: Any) -> Any:
    """A value of TOML as one that a set can hold; equal values stay equal."""
    if isinstance(value, dict):
        return frozenset((key, _hashable(inner)) for key, inner in value.items())
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
