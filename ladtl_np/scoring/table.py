"""Scores as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ladtl_np.printable import shown
from ladtl_np.scoring.counts import Counts, Report, Scores

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["MOST", "render"]

_HEADINGS = ("gold", "P", "R", "F1")

MOST = 500
"""Types that have a row of their own."""


def render(scores: Scores) -> Table:
    """Build a table: a row per type, overall and the macro F1, both readings side by side.

    Ratios are in per cent. A type that only one reading finds has zeros in the other. Of more than
    MOST types those with fewest gold entities stand together in one row.
    """
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    loose, strict = scores.conlleval, scores.strict
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column("type", overflow="fold")
    for reading in ("conll-\neval", "strict\n"):
        for heading in _HEADINGS:
            table.add_column(f"{reading}\n{heading}", justify="right", no_wrap=True)
    kinds = sorted(loose.per_type.keys() | strict.per_type.keys())
    listed = set(_most_frequent(loose, kinds))
    for kind in kinds:
        if kind in listed:
            both = (report.per_type.get(kind, Counts()) for report in (loose, strict))
            table.add_row(escape(shown(kind)), *_cells(*both))
    if len(listed) < len(kinds):
        others = (_sum(report, listed) for report in (loose, strict))
        table.add_row(f"{len(kinds) - len(listed):,} rarer types", *_cells(*others))
    table.add_section()
    table.add_row("overall", *_cells(loose.overall, strict.overall), style="bold")
    blank = [""] * 3
    macro = [f"{100 * report.macro_f1:.2f}" for report in (loose, strict)]
    table.add_row("macro F1", *blank, macro[0], *blank, macro[1])
    table.caption = _caption(scores)
    return table


def _most_frequent(report: Report, kinds: list[str]) -> list[str]:
    def rank(kind: str) -> tuple[int, str]:
        return -report.per_type.get(kind, Counts()).gold, kind

    return sorted(kinds, key=rank)[:MOST]


def _sum(report: Report, listed: set[str]) -> Counts:
    """The entities of all types that are not listed."""
    others = [counts for kind, counts in report.per_type.items() if kind not in listed]
    return Counts(
        gold=sum(counts.gold for counts in others),
        predicted=sum(counts.predicted for counts in others),
        correct=sum(counts.correct for counts in others),
    )


def _cells(*both: Counts) -> list[str]:
    """Gold count and ratios of each reading."""
    cells = []
    for counts in both:
        ratios = (counts.precision, counts.recall, counts.f1)
        cells += [str(counts.gold), *(f"{100 * ratio:.2f}" for ratio in ratios)]
    return cells


def _caption(scores: Scores) -> str:
    return (
        f"{scores.sentences:,} sentences, {scores.tokens:,} tokens, "
        f"token accuracy {100 * scores.token_accuracy:.2f} %; "
        f"illegal tags: {scores.illegal_gold} gold, {scores.illegal_predicted} predicted"
    )
