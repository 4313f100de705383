"""A display on standard error that has a progress bar while it is in use."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID
from rich.table import Column

__all__ = ["BarDisplay", "bar_column", "rest_of_the_line"]


class BarDisplay:
    """Shows a bar from `with` to its end on a terminal, and lines everywhere.

    Parameters
    ----------
    columns
        Of the bar.
    task, total
        What it shows at first, and how much there is to do.
    bar
        Whether there is a bar at all.
    """

    def __init__(
        self, columns: list[ProgressColumn], task: str, total: float, *, bar: bool = True
    ) -> None:
        self.console = Console(
            stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False
        )
        self._bar = Progress(
            *columns,
            console=self.console,
            transient=True,
            expand=True,
            disable=not (bar and self.console.is_terminal),
        )
        self._task: TaskID = self._bar.add_task(task, total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()


def bar_column() -> BarColumn:
    """The bar itself."""
    return BarColumn(bar_width=24)


def rest_of_the_line() -> Column:
    """For what may be cut, so that number, bar and time left are seen on a narrow terminal."""
    return Column(ratio=1, no_wrap=True, overflow="ellipsis")
