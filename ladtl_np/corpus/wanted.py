"""What could have stood at a place of plain values that msgspec refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from msgspec import inspect

__all__ = ["wanted_at"]

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)


def wanted_at(said: str, kind: Any, place: str) -> str:
    """What could have stood at a place of a type, to go on from what is said of it; "" for nothing.

    Parameters
    ----------
    said
        What msgspec says, without the place.
    kind
        The type of the whole.
    place
        As msgspec names it, such as ``data.more_sources[0].format``.
    """
    there = list(_types_at(kind, place))
    if said.startswith("Invalid enum value"):
        names = [str(name) for one in there if isinstance(one, inspect.LiteralType)
                 for name in one.values]  # fmt: skip
        return f"; wanted is one of {', '.join(names)}" * bool(names)
    unknown = _UNKNOWN.fullmatch(said)
    if unknown is None:
        return ""
    fields = [field.encode_name for one in there if isinstance(one, inspect.StructType)
              for field in one.fields]  # fmt: skip
    return "".join(f"; did you mean `{name}`?" for name in get_close_matches(unknown[1], fields, 1))


def _types_at(kind: Any, place: str) -> Iterator[inspect.Type]:
    """What may stand at a place that msgspec names, such as ``data.more_sources[0].format``."""
    there = list(_members([inspect.type_info(kind)]))
    for name in re.findall(r"[^.\[\]]+|\[\.\.\.\]", place):
        there = list(_members(inner for one in there for inner in _inner(one, name)))
    return iter(there)


def _members(types: Iterable[inspect.Type]) -> Iterator[inspect.Type]:
    for one in types:
        yield from one.types if isinstance(one, inspect.UnionType) else (one,)


def _inner(one: inspect.Type, name: str) -> Iterator[inspect.Type]:
    if isinstance(one, inspect.StructType):
        yield from (field.type for field in one.fields if field.encode_name == name)
    elif isinstance(one, inspect.DictType):
        yield one.value_type
    elif isinstance(one, inspect.ListType | inspect.VarTupleType):
        yield one.item_type
