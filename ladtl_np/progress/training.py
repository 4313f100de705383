"""What training shows while it runs: a bar on a terminal, a line for each evaluation everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from rich.progress import TextColumn, TimeRemainingColumn

from ladtl_np.corpus.tally import Remark
from ladtl_np.objective import LossTerms
from ladtl_np.printable import LONG, shown
from ladtl_np.progress.bar import BarDisplay, bar_column, rest_of_the_line
from ladtl_np.training.events import Evaluation, Step

__all__ = ["TrainingDisplay"]


class TrainingDisplay(BarDisplay):
    """Shows steps and evaluations on stderr.

    Parameters
    ----------
    steps
        Of the training, at most.
    bar
        Whether a terminal has a bar as well; lines are everywhere.
    """

    def __init__(self, steps: int, *, bar: bool = True) -> None:
        columns = [
            TextColumn("{task.completed:>5.0f}/{task.total:.0f}"),
            bar_column(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.description}", table_column=rest_of_the_line()),
        ]
        super().__init__(columns, "", steps, bar=bar)

    def show(self, event: Step | Evaluation) -> None:
        """Move the bar, or print one line for an evaluation."""
        if isinstance(event, Step):
            speed = event.tokens / event.seconds
            self._bar.update(
                self._task,
                completed=event.step,
                total=event.steps,
                description=f"{_stage(event)}{speed:,.0f} tokens/s  {_terms(event.terms)}",
            )
            return
        if event.stage == "source":
            self.console.print(
                f"source step {event.step:>5}  epoch {event.epoch:6.2f}  "
                f"loss {event.terms.total:7.3f}  {event.tokens_per_second:>7,.0f} tokens/s"
            )
            return
        overall = event.scores.conlleval.overall if event.scores is not None else None
        found = f"dev F1 {100 * overall.f1:5.2f}" if overall is not None else "no dev data"
        mark = "  best" if event.best and overall is not None else ""
        self.console.print(
            f"step {event.step:>5}  epoch {event.epoch:6.2f}  {_terms(event.terms)}  "
            f"{event.tokens_per_second:>7,.0f} tokens/s  {found}{mark}"
        )

    def tell(self, remarks: Iterable[Remark]) -> None:
        """Print what the user should know, each thing once."""
        for told in dict.fromkeys(map(str, remarks)):
            self.console.print(f"warning: {shown(told, LONG)}")


def _stage(event: Step) -> str:
    return "on the source  " if event.stage == "source" else ""


def _terms(terms: LossTerms) -> str:
    """The loss and its terms before weighting, those that are in use."""
    parts = [f"loss {terms.total:7.3f}"]
    names = {"source_nll": "source", "target_nll": "target", "mmd": "mmd", "param": "param"}
    for field, name in names.items():
        value = getattr(terms, field)
        if value:
            parts.append(f"{name} {value:.3f}")
    return "  ".join(parts)
