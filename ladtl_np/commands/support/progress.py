"""What a training run tells beside its progress: how long compiling took, and the results."""

from __future__ import annotations

from rich.table import Table

from ladtl_np.printable import LONG, shown
from ladtl_np.scoring import Scores

__all__ = ["results_table", "told_of_compiling"]

# loading compiled code takes half a second
NOTICEABLE = 3.0


def told_of_compiling(seconds: float) -> str:
    """A line about so many seconds of warming up, "" if nothing can have been compiled."""
    if seconds <= NOTICEABLE:
        return ""
    return f"Kernels compiled in {seconds:.0f} s, once on this machine."


def results_table(scores: dict[str, Scores]) -> Table:
    """Precision, recall and F1 of the chosen model on each corpus, conlleval and strict."""
    table = Table(title="Entities found, in percent", title_justify="left")
    table.add_column("corpus")
    for name in ("precision", "recall", "F1", "strict F1"):
        table.add_column(name, justify="right")
    for name, score in scores.items():
        overall = score.conlleval.overall
        values = (overall.precision, overall.recall, overall.f1, score.strict.overall.f1)
        table.add_row(shown(name, LONG), *(f"{100 * value:.2f}" for value in values))
    return table
