"""What ``ladtl compare`` found, as a table, as a sentence and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ladtl_np.printable import LONG, counted, shown
from ladtl_np.scoring.significance import (
    LEVEL,
    PairedTest,
    SentenceTest,
    mean_and_interval,
)

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Comparison", "comparison_table"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test of two systems A and B.

    Attributes
    ----------
    corpus
        On which test corpus.
    by
        What was paired: "seed", "task" or "sentence".
    runs
        Runs of each system that it rests on.
    test
        What was found.
    pairs
        Name and F1 of both systems, pair by pair; empty by sentence.
    """

    corpus: str
    by: str
    runs: int
    test: PairedTest
    pairs: list[tuple[str, float, float]]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; F1 and differences as shares of 1."""
        names = ("name", "a", "b")
        return {
            **{"corpus": self.corpus, "by": self.by, "runs": self.runs, **self.test.to_json()},
            "decidable": self.test.decidable,
            "pairs": [dict(zip(names, pair, strict=True)) for pair in self.pairs],
            "conclusion": self.conclusion(),
        }

    def conclusion(self) -> str:
        """Say in words what the test says, and when it could say nothing else."""
        test = self.test
        points = 100 * abs(test.difference)
        how = "better" if test.difference > 0 else "worse"
        seen = f"A is {points:.2f} points {how} than B" if points else "A and B are equal"
        verdict = "below" if test.p < LEVEL else "not below"
        name = shown(self.corpus, LONG)
        text = f"{name}: {seen}; {_sided(test)} p = {_p(test.p)}, {verdict} {LEVEL}."
        if not test.decidable:
            text += f" {self._limit()}, so p < {LEVEL} could never be reached."
        return text

    def _limit(self) -> str:
        """Say how far p could have fallen."""
        n, unit = self.test.n, "pairs"
        if isinstance(self.test, SentenceTest):
            n, unit = self.test.differing, "differing sentences"
        least = f"the least possible {_sided(self.test)} p is {_p(self.test.least_p)}"
        return f"With {counted(n, unit)} {least}"


_UNITS = {"seed": "runs", "task": "tasks", "sentence": "sentences"}
Row = Callable[[Comparison], str]

_ROWS: dict[str, Row] = {
    "pairs": lambda c: counted(c.test.n, _UNITS[c.by]),
    "runs of each": lambda c: f"{c.runs:,}",
    "F1 of A": lambda c: _score(c, 1),
    "F1 of B": lambda c: _score(c, 2),
    "difference": lambda c: f"{100 * c.test.difference:+.2f}",
    "95 % interval": lambda c: _interval(c.test),
    "p": lambda c: _p(c.test.p),
    "patterns": lambda c: f"{'all' if c.test.exact else 'random'} {c.test.patterns:,}",
    "least possible p": lambda c: _p(c.test.least_p),
}
_SENTENCE_ROWS: dict[str, Callable[[SentenceTest], str]] = {
    "differing sentences": lambda test: f"{test.differing:,}",
    "resolvable difference": lambda test: (
        "none" if test.resolvable is None else f"{100 * test.resolvable:.2f}"
    ),
}


def comparison_table(first: str, second: str, reading: str, found: Sequence[Comparison]) -> Table:
    """Build a table with a column for each test; F1 in per cent."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.title = f"A: {shown(first, LONG)}\nB: {shown(second, LONG)}\nby {found[0].by}, {reading}"
    table.add_column("")
    for comparison in found:
        table.add_column(shown(comparison.corpus, LONG), justify="right", overflow="fold")
    for name, cell in _ROWS.items():
        table.add_row(name, *(cell(comparison) for comparison in found))
    tests = [c.test for c in found if isinstance(c.test, SentenceTest)]
    if tests:
        for name, value in _SENTENCE_ROWS.items():
            table.add_row(name, *(value(test) for test in tests))
    asked = "A is better than B" if _sided(found[0].test) == "one-sided" else "A and B differ"
    table.caption = f"F1 in per cent; {_sided(found[0].test)} p, for: {asked}"
    return table


def _score(comparison: Comparison, side: int) -> str:
    """Mean and sample deviation over the pairs, or F1 of all sentences."""
    test = comparison.test
    if not comparison.pairs:
        return f"{100 * (test.first if side == 1 else test.second):.2f}"
    summary = mean_and_interval([pair[side] for pair in comparison.pairs])
    spread = "" if summary.deviation is None else f" ± {100 * summary.deviation:.2f}"
    return f"{100 * summary.mean:.2f}{spread}"


def _interval(test: PairedTest) -> str:
    if test.interval is None:
        return "none"
    low, high = test.interval
    return f"{100 * low:+.2f} to {100 * high:+.2f}"


def _sided(test: PairedTest) -> str:
    return "one-sided" if test.alternative == "greater" else "two-sided"


def _p(p: float) -> str:
    return f"{p:.4g}"
