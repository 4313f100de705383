"""Every audit of a run, one after the other: what an auditor files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from os import PathLike
from typing import Any

from ladtl_np import __version__
from ladtl_np.audit import divergence, outcome
from ladtl_np.audit.data.check import check_data
from ladtl_np.audit.divergence import check_divergence
from ladtl_np.audit.each_source import audits_of_each
from ladtl_np.audit.equations import defaults
from ladtl_np.audit.equations.check import check_equations
from ladtl_np.audit.gradients import check_gradients
from ladtl_np.audit.mmd.check import check_mmd
from ladtl_np.audit.outcome import Audit, Tell, noted
from ladtl_np.audit.record import Record, record_of
from ladtl_np.audit.run_files import Moved
from ladtl_np.audit.run_sentences import run_on
from ladtl_np.audit.subject import Subject, run_subject
from ladtl_np.errors import UsageError
from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.pages.drawing.pen import Pen

__all__ = ["PARTS", "RunAudit", "check_run"]

PARTS = ("data", "gradients", "equations", "kl", "mmd")
"""Kinds of audits of a run, in their order; of several sources the last three are of each."""

TOLERANCES = {
    "tolerance of gradients": outcome.TOLERANCE,
    "tolerance of equations": defaults.TOLERANCE,
    "tolerance of bounds": divergence.TOLERANCE,
}
"""Largest relative errors that pass."""

TellPart = Callable[[str, int, int], None]
"""Told which audit is at work, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class RunAudit:
    """All audits of a run, and the record of what they were made of."""

    record: Record
    audits: list[Audit]

    @property
    def passed(self) -> bool:
        """Whether every audit has passed."""
        return all(audit.passed for audit in self.audits)

    @property
    def verdict(self) -> str:
        """How it ended, in words."""
        failed = [audit.key for audit in self.audits if not audit.passed]
        lines = sum(len(audit.lines) for audit in self.audits)
        if not failed:
            return f"passed: {lines:,} lines in {len(self.audits)} audits, none failed"
        return f"failed: {', '.join(failed)}, of {len(self.audits)} audits"

    def sections(self, pen: Pen) -> list[Section]:
        """Parts of its page: an overview, the audits, the record."""
        return [
            self._overview(),
            *(audit.section(pen) for audit in self.audits),
            self.record.section(),
        ]

    def _overview(self) -> Section:
        rows = [
            [
                Cell(audit.title),
                Cell("passed" if audit.passed else "failed", best=not audit.passed),
                *(Cell(f"{audit.count(verdict):,}") for verdict in ("passed", "failed", "noted")),
            ]
            for audit in self.audits
        ]
        header = ["audit", "verdict", "lines passed", "failed", "noted"]
        table = Table("overview", "What was checked, and how it ended", header, rows, names=2)
        return Section("overview", "Overview", tables=[table])

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "ladtl_np": __version__,
            "passed": self.passed,
            "record": self.record.to_json(),
            "audits": [audit.to_json() for audit in self.audits],
        }


def check_run(
    run: str | PathLike[str],
    moved: Moved | None = None,
    *,
    seed: int = 0,
    tell: TellPart | None = None,
) -> RunAudit:
    """Make every audit of a run on its own sentences.

    Parameters
    ----------
    run
        Folder of a finished run.
    moved
        Where its files are now, if they are no more where its options say.
    seed
        Of coordinates, directions and permutations.
    tell
        Told how far each audit is.

    Raises
    ------
    UsageError, DataError, ModelFileError
        If it is no run, or its files cannot be read.
    """
    subject = run_subject(run, moved)
    record = record_of(run, {"seed": seed, **TOLERANCES})

    def telling(part: str) -> Tell:
        return lambda done, total: tell(part, done, total) if tell is not None else None

    audits = [
        check_data(run, moved, tell=telling("data")),
        check_gradients(subject, seed=seed, tell=telling("gradients")),
        *audits_of_each(subject, partial(check_equations, seed=seed), telling("equations")),
        *audits_of_each(run_on(run, moved=moved), check_divergence, telling("kl")),
        *audits_of_each(subject, partial(_mmd, seed=seed), telling("mmd")),
    ]
    return RunAudit(record, audits)


def _mmd(subject: Subject, *, seed: int, tell: Tell | None) -> Audit:
    """The audit of the MMD, or why there is none."""
    try:
        return check_mmd(subject, seed=seed, tell=tell)
    except UsageError as error:  # one domain has nothing to compare
        if tell is not None:
            tell(1, 1)
        return Audit(
            "mmd", "Maximum mean discrepancy", [noted("MMD of each label", "none", str(error))]
        )
