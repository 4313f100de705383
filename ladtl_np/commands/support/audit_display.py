"""What the audit commands show while they work: a bar on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.progress import TextColumn, TimeRemainingColumn

from ladtl_np.progress.bar import BarDisplay, bar_column

__all__ = ["AuditDisplay"]


class AuditDisplay(BarDisplay):
    """Shows how far an audit is; its `tell` is what a ``check_*`` function takes.

    Parameters
    ----------
    task
        What is being checked.
    """

    def __init__(self, task: str) -> None:
        columns = [
            TextColumn("{task.description}", markup=False),
            bar_column(),
            TimeRemainingColumn(),
        ]
        super().__init__(columns, task, 1.0)

    def tell(self, done: int, total: int) -> None:
        """Move the bar to a share of the work."""
        self._bar.update(self._task, completed=done / max(1, total))

    def tell_part(self, part: str, parts: Sequence[str], done: int, total: int) -> None:
        """Move the bar of one of several audits, and say which it is."""
        place = parts.index(part)
        share = (place + done / max(1, total)) / len(parts)
        task = f"{place + 1}/{len(parts)} {part}"
        self._bar.update(self._task, completed=share, description=task)
