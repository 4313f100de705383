"""What ``ladtl tag --out-dir`` shows: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from rich.progress import TextColumn, TimeRemainingColumn

from ladtl_np.corpus.unknown import UnknownTokens
from ladtl_np.experiment.cluster.work import News
from ladtl_np.printable import LONG, shown, some_of
from ladtl_np.progress.bar import BarDisplay, bar_column

__all__ = ["TagDisplay"]

_LISTED = 20  # files that a message names


class TagDisplay(BarDisplay):
    """Shows on stderr which files are tagged.

    Parameters
    ----------
    files
        Name and size in bytes of each.

    Attributes
    ----------
    failed
        Exit code of each file that could not be tagged, by its name.
    unknown
        Tokens that the model does not know, of all files and of its development data.
    """

    def __init__(self, files: Sequence[tuple[str, int]]) -> None:
        self._files = files
        self.failed: dict[str, int] = {}
        self.unknown: tuple[UnknownTokens, UnknownTokens | None] = UnknownTokens(), None
        self._done = 0
        self._bytes = [0.0] * len(files)  # done of each
        columns = [
            TextColumn("{task.description}", markup=False),
            bar_column(),
            TimeRemainingColumn(),
        ]
        total = sum(size for _, size in files)
        super().__init__(columns, self._count(), max(1, total))

    def show(self, news: News) -> None:
        """Take in what happened to a file; print a line for those that end one."""
        name, size = self._files[news.number]
        share = 1.0 if news.kind in ("done", "failed") else news.share
        self._bytes[news.number] = share * size
        if news.kind == "done":
            self._done += 1
            self._line(f"done    {shown(name, LONG)}")
            if news.unknown is not None:
                found, usual = news.unknown
                self.unknown = self.unknown[0] + found, usual
            if news.note:
                self._line(f"        {shown(name, LONG)}: {news.note}")
        elif news.kind == "failed":
            self.failed[name] = news.code
            for line in news.error.split("\n"):
                self._line(f"FAILED  {shown(name, LONG)}: {shown(line, LONG)}")
        elif news.kind == "lost":
            self._line(f"lost    {shown(name, LONG)}: {shown(news.error, LONG)}")
        self._bar.update(self._task, completed=sum(self._bytes), description=self._count())

    def _line(self, text: str) -> None:
        self.console.print(f"{self._count()} {text}")

    def _count(self) -> str:
        total = str(len(self._files))
        return f"{self._done + len(self.failed):>{len(total)}}/{total}"

    def summary(self) -> str:
        """How many files were tagged, and which were not."""
        text = f"{self._done} of {len(self._files)} files tagged"
        if not self.failed:
            return text
        names = some_of([shown(name, LONG) for name in self.failed], _LISTED)
        return f"{text}, {len(self.failed)} could not be: {names}"
