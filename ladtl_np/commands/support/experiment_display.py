"""What an experiment shows: a live table on a terminal, plain lines elsewhere; its results."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ladtl_np.experiment.expansion import RunSpec
from ladtl_np.experiment.job import Event
from ladtl_np.experiment.results import Mean, from_to, grid_keys
from ladtl_np.printable import LONG, shown

__all__ = ["ExperimentDisplay", "means_table"]

_BAR = 20
SURE = 0.1  # runs that have to be done before the time left is worth telling


@dataclass(slots=True)
class _Running:
    since: float
    share: float = 0.0


@dataclass(slots=True)
class ExperimentDisplay:
    """Shows on stderr what runs, is done and failed, and about how long it will take."""

    specs: Sequence[RunSpec]
    console: Console = field(
        default_factory=lambda: Console(
            stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False
        )
    )
    failed: dict[int, str] = field(default_factory=dict)
    _present: int = 0
    _equal: int = 0
    _done: int = 0
    _running: dict[int, _Running] = field(default_factory=dict)
    _start: float = field(default_factory=time.monotonic)
    _live: Live | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(
                get_renderable=self._table,
                console=self.console,
                refresh_per_second=2,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, event: Event) -> None:
        """Take in one event; print a line for those that start or end a run."""
        folder = self.specs[event.job].folder
        now = time.monotonic()
        if event.kind == "present":
            self._present += 1
        elif event.kind == "equal":
            self._equal += 1
            self._line(f"equal   {folder}  to a run above")
        elif event.kind == "started":
            self._running[event.job] = _Running(now)
            if self._live is None:
                self._line(f"started {folder}")
        elif event.kind == "progress":
            self._running[event.job].share = event.share
        else:
            # none if nobody began it, or if it equals one that failed
            run = self._running.pop(event.job, None)
            if event.kind == "lost":
                self._line(f"lost    {folder}: {shown(event.error, LONG)}")
            elif event.kind == "failed":
                self.failed[event.job] = event.error
                self._line(f"FAILED  {folder}: {shown(event.error, LONG)}")
            elif run is not None:
                self._done += 1
                self._line(f"done    {folder}  {_time(now - run.since)}")

    def _line(self, text: str) -> None:
        ended = self.finished + len(self.failed)
        total = len(self.specs)
        self.console.print(f"{ended:>{len(str(total))}}/{total} {text}")

    def _table(self) -> RenderableType:
        table = Table(box=None, show_header=False, pad_edge=False)
        now = time.monotonic()
        for job, run in sorted(self._running.items()):
            filled = round(_BAR * run.share)
            bar = "━" * filled + "╌" * (_BAR - filled)
            table.add_row(Text(self.specs[job].folder), bar, _time(now - run.since))
        return Group(Text(self.summary()), table)

    @property
    def finished(self) -> int:
        """Runs that have results."""
        return self._present + self._equal + self._done

    def summary(self) -> str:
        """How many runs there are in which state, and the time left."""
        todo = len(self.specs) - self._present - self._equal
        parts = [f"{self.finished} of {len(self.specs)} runs done"]
        if self._present:
            parts[0] += f" ({self._present} of them before)"
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        if self._running:
            parts.append(f"{len(self._running)} running")
        ended = self._done + len(self.failed) + sum(run.share for run in self._running.values())
        elapsed = time.monotonic() - self._start
        if self._running and ended > SURE:
            parts.append(f"about {_time(elapsed * (todo - ended) / ended)} left")
        return ", ".join(parts)


def _time(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole // 60 % 60:02} min"


def means_table(name: str, found: Sequence[Mean]) -> Table:
    """F1 in percent for each task and method: mean and deviation over the seeds."""
    specs = [mean.spec for mean in found]
    keys = ["fraction"] if len({spec.fraction for spec in specs}) > 1 else []
    keys += grid_keys(specs)
    corpora = list(dict.fromkeys(mean.corpus for mean in found))
    readings = {
        corpus: any(mean.f1 != mean.strict_f1 for mean in found if mean.corpus == corpus)
        for corpus in corpora
    }
    table = Table(title=f"{name}: F1 in percent, mean ± deviation", title_justify="left")
    for heading in ("task", "method", *keys):
        table.add_column(heading)
    table.add_column("seeds", justify="right")
    table.add_column("updates", justify="right")
    table.add_column("sentences", justify="right")
    for corpus, differ in readings.items():
        table.add_column(corpus, justify="right")
        if differ:
            table.add_column(f"{corpus}, strict", justify="right")
    groups: dict[str, dict[str, Mean]] = {}
    for mean in found:
        groups.setdefault(mean.spec.above_seeds, {})[mean.corpus] = mean
    for group in groups.values():
        table.add_row(*_cells(group, keys, readings))
    return table


def _cells(group: dict[str, Mean], keys: Sequence[str], readings: dict[str, bool]) -> list[str]:
    first = next(iter(group.values()))
    spec = first.spec
    cells = [str(spec.task), spec.method]
    for key in keys:
        value = spec.fraction if key == "fraction" else spec.grid.get(key, "")
        cells.append(str(value))
    cells += [str(first.runs), from_to(first.updates), from_to(first.sentences)]
    for corpus, differ in readings.items():
        mean = group.get(corpus)
        cells.append(_percent(mean.f1, mean.deviation) if mean else "")
        if differ:
            cells.append(_percent(mean.strict_f1, mean.strict_deviation) if mean else "")
    return cells


def _percent(mean: float, deviation: float | None) -> str:
    spread = "" if deviation is None else f" ± {100 * deviation:.2f}"
    return f"{100 * mean:.2f}{spread}"
