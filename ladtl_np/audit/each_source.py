"""One audit of several sources: the same check of each source and the target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from ladtl_np.audit.outcome import Audit, Tell
from ladtl_np.audit.subject import Subject
from ladtl_np.model.network import domain_of, source_head
from ladtl_np.pages.content import Figure
from ladtl_np.pages.drawing.pen import Pen

__all__ = ["audits_of_each"]


class Check(Protocol):
    """An audit of one source and the target, which tells how far it is."""

    def __call__(self, subject: Subject, /, *, tell: Tell | None) -> Audit:
        """Make it."""


def audits_of_each(subject: Subject, check: Check, tell: Tell | None = None) -> list[Audit]:
    """Make an audit of each source and the target.

    Parameters
    ----------
    subject
        A model or a run, of any number of sources.
    check
        The audit.
    tell
        Told how far all of them are.

    Returns
    -------
    list of Audit
        One, where there is one source or none. Of several each has the name of its source in its
        key and in its title, and its tables and figures have it in theirs.
    """
    count = subject.source_count
    made = [check(one, tell=_part(tell, one.number, count)) for one in subject.each_source()]
    if count == 1:
        return made
    return [_named(audit, number, count) for number, audit in enumerate(made)]


def _part(tell: Tell | None, number: int, count: int) -> Tell:
    """Tell how far one of some audits is, as if all of them were as long."""

    def told(done: int, total: int) -> None:
        if tell is not None:
            tell(number * total + done, count * total)

    return told


def _named(audit: Audit, number: int, count: int) -> Audit:
    end = f"-{domain_of(source_head(number))}"
    return replace(
        audit,
        key=audit.key + end,
        title=f"{audit.title}: source {number + 1} of {count}",
        tables=[replace(table, name=table.name + end) for table in audit.tables],
        draw=None if audit.draw is None else partial(_drawn, audit.draw, end),
    )


def _drawn(draw: Callable[[Pen], list[Figure]], end: str, pen: Pen) -> list[Figure]:
    with pen.ending(end):  # ids of a page's drawings begin with the figures' names
        return draw(pen)
