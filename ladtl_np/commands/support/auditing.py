"""What the audit commands share: a page, JSON or a table, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ladtl_np.commands.support.formats import Function, apply_options, json_option, print_json
from ladtl_np.commands.support.streams import check_output, open_output
from ladtl_np.errors import LadtlError
from ladtl_np.printable import LONG, shown

if TYPE_CHECKING:
    from ladtl_np.audit.outcome import Audit

__all__ = [
    "audit_options",
    "check_page",
    "present",
    "print_audit",
    "tolerance_option",
    "write_page",
]

TOLERANCE = 1e-6
"""Largest relative error that passes, where nothing else is chosen."""

tolerance_option = click.option(
    "--tolerance",
    type=click.FloatRange(min=0.0, max=1.0, min_open=True),
    default=TOLERANCE,
    show_default=True,
    help="Largest relative error that passes.",
)


def audit_options(function: Function) -> Function:
    """Add ``--out``, ``--overwrite`` and ``--json``."""
    return apply_options(
        function,
        click.option("--out", metavar="FILE", help="Write an HTML page with its figures as well."),
        click.option("--overwrite", is_flag=True, help="Replace a page that is there."),
        json_option,
    )


def check_page(out: str | None, inputs: Sequence[str], *, overwrite: bool) -> None:
    """Refuse a page that cannot be written, or drawn, before any work is done."""
    if out is not None:
        from ladtl_np.pages import require_libraries

        require_libraries()
        check_output(out, inputs, overwrite=overwrite)


def present(
    audits: Sequence[Audit], *, subject: str, out: str | None, overwrite: bool, as_json: bool
) -> None:
    """Print audits, write their page where one is wanted, and end with 1 if one has failed."""
    if out is not None:
        write_page(audits, subject=subject, out=out, overwrite=overwrite)
    if as_json:
        print_json({"subject": subject, "audits": [audit.to_json() for audit in audits]})
    else:
        for audit in audits:
            print_audit(audit)
    if not all(audit.passed for audit in audits):
        click.get_current_context().exit(LadtlError.exit_code)


def print_audit(audit: Audit) -> None:
    """Print an audit's notes on standard error, and its lines and tables on standard output."""
    from rich import box
    from rich.table import Table

    from ladtl_np.commands.support.formats import print_table

    for note in audit.notes:
        click.echo(shown(note, LONG), err=True)
    for held in (audit.table(), *audit.tables):
        if held.folded:
            continue
        table = Table(box=box.SIMPLE, title=shown(held.caption, LONG), title_justify="left")
        for place, name in enumerate(held.header):
            numbers = place >= held.names
            table.add_column(
                shown(name, LONG), justify="right" if numbers else "left", overflow="fold"
            )
        for row in held.rows:
            table.add_row(*(shown(cell.text, LONG) for cell in row))
        print_table(table)


def write_page(audits: Sequence[Audit], *, subject: str, out: str, overwrite: bool) -> None:
    """Write one offline page with a section for each audit."""
    import os
    from pathlib import Path

    from ladtl_np.pages import Page, Pen
    from ladtl_np.pages.drawing.library import font_folder

    beside = None if out == "-" else Path(os.path.realpath(out)).parent
    with font_folder(beside):
        pen = Pen([])
        sections = [audit.section(pen) for audit in audits]
    failed = sum(not audit.passed for audit in audits)
    verdict = "every check passed" if not failed else f"{failed} of {len(audits)} audits failed"
    page = Page(f"Audit of {subject}", verdict, sections, maker="ladtl audit")
    with open_output(out, overwrite=overwrite) as write:
        write(page.html())
