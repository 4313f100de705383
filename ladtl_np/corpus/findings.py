"""What readers find wrong in a file, collected and raised together.

Messages hold line numbers, byte offsets, counts and entity types, and no text of the data: what
stands where a tag or an id should may be text, and is shown only to who asks for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import NoReturn

from ladtl_np.corpus.limits import FINDINGS, bounded
from ladtl_np.errors import DataError
from ladtl_np.printable import shown

__all__ = ["Finding", "Findings", "FindingsError"]

_NAME, _TEXT = 300, 400  # characters of the file's name, and of what was found


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a file.

    Attributes
    ----------
    line
        1-based line, 0 for the file as a whole.
    what
        What was found and what was wanted.
    cure
        The likely cause, or what to do.
    value
        The value that is wrong, None where there is no single one. It may be text of the data.
    file
        The file within a folder, "" for the one that was named.
    """

    line: int
    what: str
    cure: str
    value: str | None = field(default=None, repr=False)
    file: str = ""

    def place(self, name: str) -> str:
        """Where it was found, as ``file:line``; `name` is what was named."""
        where = os.path.join(name, self.file) if self.file else name
        return f"{where}:{self.line}" if self.line else where


class FindingsError(DataError):
    """Everything that a reader found wrong in one file, up to a limit."""

    def __init__(self, name: str, findings: tuple[Finding, ...], complete: bool = True) -> None:
        super().__init__(name, findings, complete)
        self.name = name
        self.findings = findings
        self.complete = complete

    def __str__(self) -> str:
        return self.told()

    def told(self, *, show_text: bool = False) -> str:
        """One line for each finding; the values that are wrong only with `show_text`."""
        return "\n".join(self.lines(show_text=show_text))

    def lines(self, *, show_text: bool = False) -> list[str]:
        """The lines of `told`."""
        lines, name = [], shown(self.name, _NAME)
        for finding in self.findings:
            place = shown(finding.place(self.name), _NAME)
            told = show_text and finding.value is not None
            value = f" (here: {shown(finding.value or '')})" if told else ""
            lines.append(f"{place}: {bounded(finding.what, _TEXT)}; {finding.cure}{value}")
        if not self.complete:
            lines.append(f"{name}: stopped after {len(self.findings)} findings")
        return lines


class Findings:
    """Collects the findings of one file and raises them together."""

    def __init__(self, name: str, limit: int = FINDINGS) -> None:
        self.name = name
        self.limit = limit
        self._found: list[Finding] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(
        self, line: int, what: str, cure: str, value: str | None = None, *, file: str = ""
    ) -> None:
        """Note a finding; at the limit all of them are raised at once."""
        self._found.append(Finding(line, what, cure, value, file))
        if len(self._found) >= self.limit:
            raise FindingsError(self.name, tuple(self._found), complete=False)

    def fail(self, line: int, what: str, cure: str, *, file: str = "") -> NoReturn:
        """Note a finding after which reading on makes no sense, and raise all of them."""
        self.add(line, what, cure, file=file)
        raise FindingsError(self.name, tuple(self._found))

    def raise_any(self) -> None:
        """Raise `FindingsError` if there is anything to report."""
        if self._found:
            raise FindingsError(self.name, tuple(self._found))
