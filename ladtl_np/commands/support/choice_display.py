"""What an experiment that chooses shows of its choices."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.table import Table

from ladtl_np.commands.support.formats import print_table, warn
from ladtl_np.experiment.choice import ORACLE, Choice, PointScores, notes_on
from ladtl_np.experiment.results import value_text
from ladtl_np.printable import LONG, shown

__all__ = ["choice_table", "tell_choices"]


def tell_choices(choices: Sequence[Choice], as_json: bool) -> None:
    """Print what was chosen and what the choice did, and warn of what stands against it."""
    if any(choice.chosen is not None for choice in choices) and not as_json:
        print_table(choice_table(choices))
        if any(choice.corpora() for choice in choices):
            click.echo(ORACLE)
    for note in notes_on(choices):
        warn(shown(note, LONG))


def choice_table(choices: Sequence[Choice]) -> Table:
    """The point that stands for each task and method, and F1 in percent of the others."""
    shares = len({choice.fraction for choice in choices}) > 1
    table = Table(title="Chosen by development F1, in percent", title_justify="left")
    for heading in ("task", "method", *(["fraction"] if shares else []), "chosen point"):
        table.add_column(heading, overflow="fold")
    for heading in ("of", "dev", "dev, worst", "corpus", "chosen", "default", "worst by test"):
        table.add_column(heading, justify="left" if heading == "corpus" else "right")
    table.add_column("median", justify="right")
    table.add_column("best by test", justify="right")
    for choice in choices:
        if choice.chosen is not None:
            lead = [choice.task, choice.method, *([str(choice.fraction)] if shares else [])]
            for row in _rows(choice):
                table.add_row(*lead, *row)
                lead = [""] * len(lead)
    return table


def _rows(choice: Choice) -> list[list[str]]:
    """A row for each test corpus, one without where there is none; what they share stands once."""
    assert choice.chosen is not None
    worst = min(choice.means("dev"))
    told = [_named(choice.chosen), str(len(choice.points))]
    told += [_percent(choice.chosen.mean()), _percent(worst)]
    rows = []
    for corpus in choice.corpora():
        found = choice.on(corpus)
        names = ("chosen", "default", "worst", "median", "oracle")
        rows.append([*told, corpus, *(_percent(found[name]) for name in names)])
        told = [""] * len(told)
    return rows or [[*told, *["–"] * 6]]


def _named(point: PointScores) -> str:
    """The point without the sections of its options, of which there are few."""
    told = (f"{key.rpartition('.')[2]}={value_text(value)}" for key, value in point.grid.items())
    return shown(", ".join(told), LONG) or "no grid"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}"
