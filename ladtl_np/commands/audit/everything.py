"""``ladtl audit all``: every audit of a run, as one page and one file of JSON to keep."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ladtl_np.commands.support.auditing import seed_option
from ladtl_np.commands.support.command import Command
from ladtl_np.commands.support.formats import json_option, print_json, print_table
from ladtl_np.commands.support.moved import moved_files, moved_options, run_inputs
from ladtl_np.commands.support.streams import check_output
from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.printable import LONG, json_text, shown

if TYPE_CHECKING:
    from ladtl_np.audit.everything import RunAudit

__all__ = ["everything"]

PAGE, NUMBERS = "index.html", "audit.json"
"""Files that are written."""


@click.command(name="all", cls=Command)
@click.argument("run", metavar="RUN")
@click.option(
    "--out",
    default="audit",
    show_default=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=f"Folder for {PAGE} and {NUMBERS}.",
)
@click.option("--overwrite", is_flag=True, help="Replace an audit that is there.")
@seed_option("coordinates, directions, permutations and mini-batches")
@moved_options
@json_option
def everything(
    run: str,
    out: Path,
    overwrite: bool,
    seed: int,
    as_json: bool,
    **files: Any,
) -> None:
    r"""Make every audit of RUN, and write what an auditor files: one offline page, and JSON.

    RUN is the folder of a finished run. Its data, gradients, equations, divergence and MMD are
    checked on its own sentences; the page has each line with its tolerance and verdict, the
    figures, and a record of files, versions and hashes. It holds no text of the corpora. Exit
    code 1 if any line failed; the page is written all the same.

    \b
    Examples:
      ladtl audit all run/
      ladtl audit all run/ --out audit/ --overwrite
      ladtl audit all run/ --target moved/train.txt --json
    """
    from ladtl_np.pages import require_libraries

    require_libraries()
    moved = moved_files(files)
    _check_folder(out, [run, *run_inputs(run, moved)], overwrite=overwrite)
    from ladtl_np.audit.everything import PARTS, check_run
    from ladtl_np.commands.support.audit_display import AuditDisplay

    with AuditDisplay(f"1/{len(PARTS)} {PARTS[0]}") as display:
        done = check_run(
            run,
            moved,
            seed=seed,
            tell=lambda part, so_far, total: display.tell_part(part, PARTS, so_far, total),
        )
    _write(done, out)
    if as_json:
        print_json(done.to_json())
    else:
        _print(done, out)
    if not done.passed:
        click.get_current_context().exit(LadtlError.exit_code)


def _check_folder(out: Path, inputs: list[str], *, overwrite: bool) -> None:
    """Refuse a folder that holds something else, before any work is done."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is no folder; name one with --out")
    others = {path.name for path in out.iterdir()} - {PAGE, NUMBERS} if out.is_dir() else set()
    if others:
        raise UsageError(f"{out} holds other files than an audit; name another folder with --out")
    if out.is_dir():
        for name in (PAGE, NUMBERS):
            check_output(str(out / name), inputs, overwrite=overwrite)
    elif not os.access(next(place for place in out.absolute().parents if place.exists()), os.W_OK):
        raise UsageError(f"{out} cannot be made by you; name another folder with --out")


def _write(done: RunAudit, out: Path) -> None:
    from ladtl_np.files import make_private_folder, write_atomically
    from ladtl_np.pages import Page, Pen
    from ladtl_np.pages.drawing.library import font_folder

    make_private_folder(out)
    with font_folder(out):
        sections = done.sections(Pen([]))
    title = f"Audit of {done.record.run}"
    page = Page(title, done.verdict, sections, maker="ladtl audit all")
    write_atomically(out / PAGE, page.html().encode("utf-8"))
    write_atomically(out / NUMBERS, f"{json_text(done.to_json(), indent=2)}\n".encode())


def _print(done: RunAudit, out: Path) -> None:
    """The overview, every line that failed, and where the whole is."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, title=f"{shown(done.record.run, LONG)}: {done.verdict}")
    for name in ("audit", "passed", "failed", "noted"):
        table.add_column(name, justify="left" if name == "audit" else "right")
    for audit in done.audits:
        counts = (f"{audit.count(verdict):,}" for verdict in ("passed", "failed", "noted"))
        table.add_row(shown(audit.title, LONG), *counts)
    print_table(table)
    for audit in done.audits:
        for line in audit.lines:
            if line.verdict == "failed":
                told = f"failed {audit.key}: {line.check}: {line.found}, wanted {line.wanted}"
                click.echo(shown(f"{told} {line.detail}".rstrip(), LONG))
    click.echo(f"{shown(str(out / PAGE), LONG)} and {NUMBERS} hold all lines", err=True)
