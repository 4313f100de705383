"""Grids of an experiment file: options with lists of values, for all methods or for some."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ladtl_np.corpus.dotted import flattened
from ladtl_np.corpus.limits import LISTED, bounded
from ladtl_np.errors import UsageError
from ladtl_np.experiment.names import require_distinct
from ladtl_np.printable import some_of

__all__ = ["Grid", "count_points", "parse_grids", "point_name", "points_of"]

METHODS = "methods"
_PLAIN = re.compile(r"[\w.+-]{1,40}")


class Grid(NamedTuple):
    """One table of the file; its grid points are all combinations of its values.

    Attributes
    ----------
    options
        Values by dotted key.
    methods
        Labels of the methods that it is for; None where that is all of them.
    """

    options: dict[str, list[Any]]
    methods: tuple[str, ...] | None = None

    def is_for(self, label: str) -> bool:
        """Whether a method has these points."""
        return self.methods is None or label in self.methods

    def points(self) -> Iterator[dict[str, Any]]:
        """The product of the lists; one empty point where there is none."""
        for values in itertools.product(*self.options.values()):
            yield dict(zip(self.options, values, strict=True))


def parse_grids(
    written: Mapping[str, Any] | Sequence[Mapping[str, Any]], labels: Collection[str], place: str
) -> list[Grid]:
    """Check the grids of a file, one table or several.

    Raises
    ------
    UsageError
        For a value that is no list, a list that is empty or names something twice, or a method
        that the file does not have.
    """
    tables = [written] if isinstance(written, Mapping) else written
    return [_grid(table, labels, place) for table in tables]


def points_of(grids: Sequence[Grid], label: str) -> list[dict[str, Any]]:
    """List the grid points of a method in order; without a grid, one that sets nothing."""
    return [point for grid in grids if grid.is_for(label) for point in grid.points()] or [{}]


def count_points(grids: Sequence[Grid], label: str) -> int:
    """Count the grid points of a method without listing them."""
    sizes = [math.prod(map(len, grid.options.values())) for grid in grids if grid.is_for(label)]
    return sum(sizes) or 1


def point_name(point: Mapping[str, Any]) -> str:
    """A name for a folder; a value that no folder can be named after is replaced by its hash."""
    names = []
    for key, value in point.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if not _PLAIN.fullmatch(text):
            told = json.dumps(value, sort_keys=True, default=str)
            text = hashlib.sha256(told.encode("utf-8")).hexdigest()[:12]
        names.append(f"{key}={text}")
    return ",".join(names)


def _grid(table: Mapping[str, Any], labels: Collection[str], place: str) -> Grid:
    options = flattened({key: value for key, value in table.items() if key != METHODS})
    for key, values in options.items():
        if not isinstance(values, list) or not values:
            raise UsageError(f"{place}: grid.{key} wants a list of values, such as [0.01, 0.02]")
        require_distinct(values, f"{place}: grid.{key}")
    if METHODS not in table:
        return Grid(options)
    methods = table[METHODS]
    if not isinstance(methods, list) or not all(isinstance(label, str) for label in methods):
        raise UsageError(f'{place}: grid.{METHODS} wants a list of names, such as ["la-dtl"]')
    require_distinct(methods, f"{place}: grid.{METHODS}")
    for label in methods:
        if label not in labels:
            raise UsageError(
                f"{place}: grid.{METHODS}: there is no methods.{bounded(label, 200)}; there are: "
                f"{some_of(list(labels), LISTED)}"
            )
    return Grid(options, tuple(methods))
